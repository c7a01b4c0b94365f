"""The summary: one ordered pass over the chunks of one layer and reduction, bounded in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.catalogue import chunk_record, read_mark
from inspector.recording.chunks import ChunkAt, StoredRecord
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.limits import BINS, TOP
from inspector.recording.model import Header, Summary, Tap
from inspector.recording.payloads import DTYPES, PayloadWriter, StoredArray
from inspector.recording.records import CHUNK
from inspector.recording.source import Source
from inspector.recording.summary_state import SummaryState, runner


class TapReader:
    """Reads the blocks of one layer and reduction, chunk by chunk, each checked."""

    def __init__(self, source: Source, header: Header, chunks: Sequence[ChunkAt], tap: Tap) -> None:
        self.tap = tap
        self._source = source
        self._header = header
        self._chunks = chunks

    def stored(self, number: int) -> StoredArray:
        """Return the payload of chunk `number`."""
        chunk = self._chunks[number]
        mark = read_mark(self._source, chunk.offset, CHUNK)
        return chunk_record(self._source, self._header, mark, chunk.start)[self.tap.name]

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (first image, float32 [units, n]) in order."""
        for number, chunk in enumerate(self._chunks):
            yield chunk.start, self.stored(number).read().astype(np.float32, copy=False)


def summarise(
    blocks: Iterable[tuple[int, NDArray[np.float32]]],
    units: int,
    labels: Sequence[NDArray[np.int32]],
    skipped: Sequence[NDArray[np.int64]],
) -> Summary:
    """Return the summary of one layer and reduction.

    Parameters
    ----------
    blocks : iterable of (int, float32 [units, n])
        First image and activity of each chunk, in order.
    units : int
    labels, skipped : sequences
        Labels int32 [n] and numbers of the skipped images of each chunk.

    Returns
    -------
    Summary
        Float64 sums are made per chunk and added in the order of the chunks, so the result does
        not depend on how often the recording was broken off.
    """
    every = np.concatenate([*labels, np.empty(0, np.int32)])
    ids = np.unique(every[every >= 0])
    state = SummaryState(units, ids.astype(np.int32))
    run, end = runner(units)
    try:
        for (start, values), chunk_labels, gone in zip(blocks, labels, skipped, strict=True):
            state.add(start, values, chunk_labels, gone, run)
    finally:
        end()
    counts = np.bincount(np.searchsorted(ids, every[every >= 0]), minlength=ids.size)
    return state.result(counts.astype(np.int64))


_ARRAYS = {
    "maximum": "float32", "mean": "float64", "spread": "float64", "zeros": "float64",
    "nonfinite": "int64", "histogram": "uint32", "top_images": "int64", "top_values": "float32",
    "category_ids": "int32", "category_counts": "int64", "category_means": "float64",
}  # fmt: skip


def pack_summary(summary: Summary) -> tuple[dict[str, Any], list[PayloadWriter]]:
    """Return the meta map and payloads of a summary's section."""
    meta = {"images": summary.images, "low": summary.low, "high": summary.high}
    writers = [
        PayloadWriter(name, getattr(summary, name).astype(DTYPES[dtype]))
        for name, dtype in _ARRAYS.items()
    ]
    return meta, writers


def unpack_summary(record: StoredRecord, units: int, path: str, unit: int | None = None) -> Summary:
    """Return the summary in a section, of all units or of one (axes of length 1)."""
    meta = record.body.get("meta")
    arrays = record.arrays
    wrong = (
        not isinstance(meta, dict)
        or list(arrays) != list(_ARRAYS)
        or any(arrays[name].payload.dtype != dtype for name, dtype in _ARRAYS.items())
        or type(meta.get("images")) is not int
        or not all(isinstance(meta.get(key), float) for key in ("low", "high"))
    )
    if not wrong:
        categories = arrays["category_ids"].payload.shape
        shapes = dict.fromkeys(_ARRAYS, (units,)) | {
            "histogram": (units, BINS), "top_images": (units, TOP), "top_values": (units, TOP),
            "category_ids": categories, "category_counts": categories,
            "category_means": (units, *categories),
        }  # fmt: skip
        wrong = any(arrays[name].payload.shape != shape for name, shape in shapes.items())
    if wrong or not isinstance(meta, dict):
        raise CorruptRecordingError("a summary has its arrays", path=path, value=list(arrays))
    if unit is None:
        read = {name: arrays[name].read() for name in _ARRAYS}
    else:
        read = {name: _of_unit(name, arrays[name], unit) for name in _ARRAYS}
    return Summary(images=meta["images"], low=meta["low"], high=meta["high"], **read)


def of_unit(summary: Summary, unit: int) -> Summary:
    """Return the summary of one unit, cut out of that of all."""
    kept = ("category_ids", "category_counts")
    rows = {name: getattr(summary, name)[unit : unit + 1] for name in _ARRAYS if name not in kept}
    return replace(summary, **rows)


def _of_unit(name: str, stored: StoredArray, unit: int) -> NDArray[Any]:
    if name in ("category_ids", "category_counts"):
        return stored.read()
    if len(stored.payload.shape) == 1:
        return stored.read_items(unit, unit + 1)
    return stored.read_rows(unit, unit + 1)
