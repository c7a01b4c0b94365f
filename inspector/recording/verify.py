"""Checking every checksum of a recording."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from inspector.recording.catalogue import chunk_record
from inspector.recording.chunks import StoredRecord
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.model import Header
from inspector.recording.records import Mark
from inspector.recording.source import Source


def verify_chunk(
    source: Source, header: Header, mark: Mark, start: int
) -> CorruptRecordingError | None:
    """Read all of a chunk; return the first broken rule, or None."""
    try:
        record = chunk_record(source, header, mark, start)
        for name, array in record.arrays.items():
            if name != "images":
                array.read()
        image_table(record)
        _verify_images(record)
    except CorruptRecordingError as error:
        return error
    return None


def image_table(record: StoredRecord) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Return a chunk's table of thumbnails, uint32 [n, 5], its ends checked."""
    stored = record["image_table"]
    table = stored.read()
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


def _verify_images(record: StoredRecord) -> None:
    stored = record["images"]
    start = 0
    for end, crc, *_ in image_table(record).tolist():
        data = stored.source.read(stored.place.pieces[0] + start, end - start)
        if crc32(data) != crc:
            raise CorruptRecordingError(
                "checksum of a thumbnail",
                path=stored.source.path,
                offset=stored.place.pieces[0] + start,
            )
        start = end
