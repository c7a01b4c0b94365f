"""The distribution of a unit's activity over one range shared by several recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 48
"""Bars that a card of the smallest width can still show apart."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of finite values other than 0 in equal bins over [low, high].

    Zeros are counted apart (`zeros`): after a ReLU they would hide every other bar.
    """

    low: float
    high: float
    counts: NDArray[np.int64]
    zeros: int
    finite: int

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self.counts.nbytes)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Counts as shares of all finite values; zeros when there is none."""
        return np.asarray(self.counts / max(1, self.finite), dtype=np.float64)

    def edges(self, bar: int) -> tuple[float, float]:
        """Lower and upper end of a bar."""
        step = (self.high - self.low) / len(self.counts)
        return self.low + bar * step, self.low + (bar + 1) * step


def shared_range(extents: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The range that holds 0 and all (minimum, maximum), NaN left out; never empty."""
    finite = [e for e in extents if np.isfinite(e[0]) and np.isfinite(e[1])]
    low = min([0.0, *(e[0] for e in finite)])
    high = max([0.0, *(e[1] for e in finite)])
    if not high > low:
        return low, low + 1.0
    return float(low), float(high)


def count_values(
    values: NDArray[np.float32], low: float, high: float, bins: int = BINS
) -> Histogram:
    """Count values in bins; the last bin holds `high`, values outside are left out."""
    finite = values[np.isfinite(values)]
    other = finite[finite != 0]
    counts, _ = np.histogram(other, bins=bins, range=(low, high))
    return Histogram(low, high, counts.astype(np.int64), len(finite) - len(other), len(finite))
