"""Where the parts of a card lie in the Image and Category views."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewer.model.cards import CardView
from inspector.viewer.model.drawing import Style
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import WIDE
from inspector.viewer.model.virtual import SHARP, Rows

ROWS_LEAST = 120
"""Height (pixels at scale 1) below which the rows of units are not pushed by other parts."""


@dataclass(frozen=True)
class DetailLayout:
    """The parts of a card, relative to its upper left corner; None = not shown.

    In the Image view `main` holds the picture with its facts and `left` the answers; in the
    Category view `main` the numbers, `left` and `right` the two kinds of errors.
    """

    header: Rect
    main: Rect | None
    left: Rect | None
    right: Rect | None
    rows_title: Rect
    rows: Rect


def arrange_detail(card: CardView, width: float, height: float, style: Style) -> DetailLayout:
    """Lay out a card of the Image or Category view."""
    px = style.px
    pad, gap = px(14), px(16)
    inner = width - 2 * pad
    header = Rect(pad, px(12), inner, px(48))
    y = header.bottom + px(8)
    bottom = height - px(8)
    room = bottom - px(26) - px(ROWS_LEAST) - y
    wide = width >= px(WIDE)
    main = left = right = None
    if card.place.view == "image" and not card.follows:
        answers = px(26) + 5 * px(22)
        side = px(168) if wide else px(112)
        if wide:
            main = Rect(pad, y, round(inner * 0.52), side)
            x = main.right + px(24)
            left = Rect(x, y, pad + inner - x, max(side, answers))
            y += max(side, answers) + gap
        else:
            main = Rect(pad, y, inner, side)
            y = main.bottom + gap
            if side + gap + answers + gap <= room:
                left = Rect(pad, y, inner, answers)
                y = left.bottom + gap
    elif card.place.view == "category":
        main = Rect(pad, y, inner, px(78))
        y = main.bottom + px(12)
        block = px(26) + px(56) + px(8) + 3 * px(20)
        if wide:
            half = round((inner - px(24)) / 2)
            if main.h + block + 2 * gap <= room:
                left = Rect(pad, y, half, block)
                right = Rect(pad + half + px(24), y, inner - half - px(24), block)
                y += block + gap
        elif main.h + 2 * (block + gap) <= room:
            left = Rect(pad, y, inner, block)
            right = Rect(pad, left.bottom + gap, inner, block)
            y = right.bottom + gap
    title = Rect(pad, y, inner, px(26))
    rows = Rect(pad, title.bottom, inner, max(1, bottom - title.bottom))
    return DetailLayout(header, main, left, right, title, rows)


def strip_cell(width: float, native: int, style: Style, target: int = 56) -> int:
    """Side of the pictures in a strip: near `target`, a whole multiple for small ones."""
    side = style.px(target)
    if 0 < native <= SHARP:
        side = max(1, round(side / native)) * native
    return int(min(side, width))


def strip_columns(width: float, cell: int, gap: int, most: int) -> int:
    """How many pictures stand in a strip."""
    return int(max(1, min(most, (width + gap) // (cell + gap))))


def unit_rows(card: CardView, width: float, height: float, style: Style) -> Rows:
    """The rows of units of a card."""
    cell = strip_cell(width, card.native, style)
    return Rows(len(card.rows), cell + style.px(36), height)
