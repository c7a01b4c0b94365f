"""The left side: the list of layers and the list of units."""

from __future__ import annotations

import numpy as np

from inspector.viewer.model import actions as act
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import Layout
from inspector.viewer.model.numbers import count, exact, percent, plural, value
from inspector.viewer.model.panels.parts import bar, middle, scroll_bar
from inspector.viewer.model.panels.topbar import dropdown
from inspector.viewer.model.state import State
from inspector.viewer.model.unit_list import ListView
from inspector.viewer.model.virtual import Rows

QUANTITY_NAMES = {
    "maximum": "maximum",
    "mean": "mean",
    "zeros": "share of zeros",
    "ratio": "ratio to the Normalizer",
    "spurious": "spurious score",
    "novelty": "novelty score",
}


def layer_rows(catalog: Catalog, height: float, style: Style) -> Rows:
    """The rows of the list of layers."""
    return Rows(len(catalog.layers), style.px(28), height)


def unit_rows(units: int, height: float, style: Style) -> Rows:
    """The rows of the list of units."""
    return Rows(units, style.px(26), height)


def unit_row(view: ListView, unit: int) -> int:
    """The row in which a unit stands."""
    if view.order is None:
        return unit
    found = np.flatnonzero(view.order == unit)
    return int(found[0]) if len(found) else 0


def draw_side(state: State, catalog: Catalog, view: ListView, layout: Layout, style: Style,
              hot: str) -> Drawing:  # fmt: skip
    """Draw the panel behind the lists with their headings, relative to the window."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    side = layout.side
    # What lies left of the panel is covered too: cards scrolled sideways pass behind it.
    d.box(Rect(0, side.y - px(8), side.right + px(8), side.h + px(16)), palette.window)
    d.box(side, palette.panel, palette.border, radius=px(8))
    d.zone(side, name="side")
    _heading(d, layout.layers, "Layers", len(catalog.layers))
    top = Rect(layout.unit_box.x, layout.unit_box.y, layout.unit_box.w, 0)
    _heading(d, top, "Units", view.units)
    width = min(px(132), layout.unit_box.w - px(100))
    rect = Rect(top.right - width, top.y - px(31), width, px(26))
    dropdown(
        d, rect, QUANTITY_NAMES[state.quantity], "quantity", state.menu == "quantity", hot,
        Tip(
            "What the bars show",
            (f"{QUANTITY_NAMES[state.quantity]} over {catalog.names[view.recording]}",)
            if catalog.names
            else (),
        ),
    )  # fmt: skip
    return d


def _heading(d: Drawing, below: Rect, text: str, number: int) -> None:
    style, px = d.style, d.style.px
    y = below.y - px(26)
    width = d.text(below.x + px(4), y, text, size=style.small, bold=True)
    d.text(below.x + px(12) + width, y, count(number), size=style.small, colour=style.palette.dim)


def draw_layers(
    state: State, catalog: Catalog, size: Rect, offset: float, style: Style, hot: str
) -> Drawing:
    """Draw the layers on screen, relative to the list."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    rows = layer_rows(catalog, size.h, style)
    d.zone(Rect(0, 0, size.w, size.h), scroll="layers", name="layers")
    narrow = px(10) if rows.limit else 0
    for place in rows.visible(offset):
        layer = catalog.layers[place]
        row = Rect(0, round(rows.top(place, offset)), size.w - narrow, rows.row)
        name = f"layer.{layer.name}"
        chosen = layer.name == state.here.layer
        _row_back(d, row, chosen, hot == name)
        opened = [h for h, model in zip(layer.held, catalog.models, strict=True) if model]
        missing = sum(units is None for units in opened)
        units = count(layer.units)
        wide = d.text(
            row.right - px(10), middle(row, style.tiny), units, size=style.tiny,
            colour=palette.dim, align="right",
        )  # fmt: skip
        d.text(
            row.x + px(12), middle(row, style.body), layer.name, bold=chosen,
            colour=palette.dim if missing else palette.text, room=row.w - px(34) - wide,
            keep_end=True,
        )  # fmt: skip
        kind = {"conv": "maps", "tokens": "tokens", "vector": "vector", "logits": "logits"}
        lines = [f"{plural(layer.units, 'unit')}, {kind.get(layer.kind, layer.kind)}"]
        if missing:
            lines.append(f"not in {plural(missing, 'recording')}")
        d.zone(
            row, act.GoLayer(layer.name), Tip(layer.name, tuple(lines)), scroll="layers", name=name
        )
    scroll_bar(d, Rect(size.w - px(5), 0, px(5), size.h), rows.thumb(offset), "layers")
    return d


def draw_units(
    state: State, view: ListView, size: Rect, offset: float, style: Style, hot: str
) -> Drawing:
    """Draw the units on screen, relative to the list."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    rows = unit_rows(view.units, size.h, style)
    d.zone(Rect(0, 0, size.w, size.h), scroll="units", name="units")
    colour = palette.recording(view.recording)
    number_width = style.regular.width(str(max(99, view.units - 1)), style.small) + px(22)
    narrow = px(12) if rows.limit else px(4)
    value_width = px(52)
    for place in rows.visible(offset):
        unit = int(view.order[place]) if view.order is not None else place
        row = Rect(0, round(rows.top(place, offset)), size.w - narrow + px(4), rows.row)
        name = f"unit.{unit}"
        chosen = unit == state.here.unit
        _row_back(d, row, chosen, hot == name)
        d.text(row.x + px(12), middle(row, style.small), str(unit), size=style.small, bold=chosen)
        amount = float("nan")
        if view.values is not None and unit < len(view.values):
            amount = float(view.values[unit])
        left = row.x + number_width
        right = row.right - value_width
        if right - left > px(16):
            share = amount / view.top if view.top > 0 else 0.0
            rect = Rect(round(left), round(row.y + (row.h - px(5)) / 2), round(right - left), px(5))
            bar(d, rect, share, colour)
        if view.values is not None:
            shares = view.quantity in ("zeros", "ratio")
            d.text(
                row.right - px(8), middle(row, style.tiny),
                percent(amount, 0) if shares else value(amount),
                size=style.tiny, colour=palette.dim, align="right",
            )  # fmt: skip
        tip = Tip(f"Unit {unit}", (f"{QUANTITY_NAMES[view.quantity]} {exact(amount)}",))
        d.zone(row, act.Go(unit, view.layer), tip, scroll="units", name=name)
    scroll_bar(d, Rect(size.w - px(5), 0, px(5), size.h), rows.thumb(offset), "units")
    return d


def _row_back(d: Drawing, row: Rect, chosen: bool, hot: bool) -> None:
    palette, px = d.style.palette, d.style.px
    if chosen:
        d.box(Rect(row.x, row.y + 1, row.w, row.h - 2), palette.selected, radius=px(5))
        high = px(14)
        d.box(
            Rect(row.x, row.y + round((row.h - high) / 2), px(3), high), palette.accent,
            radius=px(2),
        )  # fmt: skip
    elif hot:
        d.box(Rect(row.x, row.y + 1, row.w, row.h - 2), palette.hover, radius=px(5))
