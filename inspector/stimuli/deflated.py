"""Read anywhere in deflated bytes (gzip files, compressed .npz members) in bounded memory.

Deflate can only be read from its start. The first pass leaves a copy of the decompressor's state
at every block, so that later reads start at the nearest one; a few blocks are kept. Reading in
order costs one decompression, and memory does not grow with the data but for 40 kB of state a
block.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import ArrayFormatError

BLOCK_BYTES = 16 << 20
KEPT_BLOCKS = 4
_PIECE = 1 << 18


class Deflated:
    """Decompressed bytes of a part of a file.

    Parameters
    ----------
    path : Path
        The file.
    offset, length : int
        Where the compressed bytes lie in it.
    size : int
        How many bytes they decompress to; more is never made.
    window : int
        zlib's `wbits`: -15 for raw deflate, 31 for gzip.
    block : int
        Bytes between two states.
    """

    def __init__(
        self,
        path: Path,
        offset: int,
        length: int,
        size: int,
        window: int,
        block: int = BLOCK_BYTES,
    ) -> None:
        self._path = path
        self._offset = offset
        self._length = length
        self.size = size
        self._block = block
        # A state at the start of block n: the decompressor and the compressed bytes it has read.
        self._states: list[tuple[Any, int]] = [(zlib.decompressobj(window), 0)]
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start` on.

        Raises
        ------
        ArrayFormatError
            When the file ends early or is no deflate.
        """
        parts = []
        with self._lock:
            while count > 0:
                number, inside = divmod(start, self._block)
                part = self._block_bytes(number)[inside : inside + count]
                if not part:
                    raise self._broken("it holds fewer bytes than it says")
                parts.append(part)
                start += len(part)
                count -= len(part)
        return b"".join(parts)

    def _block_bytes(self, number: int) -> bytes:
        kept = self._kept.get(number)
        if kept is not None:
            self._kept.move_to_end(number)
            return kept
        if number * self._block >= self.size:
            return b""
        while len(self._states) <= number:
            self._decompress(len(self._states) - 1)
        return self._decompress(number)

    def _decompress(self, number: int) -> bytes:
        """Make a block from its state, and leave the next block's state."""
        if number in self._kept:
            return self._kept[number]
        saved, place = self._states[number]
        state = saved.copy()
        wanted = min(self._block, self.size - number * self._block)
        made = bytearray()
        try:
            with self._path.open("rb") as file:
                while len(made) < wanted:
                    file.seek(self._offset + place)
                    piece = file.read(min(_PIECE, self._length - place))
                    made += state.decompress(piece, wanted - len(made))
                    used = len(piece) - len(state.unconsumed_tail) - len(state.unused_data)
                    place += used
                    if not used and (state.eof or not piece):
                        break
        except (zlib.error, OSError) as error:
            raise self._broken(str(error)) from error
        block = bytes(made)
        if number + 1 == len(self._states) and len(block) == self._block:
            self._states.append((state, place))
        self._kept[number] = block
        while len(self._kept) > KEPT_BLOCKS:
            self._kept.popitem(last=False)
        return block

    def _broken(self, reason: str) -> ArrayFormatError:
        return ArrayFormatError(
            f"{self._path}: its compressed data is broken ({reason}); copy or save it again"
        )


class Rows(Protocol):
    """An array of which single rows and runs of rows are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """All dimensions."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a value."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""

    def __len__(self) -> int:
        """Count the rows."""

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """Read a row, or a run of rows."""


class DeflatedArray:
    """An array [rows, …] in C order whose rows are decompressed when they are read.

    Parameters
    ----------
    source : Deflated
        The decompressed bytes.
    start : int
        Where the first row begins in them.
    dtype : dtype
        Of the values.
    shape : tuple of int
        With the rows first.
    """

    def __init__(
        self, source: Deflated, start: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        self._source = source
        self._start = start
        self.dtype = dtype
        self.shape = shape
        self._row = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice) -> NDArray[Any]:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self._read(start, max(0, stop - start)).reshape(-1, *self.shape[1:])
        if not -len(self) <= rows < len(self):
            raise IndexError(f"row {rows} of {len(self):,}")
        return self._read(rows % len(self), 1).reshape(self.shape[1:])

    def _read(self, first: int, count: int) -> NDArray[Any]:
        content = self._source.read(self._start + first * self._row, count * self._row)
        return np.frombuffer(content, self.dtype)
