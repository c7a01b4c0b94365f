"""Arrays as data: `.npy` files and `.npz` files with `images` and, if there are any, `labels`."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import Dataset
from inspector.stimuli.errors import ArrayFormatError, EmptyDataError, LabelError


class ArrayDataset(Dataset):
    """Stimuli that lie in one array.

    Parameters
    ----------
    name : str
        Name of the dataset.
    images : array [stimuli, ...]
        Pictures as [N, H, W], [N, H, W, C] or [N, C, H, W], or any other inputs of a model.
    labels : int array [stimuli], optional
        Numbers of the model's outputs; -1 where there is no ground truth.
    """

    def __init__(
        self, name: str, images: NDArray[Any], labels: NDArray[np.integer[Any]] | None = None
    ) -> None:
        if images.ndim < 2:
            raise ArrayFormatError(
                f"{name}: the images have the shape {list(images.shape)}; "
                "give [N, H, W], [N, H, W, C], [N, C, H, W] or [N, features]"
            )
        if images.dtype.kind not in "uifb":
            raise ArrayFormatError(
                f"{name}: the images are of type {images.dtype}; give integers or floats"
            )
        if len(images) == 0:
            raise EmptyDataError(f"{name}: holds no images; give an array of at least one")
        if labels is not None and (labels.shape != (len(images),) or labels.dtype.kind not in "ui"):
            raise LabelError(
                f"{name}: {len(images):,} images need as many integer labels, but the labels are "
                f"{labels.dtype} {list(labels.shape)}; give one class number an image, -1 for none"
            )
        self.name = name
        self._images = images
        self._labels = labels

    def __len__(self) -> int:
        return len(self._images)

    def read(self, number: int) -> NDArray[Any]:
        image: NDArray[Any] = self._images[number]
        return image

    def digest(self) -> str:
        content = hashlib.sha256(f"{self._images.dtype.str}{self._images.shape}".encode())
        for start in range(0, len(self._images), 1024):
            content.update(np.ascontiguousarray(self._images[start : start + 1024]).data)
        if self._labels is not None:
            content.update(np.ascontiguousarray(self._labels, "<i8").data)
        return content.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        if self._labels is None:
            return super().labels()
        labels: NDArray[np.int32] = np.clip(self._labels, -(2**31), 2**31 - 1).astype(np.int32)
        return labels

    @property
    def is_array(self) -> bool:
        return True


def open_array_file(path: Path) -> ArrayDataset:
    """Open a `.npy` file (mapped, not loaded) or a `.npz` file with `images` and `labels`.

    Raises
    ------
    ArrayFormatError
        When the file is no array file, holds Python objects, or lacks `images`.
    """
    try:
        if path.suffix.lower() == ".npy":
            return ArrayDataset(path.stem, np.load(path, mmap_mode="r", allow_pickle=False))
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if "images" not in arrays:
                found = ", ".join(sorted(arrays.files)) or "nothing"
                raise ArrayFormatError(
                    f"{path}: has no array named `images` (found: {found}); "
                    "save it as np.savez(path, images=…, labels=…)"
                )
            labels = arrays.get("labels")
            return ArrayDataset(path.stem, arrays["images"], labels)
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ArrayFormatError(
            f"{path}: cannot be read as arrays of numbers ({_first_line(error)}); "
            "save it again with np.save or np.savez"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
