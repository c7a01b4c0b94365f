"""See arrays as pictures, resize them, and make the small ones that stand for a stimulus."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import PreprocessError


def to_picture(stimulus: NDArray[Any]) -> NDArray[Any]:
    """See an array as a picture [height, width, 1 or 3]: uint8, or floats in 0..1.

    Raises
    ------
    PreprocessError
        When the array has no such shape, or floats outside 0..1.
    """
    array = np.asarray(stimulus)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise PreprocessError(
            f"an array of {list(np.shape(stimulus))} is no picture [H, W], [H, W, C] or [C, H, W] "
            "with 1, 3 or 4 channels; give such arrays, or hand them over with --preprocess none"
        )
    array = array[:, :, :3]
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind in "ub":
        top = 1 if array.dtype.kind == "b" else np.iinfo(array.dtype).max
        return array.astype(np.float32) / np.float32(top)
    low, high = float(np.min(array)), float(np.max(array))
    if not (array.dtype.kind == "f" and low >= 0 and high <= 1):
        raise PreprocessError(
            f"pixels of type {array.dtype} from {low:g} to {high:g} are not 0..1; give uint8 or "
            "floats in 0..1, or hand the arrays over with --preprocess none"
        )
    return array.astype(np.float32)


def resize(picture: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Resize [H, W, C] smoothly; averages areas when it shrinks, so that nothing aliases."""
    if picture.shape[:2] == (height, width):
        return picture
    import cv2

    shrinks = height < picture.shape[0] or width < picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=method)
    return resized.reshape(height, width, picture.shape[2])


def thumbnail(stimulus: NDArray[Any], pixels: int) -> NDArray[np.uint8]:
    """Make the small picture that stands for a stimulus on screen.

    Arrays that are no pictures are drawn from their lowest (black) to their highest value (white);
    what has no picture shape at all gives an empty one.

    Returns
    -------
    uint8 array [height, width, 3]
        Longest side at most `pixels`; [0, 0, 3] when there is nothing to draw.
    """
    try:
        picture = to_picture(stimulus)
    except PreprocessError:
        picture = _stretched(stimulus)
    if picture.size == 0 or pixels <= 0:
        return np.zeros((0, 0, 3), np.uint8)
    height, width = picture.shape[:2]
    factor = min(1.0, pixels / max(height, width))
    small = resize(picture, max(1, round(height * factor)), max(1, round(width * factor)))
    if small.dtype != np.uint8:
        small = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(small, (*small.shape[:2], 3)))


def _stretched(stimulus: NDArray[Any]) -> NDArray[Any]:
    """Spread any finite numbers over 0..1 so that they can be seen as a picture."""
    values = np.nan_to_num(np.asarray(stimulus, np.float32), posinf=0, neginf=0)
    low, span = float(values.min(initial=0)), float(np.ptp(values)) if values.size else 0.0
    try:
        return to_picture(np.clip((values - low) / span, 0, 1) if span > 0 else values * 0)
    except PreprocessError:
        return np.zeros((0, 0, 3), np.uint8)
