"""What the window says when no recording is open."""

from __future__ import annotations

from inspector.viewer.model.drawing import Drawing, Style
from inspector.viewer.model.geometry import Rect

_LINES = (
    ("Look at recordings", "inspector view colored.msgpack drifted.msgpack"),
    ("Record a model on a folder of images", "inspector record net.onnx photos/ -o photos.msgpack"),
    ("See it all on coloured digits", "inspector demo"),
)


def draw_start(rect: Rect, style: Style) -> Drawing:
    """Draw the page, relative to the stage."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    d.box(Rect(0, 0, rect.w, rect.h), palette.card, palette.border, radius=px(8))
    width = min(px(560), rect.w - px(40))
    x = round((rect.w - width) / 2)
    y = round(max(px(30), rect.h * 0.24))
    d.text(x, y, "No recording is open", size=px(26), bold=True)
    y += px(40)
    d.text(x, y, "A recording holds what a model's units did on a set of images.",
           colour=palette.dim, room=width)  # fmt: skip
    y += px(44)
    for words, command in _LINES:
        d.text(x, y, words, size=style.small, colour=palette.dim, room=width)
        box = Rect(x, y + px(22), width, px(38))
        d.box(box, palette.raised, radius=px(6))
        d.text(box.x + px(14), box.y + px(11), command, room=width - px(28))
        y += px(78)
    return d
