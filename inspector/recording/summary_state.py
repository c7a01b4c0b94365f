"""The running numbers of a layer's summary: a few arrays per unit, whatever the count of images.

Units go through in groups that stay in the processor's cache: read once from memory, used for
everything. Groups begin at multiples of their size whoever works on them, so neither the number
of threads nor the chunks already seen change a bit of the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.limits import BINS
from inspector.recording.model import Summary
from inspector.recording.summary_top import TopState

GROUP = 64
_HALF = BINS // 2
_FEW = 8  # images per category and chunk, from which on reduceat is faster than the rounds


@dataclass(frozen=True)
class _Labels:
    """How the images of a chunk fall into categories: the same for all units."""

    order: NDArray[np.intp]
    begins: NDArray[np.intp]
    columns: NDArray[np.intp]
    rounds: list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def _labels(labels: NDArray[np.int32], ids: NDArray[np.int32]) -> _Labels | None:
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    if not order.size:
        return None
    present, begins, counts = np.unique(labels[order], return_index=True, return_counts=True)
    columns = np.searchsorted(ids, present)
    rounds = []
    if order.size < _FEW * present.size:
        # Round k adds the k-th image of every category that has one.
        for number in range(int(counts.max())):
            has = counts > number
            rounds.append((order[begins[has] + number], columns[has]))
    return _Labels(order, begins, columns, rounds)


class SummaryState:
    """Numbers of all units of one layer and reduction over the chunks seen so far."""

    def __init__(self, units: int, ids: NDArray[np.int32]) -> None:
        self.units = units
        self.ids = ids
        self.images = 0
        self.maximum = np.full(units, -np.inf, np.float32)
        self.count = np.zeros(units, np.int64)
        self.mean = np.zeros(units)
        self.squares = np.zeros(units)
        self.zeros = np.zeros(units, np.int64)
        self.sums = np.zeros((ids.size, units))
        self.seen = np.zeros(ids.size, np.int64)
        self.missing: NDArray[np.int64] | None = None
        self.histogram = np.zeros((units, BINS), np.int64)
        self.exponent: int | None = None
        self.negative = False
        self.top = TopState(units)

    def add(
        self,
        start: int,
        values: NDArray[np.float32],
        labels: NDArray[np.int32],
        skipped: NDArray[np.int64],
        run: Callable[[Callable[[int], None], range], None],
    ) -> None:
        """Add a chunk: values float32 [units, n], labels [n], numbers of the skipped images."""
        numbers = np.arange(start, start + values.shape[1])
        if skipped.size:
            keep = np.ones(values.shape[1], bool)
            keep[skipped - start] = False
            values, labels, numbers = values[:, keep], labels[keep], numbers[keep]
        if not values.shape[1] or not self.units:
            return
        self.images += values.shape[1]
        with np.errstate(invalid="ignore"):
            high, low = values.max(axis=1), values.min(axis=1)
        finite = None
        if not (np.isfinite(high) & np.isfinite(low)).all():
            finite = np.isfinite(values)
            top = np.where(finite, values, np.float32(-np.inf)).max(axis=1)
            values = np.where(finite, values, np.float32(0))
            high, low = values.max(axis=1), values.min(axis=1)
            self.maximum = np.maximum(self.maximum, top)
        else:
            self.maximum = np.maximum(self.maximum, high)
        self._widen(float(high.max()), float(low.min()))
        plan = _labels(labels, self.ids)
        if plan is not None:
            self.seen += np.bincount(
                np.searchsorted(self.ids, labels[plan.order]), minlength=self.ids.size
            )

        def group(first: int) -> None:
            last = min(first + GROUP, self.units)
            good = None if finite is None else finite[first:last]
            self._group(slice(first, last), values[first:last], good, plan, high == low)
            self.top.add(first, values[first:last], numbers)

        run(group, range(0, self.units, GROUP))

    def _group(
        self,
        units: slice,
        values: NDArray[np.float32],
        finite: NDArray[np.bool_] | None,
        plan: _Labels | None,
        constant: NDArray[np.bool_],
    ) -> None:
        images = values.shape[1]
        turned = np.empty((images, values.shape[0]))
        turned[...] = values.T
        count = np.full(values.shape[0], images) if finite is None else finite.sum(axis=1)
        self._moments(units, turned, count, constant[units] & (count == images))
        zero = np.array([images - np.count_nonzero(row) for row in values])
        self.zeros[units] += zero - (images - count)
        if plan is not None:
            self._categories(units, turned, finite, plan)
        self._bin(units, values, finite)

    def _moments(
        self,
        units: slice,
        turned: NDArray[np.float64],
        count: NDArray[np.int64],
        constant: NDArray[np.bool_],
    ) -> None:
        mean = turned.sum(axis=0) / np.maximum(count, 1)
        # Squares of float32 are exact in float64; what cancels is below 1e-15 of their sum.
        squares = np.einsum("ij,ij->j", turned, turned) - count * mean * mean
        squares = np.where(constant, 0.0, np.maximum(squares, 0.0))
        mean = np.where(constant, turned[0], mean)
        before = self.count[units]
        both = before + count
        step = mean - self.mean[units]
        share = count / np.maximum(both, 1)
        self.squares[units] += squares + step * step * before * share
        self.mean[units] += step * share
        self.count[units] = both

    def _categories(
        self,
        units: slice,
        turned: NDArray[np.float64],
        finite: NDArray[np.bool_] | None,
        plan: _Labels,
    ) -> None:
        _add_by_category(self.sums[:, units], turned, plan)
        if finite is not None:
            if self.missing is None:
                self.missing = np.zeros((self.ids.size, self.units), np.int64)
            gone = np.ascontiguousarray(~finite.T).astype(np.int64)
            _add_by_category(self.missing[:, units], gone, plan)

    def _bin(
        self, units: slice, values: NDArray[np.float32], finite: NDArray[np.bool_] | None
    ) -> None:
        exponent = self.exponent if self.exponent is not None else 0
        scale = 2.0 ** (-exponent) * (_HALF if self.negative else BINS)
        # A power of two: the product is exact, so a bin splits into two equal bins exactly.
        precise = np.float32 if abs(exponent) < 100 else np.float64
        scaled = np.multiply(values, precise(scale))
        rows = (np.arange(values.shape[0]) * BINS)[:, None]
        if self.negative:
            np.floor(scaled, out=scaled)
            rows += _HALF
        bins = scaled.astype(np.intp)
        bins += rows
        flat = bins.reshape(-1) if finite is None else bins[finite]
        counts = np.bincount(flat, minlength=values.shape[0] * BINS)
        self.histogram[units] += counts.reshape(-1, BINS)

    def _widen(self, high: float, low: float) -> None:
        """Widen the range: bins pair up, exactly, so the order of the chunks does not matter."""
        largest = max(high, -low)
        if largest > 0:
            exponent = int(np.frexp(largest)[1])
            if self.exponent is None:
                self.exponent = exponent  # only zeros so far, all in the bin that begins at 0
            for _ in range(min(exponent - self.exponent, 300)):
                pairs = self.histogram.reshape(self.units, -1, 2).sum(axis=2)
                self.histogram[:] = 0
                first = _HALF // 2 if self.negative else 0
                self.histogram[:, first : first + _HALF] = pairs
            self.exponent = max(self.exponent, exponent)
        if low < 0 and not self.negative:
            pairs = self.histogram.reshape(self.units, -1, 2).sum(axis=2)
            self.histogram[:, :_HALF] = 0
            self.histogram[:, _HALF:] = pairs
            self.negative = True

    def result(self, category_counts: NDArray[np.int64]) -> Summary:
        """Return the summary; `category_counts` are of all images, skipped ones too."""
        some = self.count > 0
        high = float(2.0 ** (self.exponent if self.exponent is not None else 0))
        missing = 0 if self.missing is None else self.missing
        seen = np.broadcast_to(self.seen[:, None] - missing, self.sums.shape)
        means = np.full(self.sums.shape, np.nan)
        np.divide(self.sums, seen, out=means, where=seen > 0)
        images, top = self.top.result()
        zeros = np.full(self.units, np.nan)
        return Summary(
            images=self.images,
            maximum=np.where(some, self.maximum, np.float32(np.nan)).astype(np.float32),
            mean=np.where(some, self.mean, np.nan),
            spread=np.where(some, np.sqrt(self.squares / np.maximum(self.count, 1)), np.nan),
            zeros=np.divide(self.zeros, self.count, out=zeros, where=some),
            nonfinite=self.images - self.count,
            histogram=self.histogram.astype(np.uint32),
            low=-high if self.negative else 0.0,
            high=high,
            top_images=images,
            top_values=top,
            category_ids=self.ids,
            category_counts=category_counts,
            category_means=np.ascontiguousarray(means.T),
        )


def _add_by_category(sums: NDArray[Any], turned: NDArray[Any], plan: _Labels) -> None:
    """Add rows of `turned` [n, units] to the categories' rows of `sums`, in image order."""
    if plan.rounds:
        for rows, columns in plan.rounds:
            sums[columns] += turned[rows]
    else:
        ordered = np.take(turned, plan.order, axis=0)
        sums[plan.columns] += np.add.reduceat(ordered, plan.begins, axis=0)


def runner(units: int) -> tuple[Callable[[Callable[[int], None], range], None], Callable[[], None]]:
    """Return how to run a task over groups of units, on threads if that pays, and an end."""
    threads = min(os.cpu_count() or 1, 8, units // (2 * GROUP))
    if threads < 2:

        def one(task: Callable[[int], None], groups: range) -> None:
            for group in groups:
                task(group)

        return one, lambda: None
    pool = ThreadPoolExecutor(threads)

    def several(task: Callable[[int], None], groups: range) -> None:
        def share(number: int) -> None:
            for group in groups[number::threads]:
                task(group)

        for future in [pool.submit(share, number) for number in range(threads)]:
            future.result()

    return several, lambda: pool.shutdown()
