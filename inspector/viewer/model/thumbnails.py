"""Small pictures for the screen: sharp, fitted to a cell, with rounded corners."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model.virtual import SHARP


def tile_from_image(image: NDArray[np.uint8], cell: int, radius: float) -> NDArray[np.float32]:
    """A square RGBA tile with the image in it.

    Small images are enlarged by repeating whole pixels, larger ones are resampled; what the image
    leaves of the square takes the colour that most of its rim has. Corners are rounded in the
    alpha channel.

    Parameters
    ----------
    image
        uint8 [h, w, 3] RGB or [h, w] grey; may be empty (then the tile is transparent).
    cell
        Side of the tile in pixels.
    radius
        Of its corners, in pixels.

    Returns
    -------
    float32 [cell, cell, 4], C-contiguous, 0..1.
    """
    tile = np.zeros((cell, cell, 4), dtype=np.float32)
    if image.size == 0:
        return tile
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    fitted = _fitted(image, cell)
    high, wide = fitted.shape[:2]
    top, left = (cell - high) // 2, (cell - wide) // 2
    if high < cell or wide < cell:
        tile[..., :3] = _rim(image).astype(np.float32) / 255
    np.multiply(fitted, np.float32(1 / 255), out=tile[top : top + high, left : left + wide, :3])
    tile[..., 3] = rounded_mask(cell, radius)
    return tile


@functools.lru_cache(maxsize=32)
def rounded_mask(cell: int, radius: float) -> NDArray[np.float32]:
    """Opacity of a square with round corners, float32 [cell, cell]."""
    if radius <= 0:
        return np.ones((cell, cell), dtype=np.float32)
    steps = np.abs(np.arange(cell) + 0.5 - cell / 2)
    beyond = np.maximum(steps - (cell / 2 - radius), 0)
    distance = np.hypot(beyond[:, None], beyond[None, :])
    mask: NDArray[np.float32] = np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)
    mask.flags.writeable = False
    return mask


def _fitted(image: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    longest = max(image.shape[:2])
    if longest <= SHARP and longest <= cell:
        factor = cell // longest
        return np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
    scale = cell / longest
    size = (
        max(1, min(cell, round(image.shape[1] * scale))),
        max(1, min(cell, round(image.shape[0] * scale))),
    )
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.uint8)


def _rim(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.asarray(np.median(rim, axis=0), dtype=np.float64)
