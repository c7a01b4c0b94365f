"""Small pictures for the screen: sharp, fitted to a cell, with rounded corners."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model.virtual import SHARP

PLAIN = 12
"""Steps of 256 by which a plain background may vary."""


def tile_from_image(image: NDArray[np.uint8], cell: int, radius: float) -> NDArray[np.float32]:
    """A square RGBA tile with the image in it.

    Small images are enlarged by repeating whole pixels, larger ones are resampled. What the image
    leaves of the square continues its background if that is plain (a digit on black), and is
    transparent otherwise. Corners are rounded in the alpha channel.

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
    inside = (slice(top, top + high), slice(left, left + wide))
    rim = _rim(image)
    if rim is not None:
        tile[..., :3] = rim
        tile[..., 3] = rounded_mask(cell, cell, radius)
    else:
        tile[(*inside, 3)] = rounded_mask(high, wide, radius)
    np.multiply(fitted, np.float32(1 / 255), out=tile[(*inside, slice(0, 3))])
    return tile


@functools.lru_cache(maxsize=64)
def rounded_mask(height: int, width: int, radius: float) -> NDArray[np.float32]:
    """Opacity of a rectangle with round corners, float32 [height, width]."""
    if radius <= 0:
        return np.ones((height, width), dtype=np.float32)
    beyond = [
        np.maximum(np.abs(np.arange(side) + 0.5 - side / 2) - (side / 2 - radius), 0)
        for side in (height, width)
    ]
    distance = np.hypot(beyond[0][:, None], beyond[1][None, :])
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


def _rim(image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The colour of an image's rim, 0..1, if nearly all of the rim has it: a plain background."""
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(np.float32)
    colour = np.median(rim, axis=0)
    plain = (np.abs(rim - colour).max(axis=1) <= PLAIN).mean()
    return np.asarray(colour / 255, dtype=np.float32) if plain >= 0.9 else None
