"""The scores of a layer's units in one recording against the Lead, which counts as InD."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.comparison import compare_scores
from inspector.errors import InspectorError
from inspector.recording import Recording

MOST_BYTES = 512 << 20
"""Activity read for the scores of one layer while somebody waits (a few seconds of reading)."""


class TooLargeError(InspectorError):
    """The scores would read more than a viewer should."""


@dataclass(frozen=True, eq=False)
class ScoreData:
    """Scores per unit, float64 [units], NaN where undefined; `chance` as the formulas word it."""

    spurious: NDArray[np.float64]
    novelty: NDArray[np.float64]
    rho: NDArray[np.float64]
    categories: int
    chance: float

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return 3 * int(self.spurious.nbytes)


@dataclass(frozen=True)
class UnitScores:
    """One unit's scores against `against`; None where undefined, `reason` when there are none."""

    against: str
    spurious: float | None = None
    novelty: float | None = None
    rho: float | None = None
    categories: int = 0
    chance: float = 0.0
    reason: str = ""


def read_scores(ind: Recording, ood: Recording, layer: str) -> ScoreData:
    """Score the units of a layer.

    Raises
    ------
    ComparisonError
        Where the two cannot be compared.
    TooLargeError
        For more than 512 MiB of activity.
    """
    units = ind.layer(layer).units
    size = 4 * units * (ind.images + ood.images)
    if size > MOST_BYTES:
        raise TooLargeError(
            f"scores of {units:,} units would read {size / 2**30:.1f} GiB here; "
            "`inspector scores` computes them"
        )
    scores = next(iter(compare_scores(ind, ood, layer=layer)[layer].ood.values()))
    return ScoreData(
        scores.spurious, scores.novelty, scores.rho, scores.categories, float(scores.chance)
    )


def scores_of(data: ScoreData, unit: int, against: str) -> UnitScores:
    """The scores of one unit."""
    return UnitScores(
        against,
        _known(data.spurious, unit),
        _known(data.novelty, unit),
        _known(data.rho, unit),
        data.categories,
        data.chance,
    )


def _known(values: NDArray[np.float64], unit: int) -> float | None:
    number = float(values[unit]) if unit < len(values) else math.nan
    return None if math.isnan(number) else number
