"""The handle that shows how far the cards are scrolled sideways."""

from __future__ import annotations

from inspector.viewer.model.drawing import Drawing, Style
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import Layout
from inspector.viewer.model.palette import CLEAR, faded


def draw_sideways(layout: Layout, offset: float, style: Style) -> Drawing:
    """Draw the handle in a strip as wide as the stage; nothing when all cards fit."""
    d = Drawing(style)
    if layout.limit <= 0:
        return d
    wide, high = layout.stage.w, style.px(4)
    length = wide * wide / (wide + layout.limit)
    x = (wide - length) * min(1.0, offset / layout.limit)
    d.mark(Rect(x, 0, length, high), CLEAR, high / 2, 0, fill=faded(style.palette.dim, 0.55))
    return d


def revealing(layout: Layout, card: int, offset: float) -> float:
    """The offset nearest to `offset` that shows a whole card."""
    if not 0 <= card < len(layout.cards):
        return offset
    rect, stage = layout.cards[card], layout.stage
    if rect.x < stage.x:
        offset -= stage.x - rect.x
    elif rect.right > stage.right:
        offset += rect.right - stage.right
    return min(max(0.0, offset), layout.limit)
