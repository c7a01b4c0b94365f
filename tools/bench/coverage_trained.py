"""EfficientNet-Lite0 with trained weights on real photos: float32, float16 and int8."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from coverage_check import Case
from efficientnet import PACKAGES, export, missing, photos, prepared, trained_network

NAME = "efficientnet_lite0"
_SHOWN = 4


def trained(folder: Path, absent: list[str]) -> Iterator[Case]:
    """Yield both exports with what hooks saw, then a float16 and an int8 version of the first."""
    lacking = missing(*PACKAGES, "foolbox", "PIL")
    if lacking:
        absent.append(f"{NAME}: {', '.join(lacking)} is not installed")
        return
    import torch
    from coverage_torch import watch

    network = trained_network()
    pixels = np.stack([prepared(path) for path, _ in photos()])
    few = pixels[:_SHOWN]
    hooks = watch(network, torch.from_numpy(few))
    for source, dynamo in (("torch dynamo", True), ("torch script", False)):
        path = export(network, folder / f"{NAME}_{source[6:]}.onnx", dynamo=dynamo)
        yield Case(NAME, f"{source}, trained", path, {"x": few}, hooks)
    whole = folder / f"{NAME}_dynamo.onnx"
    half = {"x": few.astype(np.float16)}
    yield Case(f"{NAME} float16", "onnxruntime float16", _float16(whole), half)
    yield Case(f"{NAME} int8", "onnxruntime QDQ", _int8(whole, pixels), {"x": few})


def _float16(path: Path) -> Path:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    made = path.with_name(f"{path.stem}_float16.onnx")
    with warnings.catch_warnings():
        # Weights too small for float16 are named one by one.
        warnings.simplefilter("ignore")
        onnx.save(convert_float_to_float16(onnx.load(path)), made)
    return made


def _int8(path: Path, pixels: Any) -> Path:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Photos(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.feeds = iter([{"x": pixels[i : i + 1]} for i in range(len(pixels))])

        def get_next(self) -> Any:
            return next(self.feeds, None)

    made, ready = (path.with_name(f"{path.stem}_{word}.onnx") for word in ("int8", "ready"))
    logging.disable(logging.WARNING)
    quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
    quantize_static(str(ready), str(made), Photos(), QuantFormat.QDQ, per_channel=True)
    logging.disable(logging.NOTSET)
    return made
