"""Payloads: raw little-endian arrays in ``bin`` objects, aligned, with a checksum per block.

A record's body lists its payloads as ``[name, dtype, shape, block, crc]``. Where they lie is not
stored but follows: one after the other, each ``bin`` preceded by the padding that puts its bytes
on a multiple of 64. So two payloads cannot overlap and nothing can hide between them.

A payload is checked in blocks of `block` bytes. Of one block (or none), `crc` is the checksum of
the bytes; of more, a ``bin`` with a uint32 per block follows the payload and `crc` is the checksum
of that table. The size of a block follows from name and shape: see :func:`block_of`.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import CorruptRecordingError
from inspector.recording.limits import ALIGN, COLUMN_BLOCK, MAX_PIECE, MAX_RANK
from inspector.recording.source import Source

DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("float16", "float32", "float64", "int32", "int64", "uint32", "uint8")
}
BIN_HEAD = 5
IMAGES = "images"


@dataclass(frozen=True)
class Payload:
    """One array of a record, as its body describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    block: int
    crc: int = 0

    @cached_property
    def nbytes(self) -> int:
        """Return the bytes of the array."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize

    @cached_property
    def blocks(self) -> int:
        """Return how many blocks carry a checksum of their own."""
        return -(-self.nbytes // self.block) if self.block else 0

    @cached_property
    def piece(self) -> int:
        """Return the bytes of each ``bin`` but the last: whole blocks, at most 32 MiB."""
        if not self.block:
            return max(1, self.nbytes)
        return max(1, MAX_PIECE // self.block) * self.block

    def describe(self) -> list[Any]:
        """Return the entry of the body's list."""
        return [self.name, self.dtype, list(self.shape), self.block, self.crc]


@dataclass(frozen=True)
class Place:
    """Where one payload lies: the offset of each piece's bytes and of its checksum table."""

    payload: Payload
    pieces: tuple[int, ...]
    table: int | None
    end: int


def gap(position: int) -> int:
    """Return the bytes of padding before a ``bin`` whose head would be at `position`.

    The padding is itself a ``bin`` (two bytes of head), so a gap of one byte becomes 65.
    """
    space = -(position + BIN_HEAD) % ALIGN
    return ALIGN + 1 if space == 1 else space


def place(payload: Payload, position: int) -> Place:
    """Return where `payload` lies when what precedes it ends at `position`."""
    pieces = []
    left = payload.nbytes
    while True:
        position += gap(position) + BIN_HEAD
        pieces.append(position)
        size = min(left, payload.piece)
        position += size
        left -= size
        if not left:
            break
    table = None
    if payload.blocks > 1:
        table = position + gap(position) + BIN_HEAD
        position = table + 4 * payload.blocks
    return Place(payload, tuple(pieces), table, position)


def moved(where: Place, by: int) -> Place:
    """Return a place `by` bytes further on."""
    table = None if where.table is None else where.table + by
    pieces = tuple(piece + by for piece in where.pieces)
    return Place(where.payload, pieces, table, where.end + by)


def place_all(payloads: Sequence[Payload], position: int) -> list[Place]:
    """Return the places of a record's payloads; `position` is where its body ends."""
    places = []
    for payload in payloads:
        places.append(place(payload, position))
        position = places[-1].end
    return places


