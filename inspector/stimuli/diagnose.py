"""Say what is probably wrong when a model answers as if it saw nothing: pure functions.

Wrong preprocessing is what everyone gets wrong first, then the order of the classes. Each hint
names what was seen and the likely cause; none is an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import UNLABELLED

_CONSTANT_SHARE = 0.9
_FEWEST = 20
"""Labelled images below which accuracy says too little to warn about."""

_SURE = 3.0
"""Standard errors by which accuracy must exceed chance."""

_AGREEMENT = 0.6
"""Share of images that follow another order of the classes, to call it one."""


@dataclass(frozen=True)
class Hint:
    """A suspicion.

    Attributes
    ----------
    kind : str
        `chance`, `constant`, `order`, `range`, `nonfinite`, `blank` or `skipped`.
    text : str
        What was seen, the likely cause, and what to try; one line.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class InputRange:
    """What some model inputs are like.

    Attributes
    ----------
    low, high, mean, spread : float
        Of the finite values; NaN without any.
    nonfinite : int
        How many values are NaN or infinite.
    constant : bool
        Whether all inputs hold one and the same value.
    equal : bool
        Whether there are several inputs and all are equal.
    whole_type : bool
        Whether the model takes whole numbers.
    """

    low: float
    high: float
    mean: float
    spread: float
    nonfinite: int
    constant: bool
    equal: bool
    whole_type: bool


def input_range(inputs: NDArray[Any]) -> InputRange:
    """Measure a batch of model inputs [images, …]; the first batch is enough."""
    values = np.asarray(inputs)
    finite = values[np.isfinite(values)].astype(np.float64) if values.size else np.zeros(0)
    low, high, mean, spread = (
        (finite.min(), finite.max(), finite.mean(), finite.std())
        if finite.size
        else (math.nan,) * 4
    )
    return InputRange(
        low=float(low),
        high=float(high),
        mean=float(mean),
        spread=float(spread),
        nonfinite=int(values.size - finite.size),
        constant=bool(finite.size and low == high),
        equal=len(values) > 1 and bool((values[1:] == values[:1]).all()),
        whole_type=values.dtype.kind in "uib",
    )


