"""The images that drive each unit most, kept while chunks go by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.limits import TOP

_ROOM = 2 * TOP + 56
_MANY = 4  # values added per unit, from which on raising the bound pays
_LOW = np.uint64(0xFFFFFFFF)


class TopState:
    """Per unit the best images so far and some waiting to be compared with them.

    Only values above the hundredth best are looked at, which are few once some chunks have gone
    by; they wait until a unit's room is full. Earlier images stand first, and of equal values
    the one that stands first counts as the higher: ties go to the lower number.
    """

    def __init__(self, units: int) -> None:
        self.values = np.full((units, _ROOM), -np.inf, np.float32)
        self.images = np.full((units, _ROOM), -1, np.int64)
        self.fill = np.zeros(units, np.int64)
        self.bound = np.full(units, -np.inf, np.float32)

    def add(
        self, values: NDArray[np.float32], some: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> None:
        """Add finite values [units, n] of images `numbers`; only those that are not 0 (`some`)."""
        better = self._better(values, some)
        if not self.fill.any() and values.shape[1] > _ROOM:
            better = _best(values, better)
        found = np.flatnonzero(better)
        if self._overflows(found, values):
            self._compact()
            better = self._better(values, some)
            found = np.flatnonzero(better)
            if self._overflows(found, values):
                found = np.flatnonzero(_best(values, better))
        counts = _counts(found, values.shape)
        rows = np.repeat(np.arange(counts.size), counts)
        # A unit's values stand one after the other: from its fill on, in the order of `found`.
        places = np.arange(found.size) + (
            rows * _ROOM + (self.fill - np.cumsum(counts) + counts)[rows]
        )
        self.values.reshape(-1)[places] = values.reshape(-1)[found]
        self.images.reshape(-1)[places] = numbers[found - rows * values.shape[1]]
        self.fill += counts
        if found.size > _MANY * counts.size:
            self.bound = np.partition(self.values, _ROOM - TOP, axis=1)[:, _ROOM - TOP]

    def _better(self, values: NDArray[np.float32], some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        better = values > self.bound[:, None]
        better &= some
        return better

    def _overflows(self, found: NDArray[np.intp], values: NDArray[np.float32]) -> bool:
        return bool((self.fill + _counts(found, values.shape) > _ROOM).any())

    def _compact(self) -> None:
        """Keep the best of every unit, highest first."""
        order = np.sort(_keys(self.values), axis=1)[:, : -TOP - 1 : -1]
        places = (_LOW - (order & _LOW)).astype(np.intp)
        places += np.arange(self.fill.size)[:, None] * _ROOM
        self.values[:, :TOP] = np.take(self.values, places)
        self.images[:, :TOP] = np.take(self.images, places)
        self.values[:, TOP:] = -np.inf
        self.images[:, TOP:] = -1
        self.fill = np.minimum(self.fill, TOP)
        self.bound = self.values[:, TOP - 1].copy()

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return image numbers int64 [units, 100] (-1 none) and values float32 (NaN none)."""
        self._compact()
        images = self.images[:, :TOP].copy()
        return images, np.where(images < 0, np.float32(np.nan), self.values[:, :TOP])


def _best(values: NDArray[np.float32], better: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where in `better` the hundred best values of each unit stand."""
    least = np.partition(values, -TOP, axis=1)[:, -TOP]
    low = least <= 0  # here zeros may stand among the hundred
    if low.any():
        masked = np.where(better[low], values[low], np.float32(-np.inf))
        least[low] = np.partition(masked, -TOP, axis=1)[:, -TOP]
    best = values >= least[:, None]
    best &= better
    for row in np.flatnonzero(best.sum(axis=1) > TOP):
        over = np.flatnonzero(best[row])
        ties = over[values[row, over] == least[row]]
        best[row, ties[TOP - over.size :]] = False  # the later ones
    return best


def _counts(found: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Return how many of the ascending flat positions `found` lie in each row."""
    return np.diff(np.searchsorted(found, np.arange(shape[0] + 1) * shape[1]))


def _keys(values: NDArray[np.float32]) -> NDArray[Any]:
    """Return uint64 that sort like `values`, of equal ones the later below the earlier."""
    bits = values.view(np.uint32)
    negative = np.uint32(1 << 31)
    keys = np.where(bits & negative, ~bits, bits | negative).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= _LOW - np.arange(values.shape[1], dtype=np.uint64)
    return keys
