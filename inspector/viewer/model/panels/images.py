"""The grid of top images of a card."""

from __future__ import annotations

import math
from typing import Any
from weakref import WeakKeyDictionary

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.drawing import Drawing, Style
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import percent, value
from inspector.viewer.model.palette import faded
from inspector.viewer.model.panels.parts import scroll_bar
from inspector.viewer.model.panels.strip import image_tip
from inspector.viewer.model.unit_data import TopImage, UnitData
from inspector.viewer.model.virtual import Grid, fitted_grid

_MADE: WeakKeyDictionary[UnitData, tuple[tuple[Any, ...], dict[int, Drawing]]] = WeakKeyDictionary()


def images_grid(card: CardView, width: float, height: float, style: Style, target: int) -> Grid:
    """The grid of a card's images in a window of `width` × `height` pixels."""
    # Where there is much room the pictures take part of it, not only their number.
    roomy = min(1.5, max(1.0, (width / style.px(320)) ** 0.5))
    return fitted_grid(
        len(card.data.top) if card.data is not None else 0,
        width - style.px(12),
        height,
        target=round(style.px(target) * roomy),
        native=card.native,
        gap=style.px(8),
        caption=style.px(24),
    )


def region(card: CardView) -> str:
    """Name of the scroll region of a card's images."""
    return "images" if card.linked else f"images.{card.number}"


def draw_images(
    card: CardView, grid: Grid, width: float, offset: float, style: Style, hot: str
) -> Drawing:
    """Draw the images on screen at a scroll offset (pixels)."""
    d = Drawing(style)
    data = card.data
    whole = Rect(0, 0, width, grid.height)
    d.zone(whole, scroll=region(card), name=f"images.{card.number}")
    if data is None or not data.top:
        return d
    rows = grid.rows
    cells = _cells(card, data, grid.cell, style)
    for row in rows.visible(offset):
        y = round(rows.top(row, offset))
        for column in range(grid.columns):
            place = row * grid.columns + column
            if place >= len(data.top):
                break
            top, x = data.top[place], grid.left(column)
            if top.image not in cells:
                cells[top.image] = _cell(card, top, grid.cell, style)
            d.place(cells[top.image], x, y)
            if hot == _name(card, top):
                ring = Rect(x, y, grid.cell, grid.cell).inset(-1)
                d.mark(ring, style.palette.recording(card.number), style.px(7), style.px(2))
    strip = Rect(width - style.px(6), 0, style.px(5), grid.height)
    scroll_bar(d, strip, rows.thumb(offset), region(card))
    return d


def _cells(card: CardView, data: UnitData, cell: int, style: Style) -> dict[int, Drawing]:
    """The cells of these images made so far: scrolling only shifts them."""
    made_for = (card.number, cell, style, card.ratio.divisor, card.classes, region(card))
    known = _MADE.get(data)
    if known is None or known[0] != made_for:
        known = _MADE[data] = (made_for, {})
    return known[1]


def _cell(card: CardView, top: TopImage, side: int, style: Style) -> Drawing:
    """A picture with its caption, at the origin."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    rect = Rect(0, 0, side, side)
    d.box(rect, faded(palette.dim, 0.12), radius=px(6))
    d.picture(("tile", card.number, top.image, side, px(6)), rect)
    divisor = card.ratio.divisor
    digits = 1 if side >= px(84) else 0
    text = value(top.value) if math.isnan(divisor) else percent(top.value / divisor, digits)
    y = rect.bottom + px(4)
    wide = d.text(1, y, text, size=style.tiny, room=side)
    room = side - wide - px(8)
    label = card.category_name(top.label)
    if label and room > px(14):
        d.text(
            1 + wide + px(6), y, label, size=style.tiny, room=room,
            colour=palette.bad if top.wrong else palette.dim,
        )  # fmt: skip
    d.zone(
        Rect(0, 0, side, side + px(22)),
        act.OpenImage(card.number, top.image),
        image_tip(card, top, "activity", divisor),
        scroll=region(card),
        name=_name(card, top),
    )
    return d


def _name(card: CardView, top: TopImage) -> str:
    return f"card.{card.number}.image.{top.image}"
