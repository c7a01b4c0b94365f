"""A recording's thumbnails as the pictures of one size that Deephys needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspector.interop.errors import NotExportableError
from inspector.recording import Recording


def fitted(
    recording: Recording, image: int, size: int | None, shape: tuple[int, ...] | None
) -> NDArray[np.uint8]:
    """Return an image's thumbnail, uint8 [h, w, 3] RGB, of the size of those before it.

    Parameters
    ----------
    recording : Recording
    image : int
    size : int or None
        Fit it into a square of so many pixels, on black; None takes it as it is.
    shape : tuple of int or None
        Of the images before; None for the first.

    Raises
    ------
    NotExportableError
        If the image has no thumbnail, or another size than those before.
    """
    pixels = recording.thumbnail(image)
    if not pixels.size:
        raise NotExportableError(
            "Deephys needs pixels and an image has no thumbnail", path=recording.path,
            value=f"image {image}", advice="record it again with --thumb PX",
        )  # fmt: skip
    if size is not None:
        return boxed(pixels, size)
    if shape is not None and pixels.shape != shape:
        raise NotExportableError(
            "Deephys needs images of one size", path=recording.path,
            value=f"image {image} of {pixels.shape[1]} × {pixels.shape[0]} px",
            limit=f"{shape[1]} × {shape[0]} px", advice="fit all into squares with --size PX",
        )  # fmt: skip
    return pixels


def boxed(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return an image scaled into a square of `size` pixels, centred on black.

    The proportions stay. Values between two whole numbers are cut, not rounded, as Deephys does
    with its pixels.
    """
    import cv2

    height, width = pixels.shape[:2]
    longest = max(height, width)
    target = (max(1, round(width * size / longest)), max(1, round(height * size / longest)))
    scaled = pixels.astype(np.float32)
    if target != (width, height):
        how = cv2.INTER_AREA if size < longest else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(scaled, target, interpolation=how), np.float32)
    box = np.zeros((size, size, 3), np.uint8)
    top, left = (size - target[1]) // 2, (size - target[0]) // 2
    # Interpolation may leave 254.99998 of a plain white: cut after a hair's breadth is added.
    cut = np.clip(scaled + 1e-3, 0, 255).astype(np.uint8)
    box[top : top + target[1], left : left + target[0]] = cut
    return box
