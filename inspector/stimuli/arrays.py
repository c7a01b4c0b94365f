"""Arrays as data: `.npy` files and `.npz` files with `images` and, if there are any, `labels`."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import Column, Dataset
from inspector.stimuli.deflated import Rows
from inspector.stimuli.errors import ArrayFormatError, EmptyDataError, LabelError
from inspector.stimuli.npz import Npz

_HASHED_BYTES = 16 << 20


class ArrayDataset(Dataset):
    """Stimuli that lie in one array.

    Parameters
    ----------
    name : str
        Name of the dataset.
    images : array [stimuli, ...]
        In memory, mapped, or read in parts. Pictures as [N, H, W], [N, H, W, C] or [N, C, H, W],
        or any other inputs of a model.
    labels : int array [stimuli], optional
        Numbers of the model's outputs, or of `category_names`; -1 where there is no ground truth.
    category_names : tuple of str, optional
        What the labels stand for, where the source says so.
    columns : mapping of str to sequence, optional
        Metadata by name.
    """

    def __init__(
        self,
        name: str,
        images: Rows,
        labels: NDArray[np.integer[Any]] | None = None,
        category_names: tuple[str, ...] | None = None,
        columns: Mapping[str, Column] | None = None,
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
        self.category_names = category_names
        self._columns = columns or {}

    def __len__(self) -> int:
        return len(self._images)

    def read(self, number: int) -> NDArray[Any]:
        image: NDArray[Any] = self._images[number]
        return image

    def digest(self) -> str:
        content = hashlib.sha256(f"{self._images.dtype.str}{self._images.shape}".encode())
        row = int(np.prod(self._images.shape[1:], dtype=np.int64)) * self._images.dtype.itemsize
        rows = max(1, _HASHED_BYTES // max(1, row))
        for start in range(0, len(self._images), rows):
            content.update(np.ascontiguousarray(self._images[start : start + rows]).data)
        if self._labels is not None:
            content.update(np.ascontiguousarray(self._labels, "<i8").data)
        return content.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        if self._labels is None:
            return super().labels()
        labels: NDArray[np.int32] = np.clip(self._labels, -(2**31), 2**31 - 1).astype(np.int32)
        return labels

    @property
    def columns(self) -> Mapping[str, Column]:
        return self._columns

    @property
    def is_array(self) -> bool:
        return True


def open_array_file(path: Path) -> ArrayDataset:
    """Open a `.npy` file or a `.npz` file with `images` and `labels`, without loading it.

    Files and uncompressed members are mapped; large compressed members are decompressed as they
    are read (see :mod:`inspector.stimuli.npz`).

    Raises
    ------
    ArrayFormatError
        When the file is no array file, holds Python objects, or lacks `images`.
    """
    try:
        if path.suffix.lower() == ".npy":
            return ArrayDataset(path.stem, np.load(path, mmap_mode="r", allow_pickle=False))
        arrays = Npz(path)
        if "images" not in arrays.names:
            found = ", ".join(sorted(arrays.names)) or "nothing"
            raise ArrayFormatError(
                f"{path}: has no array named `images` (found: {found}); "
                "save it as np.savez(path, images=…, labels=…)"
            )
        images = arrays.open("images")
        labels = arrays.open("labels")[:] if "labels" in arrays.names else None
        if labels is not None:
            labels = np.array(labels)
        return ArrayDataset(path.stem, images, labels)
    except (
        ValueError,
        EOFError,
        OSError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        struct.error,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise ArrayFormatError(
            f"{path}: cannot be read as arrays of numbers ({_first_line(error)}); "
            "save it again with np.save or np.savez"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
