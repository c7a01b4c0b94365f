"""Coloured MNIST: the digits of the paper's first experiment, coloured while they are read.

5,000 handwritten digits (500 of each) come with the package; no training ever sees them. Each
colouring paints the same digits by class: one as the models were trained (InD), three not (OOD).

References
----------
Sarkar, Groth, Mason, Sasaki, Boix: "Deephys: Deep Electrophysiology, Debugging Neural Networks
under Distribution Shifts", 2023, arXiv 2303.11912 (colours and the foreground's threshold).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import ArrayFormatError, LabelError, StimuliError

DIGIT_CLASSES = tuple(str(digit) for digit in range(10))
FOREGROUND_THRESHOLD = 80
"""A raw pixel of at least this value (of 255) is ink and gets the colour; all else is black."""

Colour = tuple[float, float, float]


class UnknownColouringError(StimuliError):
    """No colouring has that name."""


@dataclass(frozen=True)
class Colouring:
    """How the ten classes are painted.

    Attributes
    ----------
    name
        The key in :data:`COLOURINGS` and the file name of its recording.
    title
        The name of the set as people read it.
    colours
        Ten colours, by class, each (red, green, blue) in 0..1.
    """

    name: str
    title: str
    colours: tuple[Colour, ...]

    def palette(self) -> NDArray[np.uint8]:
        """Return the colours as uint8 [10, 3], rounded to the nearest of 256 levels."""
        levels: NDArray[np.uint8] = np.rint(np.asarray(self.colours) * 255).astype(np.uint8)
        return levels


_COLORED: tuple[Colour, ...] = (
    (0.137, 1.0, 0.712),
    (1.0, 0.235, 0.218),
    (1.0, 0.390, 0.084),
    (0.396, 0.595, 1.0),
    (0.657, 0.709, 1.0),
    (1.0, 0.097, 0.506),
    (0.511, 0.913, 1.0),
    (1.0, 0.630, 0.093),
    (1.0, 0.804, 0.517),
    (0.401, 0.792, 1.0),
)
_ARBITRARY: tuple[Colour, ...] = (
    (1.0, 0.419, 0.991),
    (0.458, 1.0, 0.351),
    (0.189, 1.0, 0.066),
    (0.614, 0.524, 1.0),
    (0.204, 1.0, 0.712),
    (0.185, 0.761, 1.0),
    (0.674, 1.0, 0.177),
    (0.583, 1.0, 0.163),
    (1.0, 0.717, 0.867),
    (0.868, 0.982, 1.0),
)
_PERMUTED_FROM = (2, 5, 3, 0, 9, 8, 7, 4, 6, 1)
_DRIFT = 0.2727


def _drifted(colour: Colour) -> Colour:
    red, green, blue = (max(0.0, channel - _DRIFT) for channel in colour)
    return red, green, blue


COLOURINGS: Mapping[str, Colouring] = MappingProxyType(
    {
        colouring.name: colouring
        for colouring in (
            Colouring("colored", "Colored", _COLORED),
            Colouring("permuted", "Permuted", tuple(_COLORED[k] for k in _PERMUTED_FROM)),
            Colouring("arbitrary", "Arbitrary", _ARBITRARY),
            Colouring("drifted", "Drifted", tuple(_drifted(colour) for colour in _COLORED)),
        )
    }
)
"""The four sets by name, InD first: ``colored`` is what the models were trained on, ``permuted``
gives its colours to other classes, ``arbitrary`` has new ones, ``drifted`` is darker."""


def held_out_digits() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the 5,000 packaged digits that no model was trained on.

    Returns
    -------
    images
        uint8 [5000, 28, 28], 0 = black paper, 255 = full ink.
    labels
        int32 [5000], 0 to 9; 500 of each, in order of class.
    """
    packed = resources.files("inspector.stimuli") / "data" / "mnist_held_out.npz"
    with packed.open("rb") as file, np.load(file, allow_pickle=False) as digits:
        return digits["images"], digits["labels"].astype(np.int32)


def colour_digits(
    images: NDArray[Any], labels: NDArray[Any], colouring: str | Colouring
) -> NDArray[np.uint8]:
    """Paint digits by their class: flat colour where there is ink, black elsewhere.

    Parameters
    ----------
    images
        uint8 [n, height, width], raw grey values. Ink is a value of at least
        :data:`FOREGROUND_THRESHOLD`.
    labels
        Integers [n] of 0 to 9: the class that chooses the colour.
    colouring
        A name of :data:`COLOURINGS`, or colours of your own.

    Returns
    -------
    NDArray[np.uint8]
        uint8 [n, height, width, 3], red, green, blue.

    Raises
    ------
    UnknownColouringError
        No colouring has that name.
    ArrayFormatError
        The arrays have other shapes or types.
    LabelError
        A label is not one of 0 to 9.
    """
    colours = colouring if isinstance(colouring, Colouring) else _named(colouring)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ArrayFormatError(
            f"digits are uint8 [n, height, width], not {images.dtype} {list(images.shape)}: "
            "hand over grey values of 0 to 255"
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ArrayFormatError(
            f"{len(images)} digits need as many whole-number labels, "
            f"not {labels.dtype} {list(labels.shape)}"
        )
    outside = labels[(labels < 0) | (labels > 9)]
    if outside.size:
        raise LabelError(f"label {outside[0]} is no digit: labels are 0 to 9")
    ink = images >= FOREGROUND_THRESHOLD
    by_class = colours.palette()[labels]
    return np.where(ink[..., None], by_class[:, None, None, :], np.uint8(0))


def _named(name: str) -> Colouring:
    try:
        return COLOURINGS[name]
    except KeyError:
        known = ", ".join(COLOURINGS)
        raise UnknownColouringError(f"no colouring is called {name!r}: choose {known}") from None
