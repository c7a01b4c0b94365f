"""MNIST's idx files, plain (mapped) or gzipped (decompressed as they are read)."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.arrays import ArrayDataset
from inspector.stimuli.deflated import Deflated, DeflatedArray, Rows
from inspector.stimuli.errors import ArrayFormatError, LabelError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MOST_BYTES = 1 << 40


def is_idx(path: Path) -> bool:
    """Whether a file begins as an idx file does, gzipped or not."""
    try:
        head = _head(path, 4)
    except (OSError, ArrayFormatError):
        return False
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= 8


def open_idx(path: Path) -> ArrayDataset:
    """Open an idx file of images, with the labels that lie beside it.

    The labels of `train-images-idx3-ubyte.gz` are in `train-labels-idx1-ubyte`, gzipped or not;
    without such a file there is no ground truth.

    Raises
    ------
    ArrayFormatError
        When the file is broken or cut short.
    LabelError
        When the labels are not one byte an image.
    """
    images = read_idx(path)
    if images.ndim < 2:
        raise ArrayFormatError(
            f"{path}: holds numbers {list(images.shape)}, not images; give the file of the images "
            "(…-images-idx3-ubyte)"
        )
    labels_path = _labels_beside(path)
    labels: NDArray[Any] | None = None
    if labels_path is not None:
        stored = read_idx(labels_path)
        if stored.shape != (len(images),) or stored.dtype.kind not in "iu":
            raise LabelError(
                f"{labels_path}: holds {stored.dtype} {list(stored.shape)}, not one label for each "
                f"of the {len(images):,} images of {path.name}; mend or move it"
            )
        labels = np.asarray(stored[:]).astype(np.int64)
    return ArrayDataset(path.name.split(".", 1)[0], images, labels)


def read_idx(path: Path) -> Rows:
    """Open an idx file's array.

    Raises
    ------
    ArrayFormatError
        When it is no idx file, or shorter than its head says.
    """
    try:
        head = _head(path, 4 + 4 * 8)
        zipped = _is_gzip(path)
        length = path.stat().st_size
    except OSError as error:
        raise ArrayFormatError(f"{path}: cannot be read ({error.strerror})") from error
    dimensions = head[3] if len(head) > 3 else 0
    start = 4 + 4 * dimensions
    if len(head) < start or not dimensions or head[:2] != b"\0\0" or head[2] not in _TYPES:
        raise ArrayFormatError(f"{path}: is no idx file; copy it again")
    shape = struct.unpack_from(f">{dimensions}I", head, 4)
    dtype = np.dtype(_TYPES[head[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > _MOST_BYTES:
        raise ArrayFormatError(
            f"{path}: claims {size:,} bytes (limit {_MOST_BYTES:,}); copy it again"
        )
    if zipped:
        whole = Deflated(path, 0, length, start + size, _GZIP_WINDOW)
        return DeflatedArray(whole, start, dtype, shape)
    if length != start + size:
        raise ArrayFormatError(
            f"{path}: has {length:,} bytes where its shape {list(shape)} needs {start + size:,}; "
            "copy it again"
        )
    if size == 0:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape)


def _labels_beside(path: Path) -> Path | None:
    name = path.name.removesuffix(".gz")
    for images, labels in (("images", "labels"), ("idx3", "idx1")):
        name = name.replace(images, labels)
    if name == path.name.removesuffix(".gz"):
        return None
    beside = [path.with_name(name), path.with_name(name + ".gz")]
    return next((each for each in beside if each.is_file()), None)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _head(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        head = file.read(1024)
    if head[:2] != _GZIP:
        return head[:count]
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(head, count)
    except zlib.error as error:
        raise ArrayFormatError(f"{path}: is broken gzip ({error}); copy it again") from error
