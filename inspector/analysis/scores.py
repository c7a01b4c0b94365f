"""The two scores of the paper, for all units at once.

Both compare how strongly each category drives a unit in-distribution (InD) and out of it (OOD),
with activity divided by the unit's InD maximum.

References
----------
Sarkar, Groth, Mason, Sasaki, Boix: "Deephys: Deep Electrophysiology, Debugging Neural Networks
under Distribution Shifts", 2023, arXiv 2303.11912.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

FEWEST_CATEGORIES = 3
"""With two categories a rank correlation is always +1, -1 or undefined: it says nothing."""

_EXACT_CHANCE_UP_TO = 8


def normalised(means: NDArray[np.float64], ind_maximum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide category means [units, categories] by each unit's InD maximum (`F2`).

    Units whose maximum is not positive get NaN: a unit that never fires has no tuning.
    """
    divisor = np.where(ind_maximum > 0, ind_maximum, np.nan)
    quotient: NDArray[np.float64] = means / divisor[:, None]
    return quotient


def tuning_correlation(ind: NDArray[np.float64], ood: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rank correlation of InD and OOD tuning, per unit (`F2`).

    Parameters
    ----------
    ind, ood : float64 array [units, categories]
        Mean activity per category, the same categories in the same order.

    Returns
    -------
    float64 array [units]
        -1 (inverted tuning) to 1 (the same order of categories). NaN with fewer than three
        categories, where either tuning is constant, and where a value is not finite.

    Notes
    -----
    Pearson's correlation of average ranks, ties averaged without tolerance.
    """
    units, categories = ind.shape
    if categories < FEWEST_CATEGORIES:
        return np.full(units, np.nan)
    # Loading it takes longer than most commands that never score anything.
    from scipy.stats import rankdata

    defined = np.asarray(np.isfinite(ind).all(axis=1) & np.isfinite(ood).all(axis=1))
    centred = []
    for tuning in (ind, ood):
        ranks = rankdata(np.where(defined[:, None], tuning, 0), axis=1)
        centred.append(ranks - (categories + 1) / 2)
    a, b = centred
    norm = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = np.where(defined & (norm > 0), (a * b).sum(axis=1) / norm, np.nan)
    return np.clip(rho, -1, 1)


def spurious_scores(rho: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - |ρ| (`F2`): 0 where the tuning keeps (or exactly inverts) its order, 1 where it is lost.

    A ρ below 0 also scores low, so ρ belongs beside the score.
    """
    return 1 - np.abs(rho)


def novelty_scores(ind: NDArray[np.float64], ood: NDArray[np.float64]) -> NDArray[np.float64]:
    """Highest category mean InD minus highest OOD (`F4`), on normalised tuning.

    Parameters
    ----------
    ind, ood : float64 array [units, categories]
        Category means divided by the InD maximum.

    Returns
    -------
    float64 array [units]
        Up to 1 where the unit falls silent on the OOD data, below 0 where that data drives it
        more. The two maxima may lie at different categories. NaN without categories.
    """
    if ind.shape[1] == 0:
        return np.full(len(ind), np.nan)
    highest: NDArray[np.float64] = ind.max(axis=1) - ood.max(axis=1)
    return highest


@lru_cache(maxsize=256)
def chance_level(categories: int) -> float:
    """Median spurious score of two tunings that have nothing to do with each other.

    Parameters
    ----------
    categories : int
        How many categories the tunings are compared over.

    Returns
    -------
    float
        .50 at 3 categories, .76 at 10, .98 at 1,000; NaN below 3.

    Notes
    -----
    Counted over all orders up to 8 categories; beyond that from Student's t with n - 2 degrees of
    freedom, t = ρ √((n - 2) / (1 - ρ²)), the usual approximation for Spearman's ρ.
    """
    if categories < FEWEST_CATEGORIES:
        return float("nan")
    if categories <= _EXACT_CHANCE_UP_TO:
        orders = np.array(list(permutations(range(categories))), np.float64)
        distance = ((orders - np.arange(categories)) ** 2).sum(axis=1)
        rho = 1 - 6 * distance / (categories * (categories**2 - 1))
        return float(1 - np.median(np.abs(rho)))
    from scipy.special import stdtrit  # the quantiles of Student's t

    t = float(stdtrit(categories - 2, 0.75))
    return float(1 - t / np.sqrt(categories - 2 + t * t))
