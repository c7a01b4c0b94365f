"""The tuning of a layer's units in one recording: mean activity per category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.analysis import CategorySums
from inspector.comparison.errors import SignedLayerError
from inspector.recording import RecordedLayer, Recording


@dataclass(frozen=True)
class LayerTuning:
    """What every unit of a layer does per category.

    Attributes
    ----------
    reduction : str
        The reduction that the activity was recorded under.
    signed : bool
        Whether raw values were used, negative ones included: the logits alone.
    maximum : float64 array [units]
        Highest finite activity over all images, labelled or not; NaN without any.
    means : float64 array [units, categories]
        Mean activity per category; NaN where it has no image.
    counts : int64 array [categories]
        Labelled images per category.
    categories : tuple of str
        Their names, by number.
    """

    reduction: str
    signed: bool
    maximum: NDArray[np.float64]
    means: NDArray[np.float64]
    counts: NDArray[np.int64]
    categories: tuple[str, ...]


def layer_tuning(recording: Recording, layer: RecordedLayer, reduction: str | None) -> LayerTuning:
    """Gather the rectified activity of a layer per category (`F0`).

    Scores use `relu_mean` where it was recorded; a vector layer is rectified value by value; the
    logits stay raw; any other reduction serves where no value is negative.

    Parameters
    ----------
    recording : Recording
        With ground truth, or the table is empty.
    layer : RecordedLayer
        One of its layers.
    reduction : str or None
        A recorded reduction; None chooses as said above.

    Raises
    ------
    SignedLayerError
        When the values of a map or token layer are signed and `relu_mean` was not recorded.
    """
    chosen = reduction or score_reduction(layer)
    raw = layer.kind == "logits"
    sums = CategorySums(
        layer.units, category_count(recording), rectify=layer.kind == "vector" and layer.signed
    )
    labels = np.asarray(recording.labels)
    for start, block in recording.activity(layer.name, chosen).blocks():
        sums.add(block, labels[start : start + block.shape[1]])
    if not raw and layer.kind != "vector" and np.nanmin(sums.minimum, initial=0) < 0:
        raise SignedLayerError(
            f"{recording.name}: {layer.name} ({chosen}) holds negative values, for which scores "
            "are not defined; record it with --reduce relu_mean"
        )
    counts = np.bincount(labels[labels >= 0], minlength=category_count(recording))
    return LayerTuning(
        chosen, raw, sums.maximum, sums.means, counts.astype(np.int64), category_names(recording)
    )


def score_reduction(layer: RecordedLayer) -> str:
    """Name the reduction that scores use unless told otherwise: `relu_mean`, else the first."""
    if "relu_mean" in layer.reductions:
        return "relu_mean"
    return layer.same.get("relu_mean", layer.reductions[0])


def category_count(recording: Recording) -> int:
    """Count the categories that labels can name."""
    highest = int(recording.labels.max(initial=-1)) + 1
    return max(len(recording.classes), highest)


def category_names(recording: Recording) -> tuple[str, ...]:
    """Name the categories by number; those without a name go by their number."""
    named = tuple(recording.classes)
    return named + tuple(str(i) for i in range(len(named), category_count(recording)))
