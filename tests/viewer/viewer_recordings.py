"""Small real recordings for the tests of the viewer, with images made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inspector.recording import Chunk, Header, RecordedLayer, RecordingWriter

CLASSES = ("zero", "one", "two", "three", "four")
CONV = RecordedLayer(
    "conv1", "relu", "conv", 6, (6, 4, 4), reductions=("relu_mean", "max"),
    same={"mean": "relu_mean"},
)  # fmt: skip
DENSE = RecordedLayer(
    "dense", "relu_1", "vector", 30, (30,), same={"mean": "none", "max": "none"}
)  # fmt: skip
LOGITS = RecordedLayer("logits", "out", "logits", 5, (5,), signed=True)
LAYERS = (CONV, DENSE, LOGITS)


def picture(image: int, label: int, tint: Sequence[int], side: int = 28) -> np.ndarray:
    """A square of a colour on black whose place says the image and whose size the label."""
    pixels = np.zeros((side, side, 3), np.uint8)
    size = side // 4 + label * 2
    at = image % (side - size)
    pixels[at : at + size, side - size - at : side - at] = tint
    return pixels


def activity(images: int, layer: RecordedLayer, seed: int, scale: float) -> np.ndarray:
    """Rectified noise that prefers some labels; units 3, 4 and 5 of `dense` are special."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % len(CLASSES)
    values = random.normal(0.2, 1, (images, layer.units))
    values += 1.5 * (labels[:, None] == np.arange(layer.units)[None, :] % len(CLASSES))
    values = values * scale if layer.signed else np.maximum(values * scale, 0)
    values = values.astype(np.float32)
    if layer.name == "dense":
        values[:, 3] = 0
        values[:, 4] = np.nan
        values[::7, 5] = np.inf
        values[1::7, 5] = -np.inf
    return values


def write_recording(
    path: Path,
    name: str,
    *,
    images: int = 120,
    layers: Sequence[RecordedLayer] = LAYERS,
    seed: int = 0,
    scale: float = 1.0,
    tint: Sequence[int] = (90, 200, 255),
    side: int = 28,
    stop_after: int | None = None,
    labelled: bool = True,
    classes: Sequence[str] = CLASSES,
    model: str = "little_net",
) -> Path:
    """Write a recording; `stop_after` chunks of 32 images leave it unfinished."""
    labels = np.arange(images, dtype=np.int32) % len(CLASSES)
    predictions = np.where(np.arange(images) % 6 == 0, (labels + 1) % len(CLASSES), labels)
    header = Header(
        name=name,
        model={"name": model, "sha256": "0" * 64, "file": f"{model}.onnx"},
        layers=tuple(layers),
        classes=tuple(classes),
        output={"layer": "logits", "kind": "logits"} if LOGITS in layers else {},
        images=images,
        batch=32,
        chunk=32,
        stimuli_sha256="0" * 64,
        thumbnail={"px": side},
    )
    values = {
        (layer.name, reduction): activity(images, layer, seed + place, scale)
        for layer in layers
        for place, reduction in enumerate(layer.reductions)
    }
    with RecordingWriter.create(path, header, overwrite=True) as writer:
        for number, first in enumerate(range(0, images, 32)):
            if number == stop_after:
                return path
            last = min(images, first + 32)
            writer.append(
                Chunk(
                    start=first,
                    activity={key: array[first:last] for key, array in values.items()},
                    thumbnails=[
                        picture(image, int(labels[image]), tint, side)
                        for image in range(first, last)
                    ],
                    labels=labels[first:last] if labelled else np.full(last - first, -1, np.int32),
                    predictions=predictions[first:last].astype(np.int32),
                    confidences=np.full(last - first, 0.75, np.float32),
                    paths=[f"{image:04}.png" for image in range(first, last)],
                )
            )
        writer.finish()
    return path
