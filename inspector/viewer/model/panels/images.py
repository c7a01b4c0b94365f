"""The grid of top images of a card."""

from __future__ import annotations

import math

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.drawing import Drawing, Style
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import percent, value
from inspector.viewer.model.palette import faded
from inspector.viewer.model.panels.parts import scroll_bar
from inspector.viewer.model.panels.strip import image_tip
from inspector.viewer.model.unit_data import TopImage
from inspector.viewer.model.virtual import Grid, fitted_grid


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
    for row in rows.visible(offset):
        y = round(rows.top(row, offset))
        for column in range(grid.columns):
            place = row * grid.columns + column
            if place < len(data.top):
                _cell(
                    d, card, data.top[place], Rect(grid.left(column), y, grid.cell, grid.cell), hot
                )
    strip = Rect(width - style.px(6), 0, style.px(5), grid.height)
    scroll_bar(d, strip, rows.thumb(offset), region(card))
    return d


def _cell(d: Drawing, card: CardView, top: TopImage, rect: Rect, hot: str) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    name = f"card.{card.number}.image.{top.image}"
    d.box(rect, faded(palette.dim, 0.12), radius=px(6))
    d.picture(("tile", card.number, top.image, int(rect.w), px(6)), rect)
    if hot == name:
        d.mark(rect.inset(-1), palette.recording(card.number), px(7), px(2))
    divisor = card.ratio.divisor
    digits = 1 if rect.w >= px(84) else 0
    text = value(top.value) if math.isnan(divisor) else percent(top.value / divisor, digits)
    y = rect.bottom + px(4)
    wide = d.text(rect.x + 1, y, text, size=style.tiny, room=rect.w)
    room = rect.w - wide - px(8)
    label = card.category_name(top.label)
    if label and room > px(14):
        d.text(
            rect.x + 1 + wide + px(6), y, label, size=style.tiny, room=room,
            colour=palette.bad if top.wrong else palette.dim,
        )  # fmt: skip
    d.zone(
        Rect(rect.x, rect.y, rect.w, rect.h + px(22)),
        act.OpenImage(card.number, top.image),
        image_tip(card, top, "activity", divisor),
        scroll=region(card),
        name=name,
    )
