"""Drawings as data: nothing sticks out, nothing overlaps, every zone can be reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from viewer_desk import Layer

from inspector.viewer.dpg.font_files import read_metrics
from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.catalog import make_catalog
from inspector.viewer.model.detail_layout import arrange_detail
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import arrange, arrange_card
from inspector.viewer.model.palette import DARK, LIGHT
from inspector.viewer.model.panels.card import draw_card
from inspector.viewer.model.panels.detail import draw_detail
from inspector.viewer.model.panels.images import draw_images, images_grid
from inspector.viewer.model.panels.overlay import draw_overlay, draw_tip
from inspector.viewer.model.panels.rows import draw_rows
from inspector.viewer.model.panels.side import (
    draw_layers,
    draw_side,
    draw_units,
    unit_row,
    unit_rows,
)
from inspector.viewer.model.panels.status import draw_status
from inspector.viewer.model.panels.topbar import draw_topbar
from inspector.viewer.model.reducer import start
from inspector.viewer.model.unit_list import ListView

SIZES = [(1280, 800), (1600, 1000), (2560, 1440)]
SCALES = [1.0, 1.5, 2.0]
METRICS = read_metrics()


def style(scale: float = 1.0, palette: Any = DARK) -> Style:
    return Style(palette, *METRICS, scale)


def inside(drawing: Drawing, width: float, height: float, what: str) -> None:
    for shape in drawing.rectangles():
        assert shape.x >= -1, (what, shape)
        assert shape.y >= -1, (what, shape)
        assert shape.right <= width + 1, (what, shape)
        assert shape.bottom <= height + 1, (what, shape)


def texts_apart(drawing: Drawing, what: str) -> None:
    """No two texts lie over each other (line boxes may touch)."""
    metrics = drawing.style
    boxes = []
    for bold, plane in ((False, drawing.texts), (True, drawing.bold_texts)):
        font = metrics.bold if bold else metrics.regular
        for t in plane:
            width = font.width(t.text, t.size)
            box = Rect(t.x, t.y + t.size * 0.25, width, t.size * 0.5)
            boxes.append((t.text, box.inset(0.5, 0)))
    for place, (text, box) in enumerate(boxes):
        for other, rect in boxes[place + 1 :]:
            assert not box.overlaps(rect), (what, text, other, box, rect)


def draw(card: CardView, rect: Rect, look: Style) -> Drawing:
    make = draw_card if card.place.view == "unit" else draw_detail
    return make(card, rect.w, rect.h, look, "")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cards", [1, 2, 4, 7])
def test_layout(size: tuple[int, int], scale: float, cards: int) -> None:
    layout = arrange(*size, style(scale), cards, 20)
    window = Rect(0, 0, *size)
    parts = [layout.bar, layout.side, layout.stage, layout.status]
    for place, part in enumerate(parts):
        assert part.within(window)
        for other in parts[place + 1 :]:
            assert not part.overlaps(other)
    for part in (layout.search, layout.reduction):
        assert part.within(layout.bar)
    assert not layout.search.overlaps(layout.reduction)
    lefts = [card.x for card in layout.cards]
    assert lefts == sorted(lefts)
    assert len({(card.y, card.h) for card in layout.cards}) == 1
    assert max(card.w for card in layout.cards) - min(card.w for card in layout.cards) <= 1
    if not layout.limit:
        assert layout.cards[-1].right <= layout.stage.right + 1
    else:
        end = arrange(*size, style(scale), cards, 20, scrolled=1e9)
        assert end.cards[-1].right == pytest.approx(end.stage.right, abs=2)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("view", ["unit", "image", "category"])
def test_cards_hold_what_they_draw(
    desk: Any, size: tuple[int, int], scale: float, view: str
) -> None:
    d = desk("sharp", "dull", "unfinished", "broken")
    cards = d.do(act.ToggleNormalizer(0), act.SetView(view), act.StepUnit(1))
    look = style(scale)
    layout = arrange(*size, look, len(cards), 3)
    for card, rect in zip(cards, layout.cards, strict=True):
        drawing = draw(card, rect, look)
        inside(drawing, rect.w, rect.h, f"{view} {card.name}")
        texts_apart(drawing, f"{view} {card.name}")


@pytest.mark.parametrize("names", [("sharp",), ("photos", "plain"), ("other", "empty", "sharp")])
@pytest.mark.parametrize("unit", [3, 4, 5, 25])
def test_silent_and_missing_units_are_drawn_too(
    desk: Any, names: tuple[str, ...], unit: int
) -> None:
    d = desk(*names)
    look = style(1.0, LIGHT)
    for actions in ((act.Go(unit),), (act.SetView("image"),), (act.SetView("category"),)):
        cards = d.do(*actions)
        for card, rect in zip(cards, arrange(1600, 1000, look, len(cards), 3).cards, strict=True):
            drawing = draw(card, rect, look)
            inside(drawing, rect.w, rect.h, card.name)
            texts_apart(drawing, card.name)


def test_only_rows_on_screen_are_drawn(desk: Any) -> None:
    d = desk("sharp", "dull")
    look = style()
    card = d.do()[0]
    images = arrange_card(600, 800, look).images
    grid = images_grid(card, images.w, images.h, look, 80)
    seen = set()
    for step in range(0, int(grid.rows.limit) + 1, 50):
        drawing = draw_images(card, grid, images.w, float(step), look, "")
        assert len(drawing.pictures) <= (images.h / grid.rows.row + 2) * grid.columns
        seen |= {picture.key for picture in drawing.pictures}
    assert len(seen) == len(card.data.top)
    card = d.do(act.SetView("image"))[0]
    rows = arrange_detail(card, 600, 800, look).rows
    drawing = draw_rows(card, rows.w, rows.h, 0.0, look, "")
    names = {zone.name for zone in drawing.zones}
    assert f"card.0.unit.{card.rows[0].unit}" in names
    assert f"card.0.unit.{card.rows[-1].unit}" not in names


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scale", SCALES)
def test_bars_and_lists(desk: Any, size: tuple[int, int], scale: float) -> None:
    d = desk("sharp", "dull")
    d.do()
    look = style(scale)
    layout = arrange(*size, look, 2, len(d.catalog.layers))
    listed = d.views.units(d.state)
    bar = draw_topbar(d.state, d.catalog, layout, look, "")
    texts_apart(bar, "bar")
    inside(bar, *size, "bar")
    side = draw_side(d.state, d.catalog, listed, layout, look, "")
    texts_apart(side, "side")
    status = draw_status(d.state, "2 recordings", False, layout, look)
    texts_apart(status, "status")
    inside(status, *size, "status")
    for list_of in (
        draw_layers(d.state, d.catalog, layout.layers, 0.0, look, ""),
        draw_units(d.state, listed, layout.units, 0.0, look, ""),
    ):
        texts_apart(list_of, "list")


@pytest.mark.parametrize("menu", ["reduction", "quantity"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_menus_lie_inside_the_window(desk: Any, menu: str, size: tuple[int, int]) -> None:
    d = desk("sharp")
    d.do(act.OpenMenu(menu))
    layout = arrange(*size, style(), 1, 3)
    drawing = draw_overlay(d.state, d.catalog, layout, style(), "")
    texts_apart(drawing, menu)
    entries = [zone for zone in drawing.zones if zone.name.startswith("entry.")]
    assert len(entries) >= 3
    for zone in entries:
        assert zone.rect.within(Rect(0, 0, *size))
        assert drawing.zone_at(zone.rect.x + 5, zone.rect.y + 5) is zone


def test_the_page_of_keys_fits_the_smallest_window(desk: Any) -> None:
    d = desk("sharp")
    d.do(act.ToggleHelp())
    drawing = draw_overlay(d.state, d.catalog, arrange(1280, 800, style(), 1, 3), style(), "")
    texts_apart(drawing, "keys")
    for text in (*drawing.texts, *drawing.bold_texts):
        assert 0 <= text.y <= 780


@pytest.mark.parametrize("mouse", [(0, 0), (1279, 799), (640, 400), (1279, 0), (0, 799)])
def test_tooltips_stay_in_the_window_and_off_the_mouse(mouse: tuple[int, int]) -> None:
    window = Rect(0, 0, 1280, 800)
    for tip in (
        Tip("short"),
        Tip("Image 7", ("activity 3.2", "label two"), (0, 7), "predicted three, 75 %"),
        Tip("a title " * 30, ("a line " * 60,)),
    ):
        drawing = draw_tip(tip, mouse, window, style())
        box = next(Rect(*b[:4]) for b in drawing.boxes if b.fill == DARK.raised)
        assert box.within(window)
        assert not box.contains(*mouse)
        texts_apart(drawing, "tip")


def test_a_million_units_are_listed_as_fast_as_ten() -> None:
    units = 1_000_000
    values = np.random.default_rng(0).random(units)
    order = np.argsort(-values)
    view = ListView("huge", units, 0, "maximum", values, 1.0, order, True)
    catalog = make_catalog(["a"], ["net"], [[Layer("huge", units)]])
    state = start(catalog, lead=0, layer="huge", unit=7)
    size = Rect(0, 0, 240, 500)
    rows = unit_rows(units, size.h, style())
    row = unit_row(view, int(order[765_432]))
    assert row == 765_432
    drawing = draw_units(state, view, size, rows.revealing(row, 0.0), style(), "")
    assert len([zone for zone in drawing.zones if zone.name.startswith("unit.")]) <= 21
    assert f"unit.{order[765_432]}" in {zone.name for zone in drawing.zones}


def test_text_from_files_cannot_hide_anything() -> None:
    drawing = Drawing(style())
    drawing.text(0, 0, "a\nb\u202etxt.exe")
    assert "\n" not in drawing.texts[0].text
    assert "\u202e" not in drawing.texts[0].text


NAMES = ("猫", "犬", "고양이", "🐈", "🐕", "قط", "e\u0301", "\u00e9", "cat")


def test_names_outside_the_font_stay_apart(desk: Any) -> None:
    look = style()
    drawn = []
    for name in NAMES:
        drawing = Drawing(look)
        width = drawing.text(0, 0, name)
        text = drawing.texts[0].text
        assert all(look.regular.has(c) for c in text), name
        assert width == pytest.approx(look.regular.width(name, look.body))
        drawn.append(text)
    assert len(set(drawn)) == len(NAMES)
    assert drawn[0] == "\\u732b"
    assert drawn[-1] == "cat"
    d = desk("foreign", "sharp")
    for size in SIZES:
        for view in ("unit", "image", "category"):
            cards = d.do(act.SetView(view))
            for card, rect in zip(cards, arrange(*size, look, 2, 3).cards, strict=True):
                drawing = draw(card, rect, look)
                inside(drawing, rect.w, rect.h, view)
                texts_apart(drawing, view)
                assert not any("?" in text.text for text in (*drawing.texts, *drawing.bold_texts))
