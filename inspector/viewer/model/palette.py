"""Colours as data: two palettes and one colour per recording, used wherever it appears."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int, int]
CLEAR: Colour = (0, 0, 0, 0)


def rgb(code: int, alpha: int = 255) -> Colour:
    """0xRRGGBB as a colour."""
    return (code >> 16 & 255, code >> 8 & 255, code & 255, alpha)


def faded(colour: Colour, alpha: float) -> Colour:
    """The colour with its opacity multiplied by `alpha` (0..1)."""
    return (colour[0], colour[1], colour[2], round(colour[3] * alpha))


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` (0..1) of `second`, opaque."""
    parts = [round(a + (b - a) * share) for a, b in zip(first[:3], second[:3], strict=True)]
    return (parts[0], parts[1], parts[2], 255)


@dataclass(frozen=True)
class Palette:
    """Every colour of one theme.

    Three steps of background (`window`, `panel`, `card`), `raised` for things to press on a card,
    text in three strengths, and `recordings`: colour of the n-th recording (repeating after the
    last).
    """

    name: str
    window: Colour
    panel: Colour
    card: Colour
    raised: Colour
    hover: Colour
    selected: Colour
    border: Colour
    text: Colour
    dim: Colour
    faint: Colour
    grid: Colour
    accent: Colour
    on_accent: Colour
    good: Colour
    warning: Colour
    bad: Colour
    shade: Colour
    recordings: tuple[Colour, ...]

    def recording(self, number: int) -> Colour:
        """The colour of recording `number`."""
        return self.recordings[number % len(self.recordings)]


DARK = Palette(
    name="dark",
    window=rgb(0x101216),
    panel=rgb(0x16191F),
    card=rgb(0x1B1F26),
    raised=rgb(0x272C36),
    hover=rgb(0x22272F),
    selected=rgb(0x2E3541),
    border=rgb(0x2A303A),
    text=rgb(0xE6EAF2),
    dim=rgb(0x97A1B2),
    faint=rgb(0x6B7585),
    grid=rgb(0xFFFFFF, 16),
    accent=rgb(0x9D8CFF),
    on_accent=rgb(0x14121F),
    good=rgb(0x5ECC91),
    warning=rgb(0xF2B84B),
    bad=rgb(0xFF7A7A),
    shade=rgb(0x000000, 150),
    recordings=(
        rgb(0x589DFF),
        rgb(0xFFAD4D),
        rgb(0x4FCB96),
        rgb(0xF277B0),
        rgb(0x45C7D9),
        rgb(0xD9C94A),
        rgb(0xB28CFF),
        rgb(0xFF8266),
    ),
)

LIGHT = Palette(
    name="light",
    window=rgb(0xECEEF2),
    panel=rgb(0xF7F8FA),
    card=rgb(0xFFFFFF),
    raised=rgb(0xE9ECF1),
    hover=rgb(0xF1F3F7),
    selected=rgb(0xDEE4EE),
    border=rgb(0xD8DCE4),
    text=rgb(0x1A1F29),
    dim=rgb(0x5A6474),
    faint=rgb(0x7B8494),
    grid=rgb(0x000000, 18),
    accent=rgb(0x5B45D6),
    on_accent=rgb(0xFFFFFF),
    good=rgb(0x16804F),
    warning=rgb(0x9A6200),
    bad=rgb(0xC62F3B),
    shade=rgb(0x202634, 90),
    recordings=(
        rgb(0x1F66DB),
        rgb(0xC76A00),
        rgb(0x128A5A),
        rgb(0xC2357F),
        rgb(0x0E8496),
        rgb(0x8A7A00),
        rgb(0x7747D1),
        rgb(0xCC4A2B),
    ),
)

PALETTES = {"dark": DARK, "light": LIGHT}
