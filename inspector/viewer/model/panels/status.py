"""The bar at the bottom: a message or the state of loading, and the keys."""

from __future__ import annotations

from inspector.viewer.model import actions as act
from inspector.viewer.model.bindings import hints
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import Layout
from inspector.viewer.model.panels.parts import middle
from inspector.viewer.model.state import State


def draw_status(state: State, summary: str, loading: bool, layout: Layout, style: Style) -> Drawing:
    """Draw the bar, relative to the window.

    Parameters
    ----------
    summary
        What is open, said when there is no message.
    loading
        Whether something on screen is still being read.
    """
    d = Drawing(style)
    palette, px = style.palette, style.px
    rect = layout.status
    d.box(rect, palette.panel, palette.border, radius=px(8))
    message = state.message
    colour = palette.warning if loading else palette.good
    text = summary
    if message is not None:
        colour = palette.accent if message.good else palette.bad
        text = message.text
    dot = px(8)
    d.box(Rect(rect.x + px(14), rect.y + (rect.h - dot) / 2, dot, dot), colour, radius=dot / 2)
    keys = hints()
    widths = [
        style.bold.width(key, style.tiny) + style.regular.width(word, style.tiny) + px(24)
        for key, word in keys
    ]
    room = rect.w - px(60)
    left = rect.x + px(30)
    said = style.regular.width(text, style.small)
    while keys and sum(widths) > room - min(said, room * 0.6):
        keys.pop()
        widths.pop()
    d.text(
        left, middle(rect, style.small), text, size=style.small,
        colour=palette.text if message else palette.dim,
        room=rect.right - px(26) - sum(widths) - left,
    )  # fmt: skip
    x = rect.right - px(10) - sum(widths)
    y = middle(rect, style.tiny)
    for (key, word), width in zip(keys, widths, strict=True):
        wide = d.text(x, y, key, size=style.tiny, bold=True, colour=palette.dim)
        d.text(x + wide + px(6), y, word, size=style.tiny, colour=palette.faint)
        x += width
    d.zone(rect, act.ToggleHelp(), Tip("All keys (?)"), name="status")
    return d
