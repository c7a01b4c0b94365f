"""Text widths from the font file, so that layout needs no window.

Dear ImGui scales a font so that ascent minus descent is the size asked for, and places glyphs by
their advance alone (no kerning); the same sum is made here.
"""

from __future__ import annotations

import struct
from pathlib import Path

ELLIPSIS = "…"


class FontMetrics:
    """Advance widths of one OpenType font.

    Parameters
    ----------
    advances
        Width per code point, as a share of the font size.

    Characters that the font lacks count as wide as the escape that stands for them (`spelled`).
    """

    def __init__(self, advances: dict[int, float]) -> None:
        self._advances = advances
        self._widths: dict[str, float] = {}
        self._whole: set[str] = set()

    @classmethod
    def read(cls, path: Path) -> FontMetrics:
        """Read the tables `cmap` (format 12 or 4), `hhea` and `hmtx`."""
        data = path.read_bytes()
        tables = _tables(data)
        hhea, hmtx = tables["hhea"], tables["hmtx"]
        ascent, descent = struct.unpack_from(">hh", data, hhea + 4)
        count = struct.unpack_from(">H", data, hhea + 34)[0]
        height = float(ascent - descent)

        def advance(glyph: int) -> float:
            entry = hmtx + 4 * min(glyph, count - 1)
            return float(struct.unpack_from(">H", data, entry)[0]) / height

        glyphs = _glyphs(data, tables["cmap"])
        advances = {code: advance(glyph) for code, glyph in glyphs.items()}
        return cls(advances)

    def has(self, character: str) -> bool:
        """Whether the font can show the character."""
        return ord(character) in self._advances

    def spelled(self, text: str) -> str:
        r"""The text with `\u732b` for each character that the font lacks.

        Drawn as they are they would all be the same "?", and two names one.
        """
        if text in self._whole:
            return text
        if all(ord(c) in self._advances for c in text):
            if len(self._whole) > 20_000:
                self._whole.clear()
            self._whole.add(text)
            return text
        return "".join(c if ord(c) in self._advances else _escape(c) for c in text)

    def _advance(self, character: str) -> float:
        known = self._advances.get(ord(character))
        if known is not None:
            return known
        return sum(self._advances.get(ord(c), 0.5) for c in _escape(character))

    def width(self, text: str, size: float) -> float:
        """Width of one line of text in pixels."""
        unit = self._widths.get(text)
        if unit is None:
            unit = sum(map(self._advance, text))
            if len(self._widths) > 20_000:
                self._widths.clear()
            self._widths[text] = unit
        return unit * size

    def fitted(self, text: str, size: float, room: float) -> str:
        """The text, or as much of its beginning as fits in `room` pixels with an ellipsis."""
        if self.width(text, size) <= room:
            return text
        kept, used = 0, self.width(ELLIPSIS, size)
        for character in text:
            used += self._advance(character) * size
            if used > room:
                break
            kept += 1
        return text[:kept].rstrip() + ELLIPSIS

    def fitted_end(self, text: str, size: float, room: float) -> str:
        """The text, or as much of its end as fits in `room` pixels after an ellipsis.

        For paths and layers, whose ends tell them apart.
        """
        if self.width(text, size) <= room:
            return text
        kept = len(self.fitted(text[::-1], size, room)) - 1
        return ELLIPSIS + text[len(text) - kept :]

    def wrapped(self, text: str, size: float, room: float, lines: int = 100) -> list[str]:
        """The text in lines of at most `room` pixels, broken at spaces where there are any."""
        out: list[str] = []
        for paragraph in text.split("\n"):
            line = ""
            for word in paragraph.split(" "):
                longer = f"{line} {word}" if line else word
                if self.width(longer, size) <= room:
                    line = longer
                    continue
                if line:
                    out.append(line)
                while self.width(word, size) > room and len(word) > 1:
                    cut = max(1, len(self.fitted(word, size, room)) - 1)
                    out.append(word[:cut])
                    word = word[cut:]
                line = word
            out.append(line)
        if len(out) > lines:
            out = [*out[: lines - 1], self.fitted(" ".join(out[lines - 1 :]), size, room)]
        return out


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _tables(data: bytes) -> dict[str, int]:
    count = struct.unpack_from(">H", data, 4)[0]
    tables = {}
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * number)
        tables[tag.decode("ascii")] = offset
    return tables


def _glyphs(data: bytes, cmap: int) -> dict[int, int]:
    count = struct.unpack_from(">H", data, cmap + 2)[0]
    offsets = {}
    for number in range(count):
        offset = cmap + struct.unpack_from(">HHI", data, cmap + 4 + 8 * number)[2]
        offsets[struct.unpack_from(">H", data, offset)[0]] = offset
    if 12 in offsets:
        return _format_12(data, offsets[12])
    return _format_4(data, offsets[4])


def _format_12(data: bytes, offset: int) -> dict[int, int]:
    groups = struct.unpack_from(">I", data, offset + 12)[0]
    glyphs = {}
    for number in range(groups):
        first, last, glyph = struct.unpack_from(">III", data, offset + 16 + 12 * number)
        for code in range(first, last + 1):
            glyphs[code] = glyph + code - first
    return glyphs


def _format_4(data: bytes, offset: int) -> dict[int, int]:
    double = struct.unpack_from(">H", data, offset + 6)[0]
    segments = double // 2
    ends = struct.unpack_from(f">{segments}H", data, offset + 14)
    starts = struct.unpack_from(f">{segments}H", data, offset + 16 + double)
    deltas = struct.unpack_from(f">{segments}H", data, offset + 16 + 2 * double)
    ranges_at = offset + 16 + 3 * double
    ranges = struct.unpack_from(f">{segments}H", data, ranges_at)
    glyphs = {}
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            if ranges[number] == 0:
                glyph = code + deltas[number] & 0xFFFF
            else:
                at = ranges_at + 2 * number + ranges[number] + 2 * (code - start)
                glyph = struct.unpack_from(">H", data, at)[0]
                glyph = glyph + deltas[number] & 0xFFFF if glyph else 0
            if glyph:
                glyphs[code] = glyph
    return glyphs
