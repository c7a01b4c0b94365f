"""What lies above everything: menus, tooltips and the page of keys."""

from __future__ import annotations

from inspector.viewer.model import actions as act
from inspector.viewer.model.bindings import groups
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.drawing import Drawing, Style, Tip, shown
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.goto import suggestions
from inspector.viewer.model.layout import Layout
from inspector.viewer.model.palette import faded, mixed
from inspector.viewer.model.panels.parts import middle
from inspector.viewer.model.panels.side import QUANTITY_NAMES
from inspector.viewer.model.state import QUANTITIES, State
from inspector.viewer.model.unit_data import reduction_name

LARGE = 224
"""Side of the picture in a tooltip (pixels at scale 1): eight times a digit of 28."""


def draw_overlay(
    state: State, catalog: Catalog, layout: Layout, style: Style, hot: str, *, search: str = ""
) -> Drawing:
    """Draw the open menu or page, relative to the window.

    Parameters
    ----------
    search
        What stands in the box for going anywhere while the cursor is in it.
    """
    d = Drawing(style)
    if state.help:
        _page(d, layout, hot)
    elif state.menu == "reduction":
        options = [("", "each layer's first")]
        options += [(name, reduction_name(name)) for name in catalog.reductions]
        _menu(
            d, layout, layout.reduction,
            [(act.SetReduction(name), words, state.reduction == name) for name, words in options],
            hot,
        )  # fmt: skip
    elif state.menu == "quantity":
        px = style.px
        box = layout.unit_box
        anchor = Rect(box.right - px(190), box.y - px(31), px(190), px(26))
        entries: list[tuple[act.Action, str, bool]] = [
            (act.SetQuantity(name), QUANTITY_NAMES[name], state.quantity == name)
            for name in QUANTITIES
        ]
        entries.append((act.ToggleSort(), "highest first (S)", state.sorted))
        _menu(d, layout, anchor, entries, hot, separate=len(QUANTITIES))
    elif search:
        found = suggestions(search, state.active, catalog)
        if found:
            _menu(d, layout, layout.search, [(go, text, False) for text, go in found], hot)
    return d


def _menu(
    d: Drawing,
    layout: Layout,
    anchor: Rect,
    entries: list[tuple[act.Action, str, bool]],
    hot: str,
    separate: int = -1,
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    whole = Rect(0, 0, layout.bar.right + layout.bar.x, layout.status.bottom + layout.bar.x)
    d.zone(whole, act.Escape(), name="outside")
    row_high, pad = px(30), px(6)
    extra = px(9) if separate > 0 else 0
    high = len(entries) * row_high + 2 * pad + extra
    widest = max(style.regular.width(text, style.small) for _, text, _ in entries)
    width = max(anchor.w, widest + px(52))
    x = min(anchor.x, whole.right - px(10) - width)
    box = Rect(round(x), round(anchor.bottom + px(4)), round(width), high)
    _shadow(d, box)
    d.box(box, palette.card, palette.border, radius=px(8))
    d.zone(box, name="menu")
    y = box.y + pad
    for place, (action, text, on) in enumerate(entries):
        if place == separate:
            d.line(
                (box.x + pad, y + extra / 2), (box.right - pad, y + extra / 2),
                colour=palette.border,
            )  # fmt: skip
            y += extra
        row = Rect(box.x + pad, y, box.w - 2 * pad, row_high)
        name = f"entry.{text}"
        if hot == name:
            d.box(row, palette.selected, radius=px(5))
        d.text(row.x + px(28), middle(row, style.small), text, size=style.small, bold=on)
        if on:
            d.text(
                row.x + px(8), middle(row, style.small), "✓", size=style.small,
                colour=palette.accent,
            )  # fmt: skip
        d.zone(row, action, name=name)
        y += row_high


def _shadow(d: Drawing, box: Rect) -> None:
    strength = 0.10 if d.style.palette.name == "light" else 0.30
    for spread, share in ((10, 0.25), (6, 0.35), (3, 0.5)):
        out = d.style.px(spread)
        rect = Rect(box.x - out, box.y - out + d.style.px(3), box.w + 2 * out, box.h + 2 * out)
        d.box(rect, faded((0, 0, 0, 255), strength * share), radius=d.style.px(8) + out)


def _page(d: Drawing, layout: Layout, hot: str) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    whole = Rect(0, 0, layout.bar.right + layout.bar.x, layout.status.bottom + layout.bar.x)
    d.box(whole, palette.shade)
    d.zone(whole, act.ToggleHelp(), name="outside")
    listed = list(groups().items())
    row_high, head = px(28), px(40)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[], []]
    heights = [0.0, 0.0]
    for group in listed:
        side = 0 if heights[0] <= heights[1] else 1
        columns[side].append(group)
        heights[side] += head + len(group[1]) * row_high + px(10)
    width = min(px(860), whole.w - px(40))
    high = max(heights) + px(96)
    box = Rect(round((whole.w - width) / 2), round((whole.h - high) / 2), width, high)
    _shadow(d, box)
    d.box(box, palette.card, palette.border, radius=px(10))
    d.zone(box, name="page")
    d.text(box.x + px(28), box.y + px(22), "Keys", size=px(24), bold=True)
    d.text(
        box.right - px(28), box.y + px(28), "Esc closes", size=style.small, colour=palette.dim,
        align="right",
    )  # fmt: skip
    column_width = (box.w - px(28) * 3) / 2
    for side, entries in enumerate(columns):
        x = box.x + px(28) + side * (column_width + px(28))
        y = box.y + px(66)
        for name, keys in entries:
            d.text(x, y, name, size=style.small, bold=True, colour=palette.accent)
            y += px(28)
            for key, text in keys:
                wide = style.bold.width(key, style.tiny) + px(14)
                cap = Rect(x, y, round(wide), px(22))
                d.box(cap, palette.raised, radius=px(5))
                d.text(cap.x + px(7), middle(cap, style.tiny), key, size=style.tiny, bold=True)
                d.text(
                    x + px(112), middle(cap, style.small), text, size=style.small,
                    colour=palette.dim, room=column_width - px(112),
                )  # fmt: skip
                y += row_high
            y += px(22)


