"""The running numbers of a summary: a few arrays per unit, whatever the count of images.

Units go through in groups whose piece of a chunk stays in the processor's cache: read once, used
for everything. A group knows nothing of the others, so neither the number of threads nor the
chunks already seen change a bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.limits import BINS
from inspector.recording.model import Summary
from inspector.recording.payloads import read_only
from inspector.recording.summary_top import TopState

GROUP = 128  # at most 256
_HALF = BINS // 2
_RUN = 16  # images of a category in a row, from which on adding runs is quickest


@dataclass(frozen=True)
class ChunkImages:
    """The images of a chunk that count, the same for all units.

    Attributes
    ----------
    keep : bool [n] or None
        Which images of the chunk are not skipped; None for all.
    numbers : int64 [kept]
        Of the kept images.
    columns : int64 [kept]
        Column of each one's category among all `categories`; one more stands for no label.
    categories : int
    """

    keep: NDArray[np.bool_] | None
    numbers: NDArray[np.int64]
    columns: NDArray[np.int64]
    categories: int

    @cached_property
    def runs(self) -> tuple[NDArray[np.intp], NDArray[np.int64]] | None:
        """Return where runs of one category begin and their columns, if the runs are long."""
        begins = np.flatnonzero(np.diff(self.columns, prepend=-1))
        return (begins, self.columns[begins]) if begins.size * _RUN <= self.columns.size else None

    @cached_property
    def seen(self) -> NDArray[np.int64] | None:
        """Return the columns that occur if they are few, None if many."""
        seen = np.unique(self.columns)
        return None if 2 * seen.size > self.categories else seen

    @cached_property
    def keys(self) -> NDArray[np.intp]:
        """Return a number for each unit of a group and column (that occurs), [GROUP × kept]."""
        within, width = self.columns, self.categories + 1
        if self.seen is not None:
            within, width = np.searchsorted(self.seen, within), self.seen.size
        return (np.arange(GROUP)[:, None] * width + within).reshape(-1)


def chunk_images(
    start: int, labels: NDArray[np.int32], skipped: NDArray[np.int64], ids: NDArray[np.int32]
) -> ChunkImages:
    """Return the images of the chunk that begins at `start`; `ids` are all categories, sorted."""
    keep = None
    numbers = np.arange(start, start + labels.size)
    if skipped.size:
        keep = np.ones(labels.size, bool)
        keep[skipped - start] = False
        labels, numbers = labels[keep], numbers[keep]
    columns = np.where(labels < 0, ids.size, np.searchsorted(ids, labels))
    return ChunkImages(keep, numbers, columns, ids.size)


class GroupState:
    """Numbers of some units over the chunks seen so far."""

    def __init__(self, units: int, categories: int) -> None:
        self.maximum = np.full(units, -np.inf, np.float32)
        self.count = np.zeros(units, np.int64)
        self.mean = np.zeros(units)
        self.squares = np.zeros(units)
        self.zeros = np.zeros(units, np.int64)
        self.sums = np.zeros((units, categories + 1))
        self.seen = np.zeros(categories + 1, np.int64)
        self.missing: NDArray[np.int64] | None = None
        self.histogram = np.zeros((units, BINS), np.int64)
        self.exponent: int | None = None
        self.negative = False
        self.top = TopState(units)

    def add(self, values: NDArray[np.float32], images: ChunkImages) -> None:
        """Add a chunk: values float32 [units, n], of all its images."""
        if images.keep is not None:
            values = values[:, images.keep]
        if not values.size:
            return
        finite = None
        with np.errstate(invalid="ignore"):
            high, low = values.max(axis=1), values.min(axis=1)
        if not (np.isfinite(high) & np.isfinite(low)).all():
            finite = np.isfinite(values)
            found = np.where(finite, values, np.float32(-np.inf)).max(axis=1)
            self.maximum = np.maximum(self.maximum, found)
            values = np.where(finite, values, np.float32(0))
            high, low = values.max(axis=1), values.min(axis=1)
            count = finite.sum(axis=1)
        else:
            self.maximum = np.maximum(self.maximum, high)
            count = np.full(values.shape[0], values.shape[1])
        precise = values.astype(np.float64)
        self._moments(precise, count, (high == low) & (count == values.shape[1]))
        some = values != 0
        self.zeros += count - some.view(np.uint8).sum(axis=1, dtype=np.uint32)
        self._categories(precise, finite, images)
        self.widen(*_range(float(high.max()), float(low.min())))
        self._bin(values, finite)
        self.top.add(values, some, images.numbers)

    def _moments(
        self, values: NDArray[np.float64], count: NDArray[np.int64], constant: NDArray[np.bool_]
    ) -> None:
        mean = values.sum(axis=1) / np.maximum(count, 1)
        # Squares of float32 are exact in float64; what cancels is below 1e-15 of their sum.
        squares = np.einsum("ij,ij->i", values, values) - count * mean * mean
        squares = np.where(constant, 0.0, np.maximum(squares, 0.0))
        mean = np.where(constant, values[:, 0], mean)
        both = self.count + count
        step = mean - self.mean
        share = count / np.maximum(both, 1)
        self.squares += squares + step * step * self.count * share
        self.mean += step * share
        self.count = both

    def _categories(
        self, values: NDArray[np.float64], finite: NDArray[np.bool_] | None, images: ChunkImages
    ) -> None:
        if not images.categories:
            return
        self.seen += np.bincount(images.columns, minlength=self.seen.size)
        _add_by_category(self.sums, values, images)
        if finite is not None:
            if self.missing is None:
                self.missing = np.zeros(self.sums.shape, np.int64)
            _add_by_category(self.missing, (~finite).astype(np.int64), images)

    def _bin(self, values: NDArray[np.float32], finite: NDArray[np.bool_] | None) -> None:
        exponent = self.exponent if self.exponent is not None else 0
        # A power of two: the product is exact, so a bin splits into two equal bins exactly.
        scale = 2.0 ** (-exponent) * (_HALF if self.negative else BINS)
        precise = np.float32 if abs(exponent) < 100 else np.float64
        bins = np.multiply(values, precise(scale))
        np.floor(bins, out=bins)
        if self.negative:
            bins += _HALF
        self.histogram += _count(bins.astype(np.uint8), finite)

    def widen(self, exponent: int | None, negative: bool) -> None:
        """Widen the range: bins pair up, exactly, so the order of the chunks does not matter."""
        if exponent is not None:
            if self.exponent is None:
                self.exponent = exponent  # only zeros so far, all in the bin that begins at 0
            for _ in range(min(exponent - self.exponent, 300)):
                first = _HALF // 2 if self.negative else 0
                self._pair(first)
            self.exponent = max(self.exponent, exponent)
        if negative and not self.negative:
            self._pair(_HALF)
            self.negative = True

    def _pair(self, first: int) -> None:
        pairs = self.histogram.reshape(-1, _HALF, 2).sum(axis=2)
        self.histogram[:] = 0
        self.histogram[:, first : first + _HALF] = pairs


def _count(bins: NDArray[np.uint8], counted: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """Return how often each bin occurs in each row of `bins`, where `counted`, [units, BINS]."""
    import cv2  # twice as fast as numpy.bincount, which checks and widens its input first

    units = bins.shape[0]
    planes: Any = [
        np.repeat(np.arange(units, dtype=np.uint8)[:, None], bins.shape[1], axis=1),
        bins,
    ]
    mask: Any = None if counted is None else counted.view(np.uint8)
    counts: NDArray[np.float32] = cv2.calcHist(
        planes, [0, 1], mask, [units, BINS], [0, units, 0, BINS]
    )
    return counts.astype(np.int64)  # whole numbers below 2**24, exact in the float32 it gives


def _range(high: float, low: float) -> tuple[int | None, bool]:
    largest = max(high, -low)
    return (int(np.frexp(largest)[1]) if largest > 0 else None), low < 0


def _add_by_category(
    sums: NDArray[np.float64] | NDArray[np.int64],
    values: NDArray[np.float64] | NDArray[np.int64],
    images: ChunkImages,
) -> None:
    """Add the columns of `values` [units, n] to the categories' columns of `sums`."""
    if images.runs is not None:
        begins, columns = images.runs
        totals = np.add.reduceat(values, begins, axis=1)
        for number, column in enumerate(columns):
            sums[:, column] += totals[:, number]
        return
    width = sums.shape[1] if images.seen is None else images.seen.size
    keys = images.keys[: values.size]
    parts = np.bincount(keys, values.reshape(-1), values.shape[0] * width)
    totals = parts.reshape(-1, width).astype(sums.dtype, copy=False)
    if images.seen is None:
        sums += totals
    else:
        sums[:, images.seen] += totals


