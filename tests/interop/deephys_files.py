"""Deephys' files for tests: written by the real exporter, or by hand where it would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cbor2
import deephys
import numpy as np

CLASSES = ["ant", "bee", "cow"]
LAYERS = {"pool": 4, "fc": 3}


def arrays(count: int = 5, height: int = 4, width: int = 6, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "images": random.random((count, 3, height, width)),
        "pool": np.maximum(random.normal(size=(count, 4)), 0),
        "fc": random.normal(size=(count, 3)),
        "truth": random.integers(0, 3, count).tolist(),
    }


def exported(folder: Path, data: dict[str, Any], dtype: str = "float32", name: str = "Set") -> Path:
    """Write net.model and NAME.test with the real exporter; return the latter."""
    model = deephys.model("net", LAYERS, "fc")
    model.save(str(folder / "net.model"))
    path = folder / f"{name}.test"
    deephys.dataset_activity(
        name, CLASSES, {layer: data[layer] for layer in LAYERS}, model, data["images"],
        data["truth"], dtype,
    ).save(str(path))  # fmt: skip
    return path


def image(number: int = 0, side: int = 2, **changes: Any) -> dict[str, Any]:
    """One image of a `.test` file as plain values."""
    category = number % 3
    made = {
        "imageID": number,
        "categoryID": category,
        "category": CLASSES[category],
        "data": [[bytes([number + row] * side) for row in range(side)] for _ in range(3)],
        "features": None,
        "activations": {
            "activations": [
                np.arange(number, number + 4).astype(">f4").tobytes(),
                np.arange(3).astype(">f4").tobytes(),
            ]
        },
    }
    return {key: value for key, value in (made | changes).items() if value is not Ellipsis}


MODEL = {
    "name": "net",
    "layers": [{"layerID": name, "neurons": [{}] * units} for name, units in LAYERS.items()],
    "classification_layer": "fc",
}


def dataset(*images: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A `.test` file as plain values; ``...`` leaves a key out."""
    made = {"name": "Set", "dtype": "float32", "classes": CLASSES} | changes
    made["images"] = list(images) or [image(number) for number in range(4)]
    return {key: value for key, value in made.items() if value is not Ellipsis}


def written(folder: Path, test: Any, model: Any = None, name: str = "Set") -> tuple[Path, Path]:
    """Write both files by hand: bytes as they are, anything else as CBOR."""
    paths = folder / "net.model", folder / f"{name}.test"
    for path, content in zip(paths, (MODEL if model is None else model, test), strict=True):
        data = content if isinstance(content, bytes) else cbor2.dumps(content)
        path.write_bytes(data)
    return paths
