"""Activity of one layer and reduction in one file."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.chunks import tap_place
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.model import Tap

if TYPE_CHECKING:
    from inspector.recording.file_store import FileStore

_THREADS = min(8, 4 * (os.cpu_count() or 1))
_CHUNKS_PER_THREAD = 32  # below this many reads a thread costs more than it saves


class FileActivity:
    """Activity of one tap in one file, as an ActivitySource."""

    def __init__(self, store: FileStore, tap: Tap) -> None:
        self._store = store
        self._tap = tap
        self.units = tap.layer.units
        self.images = store.images
        self._spans = [(chunk.start, chunk.images) for chunk in store.catalogue.chunks]
        self._dtype = np.dtype(tap.layer.dtype).newbyteorder("<")

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every chunk."""
        return self._spans

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of one chunk."""
        data = self._store.chunk(block)[self._tap.name].read_blocks(first, last)
        values = np.frombuffer(data, self._dtype).reshape(last - first, self._spans[block][1])
        result: NDArray[np.float32] = values.astype(np.float32, copy=False)
        result.flags.writeable = False
        return result

    def read_unit(self, unit: int) -> NDArray[np.float32]:
        """Return one unit over all images: one small read per chunk, each checked.

        Several threads read, as on a cold disk the waiting is all there is.
        """
        view = memoryview(bytearray(self.images * self._tap.itemsize))
        crcs = self._unit_crcs(unit)
        count = len(self._spans)
        threads = min(_THREADS, count // _CHUNKS_PER_THREAD)
        if threads < 2 or crcs is None:
            self._fill(unit, view, crcs, 0, count)
        else:
            edges = [count * thread // threads for thread in range(threads + 1)]
            with ThreadPoolExecutor(threads) as pool:
                for future in [
                    pool.submit(self._fill, unit, view, crcs, low, high)
                    for low, high in pairwise(edges)
                ]:
                    future.result()
        return np.frombuffer(view, self._dtype).astype(np.float32, copy=False)

    def _fill(
        self, unit: int, view: memoryview, crcs: list[int] | None, low: int, high: int
    ) -> None:
        size = self._tap.itemsize
        read_into = self._store.source.read_into
        for number in range(low, high):
            start, images = self._spans[number]
            piece = view[start * size : (start + images) * size]
            if crcs is None:
                stored = self._store.chunk(number)[self._tap.name]
                expected = int(stored.crcs()[unit])
                offset = stored.block_offset(unit)
            else:
                expected = crcs[number]
                offset = self._offset(number, unit)
            read_into(offset, piece)
            if crc32(piece) != expected:
                raise CorruptRecordingError(
                    f"checksum of unit {unit} of {self._tap.name!r}",
                    path=self._store.path,
                    offset=offset,
                    advice="run `inspector recover` to save the rest",
                )

    def _unit_crcs(self, unit: int) -> list[int] | None:
        """Return the unit's checksums over all chunks, from the table of a finished file."""
        section = self._store.section(f"checksums/{self._tap.name}")
        if section is None:
            return None
        stored = section.arrays.get("crcs")
        if stored is None or stored.payload.shape != (self.units, len(self._spans)):
            raise CorruptRecordingError(
                "checksums by unit", path=self._store.path, value=self._tap.name
            )
        crcs: list[int] = stored.read_rows(unit, unit + 1)[0].tolist()
        return crcs

    def _offset(self, number: int, unit: int) -> int:
        """Return where a unit lies in a chunk, from the layout alone."""
        chunk = self._store.catalogue.chunks[number]
        where = tap_place(self._store.header, self._tap.index, chunk.images)
        start = unit * chunk.images * self._tap.itemsize
        piece, within = divmod(start, where.payload.piece)
        return chunk.first_byte + where.pieces[piece] + within
