"""Tiny recordings, built in code: every kind of layer, column, thumbnail and gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inspector.recording import Chunk, Header, RecordedLayer, RecordingWriter

CONV = RecordedLayer(
    name="conv1", tensor="/conv1/Relu_output_0", kind="conv", units=3, shape=(3, 4, 4), op="Relu",
    aliases=("features.0",), reductions=("relu_mean", "max"), same={"mean": "relu_mean"},
)  # fmt: skip
LINEAR = RecordedLayer(
    name="linear1", tensor="/fc1/Gemm", kind="vector", units=5, shape=(5,), signed=True, op="Gemm",
    reductions=("none",), same={"mean": "none", "max": "none"}, dtype="float16",
)  # fmt: skip
LOGITS = RecordedLayer(
    name="logits", tensor="out", kind="logits", units=4, shape=(4,), signed=True, op="Gemm",
    reductions=("none",), same={"mean": "none", "max": "none"},
)  # fmt: skip


def header(images: int = 10, chunk: int = 4, **changes: Any) -> Header:
    base = Header(
        name="tiny", model={"name": "net", "sha256": "ab" * 32, "file": "net.onnx"},
        layers=(CONV, LINEAR, LOGITS), classes=("cat", "dog", "bird\n", "x" * 30),
        output={"layer": "logits", "kind": "logits"}, images=images, batch=2, chunk=chunk,
        stimuli_sha256="cd" * 32, options={"preprocess": {"mean": [0.5, 0.5], "size": 8}},
        thumbnail={"px": 8}, columns={"camera": "text", "lux": "float", "burst": "int"},
        data="photos",
    )  # fmt: skip
    return replace(base, **changes)


def chunk_of(head: Header, start: int, *, skip: bool = True, side: int = 3) -> Chunk:
    """The chunk at `start`: every value a function of the image's number alone."""
    count = min(head.chunk, head.images - start)
    numbers = np.arange(start, start + count)
    activity = {}
    for depth, layer in enumerate(head.layers):
        for step, reduction in enumerate(layer.reductions):
            units = np.arange(layer.units)
            # Whole numbers over a power of two: the same bits on every machine.
            mixed = (numbers[:, None] * 37 + units * 53 + depth * 11 + step * 7) % 127
            values = ((mixed - 60) / 64).astype(np.float32)
            values = values if layer.signed else np.maximum(values, 0)
            activity[layer.name, reduction] = values
    skipped = {
        int(number): f"cannot be decoded: {number}"
        for number in numbers
        if skip and number % 7 == 3
    }
    labels = np.where(numbers % 5 == 4, -1, numbers % 3).astype(np.int32)
    predictions = (numbers % 4).astype(np.int32)
    confidences = np.full(count, 0.5, np.float32)
    for number in skipped:
        predictions[number - start] = -1
        confidences[number - start] = np.nan
    thumbnails = []
    for number in numbers:
        rng = np.random.default_rng(int(number))
        shape = (side, side + 1) if number % 4 == 1 else (side, side + 1, 3)
        thumbnails.append(
            np.zeros((0, 0, 3), np.uint8)
            if int(number) in skipped
            else rng.integers(0, 256, shape, dtype=np.uint8)
        )
    return Chunk(
        start=start, activity=activity, thumbnails=thumbnails, labels=labels,
        predictions=predictions, confidences=confidences,
        paths=[f"{'ä' * (int(number) % 3)}cat/{number}.png" for number in numbers],
        skipped=skipped,
        columns={
            name: {
                "text": [f"c{number % 3}" for number in numbers],
                "float": numbers * 0.5,
                "int": numbers // 2,
            }[kind]
            for name, kind in head.columns.items()
        },
    )  # fmt: skip


def write(
    path: Path,
    head: Header | None = None,
    *,
    chunks: int | None = None,
    finish: bool = True,
    **kw: Any,
) -> Path:
    """Write a sample recording; `chunks` stops early."""
    head = head or header()
    with RecordingWriter.create(path, head) as writer:
        while writer.next_image < head.images and chunks != 0:
            writer.append(chunk_of(head, writer.next_image, **kw))
            chunks = None if chunks is None else chunks - 1
        if finish and writer.next_image == head.images:
            writer.finish()
    return path


def whole_activity(head: Header, layer: str, reduction: str, **kw: Any) -> np.ndarray:
    """What activity(layer, reduction)[:] must give."""
    parts = []
    for start in range(0, head.images, head.chunk):
        chunk = chunk_of(head, start, **kw)
        values = chunk.activity[layer, reduction].copy()
        for number in chunk.skipped:
            values[number - start] = np.nan
        stored = next(item.dtype for item in head.layers if item.name == layer)
        parts.append(values.astype(stored).astype(np.float32))
    return np.concatenate(parts)
