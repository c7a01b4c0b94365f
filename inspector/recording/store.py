"""The parts of one file as arrays: chunks, columns, sections; kept no longer than they are hot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.catalogue import (
    Catalogue,
    chunk_record,
    load_catalogue,
    read_mark,
    stored_record,
)
from inspector.recording.chunks import StoredRecord
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.model import Tap
from inspector.recording.payloads import Payload, StoredArray, place_all
from inspector.recording.records import CHUNK, SECTION
from inspector.recording.source import Source
from inspector.recording.textblock import TextColumn
from inspector.recording.thumbnails import decode_thumbnail
from inspector.recording.verify import image_table


class FileStore:
    """One state of one file: what was valid when it was looked at."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.catalogue: Catalogue = load_catalogue(source)
        self.header = self.catalogue.header
        # Caches of small things: a chunk's list of payloads, a section's.
        self.chunk = lru_cache(maxsize=64)(self._chunk)
        self.section = lru_cache(maxsize=64)(self._section)
        self.table = lru_cache(maxsize=64)(self._table)

    def _chunk(self, number: int) -> StoredRecord:
        at = self.catalogue.chunks[number]
        mark = read_mark(self.source, at.offset, CHUNK)
        if (mark.end, mark.payloads_at) != (at.end, at.payloads_at):
            raise CorruptRecordingError(
                "the index says where a chunk lies", path=self.source.path, offset=at.offset
            )
        return chunk_record(self.source, self.header, mark, at.start)

    def _section(self, name: str) -> StoredRecord | None:
        offset = self.catalogue.sections.get(name)
        if offset is None:
            return None
        record = stored_record(self.source, read_mark(self.source, offset, SECTION))
        if record.body.get("name") != name:
            raise CorruptRecordingError(
                "the index names a section", path=self.source.path, offset=offset, value=name
            )
        return record

    def _table(self, number: int) -> NDArray[np.uint32]:
        return image_table(self.chunk(number))

    def column(self, name: str, dtype: str) -> NDArray[np.generic]:
        """Return a whole numeric per-image column."""
        section = self.section("columns") if self.catalogue.finished else None
        if section is not None:
            return self._sized(section, name).read()
        parts = [self.chunk(number)[name].read() for number in range(len(self.catalogue.chunks))]
        return np.concatenate([*parts, np.empty(0, dtype)])

    def texts(self, ends: str, name: str) -> TextColumn:
        """Return a text column, not read yet."""
        images = self.catalogue.images
        section = self.section("columns") if self.catalogue.finished else None
        if section is not None:
            self._sized(section, ends)
            return TextColumn([section.texts(ends, name)], [0], images)
        parts = _ChunkTexts(self, ends, name)
        return TextColumn(parts, [chunk.start for chunk in self.catalogue.chunks], images)

    def _sized(self, section: StoredRecord, name: str) -> StoredArray:
        stored = section.arrays.get(name)
        if stored is None or stored.payload.shape != (self.catalogue.images,):
            free = name in ("skipped", "reason_ends")
            if stored is None or not free or len(stored.payload.shape) != 1:
                raise CorruptRecordingError(
                    "a column has one entry per image", path=self.source.path, value=name
                )
        return stored

    def skipped(self) -> dict[int, str]:
        """Return image number → reason of every skipped image."""
        section = self.section("columns") if self.catalogue.finished else None
        records = (
            [section]
            if section is not None
            else [self.chunk(number) for number in range(len(self.catalogue.chunks))]
        )
        result: dict[int, str] = {}
        for record in records:
            numbers = record["skipped"].read()
            if numbers.size != record["reason_ends"].payload.shape[0]:
                raise CorruptRecordingError(
                    "a skipped image has one reason", path=self.source.path, value=numbers.size
                )
            reasons = record.texts("reason_ends", "reasons").read(0, numbers.size)
            result.update(zip(numbers.tolist(), reasons, strict=True))
        return result

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail, RGB uint8 [h, w, 3]."""
        chunk, within = divmod(image, self.header.chunk)
        table = self.table(chunk)
        stored = self.chunk(chunk)["images"]
        start = int(table[within - 1, 0]) if within else 0
        end, crc, height, width, code = (int(value) for value in table[within])
        offset = stored.place.pieces[0] + start
        data = self.source.read(offset, end - start)
        if crc32(data) != crc:
            raise CorruptRecordingError(
                "checksum of a thumbnail", path=self.source.path, offset=offset
            )
        try:
            return decode_thumbnail(data, height, width, code)
        except ValueError as error:
            raise CorruptRecordingError(
                "a thumbnail", path=self.source.path, offset=offset, value=error
            ) from None


class _ChunkTexts(Sequence):  # type: ignore[type-arg]
    """Text of each chunk, opened when it is asked for."""

    def __init__(self, store: FileStore, ends: str, name: str) -> None:
        self._store, self._ends, self._name = store, ends, name

    def __len__(self) -> int:
        return len(self._store.catalogue.chunks)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return self._store.chunk(number).texts(self._ends, self._name)


class FileActivity:
    """Activity of one tap in one file, as an ActivitySource."""

    def __init__(self, store: FileStore, tap: Tap) -> None:
        self._store = store
        self._tap = tap
        self.units = tap.layer.units
        self.images = store.catalogue.images
        chunks = store.catalogue.chunks
        self._spans = [(chunk.start, chunk.images) for chunk in chunks]
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
        """Return one unit over all images: one small read per chunk, each checked."""
        size = self._tap.itemsize
        data = bytearray(self.images * size)
        view = memoryview(data)
        source = self._store.source
        crcs = self._unit_crcs(unit)
        for number, chunk in enumerate(self._store.catalogue.chunks):
            piece = view[chunk.start * size : (chunk.start + chunk.images) * size]
            if crcs is None:
                stored = self._store.chunk(number)[self._tap.name]
                expected = int(stored.crcs()[unit])
                offset = stored.block_offset(unit)
            else:
                expected = crcs[number]
                offset = self._offset(number, unit)
            source.read_into(offset, piece)
            if crc32(piece) != expected:
                raise CorruptRecordingError(
                    f"checksum of unit {unit} of {self._tap.name!r}",
                    path=source.path,
                    offset=offset,
                    advice="run `inspector recover` to save the rest",
                )
        return np.frombuffer(data, self._dtype).astype(np.float32, copy=False)

    def _unit_crcs(self, unit: int) -> list[int] | None:
        """Return the unit's checksums over all chunks, from the table of a finished file."""
        section = self._store.section(f"checksums/{self._tap.name}")
        if section is None:
            return None
        stored = section.arrays.get("crcs")
        if stored is None or stored.payload.shape != (self.units, len(self._spans)):
            raise CorruptRecordingError(
                "checksums by unit", path=self._store.source.path, value=self._tap.name
            )
        crcs: list[int] = stored.read_rows(unit, unit + 1)[0].tolist()
        return crcs

    def _offset(self, number: int, unit: int) -> int:
        """Return where a unit lies in a chunk, from the layout alone."""
        chunk = self._store.catalogue.chunks[number]
        block = chunk.images * self._tap.itemsize
        first, payload = _layout(self._store, self._tap.index, chunk.images)
        # The first payload's bytes are aligned, so all the rest lies at fixed distances.
        base = -(-(chunk.payloads_at + 5) // 64) * 64
        if base - chunk.payloads_at - 5 == 1:
            base += 64
        piece, within = divmod(unit * block, payload.piece)
        return base + first[piece] + within


@lru_cache(maxsize=4096)
def _layout(store: FileStore, index: int, images: int) -> tuple[tuple[int, ...], Payload]:
    """Return the offsets of a tap's pieces from the first payload's first byte."""
    from inspector.recording.model import taps_of

    payloads = [
        Payload(tap.name, tap.layer.dtype, (tap.layer.units, images), images * tap.itemsize)
        for tap in taps_of(store.header.layers)[: index + 1]
    ]
    where = place_all(payloads, 64 - 5)[-1]
    return tuple(piece - 64 for piece in where.pieces), where.payload
