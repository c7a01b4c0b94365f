"""Read one image file as upright uint8 RGB."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import BrokenImageError
from inspector.stimuli.image_headers import image_size

MAX_PIXELS = 178_956_970
"""Images with more pixels are refused before they are decoded (where Pillow refuses them too)."""

MAX_FILE_BYTES = 1 << 30
"""Files beyond this are no photographs; they are refused before they are read."""

_MOST_SCANS = 1000
"""Scans of a progressive JPEG. Encoders write about ten; each costs a pass over all pixels."""

_LARGE_PIXELS = 32_000_000
_one_large_image = threading.Lock()
"""Large images are decoded one at a time, or every thread would hold half a gigabyte."""

_PNG_NOTES = frozenset((b"iCCP", b"iTXt", b"tEXt", b"zTXt"))

# OpenCV reads its own cap once, when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
# A broken file is our message to write, not a line of OpenCV's on the terminal.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

IMAGE_ENDINGS = frozenset(
    f".{kind}" for kind in ("avif", "bmp", "gif", "jp2", "jpeg", "jpg", "pbm", "pgm", "png", "pnm")
) | frozenset((".ppm", ".tif", ".tiff", ".webp"))


def decode_file(path: Path) -> NDArray[np.uint8]:
    """Decode an image file; see :func:`decode_image`.

    Raises
    ------
    BrokenImageError
        When the file cannot be read, is no image, or is larger than :data:`MAX_FILE_BYTES` or
        :data:`MAX_PIXELS`.
    """
    return decode_image(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """Read an image file's bytes: a regular file of a bounded size, never a device or a pipe."""
    try:
        # A pipe without a writer would block the open for ever.
        number = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with open(number, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise BrokenImageError(f"{path}: is no regular file; remove it")
            if status.st_size > MAX_FILE_BYTES:
                raise BrokenImageError(
                    f"{path}: has {status.st_size:,} bytes (limit {MAX_FILE_BYTES:,}); "
                    "remove it or shrink it"
                )
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BrokenImageError(
            f"{path}: cannot be read ({error.strerror}); check that it exists and its permissions"
        ) from error


def decode_image(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an image: EXIF rotation applied, grey and palette widened, alpha dropped.

    Parameters
    ----------
    content : bytes
        An image file's bytes.
    name : str
        What errors call it.

    Returns
    -------
    uint8 array [height, width, 3]
        Red, green, blue. 16-bit images keep their upper 8 bits; CMYK is turned into RGB; of several
        frames or pages the first is taken.

    Raises
    ------
    BrokenImageError
        When it is no image, or has more than :data:`MAX_PIXELS` pixels.
    """
    import cv2

    if not content:
        raise BrokenImageError(f"{name}: the file is empty; copy it again or remove it")
    known = image_size(content)
    if known is None:
        raise BrokenImageError(
            f"{name}: not an image of a known kind, or cut short ({len(content):,} bytes); "
            "copy it again or remove it"
        )
    kind, (width, height) = known
    if width * height > MAX_PIXELS:
        raise BrokenImageError(
            f"{name}: the {kind} claims {width:,} × {height:,} pixels (limit {MAX_PIXELS:,} in "
            "all); remove it or shrink it"
        )
    if kind == "JPEG" and content.count(b"\xff\xda") > _MOST_SCANS:
        raise BrokenImageError(
            f"{name}: the JPEG has more than {_MOST_SCANS:,} scans; save it again or remove it"
        )
    if kind == "PNG":
        content = _without_notes(content)
    with _one_large_image if width * height > _LARGE_PIXELS else nullcontext():
        try:
            image: NDArray[Any] | None = cv2.imdecode(
                np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR
            )
        except cv2.error as error:
            reason = "has more pixels than allowed" if "PIXELS" in str(error) else "is broken"
            raise BrokenImageError(
                f"{name}: {reason} (limit {MAX_PIXELS:,} pixels); remove it or shrink it"
            ) from error
        if image is None or image.size == 0:
            raise BrokenImageError(
                f"{name}: a broken or cut {kind} ({len(content):,} bytes); "
                "copy it again or remove it"
            )
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return rgb.astype(np.uint8, copy=False)


def _without_notes(content: bytes) -> bytes:
    """Leave out a PNG's colour profile and texts, which no pixel depends on.

    libpng unpacks them, and writes a line on the terminal for each odd profile: very common ones.
    """
    place, kept, begin = 8, [], 0
    while place + 8 <= len(content) and content[place + 4 : place + 8] != b"IDAT":
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] in _PNG_NOTES:
            kept.append(content[begin:place])
            begin = end
        place = end
    return b"".join([*kept, content[begin:]]) if kept else content
