"""The summary: one ordered pass over the chunks of one layer and reduction, bounded in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    ids, index = np.unique(every[every >= 0], return_inverse=True)
    state = _State(units, ids.astype(np.int32))
    del index
    for (start, values), chunk_labels, gone in zip(blocks, labels, skipped, strict=True):
        state.add(start, values, chunk_labels, gone)
    counts = np.bincount(np.searchsorted(ids, every[every >= 0]), minlength=ids.size)
    return state.result(counts.astype(np.int64))


class _State:
    """The running numbers of one layer: a few arrays per unit, whatever the count of images."""

    def __init__(self, units: int, ids: NDArray[np.int32]) -> None:
        self.units = units
        self.ids = ids
        self.images = 0
        self.maximum = np.full(units, -np.inf, np.float32)
        self.count = np.zeros(units, np.int64)
        self.mean = np.zeros(units)
        self.squares = np.zeros(units)
        self.zeros = np.zeros(units, np.int64)
        self.category_sums = np.zeros((units, ids.size))
        self.category_counts = np.zeros((units, ids.size), np.int64)
        self.histogram = np.zeros((units, BINS), np.int64)
        self.exponent: int | None = None
        self.negative = False
        self.top_images = np.full((units, TOP), -1, np.int64)
        self.top_values = np.full((units, TOP), -np.inf, np.float32)

    def add(
        self,
        start: int,
        values: NDArray[np.float32],
        labels: NDArray[np.int32],
        skipped: NDArray[np.int64],
    ) -> None:
        numbers = np.arange(start, start + values.shape[1])
        if skipped.size:
            keep = np.ones(values.shape[1], bool)
            keep[skipped - start] = False
            values, labels, numbers = values[:, keep], labels[keep], numbers[keep]
        self.images += values.shape[1]
        if not values.shape[1]:
            return
        finite = np.isfinite(values)
        whole = bool(finite.all())
        count = np.full(self.units, values.shape[1], np.int64) if whole else finite.sum(axis=1)
        clean = values if whole else np.where(finite, values, np.float32(0))
        self.maximum = np.maximum(
            self.maximum,
            (values if whole else np.where(finite, values, np.float32(-np.inf))).max(axis=1),
        )
        self._moments(clean, finite, whole, count)
        self.zeros += (values == 0).sum(axis=1)
        self._categories(clean, finite, whole, labels)
        self._bin(clean, finite, whole)
        self._top(clean, numbers)

    def _moments(
        self,
        clean: NDArray[np.float32],
        finite: NDArray[np.bool_],
        whole: bool,
        count: NDArray[Any],
    ) -> None:
        total = clean.sum(axis=1, dtype=np.float64)
        mean = np.divide(total, count, out=np.zeros(self.units), where=count > 0)
        away = clean - mean[:, None]
        if not whole:
            away[~finite] = 0
        squares = np.einsum("ij,ij->i", away, away)
        both = self.count + count
        step = mean - self.mean
        share = np.divide(count, both, out=np.zeros(self.units), where=both > 0)
        self.squares += squares + step * step * self.count * share
        self.mean += step * share
        self.count = both

    def _categories(
        self,
        clean: NDArray[np.float32],
        finite: NDArray[np.bool_],
        whole: bool,
        labels: NDArray[Any],
    ) -> None:
        order = np.argsort(labels, kind="stable")
        order = order[labels[order] >= 0]
        if not order.size:
            return
        present, begins = np.unique(labels[order], return_index=True)
        columns = np.searchsorted(self.ids, present)
        sums = np.add.reduceat(clean[:, order], begins, axis=1, dtype=np.float64)
        self.category_sums[:, columns] += sums
        if whole:
            self.category_counts[:, columns] += np.diff([*begins, order.size])
        else:
            seen = np.add.reduceat(finite[:, order], begins, axis=1, dtype=np.int64)
            self.category_counts[:, columns] += seen

    def _bin(self, clean: NDArray[np.float32], finite: NDArray[np.bool_], whole: bool) -> None:
        largest = float(max(clean.max(), -clean.min()))
        exponent = int(np.frexp(np.float64(largest))[1]) if largest > 0 else None
        if exponent is not None:
            self._grow(exponent, bool(clean.min() < 0))
        high = 2.0 ** (self.exponent if self.exponent is not None else 0)
        scale = (BINS // 2 if self.negative else BINS) / high
        bins = np.floor(clean * np.float64(scale)).astype(np.int64)
        if self.negative:
            bins += BINS // 2
        bins += (np.arange(self.units) * BINS)[:, None]
        flat = bins.reshape(-1) if whole else bins[finite]
        counts = np.bincount(flat, minlength=self.units * BINS)
        self.histogram += counts.reshape(self.units, BINS)

    def _grow(self, exponent: int, negative: bool) -> None:
        """Widen the range: bins pair up, exactly, so the order of the chunks does not matter."""
        if self.exponent is None:
            # Only zeros so far, all in the bin that begins at 0.
            self.exponent = exponent
        while self.exponent < exponent:
            pairs = self.histogram.reshape(self.units, -1, 2).sum(axis=2)
            self.histogram[:] = 0
            half = BINS // 2
            if self.negative:
                self.histogram[:, half // 2 : half // 2 + half] = pairs
            else:
                self.histogram[:, :half] = pairs
            self.exponent += 1
        if negative and not self.negative:
            pairs = self.histogram.reshape(self.units, -1, 2).sum(axis=2)
            self.histogram[:, : BINS // 2] = 0
            self.histogram[:, BINS // 2 :] = pairs
            self.negative = True

    def _top(self, clean: NDArray[np.float32], numbers: NDArray[np.int64]) -> None:
        values = np.where(clean == 0, np.float32(-np.inf), clean)
        better = np.flatnonzero(values.max(axis=1) > self.top_values[:, -1])
        if not better.size:
            return
        merged = np.concatenate([self.top_values[better], values[better]], axis=1)
        images = np.concatenate(
            [self.top_images[better], np.broadcast_to(numbers, (better.size, numbers.size))], axis=1
        )
        # Earlier images stand first and the sort is stable: ties go to the lower number.
        order = np.argsort(-merged, axis=1, kind="stable")[:, :TOP]
        self.top_values[better] = np.take_along_axis(merged, order, axis=1)
        kept = np.take_along_axis(images, order, axis=1)
        self.top_images[better] = np.where(self.top_values[better] == -np.inf, -1, kept)

    def result(self, category_counts: NDArray[np.int64]) -> Summary:
        some = self.count > 0
        nan = np.full(self.units, np.nan)
        high = float(2.0 ** (self.exponent if self.exponent is not None else 0))
        return Summary(
            images=self.images,
            maximum=np.where(some, self.maximum, np.float32(np.nan)).astype(np.float32),
            mean=np.where(some, self.mean, np.nan),
            spread=np.where(some, np.sqrt(self.squares / np.maximum(self.count, 1)), np.nan),
            zeros=np.divide(self.zeros, self.count, out=nan, where=some),
            nonfinite=self.images - self.count,
            histogram=self.histogram.astype(np.uint32),
            low=-high if self.negative else 0.0,
            high=high,
            top_images=self.top_images,
            top_values=np.where(self.top_images < 0, np.float32(np.nan), self.top_values),
            category_ids=self.ids,
            category_counts=category_counts,
            category_means=np.divide(
                self.category_sums,
                self.category_counts,
                out=np.full(self.category_sums.shape, np.nan),
                where=self.category_counts > 0,
            ),
        )


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


def unpack_summary(record: StoredRecord, units: int, path: str) -> Summary:
    """Return the summary in a section, its shapes checked."""
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
    read = {name: arrays[name].read() for name in _ARRAYS}
    return Summary(images=meta["images"], low=meta["low"], high=meta["high"], **read)
