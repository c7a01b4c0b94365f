"""Paired timings: the ratio of two things run in turn, with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """The median of paired ratios, and the middle 95% of its bootstrap distribution."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def against(self, bound: float, at_least: bool = False) -> str:
        """`met`, or `missed` when the whole interval lies on the wrong side of the bound."""
        missed = self.high < bound if at_least else self.low > bound
        return "missed" if missed else "met"


def paired(
    subject: Callable[[], float], peer: Callable[[], float], pairs: int
) -> tuple[Ratio, Ratio, float, float]:
    """Run subject and peer in turn.

    Parameters
    ----------
    subject, peer : callable
        Each does its work once and returns its seconds.
    pairs : int
        How often, after one warm-up of each.

    Returns
    -------
    Ratio, Ratio, float, float
        Subject over peer; peer over the peer's run before it, which says how noisy the machine
        was; and the median seconds of each.
    """
    subject(), peer()
    times = np.array([(subject(), peer(), peer()) for _ in range(pairs)])
    mine, first, second = times.T
    ratio = _ratio(mine / ((first + second) / 2))
    return ratio, _ratio(first / second), float(np.median(mine)), float(np.median(first))


def _ratio(ratios: np.ndarray, draws: int = 2000) -> Ratio:
    random = np.random.default_rng(0)
    medians = np.median(random.choice(ratios, (draws, len(ratios))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high))
