"""Read an image's size from its first bytes, before any decoder allocates memory for it."""

from __future__ import annotations

import struct
from collections.abc import Callable

Size = tuple[int, int]
"""Width and height in pixels."""

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xD8)))
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT = 256, 257, 322, 323
_MOST_TAGS = 4096
_MOST_BOXES = 10_000


def image_size(content: bytes) -> tuple[str, Size] | None:
    """Find out kind and size of an image.

    Parameters
    ----------
    content : bytes
        The whole file; only what says the size is looked at.

    Returns
    -------
    (str, (int, int)) or None
        The kind (`PNG`, `JPEG`, `GIF`, `BMP`, `WebP`, `TIFF`, `PNM`, `JPEG 2000`, `AVIF`) and width
        and height in pixels, as wide and high as anything that a decoder would allocate: of tiles
        in a TIFF too. None when the kind is unknown or the size cannot be read.
    """
    for kind, matches, read in _KINDS:
        if matches(content):
            try:
                size = read(content)
            except (struct.error, IndexError, ValueError):
                return None
            return (kind, size) if size is not None else None
    return None


def _png(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _jpeg(content: bytes) -> Size | None:
    """The first frame header; stray bytes between segments are passed over, as decoders do."""
    place = 2
    while True:
        place = content.find(b"\xff", place)
        if place < 0:
            return None
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _JPEG_ALONE:
            place += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        elif marker in (0xD9, 0xDA):
            return None
        else:
            place += 2 + max(2, struct.unpack_from(">H", content, place + 2)[0])


def _gif(content: bytes) -> Size | None:
    """The screen, or the first frame where that is larger."""
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    place = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    for _ in range(_MOST_BOXES):
        block = content[place]
        if block == 0x2C:
            left, top, wide, high = struct.unpack_from("<HHHH", content, place + 1)
            return max(width, left + wide), max(height, top + high)
        if block != 0x21:
            break
        place += 2
        while content[place]:
            place += 1 + content[place]
        place += 1
    return width, height


def _bmp(content: bytes) -> Size | None:
    (head,) = struct.unpack_from("<I", content, 14)
    if head == 12:
        width, height = struct.unpack_from("<HH", content, 18)
        return width, height
    width, height = struct.unpack_from("<ii", content, 18)
    # A negative height says that the rows run from the top.
    return abs(width), abs(height)


def _webp(content: bytes) -> Size | None:
    kind = content[12:16]
    if kind == b"VP8X":
        wide, high = content[24:27], content[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _tiff(content: bytes) -> Size | None:
    """The first page: what is decoded."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", content, 2)[0] == 43
    (page,) = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)
    (tags,) = struct.unpack_from(order + ("Q" if big else "H"), content, page)
    page += 8 if big else 2
    found: dict[int, int] = {}
    for number in range(min(tags, _MOST_TAGS)):
        place = page + number * (20 if big else 12)
        tag, kind = struct.unpack_from(order + "HH", content, place)
        if kind in _TIFF_TYPES and _TIFF_WIDTH <= tag <= _TIFF_TILE_HEIGHT:
            value = struct.unpack_from(
                order + _TIFF_TYPES[kind], content, place + (12 if big else 8)
            )
            found[tag] = max(found.get(tag, 0), value[0])
    if _TIFF_WIDTH not in found or _TIFF_HEIGHT not in found:
        return None
    return (
        max(found[_TIFF_WIDTH], found.get(_TIFF_TILE_WIDTH, 0)),
        max(found[_TIFF_HEIGHT], found.get(_TIFF_TILE_HEIGHT, 0)),
    )


def _pnm(content: bytes) -> Size | None:
    text = content[2:4096]
    words: list[bytes] = []
    for line in text.split(b"\n"):
        words += line.split(b"#", 1)[0].split()
        if len(words) >= 2:
            return int(words[0]), int(words[1])
    return None


def _jpeg_2000(content: bytes) -> Size | None:
    """The size in the codestream, which is what is decoded, whatever boxes around it say."""
    place = 0 if content[:4] == b"\xff\x4f\xff\x51" else content.find(b"\xff\x4f\xff\x51")
    if place < 0:
        return None
    right, low, left, top = struct.unpack_from(">IIII", content, place + 8)
    return right - left, low - top


def _avif(content: bytes) -> Size | None:
    """The largest of the sizes that the file's items have."""
    place, largest = 0, None
    whole = content[: 1 << 20]
    for _ in range(_MOST_BOXES):
        place = whole.find(b"ispe", place)
        if place < 0 or place + 16 > len(whole):
            break
        size = struct.unpack_from(">II", whole, place + 8)
        if largest is None or size[0] * size[1] > largest[0] * largest[1]:
            largest = (size[0], size[1])
        place += 4
    return largest


_KINDS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], Size | None]], ...] = (
    ("PNG", lambda head: head[:8] == b"\x89PNG\r\n\x1a\n", _png),
    ("JPEG", lambda head: head[:3] == b"\xff\xd8\xff", _jpeg),
    ("GIF", lambda head: head[:6] in (b"GIF87a", b"GIF89a"), _gif),
    ("WebP", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _webp),
    ("TIFF", lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    ("BMP", lambda head: head[:2] == b"BM", _bmp),
    ("PNM", lambda head: head[:1] == b"P" and head[1:2].isdigit() and len(head) > 2, _pnm),
    (
        "JPEG 2000",
        lambda head: head[:4] == b"\xff\x4f\xff\x51" or head[:8] == b"\0\0\0\x0cjP  ",
        _jpeg_2000,
    ),
    ("AVIF", lambda head: head[4:8] == b"ftyp", _avif),
)
