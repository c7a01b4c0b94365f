"""The summary: one ordered pass over the chunks of one layer and reduction, bounded in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.recording.chunks import ChunkAt, StoredRecord, tap_place
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.limits import BINS, TOP
from inspector.recording.memory import keep_freed_memory
from inspector.recording.model import Header, Summary, Tap
from inspector.recording.payloads import DTYPES, PayloadWriter, StoredArray, moved
from inspector.recording.source import Source
from inspector.recording.summary_state import (
    GROUP,
    ChunkImages,
    GroupState,
    chunk_images,
    joined,
    of_nothing,
)


class TapReader:
    """Reads the activity of one layer and reduction before the file has an index."""

    def __init__(
        self,
        source: Source,
        header: Header,
        chunks: Sequence[ChunkAt],
        tap: Tap,
        crcs: NDArray[np.int64],
    ) -> None:
        """Read `tap`, whose payload has the checksums `crcs` [chunks] in the chunks' bodies."""
        self.tap = tap
        self.units = tap.layer.units
        self._source = source
        self._header = header
        self._chunks = chunks
        self._crcs = crcs.tolist()
        self.stored = lru_cache(maxsize=2)(self._stored)

    def _stored(self, number: int) -> StoredArray:
        """Return the payload of chunk `number`; its place follows from the header."""
        chunk = self._chunks[number]
        where = moved(tap_place(self._header, self.tap.index, chunk.images), chunk.first_byte)
        payload = replace(where.payload, crc=self._crcs[number])
        return StoredArray(self._source, replace(where, payload=payload))

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every chunk."""
        return [(chunk.start, chunk.images) for chunk in self._chunks]

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of one chunk, checked."""
        return self.stored(block).read_rows(first, last).astype(np.float32, copy=False)


class Blocks(Protocol):
    """Activity by blocks of images, as an ActivitySource gives it."""

    units: int

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every block, in order."""
        ...

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of a block, float32 [last - first, n]."""
        ...


def summarise(
    blocks: Blocks, labels: NDArray[np.int32], skipped: NDArray[np.int64], threads: int = 0
) -> Summary:
    """Return the summary of one layer and reduction.

    Parameters
    ----------
    blocks : Blocks
        The activity; each block is read once, some units at a time, blocks in order.
    labels : int32 [images]
    skipped : int64
        Numbers of the skipped images, ascending.
    threads : int
        How many work on it; 0 for one per processor, at most 8.

    Returns
    -------
    Summary
        Float64 sums are made per block and added in the order of the blocks, so the result
        depends neither on the threads nor on how often the recording was broken off.
    """
    if not blocks.spans():
        return of_nothing(blocks.units)
    keep_freed_memory()
    ids = np.unique(labels[labels >= 0]).astype(np.int32)
    begins = range(0, blocks.units, GROUP)
    states = [GroupState(min(GROUP, blocks.units - first), ids.size) for first in begins]
    threads = min(threads or min(os.cpu_count() or 1, 8), len(states) // 2)
    counted = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        each = pool.map if threads > 1 else map
        for number, (start, count) in enumerate(blocks.spans()):
            low, high = np.searchsorted(skipped, [start, start + count])
            images = chunk_images(start, labels[start : start + count], skipped[low:high], ids)
            counted += images.numbers.size

            def add(
                first: int, state: GroupState, number: int = number, images: ChunkImages = images
            ) -> None:
                state.add(blocks.read(number, first, first + state.count.size), images)

            deque(each(add, begins, states), maxlen=0)
    return joined(states, ids, labels, counted)


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
