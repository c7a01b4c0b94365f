"""What a recording says of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.analysis.probabilities import probabilities
from inspector.recording import Recording
from inspector.viewer.model.unit_data import category_name, stored_reduction

TOP_UNITS = 25
"""As many as the reference system shows."""
TOP_ANSWERS = 5
"""Likewise."""


@dataclass(frozen=True)
class Answer:
    """A category and the probability that the model gave it."""

    category: int
    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class ImageData:
    """An image, the model's answers, and the units that it drives most.

    `units` and `values` are the units with the highest activity, at most 25, highest first, with
    zero, NaN and infinite left out; they are empty when the recording lacks the layer.
    """

    image: int
    label: int
    label_name: str
    prediction: int
    confidence: float
    path: str
    skipped: str
    columns: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    units: NDArray[np.int64]
    values: NDArray[np.float64]
    reduction: str

    @property
    def wrong(self) -> bool:
        """Whether the answer is known to be wrong."""
        return self.label >= 0 and self.prediction >= 0 and self.label != self.prediction


def read_image(recording: Recording, layer_name: str, image: int, asked: str = "") -> ImageData:
    """Read one image; `layer_name` "" leaves the units out."""
    record = recording.image(image)
    units, values, reduction = np.zeros(0, np.int64), np.zeros(0), ""
    if layer_name and not record.skipped:
        layer = recording.layer(layer_name)
        reduction, _ = stored_reduction(layer, asked)
        units, values = highest(recording.row(layer.name, image, reduction))
    return ImageData(
        image=image,
        label=record.label,
        label_name=category_name(recording, record.label),
        prediction=record.prediction,
        confidence=record.confidence,
        path=record.path,
        skipped=record.skipped,
        columns=tuple((name, _words(value)) for name, value in record.columns.items()),
        answers=_answers(recording, image),
        units=units,
        values=values,
        reduction=reduction,
    )


def highest(
    values: NDArray[np.floating], count: int = TOP_UNITS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The places of the highest values that are finite and not 0, and those values."""
    numbers = np.flatnonzero(np.isfinite(values) & (values != 0))
    order = np.argsort(-values[numbers], kind="stable")[:count]
    chosen = numbers[order].astype(np.int64)
    return chosen, np.asarray(values[chosen], dtype=np.float64)


def _answers(recording: Recording, image: int) -> tuple[Answer, ...]:
    logits = recording.logits
    if logits is None:
        return ()
    kind = str(recording.header.output.get("kind", "logits"))
    chances = probabilities(np.asarray(logits[image])[None, :], kind)[0]
    if not np.isfinite(chances).all():
        return ()
    order = np.argsort(-chances, kind="stable")[:TOP_ANSWERS]
    return tuple(Answer(int(c), category_name(recording, int(c)), float(chances[c])) for c in order)


def _words(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