def diagnose(
    labels: NDArray[Any],
    predictions: NDArray[Any],
    classes: Sequence[str],
    inputs: InputRange | None = None,
    *,
    guessed: bool = False,
) -> tuple[Hint, ...]:
    """Look for signs that a model was shown the wrong thing, or its answers are read wrongly.

    Parameters
    ----------
    labels, predictions : int array [images]
        Numbers of outputs; -1 where there is none.
    classes : sequence of str
        Names of the outputs.
    inputs : InputRange, optional
        What the model was fed; see :func:`input_range`.
    guessed : bool
        Whether the preprocessing was guessed, as nothing named one.

    Returns
    -------
    tuple of Hint
        Most telling first; empty when nothing looks wrong.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    answers = predictions[predictions != UNLABELLED]
    asked = (labels != UNLABELLED) & (predictions != UNLABELLED)
    hints = list(_input_hints(inputs)) if inputs is not None else []
    constant = _constant(answers, labels[asked], classes)
    poor = _poor(labels[asked], predictions[asked])
    order = _other_order(labels[asked], predictions[asked], classes) if poor else None
    if order is not None:
        return (*hints, order)
    advice = (
        "the preprocessing was guessed as 0..1: name the one the model was trained with "
        "(--preprocess imagenet, clip, signed, raw or a file)"
        if guessed
        else "unless the set is meant to be this hard, compare --preprocess with the model's "
        "training (range, mean and std, colour order, size)"
    )
    if constant is not None:
        hints.append(Hint("constant", f"{constant}; {advice}"))
    if poor is not None:
        hints.append(
            Hint("chance", f"{poor}; {advice}, and the order of the classes with --classes")
        )
    return tuple(hints)


def _input_hints(seen: InputRange) -> list[Hint]:
    hints = []
    if seen.nonfinite:
        hints.append(
            Hint(
                "nonfinite",
                f"{seen.nonfinite:,} values of the model's first inputs are NaN or infinite: the "
                "data or std in --preprocess is broken",
            )
        )
    if seen.constant or seen.equal:
        what = f"hold nothing but {seen.low:g}" if seen.constant else "are all the same image"
        hints.append(
            Hint("blank", f"the model's first inputs {what}: look at the data and --preprocess")
        )
    elif not seen.whole_type and seen.high > 32 and seen.mean > 8:
        hints.append(
            Hint(
                "range",
                f"the model is fed {seen.low:g} to {seen.high:g}, as bytes are; few models with "
                "float inputs want that: try --preprocess unit or imagenet unless it was "
                "trained so",
            )
        )
    elif not seen.whole_type and seen.low >= -0.05 and seen.high < 0.01:
        hints.append(
            Hint(
                "range",
                f"the model is fed {seen.low:g} to {seen.high:g}, as if divided by 255 twice: "
                "look at std and scale in --preprocess",
            )
        )
    elif seen.whole_type and seen.high <= 1 and seen.low >= 0:
        hints.append(
            Hint(
                "range",
                "the model takes whole numbers and is fed only 0 and 1: try --preprocess raw",
            )
        )
    return hints


def _constant(answers: NDArray[Any], labels: NDArray[Any], classes: Sequence[str]) -> str | None:
    if len(answers) < _FEWEST:
        return None
    values, counts = np.unique(answers, return_counts=True)
    most = int(np.argmax(counts))
    share = counts[most] / len(answers)
    # A set of one category may well get one answer.
    fair = float(np.mean(labels == values[most])) if len(labels) else 0.0
    if len(classes) < 2 or share < _CONSTANT_SHARE or fair > share / 2:
        return None
    answer = _name(classes, int(values[most]))
    return f"{share:.0%} of the {len(answers):,} images get the same answer, {answer}"


def _poor(labels: NDArray[Any], predictions: NDArray[Any]) -> str | None:
    """Accuracy that does not exceed what answers unrelated to the labels would get."""
    count = len(labels)
    if count < _FEWEST or len(np.unique(labels)) < 2:
        return None
    accuracy = float(np.mean(labels == predictions))
    chance = 0.0
    for value in np.unique(labels):
        chance += float(np.mean(labels == value) * np.mean(predictions == value))
    if accuracy > chance + _SURE * math.sqrt(max(chance * (1 - chance), 1 / count) / count):
        return None
    return f"accuracy {accuracy:.1%} of {count:,} images is no better than chance ({chance:.1%})"


def _other_order(
    labels: NDArray[Any], predictions: NDArray[Any], classes: Sequence[str]
) -> Hint | None:
    """Whether each label gets mostly one answer, and another one than its own."""
    shift = predictions.astype(np.int64) - labels
    shifts, counts = np.unique(shift, return_counts=True)
    most = int(np.argmax(counts))
    if counts[most] >= _AGREEMENT * len(labels) and shifts[most] != 0:
        by = int(shifts[most])
        return Hint(
            "order",
            f"{counts[most] / len(labels):.0%} of the answers are {abs(by)} output"
            f"{'s' if abs(by) > 1 else ''} {'after' if by > 0 else 'before'} the label: the names "
            "of the outputs are shifted (a background class?); mend --classes or the labels",
        )
    usual: dict[int, int] = {}
    agreeing = 0
    for label in np.unique(labels):
        answers, counts = np.unique(predictions[labels == label], return_counts=True)
        usual[int(label)] = int(answers[np.argmax(counts)])
        agreeing += int(counts.max())
    moved = [label for label, answer in usual.items() if label != answer]
    one_to_one = len(set(usual.values())) == len(usual) >= 3
    if not one_to_one or not moved or agreeing < _AGREEMENT * len(labels):
        return None
    label = moved[0]
    return Hint(
        "order",
        f"the answers follow the labels, but in another order ({_name(classes, label)} is mostly "
        f"answered {_name(classes, usual[label])}): name the outputs in the model's own order "
        "with --classes",
    )


def _name(classes: Sequence[str], number: int) -> str:
    return repr(classes[number]) if 0 <= number < len(classes) else str(number)
