"""Image files made in code: real ones, and ones that claim to be huge."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np


def png_piece(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = png_piece(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_piece(b"IHDR", head) + pixels + png_piece(b"IEND", b"")


def encoded(ending: str, width: int = 8, height: int = 8) -> bytearray:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    good, content = cv2.imencode(ending, rgb)
    assert good
    return bytearray(content.tobytes())


def jpeg_claiming(width: int, height: int) -> bytes:
    content = encoded(".jpg")
    frame = content.index(b"\xff\xc0")
    struct.pack_into(">HH", content, frame + 5, height, width)
    return bytes(content)


def gif_claiming(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return head + frame + b"\x02\x02\x4c\x01\x00\x3b"


def gif_with_huge_frame(width: int, height: int) -> bytes:
    """A small screen, and a frame that is far larger than it."""
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + bytes(6)
    remark = b"\x21\xfe\x03abc\x00"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return head + remark + frame + b"\x02\x02\x4c\x01\x00\x3b"


def bmp_claiming(width: int, height: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1000, 0, 0, 54) + head + bytes(1000)


def webp_claiming(width: int, height: int) -> bytes:
    """An extended WebP (canvas up to 2^24 wide) around a real frame."""
    frame = bytes(encoded(".webp"))[12:]
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sides + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_lossless_claiming(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<IBI", 10, 0x2F, bits) + bytes(5)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(tags: dict[int, tuple[int, int]], order: str = "<") -> bytes:
    """One page: tag → (type, value), then 64 bytes of pixels."""
    count = len(tags)
    page = struct.pack(order + "H", count)
    for tag, (kind, value) in sorted(tags.items()):
        packed = struct.pack(order + ("H2x" if kind == 3 else "I"), value)
        page += struct.pack(order + "HHI", tag, kind, 1) + packed
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + page + bytes(4 + 64)


def tiff_claiming(width: int, height: int, order: str = "<", tile: int | None = None) -> bytes:
    tags = {
        256: (4, width),
        257: (4, height),
        258: (3, 8),
        259: (3, 1),
        262: (3, 1),
        273: (4, 140),
        277: (3, 1),
        278: (4, height),
        279: (4, 64),
    }
    if tile is not None:
        del tags[273], tags[278], tags[279]
        tags |= {322: (4, tile), 323: (4, tile), 324: (4, 140), 325: (4, 64)}
    return tiff(tags, order)


def ppm_claiming(width: int, height: int) -> bytes:
    return b"P6\n# a remark\n%d %d\n255\n" % (width, height) + bytes(100)


def jpeg_2000_claiming(width: int, height: int) -> bytes:
    content = encoded(".jp2", 64, 64)
    size = content.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">II", content, size + 8, width, height)
    return bytes(content)


BOMBS = {
    "png": png_claiming(60_000, 60_000),
    "jpeg": jpeg_claiming(65_000, 65_000),
    "gif": gif_claiming(65_000, 65_000),
    "gif frame": gif_with_huge_frame(65_000, 65_000),
    "bmp": bmp_claiming(60_000, 60_000),
    "bmp from the top": bmp_claiming(60_000, -60_000),
    "webp": webp_claiming(1 << 24, 1 << 24),
    "webp lossless": webp_lossless_claiming(1 << 14, 1 << 14),
    "tiff": tiff_claiming(60_000, 60_000),
    "tiff big endian": tiff_claiming(60_000, 60_000, ">"),
    "tiff tile": tiff_claiming(16, 16, tile=1 << 20),
    "ppm": ppm_claiming(60_000, 60_000),
    "jpeg 2000": jpeg_2000_claiming(60_000, 60_000),
}