def joined(
    states: Sequence[GroupState], ids: NDArray[np.int32], labels: NDArray[np.int32], images: int
) -> Summary:
    """Return the summary of all groups; `images` are those not skipped, `labels` are of all."""
    exponents = [state.exponent for state in states if state.exponent is not None]
    negative = any(state.negative for state in states)
    for state in states:
        state.widen(max(exponents, default=None), negative)
    high = 2.0 ** max(exponents, default=0)
    counts = np.bincount(np.searchsorted(ids, labels[labels >= 0]), minlength=ids.size)
    rows = [_rows(state, images) for state in states] or [_rows(GroupState(0, ids.size), images)]
    return Summary(
        images=images,
        low=-high if negative else 0.0,
        high=high,
        category_ids=read_only(ids),
        category_counts=read_only(counts.astype(np.int64)),
        **{name: read_only(np.concatenate([row[name] for row in rows])) for name in rows[0]},
    )


def of_nothing(units: int) -> Summary:
    """Return the summary of no image: one row, seen again for every unit, takes no memory."""
    ids = np.empty(0, np.int32)
    row = joined([GroupState(1, 0)], ids, ids, 0)
    seen: dict[str, Any] = {
        name: np.broadcast_to(value, (units, *value.shape[1:]))
        for name, value in vars(row).items()
        if isinstance(value, np.ndarray) and not name.startswith("category_")
    }
    return replace(row, **seen, category_means=read_only(np.empty((units, 0))))


def _rows(state: GroupState, images: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a summary that have a row per unit, of one group."""
    some = state.count > 0
    count = np.maximum(state.count, 1)
    seen = state.seen if state.missing is None else state.seen - state.missing
    with np.errstate(invalid="ignore"):
        means = state.sums / seen  # 0 / 0 is NaN: a category of skipped images only
    top_images, top_values = state.top.result()
    return {
        "maximum": np.where(some, state.maximum, np.float32(np.nan)),
        "mean": np.where(some, state.mean, np.nan),
        "spread": np.where(some, np.sqrt(state.squares / count), np.nan),
        "zeros": np.where(some, state.zeros / count, np.nan),
        "nonfinite": images - state.count,
        "histogram": state.histogram.astype(np.uint32),
        "top_images": top_images,
        "top_values": top_values,
        "category_means": means[:, :-1],
    }
