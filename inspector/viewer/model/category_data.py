"""What a recording says of one category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.recording import Recording
from inspector.viewer.model.image_data import highest
from inspector.viewer.model.unit_data import LayerData, TopImage, category_name

SHOWN_ERRORS = 25
"""Images of each kind of error, as many as the reference system shows first."""


@dataclass(frozen=True)
class Errors:
    """Images answered wrong in one way: how many, the surest, and which category instead."""

    count: int
    images: tuple[TopImage, ...]
    others: tuple[tuple[int, str, int], ...]
    """(category, name, images), most first."""


@dataclass(frozen=True, eq=False)
class CategoryData:
    """A category in one recording.

    `recall` is the share of its answered images that are answered right, NaN without any.
    `missed` are its images answered otherwise (false negatives), `claimed` the images of other
    categories answered as it (false positives). `units` and `means` are the units with the
    highest mean activity over its images; `all_means` the mean of every unit (NaN if none).
    """

    category: int
    name: str
    images: int
    answered: int
    recall: float
    missed: Errors
    claimed: Errors
    units: NDArray[np.int64]
    means: NDArray[np.float64]
    all_means: NDArray[np.float64]


def read_category(recording: Recording, layer: LayerData | None, category: int) -> CategoryData:
    """Count a category's errors and find its units (none without a layer)."""
    labels = np.asarray(recording.labels)
    predictions = np.asarray(recording.predictions)
    confidences = np.asarray(recording.confidences)
    own = labels == category
    answered = own & (predictions >= 0)
    right = int(np.count_nonzero(answered & (predictions == category)))
    known = int(np.count_nonzero(answered))

    def errors(which: NDArray[np.bool_], other: NDArray[np.int32]) -> Errors:
        numbers = np.flatnonzero(which)
        sure = np.nan_to_num(confidences[numbers], nan=-1.0)
        order = np.argsort(-sure, kind="stable")
        ids, counts = np.unique(other[numbers], return_counts=True)
        ranked = sorted(
            zip(counts.tolist(), ids.tolist(), strict=True), key=lambda p: (-p[0], p[1])
        )
        return Errors(
            len(numbers),
            tuple(
                TopImage(
                    int(n), float(confidences[n]), int(labels[n]), int(predictions[n]),
                    float(confidences[n]),
                )
                for n in numbers[order][:SHOWN_ERRORS]
            ),
            tuple((c, category_name(recording, c), count) for count, c in ranked),
        )  # fmt: skip

    means = np.zeros(0)
    if layer is not None:
        place = np.flatnonzero(layer.category_ids == category)
        means = (
            np.asarray(layer.category_means[:, place[0]], dtype=np.float64)
            if len(place)
            else np.full(len(layer.maximum), np.nan)
        )
    units, values = highest(means)
    return CategoryData(
        category=category,
        name=category_name(recording, category),
        images=int(np.count_nonzero(own)),
        answered=known,
        recall=right / known if known else float("nan"),
        missed=errors(answered & (predictions != category), predictions),
        claimed=errors((predictions == category) & (labels >= 0) & ~own, labels),
        units=units,
        means=values,
        all_means=means,
    )
