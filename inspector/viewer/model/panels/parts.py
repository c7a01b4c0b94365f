"""Small things drawn in several panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inspector.viewer.model.actions import Action
from inspector.viewer.model.drawing import Drawing, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import NONE
from inspector.viewer.model.palette import CLEAR, Colour, faded


def middle(rect: Rect, size: float) -> float:
    """The y at which a line of text of this size stands in the middle of a rectangle."""
    return rect.y + (rect.h - size) / 2


def title(d: Drawing, rect: Rect, text: str, note: str = "", tip: Tip | None = None) -> None:
    """The heading of a section, with a note at its right end."""
    style = d.style
    width = d.text(rect.x, rect.y, text, size=style.small, bold=True, room=rect.w)
    room = rect.w - width - style.px(12)
    if note and room > style.px(30):
        wide = d.text(
            rect.right,
            rect.y + (style.small - style.tiny) / 2,
            note,
            size=style.tiny,
            colour=style.palette.dim,
            align="right",
            room=room,
        )
        if tip is not None:
            d.zone(Rect(rect.right - wide, rect.y, wide, style.px(18)), tip=tip)


class Stat(NamedTuple):
    """A number with its name, and what its tooltip says; `why` stands where there is none."""

    label: str
    text: str
    tip: Tip
    why: str = ""


def stats(d: Drawing, rect: Rect, entries: Sequence[Stat], name: str = "") -> None:
    """Numbers in one line with their names above, as large as the narrowest cell allows.

    Zones are called `name` and the label.
    """
    style, palette, px = d.style, d.style.palette, d.style.px
    step = min(rect.w / len(entries), px(140))
    room = round(step) - px(8)
    widest = max((e.text for e in entries if not e.why), key=lambda t: style.bold.width(t, 1))
    size = next((s for s in (21, 18, 16) if style.bold.width(widest, px(s)) <= room), 14)
    for place, entry in enumerate(entries):
        cell = Rect(round(rect.x + place * step), rect.y, room, rect.h)
        d.text(cell.x, cell.y, entry.label, size=style.tiny, colour=palette.dim, room=room + px(6))
        if entry.why:
            for line, words in enumerate(style.regular.wrapped(entry.why, style.tiny, room, 2)):
                d.text(
                    cell.x, cell.y + px(17) + line * px(15), words, size=style.tiny,
                    colour=palette.faint,
                )  # fmt: skip
            d.zone(cell, tip=entry.tip, name=f"{name}.{entry.label}" if name else "")
            continue
        d.text(
            cell.x,
            cell.y + px(17),
            entry.text,
            size=px(size),
            bold=True,
            colour=palette.faint if entry.text == NONE else palette.text,
            room=room,
        )
        d.zone(cell, tip=entry.tip, name=f"{name}.{entry.label}" if name else "")


def pill(
    d: Drawing,
    right: float,
    y: float,
    text: str,
    *,
    on: bool,
    colour: Colour,
    hot: bool,
    action: Action,
    tip: Tip,
    name: str,
) -> float:
    """A small switch whose right end is at `right`; returns its left end."""
    style, palette = d.style, d.style.palette
    width = style.regular.width(text, style.tiny) + style.px(16)
    rect = Rect(round(right - width), y, round(width), style.px(24))
    ink = palette.card if palette.name == "light" else palette.window
    if on:
        d.box(rect, colour, colour, radius=rect.h / 2)
    else:
        d.box(rect, palette.hover if hot else CLEAR, palette.border, radius=rect.h / 2)
    d.text(
        rect.x + rect.w / 2,
        middle(rect, style.tiny),
        text,
        size=style.tiny,
        bold=on,
        colour=ink if on else palette.dim,
        align="centre",
    )
    d.zone(rect, action, tip, name=name)
    return rect.x


def link(
    d: Drawing,
    x: float,
    y: float,
    text: str,
    action: Action,
    name: str,
    hot: str,
    *,
    room: float,
    colour: Colour,
    tip: Tip,
    size: float | None = None,
) -> float:
    """Text that leads somewhere; returns its width."""
    style = d.style
    size = style.small if size is None else size
    ink = style.palette.accent if hot == name else colour
    width = d.text(x, y, text, size=size, room=room, colour=ink)
    d.zone(Rect(x, y - style.px(2), width, size + style.px(4)), action, tip, name=name)
    return width


def bar(d: Drawing, rect: Rect, share: float, colour: Colour) -> None:
    """A thin horizontal bar filled to `share` (0..1; NaN and less than 0 fill nothing)."""
    radius = rect.h / 2
    d.box(rect, faded(d.style.palette.dim, 0.16), radius=radius)
    if share > 0:
        width = max(rect.h, rect.w * min(1.0, share))
        d.box(Rect(rect.x, rect.y, round(width), rect.h), colour, radius=radius)


def scroll_bar(d: Drawing, rect: Rect, handle: tuple[float, float] | None, region: str) -> None:
    """The handle of a scroll bar in a narrow upright strip, which can be dragged."""
    if handle is None:
        return
    top, length = handle
    d.mark(
        Rect(rect.x, rect.y + top, rect.w, length),
        CLEAR,
        rect.w / 2,
        0,
        fill=faded(d.style.palette.dim, 0.45),
    )
    wide = d.style.px(14)
    place = Rect(rect.right - wide, rect.y, wide, rect.h)
    d.zone(place, scroll=region, name=f"drag.{region}")
