"""Tiny recordings to export: every kind of layer, label, column and gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inspector.recording import Chunk, Header, RecordedLayer, RecordingWriter

CONV = RecordedLayer(
    name="conv1", tensor="/conv1/Relu", kind="conv", units=3, shape=(3, 4, 4),
    reductions=("relu_mean", "max"), same={"mean": "relu_mean"},
)  # fmt: skip
SIGNED = RecordedLayer(
    name="linear1", tensor="/fc1/Gemm", kind="vector", units=2, shape=(2,), signed=True,
    same={"mean": "none", "max": "none"},
)  # fmt: skip
LOGITS = RecordedLayer(
    name="logits", tensor="out", kind="logits", units=4, shape=(4,), signed=True,
    same={"mean": "none", "max": "none"},
)  # fmt: skip

HEADER = Header(
    name="tiny", model={"name": "net", "sha256": "ab" * 32, "file": "net.onnx"},
    layers=(CONV, LOGITS), classes=("cat", "dog", "bird", "=cow"),
    output={"layer": "logits", "kind": "logits"}, images=10, batch=2, chunk=4,
    thumbnail={"px": 8}, columns={"camera": "text", "lux": "float", "burst": "int"}, data="photos",
)  # fmt: skip


def recording(
    path: Path,
    *,
    skip: tuple[int, ...] = (),
    unlabelled: tuple[int, ...] = (),
    sizes: tuple[tuple[int, int], ...] = ((3, 5),),
    values: dict[str, Any] | None = None,
    camera: tuple[str, ...] = ("c7", "c8"),
    paths: str = "cat/{}.png",
    **changes: Any,
) -> Path:
    """Write a recording; `values` are arrays [images, units] by layer."""
    head = replace(HEADER, **changes)
    taps = [(layer, each) for layer in head.layers for each in layer.reductions]
    with RecordingWriter.create(path, head) as writer:
        while writer.next_image < head.images:
            start = writer.next_image
            numbers = np.arange(start, min(head.images, start + head.chunk))
            activity = {
                (layer.name, each): expected(layer, each, numbers, values) for layer, each in taps
            }
            labels = [-1 if number in unlabelled else number % 3 for number in numbers]
            gone = [number for number in numbers.tolist() if number in skip]
            thumbnails = [
                np.zeros((0, 0, 3), np.uint8) if number in skip else picture(number, sizes)
                for number in numbers.tolist()
            ]
            columns = {
                "camera": [camera[number % len(camera)] for number in numbers],
                "lux": np.where(numbers == 1, np.nan, numbers * 0.5),
                "burst": numbers // 2,
            }
            writer.append(
                Chunk(
                    start=start,
                    activity=activity,
                    thumbnails=thumbnails,
                    labels=np.array(labels, np.int32),
                    predictions=np.where(np.isin(numbers, skip), -1, numbers % 4).astype(np.int32),
                    confidences=np.where(np.isin(numbers, skip), np.nan, 0.25).astype(np.float32),
                    paths=[paths.format(number) for number in numbers],
                    skipped=dict.fromkeys(gone, "=broken"),
                    columns={name: columns[name] for name in head.columns},
                )
            )
        writer.finish()
    return path


def expected(
    layer: RecordedLayer, reduction: str, numbers: np.ndarray, values: dict[str, Any] | None = None
) -> np.ndarray:
    if values and layer.name in values:
        return np.asarray(values[layer.name], np.float32)[numbers]
    made = np.sin(numbers[:, None] * 1.7 + np.arange(layer.units) * 0.9 + len(reduction))
    return (made if layer.signed else abs(made)).astype(np.float32)


def picture(number: int, sizes: tuple[tuple[int, int], ...] = ((3, 5),)) -> np.ndarray:
    height, width = sizes[number % len(sizes)]
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
