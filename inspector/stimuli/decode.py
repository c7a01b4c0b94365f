"""Read one image file as upright uint8 RGB."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import BrokenImageError

MAX_PIXELS = 178_956_970
"""Images with more pixels are refused before they are decoded (the limit PIL warns at, doubled)."""

# OpenCV reads its own cap once, when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
# A broken file is our message to write, not a line of OpenCV's on the terminal.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

IMAGE_ENDINGS = frozenset(
    f".{kind}" for kind in ("avif", "bmp", "gif", "jp2", "jpeg", "jpg", "pbm", "pgm", "png", "pnm")
) | frozenset((".ppm", ".tif", ".tiff", ".webp"))


def decode_file(path: Path) -> NDArray[np.uint8]:
    """Decode an image file: EXIF rotation applied, grey and palette widened, alpha dropped.

    Returns
    -------
    uint8 array [height, width, 3]
        Red, green, blue. 16-bit images keep their upper 8 bits.

    Raises
    ------
    BrokenImageError
        When the file cannot be read, is no image, or has more than :data:`MAX_PIXELS` pixels.
    """
    import cv2

    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise BrokenImageError(
            f"{path}: cannot be read ({error.strerror}); check that it exists and its permissions"
        ) from error
    if content.size == 0:
        raise BrokenImageError(f"{path}: the file is empty; copy it again or remove it")
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except cv2.error as error:
        reason = "has more pixels than allowed" if "PIXELS" in str(error) else "cannot be decoded"
        raise BrokenImageError(
            f"{path}: {reason} (limit {MAX_PIXELS:,} pixels); remove it or shrink it"
        ) from error
    if image is None:
        raise BrokenImageError(
            f"{path}: not an image that can be decoded ({content.size:,} bytes); "
            "copy it again or remove it"
        )
    rgb: NDArray[np.uint8] = np.ascontiguousarray(image[:, :, ::-1], np.uint8)
    return rgb
