"""Checking one record whole: every byte of it is either checked by a checksum or fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.catalogue import chunk_record, stored_record
from inspector.recording.chunks import StoredRecord
from inspector.recording.errors import CorruptRecordingError, RecordingError
from inspector.recording.model import Header
from inspector.recording.payloads import StoredArray, bin_head, padding
from inspector.recording.records import Mark
from inspector.recording.source import Source


def check_chunk(source: Source, header: Header, mark: Mark, start: int) -> list[RecordingError]:
    """Read all of a chunk; return the broken rules."""
    try:
        record = chunk_record(source, header, mark, start)
    except CorruptRecordingError as error:
        return [error]
    problems = list(check_payloads(source, mark, record))
    problems += check_texts(record, "path_ends", "paths")
    problems += check_texts(record, "reason_ends", "reasons")
    for name, kind in header.columns.items():
        if kind == "text":
            problems += check_texts(record, f"column_ends:{name}", f"column:{name}")
    return problems + check_images(record)


def check_texts(record: StoredRecord, ends: str, name: str) -> list[RecordingError]:
    """Return the broken rules of a text block, if its bytes are good."""
    try:
        stored = record[ends].read()
        record[name].read()
    except CorruptRecordingError:
        return []  # said already
    size = record[name].payload.nbytes
    last = int(stored[-1]) if stored.size else 0
    if last != size or bool((np.diff(stored, prepend=0) < 0).any()):
        return [
            CorruptRecordingError(
                f"ends of {name!r} must ascend to the size of the block",
                path=record[ends].source.path,
                offset=record[ends].place.pieces[0],
                value=last,
                limit=size,
            )
        ]
    return []


def check_record(source: Source, mark: Mark) -> list[RecordingError]:
    """Read all of a section or an index; return the broken rules."""
    try:
        record = stored_record(source, mark)
    except CorruptRecordingError as error:
        return [error]
    return list(check_payloads(source, mark, record))


def check_payloads(source: Source, mark: Mark, record: StoredRecord) -> Iterator[RecordingError]:
    """Yield the broken rules of a record's payloads, their checksums and the bytes between."""
    position = mark.payloads_at
    for stored in record.arrays.values():
        for at, size in _pieces(stored):
            expected = padding(position) + bin_head(size)
            found = source.read(position, at - position)
            if found != expected:
                yield CorruptRecordingError(
                    "padding and head of a payload", path=source.path, offset=position,
                    value=found[:8].hex(" "),
                )  # fmt: skip
            position = at + size
        if stored.payload.block:
            yield from _check_blocks(stored)


def _pieces(stored: StoredArray) -> Iterator[tuple[int, int]]:
    left = stored.payload.nbytes
    for at in stored.place.pieces:
        size = min(left, stored.payload.piece)
        left -= size
        yield at, size
    if stored.place.table is not None:
        yield stored.place.table, 4 * stored.payload.blocks


def _check_blocks(stored: StoredArray) -> Iterator[RecordingError]:
    """Check a payload a few blocks at a time, so that memory stays bounded."""
    payload = stored.payload
    step = max(1, payload.piece // payload.block)
    for first in range(0, max(1, payload.blocks), step):
        try:
            stored.read_blocks(first, min(payload.blocks, first + step))
        except CorruptRecordingError as error:
            yield error


def image_table(record: StoredRecord) -> NDArray[np.uint32]:
    """Return a chunk's table of thumbnails, uint32 [n, 5], its ends checked."""
    stored = record["image_table"]
    table: NDArray[Any] = stored.read().reshape(-1, 5)
    size = record["images"].payload.nbytes
    ends = table[:, 0].astype(np.int64)
    if ends.size and (ends[-1] != size or bool((np.diff(ends, prepend=0) < 0).any())):
        raise CorruptRecordingError(
            "ends of the thumbnails must ascend to the size of their block",
            path=stored.source.path,
            offset=stored.place.pieces[0],
            limit=size,
        )
    return table


def check_images(record: StoredRecord) -> list[RecordingError]:
    """Return the broken rules of a chunk's thumbnails."""
    stored = record["images"]
    try:
        table = image_table(record)
    except CorruptRecordingError as error:
        return [] if "checksum" in error.rule else [error]
    problems: list[RecordingError] = []
    start = 0
    for end, crc, *_ in table.tolist():
        data = stored.source.read(stored.place.pieces[0] + start, end - start)
        if crc32(data) != crc:
            problems.append(
                CorruptRecordingError(
                    "checksum of a thumbnail",
                    path=stored.source.path,
                    offset=stored.place.pieces[0] + start,
                )
            )
        start = end
    return problems


def checked_arrays(record: StoredRecord) -> dict[str, NDArray[Any]]:
    """Return all arrays of a chunk as they are stored, everything checked.

    Raises
    ------
    CorruptRecordingError
        For the first broken rule.
    """
    arrays = {name: array.read() for name, array in record.arrays.items() if array.payload.block}
    for problem in check_images(record):
        raise problem
    stored = record["images"]
    data = stored.source.read(stored.place.pieces[0], stored.payload.nbytes)
    return arrays | {"images": np.frombuffer(data, np.uint8)}