def checksums(data: memoryview, block: int) -> NDArray[np.uint32]:
    """Return the CRC-32 of every block of `data`."""
    crc32 = zlib.crc32
    count = -(-len(data) // block)
    return np.fromiter(
        (crc32(data[i : i + block]) for i in range(0, len(data), block)), np.dtype("<u4"), count
    )


def bin_head(size: int) -> bytes:
    """Return the five bytes before the `size` bytes of a payload."""
    return b"\xc6" + struct.pack(">I", size)


def padding(position: int) -> bytes:
    """Return the zero ``bin`` that stands at `position`, before the next payload."""
    size = gap(position)
    return b"\xc4" + bytes([size - 2]) + bytes(size - 2) if size else b""


def block_of(name: str, shape: Sequence[int], itemsize: int) -> int:
    """Return the bytes under one checksum: what is read alone.

    One row of an array of several axes, 64 KiB of a column; 0 for the thumbnails, as each of them
    has its checksum in the table beside them.
    """
    if len(shape) == 1:
        return 0 if name == IMAGES else COLUMN_BLOCK
    return max(1, math.prod(shape[1:]) * itemsize)


class PayloadWriter:
    """One payload on its way into a record: its checksums are made once, its bytes kept in place.

    Parameters
    ----------
    name : str
    array : ndarray
        Of one of the dtypes of the format; made contiguous and little-endian if it is not.
    """

    def __init__(self, name: str, array: NDArray[Any]) -> None:
        dtype = DTYPES[array.dtype.name]
        array = np.ascontiguousarray(array, dtype)
        size = block_of(name, array.shape, dtype.itemsize)
        self.data = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        self.table = b""
        crc = 0
        if size and len(self.data) <= size:
            crc = zlib.crc32(self.data)
        elif size:
            self.table = checksums(self.data, size).tobytes()
            crc = zlib.crc32(self.table)
        self.payload = Payload(name, dtype.name, array.shape, size, crc)

    def buffers(self, position: int) -> tuple[list[bytes | memoryview], int]:
        """Return what to write at `position`, and the position after it."""
        out: list[bytes | memoryview] = []
        start = 0
        while True:
            piece = self.data[start : start + self.payload.piece]
            out += [padding(position), bin_head(len(piece)), piece]
            position += gap(position) + BIN_HEAD + len(piece)
            start += len(piece)
            if start >= len(self.data):
                break
        if self.table:
            out += [padding(position), bin_head(len(self.table)), self.table]
            position += gap(position) + BIN_HEAD + len(self.table)
        return out, position


class StoredArray:
    """One payload in a file: reads whole blocks, checks each before it hands it out."""

    def __init__(self, source: Source, where: Place) -> None:
        self.source = source
        self.place = where
        self.payload = where.payload
        self._crcs: NDArray[np.uint32] | None = None

    def crcs(self) -> NDArray[np.uint32]:
        """Return the checksum of every block, uint32 [blocks]."""
        if self._crcs is None:
            if self.place.table is None:
                self._crcs = np.array([self.payload.crc], np.uint32)
            else:
                table = self.source.read(self.place.table, 4 * self.payload.blocks)
                if zlib.crc32(table) != self.payload.crc:
                    raise self._mismatch(self.place.table)
                self._crcs = np.frombuffer(table, "<u4")
        return self._crcs

    def read_blocks(
        self, first: int, last: int, crcs: NDArray[np.uint32] | None = None
    ) -> memoryview:
        """Return the bytes of blocks first..last-1, each checked against its checksum."""
        payload = self.payload
        if not payload.block:
            raise CorruptRecordingError(
                "a payload without checksums", path=self.source.path, value=payload.name
            )
        start = first * payload.block
        stop = min(last * payload.block, payload.nbytes)
        if stop <= start:
            if not payload.nbytes and payload.crc:
                raise self._mismatch(self.place.pieces[0])
            return memoryview(b"")
        expected = (self.crcs()[first:last] if crcs is None else crcs).tolist()
        view = self._bytes(start, stop)
        crc32, block = zlib.crc32, payload.block
        for number, crc in enumerate(expected):
            if crc32(view[number * block : (number + 1) * block]) != crc:
                raise self._mismatch(self.block_offset(first + number))
        return view

    def _bytes(self, start: int, stop: int) -> memoryview:
        """Return bytes start..stop-1, out of one piece or several."""
        size = self.payload.piece
        if start // size == (stop - 1) // size:
            return self.source.view(self.place.pieces[start // size] + start % size, stop - start)
        view = np.empty(stop - start, np.uint8).data
        done = 0
        while done < stop - start:
            piece, within = divmod(start + done, size)
            count = min(size - within, stop - start - done)
            self.source.read_into(self.place.pieces[piece] + within, view[done : done + count])
            done += count
        return view

    def block_offset(self, block: int) -> int:
        """Return the file offset of a block."""
        piece, within = divmod(block * self.payload.block, self.payload.piece)
        return self.place.pieces[piece] + within

    def read_rows(self, first: int, last: int) -> NDArray[Any]:
        """Return rows first..last-1 of a payload whose blocks are its rows, read-only."""
        data = self.read_blocks(first, last)
        dtype = DTYPES[self.payload.dtype]
        array = np.frombuffer(data, dtype).reshape((last - first, *self.payload.shape[1:]))
        return read_only(array)

    def read(self) -> NDArray[Any]:
        """Return the whole array, read-only, checked."""
        data = self.read_blocks(0, max(1, self.payload.blocks))
        array = np.frombuffer(data, DTYPES[self.payload.dtype]).reshape(self.payload.shape)
        return read_only(array)

    def read_items(self, first: int, last: int) -> NDArray[Any]:
        """Return items first..last-1 of a one-dimensional payload: only the blocks they touch."""
        dtype = DTYPES[self.payload.dtype]
        block = self.payload.block
        low, high = first * dtype.itemsize, last * dtype.itemsize
        if high <= low:
            return read_only(np.empty(0, dtype))
        begin = low // block
        data = self.read_blocks(begin, -(-high // block))
        return read_only(np.frombuffer(data[low - begin * block : high - begin * block], dtype))

    def _mismatch(self, offset: int) -> CorruptRecordingError:
        return CorruptRecordingError(
            f"checksum of {self.payload.name!r}",
            path=self.source.path,
            offset=offset,
            advice="run `inspector recover` to save the rest",
        )


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` marked read-only: what a recording hands out is never written to."""
    array.flags.writeable = False
    return array


def parse_payloads(entries: Any, path: str | Path, offset: int, room: int) -> list[Payload]:
    """Return the payloads that a body lists; every number is checked before it is used.

    `room` is the bytes of the record: the payloads and their tables must fit into it.
    """

    def refuse(rule: str, value: Any, limit: Any = None) -> CorruptRecordingError:
        return CorruptRecordingError(rule, path=path, offset=offset, value=value, limit=limit)

    if not isinstance(entries, list):
        raise refuse("payloads must be a list", type(entries).__name__)
    payloads: list[Payload] = []
    names: set[str] = set()
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 5:
            raise refuse("a payload has five fields", str(entry)[:80])
        name, dtype, shape, block, crc = entry
        if not isinstance(name, str) or name in names:
            raise refuse("payload names are text and unique", name)
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise refuse("dtype of a payload", dtype, ", ".join(DTYPES))
        if not isinstance(shape, list) or not 1 <= len(shape) <= MAX_RANK:
            raise refuse("shape of a payload", shape, f"1 to {MAX_RANK} axes")
        for size in shape:
            if type(size) is not int or not 0 <= size < 1 << 48:
                raise refuse("axis of a payload", size, "0 to 2**48")
        for number, top in ((block, 1 << 48), (crc, 1 << 32)):
            if type(number) is not int or not 0 <= number < top:
                raise refuse("block or checksum of a payload", number, f"0 to {top - 1}")
        payload = Payload(name, dtype, tuple(shape), block, crc)
        # Before anything is placed or allocated: no array is larger than the record it is in.
        room -= payload.nbytes + 4 * payload.blocks
        if room < 0:
            raise refuse("payloads are larger than their record", payload.shape)
        expected = block_of(name, shape, DTYPES[dtype].itemsize)
        if block != expected or (not block and crc):
            raise refuse(f"bytes of {name!r} under one checksum", block, expected)
        names.add(name)
        payloads.append(payload)
    return payloads
