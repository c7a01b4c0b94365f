"""The numbers of one unit in one recording, and of all units of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.recording import RecordedLayer, Recording

TOP_IMAGES = 100
"""As many as the reference system shows."""
TOP_CATEGORIES = 5
"""Likewise."""


@dataclass(frozen=True)
class TopImage:
    """One of the images with the highest activity; label and prediction are -1 when unknown."""

    image: int
    value: float
    label: int
    prediction: int
    confidence: float

    @property
    def wrong(self) -> bool:
        """Whether the model's answer is known to be wrong."""
        return self.label >= 0 and self.prediction >= 0 and self.label != self.prediction


@dataclass(frozen=True)
class CategoryMean:
    """Mean activity over the images of one category."""

    category: int
    name: str
    mean: float
    images: int


@dataclass(frozen=True, eq=False)
class UnitData:
    """What a recording says of one unit.

    `values` is the whole column, float32 [images]. Maximum, minimum and mean are over finite
    values, NaN where there is none; `zeros` is the share of finite values that are 0.
    """

    layer: str
    unit: int
    reduction: str
    note: str
    values: NDArray[np.float32]
    finite: int
    maximum: float
    minimum: float
    mean: float
    spread: float
    zeros: float
    active: int
    top: tuple[TopImage, ...]
    categories: tuple[CategoryMean, ...]
    labelled: int

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self.values.nbytes)

    @property
    def mean_active(self) -> float:
        """Mean over the finite values other than 0; NaN where there is none."""
        return self.mean * self.finite / self.active if self.active else float("nan")

    @property
    def images(self) -> int:
        """Images looked at."""
        return len(self.values)


@dataclass(frozen=True, eq=False)
class LayerData:
    """Per unit of a layer: maximum, mean and share of zeros, float64 [units].

    `top_images` int64 and `top_values` float32 [units, 100] are padded with -1 and NaN;
    `category_means` is [units, categories] for the labels `category_ids`.
    """

    reduction: str
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    zeros: NDArray[np.float64]
    top_images: NDArray[np.int64]
    top_values: NDArray[np.float32]
    category_ids: NDArray[np.int32]
    category_means: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(4 * self.maximum.nbytes + self.category_means.nbytes)

    def quantity(self, name: str) -> NDArray[np.float64]:
        """One of them by name."""
        return {"mean": self.mean, "zeros": self.zeros}.get(name, self.maximum)


def stored_reduction(layer: RecordedLayer, asked: str) -> tuple[str, str]:
    """The stored reduction to read when `asked` is wanted, and a note when it is another one."""
    first = layer.reductions[0]
    if not asked or asked in layer.reductions:
        return asked or first, ""
    if asked in layer.same:
        return layer.same[asked], ""
    if first == "none":
        return first, ""
    return first, f"{reduction_name(asked)} is not recorded here: {reduction_name(first)} shown"


def reduction_name(reduction: str) -> str:
    """A reduction in words."""
    return {
        "relu_mean": "rectified mean",
        "mean": "mean",
        "max": "maximum",
        "none": "value",
        "cls": "class token",
        "last": "last token",
    }.get(reduction, reduction)


def category_name(recording: Recording, category: int) -> str:
    """A category as the user knows it."""
    if category < 0:
        return ""
    if category < len(recording.classes):
        return recording.classes[category]
    return f"category {category}"


def read_unit(recording: Recording, layer_name: str, unit: int, asked: str = "") -> UnitData:
    """Read one unit's activity over all images and what the Unit view says about it."""
    layer = recording.layer(layer_name)
    reduction, note = stored_reduction(layer, asked)
    values = np.asarray(recording.unit(layer.name, unit, reduction), dtype=np.float32)
    labels = np.asarray(recording.labels)[: len(values)]
    good = np.isfinite(values)
    known = values[good].astype(np.float64)
    zeros = int(np.count_nonzero(known == 0))
    top = recording.top(layer.name, unit, TOP_IMAGES, reduction)
    return UnitData(
        layer=layer.name,
        unit=unit,
        reduction=reduction,
        note=note,
        values=values,
        finite=len(known),
        maximum=float(known.max()) if len(known) else float("nan"),
        minimum=float(known.min()) if len(known) else float("nan"),
        mean=float(known.mean()) if len(known) else float("nan"),
        spread=float(known.std()) if len(known) else float("nan"),
        zeros=zeros / len(known) if len(known) else float("nan"),
        active=len(known) - zeros,
        top=top_images(recording, top.images, top.values),
        categories=_categories(recording, values, labels, good),
        labelled=int(np.count_nonzero(labels >= 0)),
    )


def read_layer(recording: Recording, layer_name: str, asked: str = "") -> LayerData:
    """Read what the bars in the list of units show."""
    layer = recording.layer(layer_name)
    reduction, _ = stored_reduction(layer, asked)
    summary = recording.summary(layer.name, reduction)
    return LayerData(
        reduction=reduction,
        maximum=np.asarray(summary.maximum, dtype=np.float64),
        mean=np.asarray(summary.mean, dtype=np.float64),
        zeros=np.asarray(summary.zeros, dtype=np.float64),
        top_images=summary.top_images,
        top_values=summary.top_values,
        category_ids=summary.category_ids,
        category_means=summary.category_means,
    )


def top_images(
    recording: Recording, images: NDArray[np.int64], values: NDArray[np.float32]
) -> tuple[TopImage, ...]:
    """Images with their labels and answers."""
    labels, predictions = recording.labels, recording.predictions
    confidences = recording.confidences
    return tuple(
        TopImage(
            int(image),
            float(value),
            int(labels[image]),
            int(predictions[image]),
            float(confidences[image]),
        )
        for image, value in zip(images, values, strict=True)
    )


def _categories(
    recording: Recording,
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
    good: NDArray[np.bool_],
) -> tuple[CategoryMean, ...]:
    used = good & (labels >= 0)
    if not used.any():
        return ()
    ids, place, counts = np.unique(labels[used], return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=values[used].astype(np.float64)) / counts
    order = np.lexsort((ids, -means))
    # A category that leaves the unit silent is no top category.
    order = order[means[order] != 0][:TOP_CATEGORIES]
    return tuple(
        CategoryMean(
            int(ids[i]), category_name(recording, int(ids[i])), float(means[i]), int(counts[i])
        )
        for i in order
    )
