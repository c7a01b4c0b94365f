"""Open the arrays of `.npy` and `.npz` files without loading them.

`.npy` files and uncompressed members of `.npz` files are mapped. Compressed members up to
:data:`LOADED_BYTES` are loaded; larger ones are decompressed as they are read, in bounded memory
(see :mod:`inspector.stimuli.deflated`). Python objects are never loaded.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from inspector.stimuli.deflated import Deflated, DeflatedArray, Rows
from inspector.stimuli.errors import ArrayFormatError

LOADED_BYTES = 256 << 20
_RAW_DEFLATE = -15
_LOCAL_HEADER = struct.Struct("<4s22xHH")


class Npz:
    """The arrays of one `.npz` file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError, OSError, zipfile.BadZipFile
        When it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with zipfile.ZipFile(path) as archive:
            self._members = {
                each.filename.removesuffix(".npy"): each
                for each in archive.infolist()
                if each.filename.endswith(".npy")
            }

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return list(self._members)

    def open(self, name: str, loaded: int = LOADED_BYTES) -> Rows:
        """Open one array: mapped, loaded, or decompressed as it is read.

        Parameters
        ----------
        name : str
            One of :attr:`names`.
        loaded : int
            Largest compressed array that is loaded, in bytes.

        Raises
        ------
        ArrayFormatError, ValueError, OSError, EOFError
            When it cannot be read.
        """
        member = self._members[name]
        with zipfile.ZipFile(self._path) as archive, archive.open(member) as file:
            shape, column_order, dtype, start = _read_head(file)
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize
            if start + size != member.file_size:
                raise ArrayFormatError(
                    f"{self._path}: the array {name!r} is {member.file_size - start:,} bytes "
                    f"where its shape {list(shape)} needs {size:,}; save it again"
                )
            if member.compress_type == zipfile.ZIP_STORED and size:
                return np.memmap(
                    self._path,
                    dtype,
                    "r",
                    self._begin(member) + start,
                    shape,
                    "F" if column_order else "C",
                )
            if size <= loaded:
                # Never more than the archive's directory says, whatever the stream holds.
                values = np.frombuffer(file.read(size), dtype)
                return values.reshape(shape, order="F" if column_order else "C")
        if column_order or member.compress_type != zipfile.ZIP_DEFLATED:
            raise ArrayFormatError(
                f"{self._path}: the array {name!r} of {size:,} bytes is compressed in a way that "
                f"cannot be read in parts (limit {loaded:,}); save it with np.savez, in C order"
            )
        whole = Deflated(
            self._path, self._begin(member), member.compress_size, member.file_size, _RAW_DEFLATE
        )
        return DeflatedArray(whole, start, dtype, shape)

    def _begin(self, member: zipfile.ZipInfo) -> int:
        """Offset of a member's bytes: behind its local header, whose lengths are its own."""
        with self._path.open("rb") as file:
            file.seek(member.header_offset)
            head = file.read(_LOCAL_HEADER.size)
        if len(head) < _LOCAL_HEADER.size:
            raise ArrayFormatError(f"{self._path}: is cut short; copy or save it again")
        _, name, extra = _LOCAL_HEADER.unpack(head)
        return member.header_offset + _LOCAL_HEADER.size + int(name) + int(extra)


def _read_head(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Read the head of an array in npy format: shape, whether in column order, dtype, length."""
    version = npy_format.read_magic(file)
    if version == (1, 0):
        shape, column_order, dtype = npy_format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, column_order, dtype = npy_format.read_array_header_2_0(file)
    else:
        raise ValueError(f"npy version {version[0]}.{version[1]}")
    if dtype.hasobject:
        raise ValueError("holds Python objects")
    return shape, column_order, dtype, file.tell()
