"""Taking out of a damaged chunk what is whole: unit by unit, column by column, image by image."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.check import check_texts, image_table
from inspector.recording.chunks import StoredRecord, chunk_payloads, expected_images
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.model import Header, taps_of
from inspector.recording.payloads import DTYPES
from inspector.recording.textblock import encode_texts

_NOTHING = {"labels": -1, "predictions": -1, "confidences": np.nan}


def empty_arrays(header: Header, start: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a chunk of which nothing is known: no labels, no pictures, NaN."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype, shape in chunk_payloads(header, expected_images(header, start)):
        value = _NOTHING.get(name, np.nan if dtype.startswith("float") else 0)
        arrays[name] = np.full(shape if shape is not None else (0,), value, DTYPES[dtype])
    return arrays


def lost_arrays(header: Header, start: int, reason: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a lost chunk: every image of it is skipped, with the reason."""
    arrays = empty_arrays(header, start)
    count = expected_images(header, start)
    arrays["skipped"] = np.arange(start, start + count)
    arrays["reason_ends"], arrays["reasons"] = encode_texts([reason] * count)
    return arrays


def salvage(
    header: Header, start: int, record: StoredRecord
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the arrays of a chunk with what is damaged left empty, and what that was."""
    arrays = empty_arrays(header, start)
    lost: list[str] = []
    for tap in taps_of(header.layers):
        lost += _units(record, tap.name, arrays[tap.name])
    texts = {"paths": "path_ends", "reasons": "reason_ends"} | {
        f"column:{name}": f"column_ends:{name}"
        for name, kind in header.columns.items()
        if kind == "text"
    }
    for data, ends in texts.items():
        try:
            block = {ends: record[ends].read(), data: record[data].read()}
        except CorruptRecordingError:
            lost.append(data)
            continue
        if check_texts(record, ends, data):
            lost.append(data)
        else:
            arrays |= block
    plain = [name for name in arrays if name not in _structured(header, texts)]
    for name in plain:
        try:
            arrays[name] = record[name].read()
        except CorruptRecordingError:
            lost.append(name)
    if arrays["skipped"].shape != arrays["reason_ends"].shape:
        reasons = ["the reason was lost"] * arrays["skipped"].size
        arrays["reason_ends"], arrays["reasons"] = encode_texts(reasons)
    lost += _images(record, arrays)
    return arrays, lost


def _structured(header: Header, texts: dict[str, str]) -> set[str]:
    names = {"images", "image_table", *texts, *texts.values()}
    return names | {tap.name for tap in taps_of(header.layers)}


def _units(record: StoredRecord, name: str, out: NDArray[Any]) -> list[str]:
    """Fill `out` [units, n] with the units whose checksums are right."""
    stored = record[name]
    try:
        out[:] = stored.read()
        return []
    except CorruptRecordingError:
        lost = []
    for unit in range(out.shape[0]):
        try:
            block = stored.read_blocks(unit, unit + 1)
        except CorruptRecordingError:
            lost.append(unit)
        else:
            out[unit] = np.frombuffer(block, out.dtype)
    shown = ", ".join(map(str, lost[:5])) + (", …" if len(lost) > 5 else "")
    return [f"{len(lost)} units of {name} ({shown})"]


def _images(record: StoredRecord, arrays: dict[str, NDArray[Any]]) -> list[str]:
    try:
        table = image_table(record)
    except CorruptRecordingError:
        return ["all thumbnails"]
    stored = record["images"]
    parts: list[bytes] = []
    kept = np.array(table, np.uint32)
    start = end = lost = 0
    for row, (stop, crc, *_) in enumerate(table.tolist()):
        data = stored.source.read(stored.place.pieces[0] + start, stop - start)
        start = stop
        if crc32(data) != crc:
            data = b""
            kept[row] = 0
            lost += 1
        end += len(data)
        kept[row, 0] = end
        parts.append(data)
    arrays["images"] = np.frombuffer(b"".join(parts), np.uint8)
    arrays["image_table"] = kept.reshape(-1)
    return [f"{lost} thumbnails"] if lost else []
