"""How strongly units answer to each category, gathered block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class CategorySums:
    """Sums of activity per unit and category over any number of blocks, in float64.

    Parameters
    ----------
    units, categories : int
        Sizes of the table.
    rectify : bool
        Whether negative values count as 0 (`F0`).
    """

    def __init__(self, units: int, categories: int, *, rectify: bool = False) -> None:
        self._rectify = rectify
        self._sums = np.zeros((units, categories))
        self._counts = np.zeros((units, categories), np.int64)
        self._maximum = np.full(units, -np.inf)
        self._minimum = np.full(units, np.inf)

    def add(self, values: NDArray[Any], labels: NDArray[np.integer[Any]]) -> None:
        """Count a block.

        Parameters
        ----------
        values : float array [units, images]
            Recorded activity; values that are not finite are left out.
        labels : int array [images]
            Category of each image; negative ones count for the maximum alone.
        """
        block = np.asarray(values, np.float64)
        finite = np.isfinite(block)
        whole = bool(finite.all())
        low = block if whole else np.where(finite, block, np.inf)
        np.minimum(self._minimum, low.min(axis=1, initial=np.inf), out=self._minimum)
        if self._rectify:
            block = np.maximum(block, 0)
        high = block if whole else np.where(finite, block, -np.inf)
        np.maximum(self._maximum, high.max(axis=1, initial=-np.inf), out=self._maximum)
        order = np.argsort(labels, kind="stable")
        order = order[np.searchsorted(labels[order], 0) :]
        if not len(order):
            return
        present, starts = np.unique(labels[order], return_index=True)
        chosen = (block if whole else np.where(finite, block, 0))[:, order]
        self._sums[:, present] += np.add.reduceat(chosen, starts, axis=1)
        self._counts[:, present] += (
            np.diff(np.append(starts, len(order)))
            if whole
            else np.add.reduceat(finite[:, order].astype(np.int64), starts, axis=1)
        )

    @property
    def maximum(self) -> NDArray[np.float64]:
        """Highest finite value per unit over all images, labelled or not; NaN without any."""
        return np.where(np.isfinite(self._maximum), self._maximum, np.nan)

    @property
    def minimum(self) -> NDArray[np.float64]:
        """Lowest finite value per unit before rectification; NaN without any."""
        return np.where(np.isfinite(self._minimum), self._minimum, np.nan)

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean per unit and category [units, categories]; NaN where nothing was counted."""
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = self._sums / self._counts
        return means
