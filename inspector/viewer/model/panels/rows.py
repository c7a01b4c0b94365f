"""The rows of units in the Image and Category views, each with its own top images."""

from __future__ import annotations

import math

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView, UnitRow
from inspector.viewer.model.detail_layout import strip_cell, unit_rows
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import NONE, exact, percent, value
from inspector.viewer.model.panels.images import region
from inspector.viewer.model.panels.parts import bar, scroll_bar
from inspector.viewer.model.panels.strip import draw_strip


def draw_rows(
    card: CardView, width: float, height: float, offset: float, style: Style, hot: str
) -> Drawing:
    """Draw the rows on screen at a scroll offset, relative to their region."""
    d = Drawing(style)
    px = style.px
    rows = unit_rows(card, width, height, style)
    d.zone(Rect(0, 0, width, height), scroll=region(card), name=f"images.{card.number}")
    inner = width - px(12)
    room = max([style.regular.width(_words(row), style.small) for row in card.rows], default=0.0)
    for place in rows.visible(offset):
        y = round(rows.top(place, offset))
        _row(d, card, card.rows[place], Rect(0, y, inner, rows.row), room, hot)
    strip = Rect(width - px(6), 0, px(5), height)
    scroll_bar(d, strip, rows.thumb(offset), region(card))
    return d


def _words(row: UnitRow) -> str:
    if math.isnan(row.value):
        return NONE
    return value(row.value) if math.isnan(row.divisor) else percent(row.shown)


def _row(
    d: Drawing, card: CardView, row: UnitRow, rect: Rect, value_width: float, hot: str
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    name = f"card.{card.number}.unit.{row.unit}"
    words = f"Unit {row.unit}"
    y = rect.y + px(2)
    width = d.text(
        rect.x, y, words, size=style.small, bold=True,
        colour=palette.accent if hot == name else palette.text,
    )  # fmt: skip
    if math.isnan(row.value):
        tip = Tip(words, ("this recording has no value for it",))
    else:
        lines = [f"{card.rows_note.removesuffix(', ratio')} {exact(row.value)}"]
        if not math.isnan(row.divisor):
            lines.append(f"the Normalizer's maximum is {exact(row.divisor)}")
        tip = Tip(words, (*lines, "click to look at this unit"))
    d.zone(
        Rect(rect.x, rect.y, rect.w, px(22)), act.OpenUnit(card.number, row.unit), tip,
        scroll=region(card), name=name,
    )  # fmt: skip
    d.text(rect.right, y, _words(row), size=style.small, align="right", colour=palette.dim)
    left = rect.x + max(width, px(58)) + px(12)
    room = rect.right - max(value_width, px(46)) - px(12) - left
    if room > px(24):
        share = row.shown / card.rows_top if card.rows_top > 0 else 0.0
        thick = px(5)
        bar(
            d, Rect(round(left), round(y + (style.small - thick) / 2), round(room), thick), share,
            palette.recording(card.number),
        )  # fmt: skip
    cell = strip_cell(rect.w, card.native, style)
    if row.top:
        draw_strip(
            d, card, row.top, rect.x, rect.y + px(22), rect.w, cell, hot,
            says="activity", divisor=row.divisor, scroll=region(card),
        )  # fmt: skip
    else:
        d.text(
            rect.x, rect.y + px(26),
            "no such unit here" if math.isnan(row.value) else "silent in this recording",
            size=style.tiny,
            colour=palette.faint,
        )  # fmt: skip
