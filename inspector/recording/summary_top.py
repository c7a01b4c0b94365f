"""The images that drive each unit most, kept while chunks go by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspector.recording.limits import TOP

_ROOM = 2 * TOP + 56


class TopState:
    """Per unit the best images so far and some waiting to be compared with them.

    Only values above the hundredth best are looked at, which are few once some chunks have gone
    by; they wait until a unit's room is full. Earlier images stand first and sorting is stable:
    ties go to the lower number.
    """

    def __init__(self, units: int) -> None:
        self.values = np.full((units, _ROOM), -np.inf, np.float32)
        self.images = np.full((units, _ROOM), -1, np.int64)
        self.fill = np.zeros(units, np.int64)
        self.bound = np.full(units, -np.inf, np.float32)

    def add(self, first: int, values: NDArray[np.float32], numbers: NDArray[np.int64]) -> None:
        """Add finite values [units, n] of units first, first+1, …; zeros never count."""
        units = slice(first, first + values.shape[0])
        bound = self.bound[units]
        better = values > bound[:, None]
        if (bound < 0).any():
            better &= values != 0
        found = np.flatnonzero(better)
        if not found.size:
            return
        rows, columns = np.divmod(found, values.shape[1])
        counts = np.bincount(rows, minlength=values.shape[0])
        begins = np.cumsum(counts) - counts
        full = self.fill[units] + counts > _ROOM
        for row in np.flatnonzero(full):
            mine = columns[begins[row] : begins[row] + counts[row]]
            self._compare(first + int(row), values[row, mine], numbers[mine])
        rest = ~full[rows]
        if not rest.any():
            return
        rows, columns = rows[rest], columns[rest]
        rank = (np.arange(found.size) - np.repeat(begins, counts))[rest]
        places = self.fill[first + rows] + rank
        self.values[first + rows, places] = values[rows, columns]
        self.images[first + rows, places] = numbers[columns]
        self.fill[units] += np.where(full, 0, counts)

    def _compare(self, unit: int, values: NDArray[np.float32], images: NDArray[np.int64]) -> None:
        fill = self.fill[unit]
        values = np.concatenate([self.values[unit, :fill], values])
        images = np.concatenate([self.images[unit, :fill], images])
        if values.size > TOP:
            least = np.partition(values, values.size - TOP)[values.size - TOP]
            chosen = values >= least
            values, images = values[chosen], images[chosen]
        order = np.argsort(-values, kind="stable")[:TOP]
        size = order.size
        self.values[unit, :size] = values[order]
        self.images[unit, :size] = images[order]
        self.values[unit, size:] = -np.inf
        self.images[unit, size:] = -1
        self.fill[unit] = size
        if size == TOP:
            self.bound[unit] = self.values[unit, TOP - 1]

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return image numbers int64 [units, 100] (-1 none) and values float32 (NaN none)."""
        images = np.full((self.fill.size, TOP), -1, np.int64)
        values = np.full((self.fill.size, TOP), np.nan, np.float32)
        step = 4096  # so that sorting needs no second copy of it all
        for first in range(0, self.fill.size, step):
            units = slice(first, first + step)
            order = np.argsort(-self.values[units], axis=1, kind="stable")[:, :TOP]
            images[units] = np.take_along_axis(self.images[units], order, axis=1)
            values[units] = np.take_along_axis(self.values[units], order, axis=1)
        values[images < 0] = np.nan
        return images, values