def draw_tip(tip: Tip, mouse: tuple[float, float], window: Rect, style: Style) -> Drawing:
    """Draw a tooltip beside the mouse, inside the window."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    pad = px(12)
    side = px(LARGE) if tip.picture is not None else 0
    most = side if side else px(420)
    said = [shown(line) for line in tip.lines]
    lines = [part for line in said for part in style.regular.wrapped(line, style.small, most)]
    warnings = style.bold.wrapped(shown(tip.warning), style.small, most) if tip.warning else []
    titles = style.bold.wrapped(shown(tip.title), style.body, most, 3)
    width = max(
        [side]
        + [style.bold.width(line, style.body) for line in titles]
        + [style.regular.width(line, style.small) for line in lines]
        + [style.bold.width(line, style.small) for line in warnings]
    )
    high = len(titles) * px(20) + (len(lines) + len(warnings)) * px(19)
    high += px(4) if lines or warnings else 0
    if side:
        high += side + px(10)
    box_w, box_h = round(width + 2 * pad), round(high + 2 * pad - px(2))
    x, y = mouse[0] + px(18), mouse[1] + px(18)
    if x + box_w > window.right - px(6):
        x = mouse[0] - px(12) - box_w
    if y + box_h > window.bottom - px(6):
        y = mouse[1] - px(12) - box_h
    x = round(min(max(x, window.x + px(6)), max(window.x, window.right - box_w - px(6))))
    y = round(min(max(y, window.y + px(6)), max(window.y, window.bottom - box_h - px(6))))
    box = Rect(x, y, box_w, box_h)
    _shadow(d, box)
    back = palette.raised if palette.name == "dark" else palette.card
    d.box(box, back, mixed(palette.border, palette.dim, 0.25), radius=px(8))
    left, at = x + pad, y + pad - px(1)
    if tip.picture is not None:
        frame = Rect(left, at, side, side)
        d.box(frame, faded(palette.dim, 0.15), radius=px(6))
        recording, image = tip.picture
        d.picture(("tile", recording, image, side, px(6)), frame)
        at += side + px(10)
    for line in titles:
        d.text(left, at, line, bold=True)
        at += px(20)
    at += px(4)
    for line in warnings:
        d.text(left, at, line, size=style.small, bold=True, colour=palette.bad)
        at += px(19)
    for line in lines:
        d.text(left, at, line, size=style.small, colour=palette.dim)
        at += px(19)
    return d
