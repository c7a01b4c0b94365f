"""Resize pictures as Pillow does: smooth filters that widen when they shrink.

Training pipelines resize with Pillow (torchvision, timm, Hugging Face), whose filters average all
pixels that fall under a target pixel. OpenCV's linear and cubic filters look at 2 and 4 pixels
however much they shrink, which changes what a model sees. Here each axis is one banded matrix
with Pillow's weights, columns of the picture first, and bytes are rounded between the two passes
as Pillow rounds them.

References
----------
Pillow, "Filters" (docs/handbook/concepts.rst), for the kernels and their supports.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_BLOCK = 16
"""Target pixels whose weights share one dense matrix: enough for fast products, little waste."""

_FIXED_POINT = 2.0**22
"""Pillow keeps the weights of byte pictures in units of 1 / 2^22."""


def _box(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((x > -0.5) & (x <= 0.5)).astype(np.float64)


def _triangle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _hamming(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.abs(x) < 1
    return np.where(inside, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


_KERNELS: dict[str, tuple[Kernel, float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
    "lanczos": (_lanczos, 3.0),
    "box": (_box, 0.5),
    "hamming": (_hamming, 1.0),
}
RESAMPLES = ("bilinear", "bicubic", "lanczos", "box", "hamming", "nearest")
"""Ways to resize, by Pillow's names."""


@dataclass(frozen=True)
class _Band:
    """Weights of some neighbouring target pixels on the source pixels that reach them."""

    target: slice
    source: slice
    weights: NDArray[np.float64]


def resample(picture: NDArray[Any], height: int, width: int, how: str) -> NDArray[Any]:
    """Resize a picture.

    Parameters
    ----------
    picture : uint8 or float array [H, W, channels]
        Bytes give bytes, rounded; floats give float32, unrounded.
    height, width : int
        Of the result, in pixels.
    how : str
        One of :data:`RESAMPLES`.

    Returns
    -------
    array [height, width, channels]
        For bytes, equal to Pillow's result.
    """
    if picture.shape[:2] == (height, width):
        return picture
    if how == "nearest":
        rows, columns = _nearest(picture.shape[0], height), _nearest(picture.shape[1], width)
        chosen: NDArray[Any] = picture[rows[:, None], columns[None, :]]
        return chosen
    if picture.shape[1] != width:
        picture = _turned(_along_first(_turned(picture), width, how))
    if picture.shape[0] != height:
        picture = _along_first(picture, height, how)
    return picture


def _nearest(source: int, target: int) -> NDArray[np.int64]:
    """Source pixel of each target pixel; the places are summed up step by step, as Pillow does."""
    scale = source / target
    places = np.cumsum(np.array([0.5 * scale] + [scale] * (target - 1)))
    return np.minimum(places.astype(np.int64), source - 1)


def _turned(picture: NDArray[Any]) -> NDArray[Any]:
    """Swap height and width; OpenCV does it ten times as fast as numpy."""
    import cv2

    height, width, channels = picture.shape
    return cv2.transpose(np.ascontiguousarray(picture)).reshape(width, height, channels)


def _along_first(picture: NDArray[Any], size: int, how: str) -> NDArray[Any]:
    """Resize the first axis; what lies beside it is carried along."""
    whole = picture.dtype == np.uint8
    flat = picture.reshape(picture.shape[0], -1)
    made = np.empty((size, flat.shape[1]), np.uint8 if whole else np.float32)
    for band in _bands(picture.shape[0], size, how, whole):
        # In float64 the products of bytes and 22-bit weights sum up exactly: halves stay halves.
        values = band.weights @ flat[band.source].astype(np.float64)
        if whole:
            # Pillow adds a half and cuts off, which rounds halves upwards.
            values += 0.5
            np.clip(values, 0, 255, out=values)
        made[band.target] = values
    return made.reshape(size, *picture.shape[1:])


@lru_cache(maxsize=256)
def _bands(source: int, target: int, how: str, whole: bool) -> tuple[_Band, ...]:
    """Weights of one axis, cut into bands of :data:`_BLOCK` target pixels."""
    kernel, reach = _KERNELS[how]
    scale = source / target
    wide = max(scale, 1.0)
    support = reach * wide
    bands = []
    for start in range(0, target, _BLOCK):
        stop = min(start + _BLOCK, target)
        centres = (np.arange(start, stop) + 0.5) * scale
        lows = np.maximum((centres - support + 0.5).astype(np.int64), 0)
        highs = np.minimum((centres + support + 0.5).astype(np.int64), source)
        first, last = int(lows.min()), int(highs.max())
        places = np.arange(first, last)[None, :]
        weights = kernel((places - centres[:, None] + 0.5) / wide)
        weights[(places < lows[:, None]) | (places >= highs[:, None])] = 0.0
        sums = weights.sum(axis=1, keepdims=True)
        weights = weights / np.where(sums == 0, 1.0, sums)
        if whole:
            weights = np.rint(weights * _FIXED_POINT) / _FIXED_POINT
        bands.append(_Band(slice(start, stop), slice(first, last), weights))
    return tuple(bands)


def scaled_sides(height: int, width: int, short: int) -> tuple[int, int]:
    """Sides after the shorter one is resized to `short`, the longer one cut off to whole pixels.

    That is how torchvision and Hugging Face round (640 × 427 to 256: 383 × 256, not 384).
    """
    if height <= width:
        return short, max(1, math.floor(short * width / height))
    return max(1, math.floor(short * height / width)), short
