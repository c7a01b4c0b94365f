"""Thumbnails in a chunk: raw pixels up to 32 px, JPEG above, and a table that says which.

Measured at 64 px: JPEG 0.02 ms, PNG 0.25, WebP 0.7; below 32 px raw pixels are smaller than a
JPEG's tables and stay exact.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.limits import MAX_THUMBNAIL

RAW_SIDE = 32
JPEG_QUALITY = 90
NONE, RAW_GREY, RAW_RGB, JPEG = 0, 1, 2, 3
_THREADS = min(4, os.cpu_count() or 1)
_PER_TASK = 32
_FRAME, _RESTARTS = 0xC0, 0xDD
_MCU = 16  # side of a JPEG's units in 4:2:0
_STRIP_SIDE = 128  # images up to this size are encoded in strips

Encoded = list[tuple[bytes, int]]


class ThumbnailEncoder:
    """Encodes a chunk's thumbnails on threads, while its owner does something else.

    Encoding is most of writing a chunk. A context manager; leaving it waits for the threads.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]]) -> None:
        self._images = images
        self._pool = ThreadPoolExecutor(_THREADS)
        starts = range(0, len(images), _PER_TASK)
        tasks = [images[start : start + _PER_TASK] for start in starts]
        self._parts = self._pool.map(_encode, tasks)

    def __enter__(self) -> ThumbnailEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def result(self) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        """Return the bytes of all thumbnails and their table, uint32 [5 n].

        Five numbers an image: end of the image's bytes, CRC-32 of them, height, width, format
        (0 none, 1 raw grey, 2 raw RGB, 3 JPEG).

        Raises
        ------
        ValueError
            If a thumbnail is none.
        """
        table, blocks, end = [], [], 0
        parts = (each for part in self._parts for each in part)
        for image, (data, code) in zip(self._images, parts, strict=True):
            end += len(data)
            height, width = image.shape[:2] if code else (0, 0)
            table.append((end & 0xFFFFFFFF, crc32(data), height, width, code))
            blocks.append(data)
        numbers = np.array(table, np.uint32).reshape(-1)
        return np.frombuffer(b"".join(blocks), np.uint8), numbers


def _encode(images: Sequence[NDArray[np.uint8]]) -> Encoded:
    shape = images[0].shape
    strip = (
        len(images) > 1
        and images[0].ndim == 3
        and shape[2] == 3
        and RAW_SIDE < max(shape[:2]) <= _STRIP_SIDE
        and not shape[0] % _MCU
        and all(image.shape == shape and image.dtype == np.uint8 for image in images)
    )
    parts = _strip(images) if strip else []
    return [(part, JPEG) for part in parts] or [encode_thumbnail(image) for image in images]


def _strip(images: Sequence[NDArray[np.uint8]]) -> list[bytes]:
    """Encode images of one size as one JPEG, with a restart after each, and take it apart.

    What lies between two restarts does not depend on what came before: with the header, its
    height set, it is byte for byte the JPEG of that image alone; the call is the dearer part of
    encoding a small image. Returns [] when the encoder does it in another way.
    """
    import cv2

    height, width = images[0].shape[:2]
    pixels = cv2.cvtColor(np.concatenate(images), cv2.COLOR_RGB2BGR)
    interval = height // _MCU * -(-width // _MCU)
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_RST_INTERVAL, interval]
    data = cv2.imencode(".jpg", pixels, flags)[1].tobytes()
    head, at = bytearray(data[:2]), 2
    while data[at : at + 2] != b"\xff\xda":
        segment = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        at += len(segment)
        if segment[1] == _FRAME:
            segment = segment[:5] + height.to_bytes(2, "big") + segment[7:]
        if segment[1] != _RESTARTS:
            head += segment
    begin = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    head += data[at:begin]
    scans = re.split(b"\xff[\xd0-\xd7]", data[begin:-2])
    return (
        [b"".join((head, scan, data[-2:])) for scan in scans] if len(scans) == len(images) else []
    )


def encode_thumbnail(image: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Return the stored bytes of one thumbnail and its format."""
    if (
        image.ndim not in (2, 3)
        or image.dtype != np.uint8
        or (image.ndim == 3 and image.shape[2] not in (1, 3))
    ):
        raise ValueError(
            f"a thumbnail is uint8 [h, w, 3] or [h, w], not {image.dtype} {list(image.shape)}"
        )
    if not image.size:
        return b"", NONE
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if max(image.shape[:2]) > MAX_THUMBNAIL:
        raise ValueError(f"a thumbnail has at most {MAX_THUMBNAIL} px a side, not {image.shape}")
    if max(image.shape[:2]) <= RAW_SIDE:
        return np.ascontiguousarray(image).tobytes(), RAW_GREY if image.ndim == 2 else RAW_RGB
    import cv2

    pixels: Any = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    good, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not good:
        raise ValueError(f"a thumbnail of shape {image.shape} could not be encoded")
    return data.tobytes(), JPEG


def decode_thumbnail(data: bytes, height: int, width: int, code: int) -> NDArray[np.uint8]:
    """Return a stored thumbnail as uint8 [h, w, 3] RGB; [0, 0, 3] when there is none.

    Raises
    ------
    ValueError
        If the bytes do not make an image of that size; nothing larger is ever decoded.
    """
    if code == NONE:
        if data:
            raise ValueError("an absent thumbnail has no bytes")
        return np.zeros((0, 0, 3), np.uint8)
    if not (1 <= height <= MAX_THUMBNAIL and 1 <= width <= MAX_THUMBNAIL):
        raise ValueError(f"a thumbnail of {width} × {height} px, limit {MAX_THUMBNAIL}")
    if code in (RAW_GREY, RAW_RGB):
        channels = 1 if code == RAW_GREY else 3
        if len(data) != height * width * channels:
            raise ValueError(f"{len(data)} bytes for {width} × {height} × {channels} pixels")
        image = np.frombuffer(data, np.uint8).reshape(height, width, channels)
        return np.repeat(image, 3, axis=2) if channels == 1 else image.copy()
    if code != JPEG:
        raise ValueError(f"thumbnail format {code}, known are 0 to 3")
    if jpeg_size(data) != (height, width):
        raise ValueError(f"a JPEG of {jpeg_size(data)}, the table says {(height, width)}")
    import cv2

    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ValueError(f"a JPEG cannot be decoded: {error.err}") from None
    if decoded is None or decoded.shape[:2] != (height, width):
        raise ValueError("a JPEG cannot be decoded")
    rgb: NDArray[np.uint8] = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return rgb


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return (height, width) from a JPEG's frame header, so that its size is known undecoded."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(
                data[at + 7 : at + 9], "big"
            )
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
