"""From what a classifier puts out to probabilities and predictions (`F5`)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

OutputKind = Literal["logits", "log_softmax", "softmax", "sigmoid"]
NO_PREDICTION = -1


def probabilities(values: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """Turn the values of the classification layer into probabilities, in float64.

    Parameters
    ----------
    values : float array [images, outputs]
        The recorded values.
    kind : {"logits", "log_softmax", "softmax", "sigmoid"}
        What they are. `logits` of a single output belong to a sigmoid; `sigmoid` values are
        probabilities already: one output p stands for the classes (1 - p, p), several are
        independent.

    Returns
    -------
    float64 array [images, classes]
        Two classes for a single sigmoid output, else one per output. Rows with a value that is not
        finite are NaN.

    Notes
    -----
    Softmax as exp(z - max z) / sum, which cannot overflow.
    """
    z = np.asarray(values, np.float64)
    valid = np.isfinite(z).all(axis=1, keepdims=True)
    if kind == "log_softmax":
        # log 0 is -inf, an honest probability of 0.
        valid = ~(np.isnan(z) | np.isposinf(z)).any(axis=1, keepdims=True)
        made = np.exp(np.where(valid, z, 0))
    elif kind in ("softmax", "sigmoid"):
        made = np.where(valid, z, 0)
        if made.shape[1] == 1:
            made = np.hstack([1 - made, made])
    elif kind == "logits":
        clean = np.where(valid, z, 0)
        if clean.shape[1] == 1:
            clean = np.hstack([np.zeros_like(clean), clean])
        power = np.exp(clean - clean.max(axis=1, keepdims=True, initial=-np.inf))
        made = power / power.sum(axis=1, keepdims=True)
    else:
        raise ValueError(f"kind {kind!r}: choose logits, log_softmax, softmax or sigmoid")
    return np.where(valid, made, np.nan)


def predictions(chances: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Pick the most probable class of each image.

    Parameters
    ----------
    chances : float64 array [images, classes]
        As :func:`probabilities` gives them.

    Returns
    -------
    int32 array [images]
        The class, ties to the lowest number; -1 where the row is not finite.
    float32 array [images]
        Its probability; NaN where there is no prediction.
    """
    if chances.shape[1] == 0:
        return np.full(len(chances), NO_PREDICTION, np.int32), np.full(len(chances), np.nan, "f4")
    valid = np.asarray(np.isfinite(chances).all(axis=1))
    best = np.argmax(np.where(valid[:, None], chances, 0), axis=1).astype(np.int32)
    confidence = np.take_along_axis(chances, best[:, None].astype(np.int64), axis=1)[:, 0]
    return (
        np.where(valid, best, NO_PREDICTION).astype(np.int32),
        np.where(valid, confidence, np.nan).astype(np.float32),
    )
