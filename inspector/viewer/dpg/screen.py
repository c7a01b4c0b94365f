"""The window's panels: each is drawn when its inputs change and put on its own canvas."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from inspector.viewer.dpg.boxes import Boxes
from inspector.viewer.dpg.canvas import Canvas
from inspector.viewer.dpg.fonts import Fonts
from inspector.viewer.dpg.textures import Textures, make_texture
from inspector.viewer.dpg.theme import make_theme
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.detail_layout import arrange_detail
from inspector.viewer.model.detail_layout import unit_rows as unit_list_rows
from inspector.viewer.model.drawing import Drawing, Style, Zone
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import Layout, arrange, arrange_card
from inspector.viewer.model.palette import PALETTES
from inspector.viewer.model.panels.card import draw_card
from inspector.viewer.model.panels.detail import draw_detail
from inspector.viewer.model.panels.images import draw_images, images_grid, region
from inspector.viewer.model.panels.overlay import draw_overlay, draw_tip
from inspector.viewer.model.panels.rows import draw_rows
from inspector.viewer.model.panels.side import (
    draw_layers,
    draw_side,
    draw_units,
    layer_rows,
    unit_row,
    unit_rows,
)
from inspector.viewer.model.panels.sideways import draw_sideways, revealing
from inspector.viewer.model.panels.start import draw_start
from inspector.viewer.model.panels.status import draw_status
from inspector.viewer.model.panels.topbar import draw_topbar
from inspector.viewer.model.state import State
from inspector.viewer.model.unit_list import ListView
from inspector.viewer.model.virtual import Rows


@dataclass(frozen=True)
class Hit:
    """What lies under a point: the zone, and where its canvas begins in the window."""

    zone: Zone
    rect: Rect


@dataclass(frozen=True)
class Scrolled:
    """A scroll region: its rows and its place in the window."""

    rows: Rows
    rect: Rect


class Screen:
    """All canvases, the two boxes to type in, and what is where.

    Parameters
    ----------
    recordings
        How many cards.
    fonts
        Made once per context.
    on_submit
        Called (from the queue of callbacks) with the name of the box and its text on Enter.
    """

    def __init__(
        self, recordings: int, fonts: Fonts, on_submit: Callable[[str, str], None]
    ) -> None:
        self.fonts = fonts
        self.textures = Textures()
        blank = make_texture(np.zeros((1, 1, 4), np.float32), self.textures.registry)
        self.window = int(
            dpg.add_window(
                no_scrollbar=True, no_scroll_with_mouse=True, no_title_bar=True, no_move=True,
                no_resize=True, no_bring_to_front_on_focus=True,
            )
        )  # fmt: skip
        dpg.set_primary_window(self.window, True)
        bold = self.fonts.bold

        def canvas() -> Canvas:
            return Canvas(self.window, bold, blank)

        # In this order they are painted; the mouse asks in the opposite one.
        self._canvases: dict[str, Canvas] = {}
        for number in range(recordings):
            self._canvases[f"card.{number}"] = canvas()
            self._canvases[f"images.{number}"] = canvas()
        for name in ("start", "sideways", "side", "layers", "units", "bar", "status"):
            self._canvases[name] = canvas()
        self.boxes = Boxes(self.window, on_submit)
        self._canvases["overlay"] = Canvas(None, bold, blank)
        self._canvases["tip"] = Canvas(None, bold, blank)
        self._memo: dict[str, tuple[Any, ...]] = {}
        self._theme = 0
        self._style: Style | None = None
        self._revealed: tuple[Any, ...] = ()
        self._focused = 0
        self.regions: dict[str, Scrolled] = {}
        self.layout: Layout | None = None
        self._size = (1, 1)

    def style(self, state: State) -> Style:
        """The style of a state; binds the toolkit's theme when it changes."""
        style = self._style
        if (
            style is None
            or style.palette.name != state.theme
            or abs(style.scale - state.scale) > 1e-6
        ):
            style = Style(
                PALETTES[state.theme],
                self.fonts.regular_metrics,
                self.fonts.bold_metrics,
                state.scale,
            )
            self._style = style
            self._memo.clear()
            old, self._theme = self._theme, make_theme(style)
            dpg.bind_theme(self._theme)
            if old:
                dpg.delete_item(old)
            self.fonts.resize(style.px(15))
            dpg.set_viewport_clear_color(list(style.palette.window))
        return style

    def draw(
        self,
        state: State,
        catalog: Catalog,
        cards: list[CardView],
        units: ListView,
        summary: str,
        loading: bool,
        size: tuple[int, int],
        hot: str,
    ) -> State:
        """Bring every panel up to date; returns the state with scroll offsets inside limits."""
        style = self.style(state)
        number = len(cards)
        if state.focus != self._focused:
            self._focused = state.focus
            before = arrange(
                *size, style, number, len(catalog.layers), scrolled=state.scroll("cards")
            )
            offset = revealing(before, state.focus, state.scroll("cards"))
            state = state.scrolled("cards", offset)
        layout = arrange(*size, style, number, len(catalog.layers), scrolled=state.scroll("cards"))
        self.layout = layout
        self._size = size
        # Only the drawings that hold the zone under the mouse are to change with it.
        whole = Rect(0, 0, *size)
        self.regions = {
            "layers": Scrolled(layer_rows(catalog, layout.layers.h, style), layout.layers),
            "units": Scrolled(unit_rows(units.units, layout.units.h, style), layout.units),
        }
        state = self._reveal(state, catalog, units)
        bare = (state.here, state.menu, state.past, state.future, state.reduction, style.scale)
        self._panel(
            "bar", layout.bar.inset(-layout.bar.x, -layout.bar.y), hot,
            (bare, layout, catalog),
            lambda h: draw_topbar(state, catalog, layout, style, h),
        )  # fmt: skip
        self._panel(
            "side", Rect(0, layout.side.y - layout.bar.x, layout.side.right + layout.bar.x,
                         layout.side.h + 2 * layout.bar.x), hot,
            (state.quantity, state.menu, units, layout),
            lambda h: draw_side(state, catalog, units, layout, style, h),
        )  # fmt: skip
        self._panel(
            "layers", layout.layers, hot, (state.here.layer, state.scroll("layers"), layout),
            lambda h: draw_layers(
                state, catalog, layout.layers, state.scroll("layers"), style, h
            ),
        )  # fmt: skip
        self._panel(
            "units", layout.units, hot, (state.here, units, state.scroll("units"), layout),
            lambda h: draw_units(state, units, layout.units, state.scroll("units"), style, h),
        )  # fmt: skip
        self._panel(
            "status", whole, "", (state.message, summary, loading, layout),
            lambda _: draw_status(state, summary, loading, layout, style),
        )  # fmt: skip
        if not cards:
            self._panel(
                "start",
                layout.stage,
                "",
                (layout.stage,),
                lambda _: draw_start(layout.stage, style),
            )
        for card, rect in zip(cards, layout.cards, strict=True):
            state = self._card(card, rect, state, style, hot)
        sideways = Rect(
            layout.stage.x, layout.stage.bottom + style.px(2), layout.stage.w, style.px(4)
        )
        self._panel(
            "sideways",
            sideways,
            "",
            (layout, state.scroll("cards")),
            lambda _: draw_sideways(layout, state.scroll("cards"), style),
        )
        search = self.boxes.searched
        self._panel(
            "overlay", whole, hot, (state.menu, state.help, search, layout, bare, state.quantity,
                                    state.sorted),
            lambda h: draw_overlay(state, catalog, layout, style, h, search=search),
        )  # fmt: skip
        self.boxes.place("search", layout.search, state.scale)
        self.boxes.place("unit", layout.unit_box, state.scale)
        self.boxes.show_typed(state.typed)
        return state

    def _card(self, card: CardView, rect: Rect, state: State, style: Style, hot: str) -> State:
        unit_view = card.place.view == "unit"
        draw = draw_card if unit_view else draw_detail
        self._panel(
            f"card.{card.number}",
            rect,
            hot,
            (card, rect.w, rect.h),
            lambda h: draw(card, rect.w, rect.h, style, h),
        )
        grid = None
        if unit_view:
            images = arrange_card(rect.w, rect.h, style, card.scored).images.moved(rect.x, rect.y)
            grid = images_grid(card, images.w, images.h, style, state.picture)
            rows = grid.rows
            empty = card.data is None or not card.data.top
        else:
            images = arrange_detail(card, rect.w, rect.h, style).rows.moved(rect.x, rect.y)
            rows = unit_list_rows(card, images.w, images.h, style)
            empty = not card.rows
        where, name = region(card), f"images.{card.number}"
        known = self.regions.get(where)
        if known is None or known.rows.limit < rows.limit:
            self.regions[where] = Scrolled(rows, images)
        offset = rows.clamped(state.scroll(where))
        if empty or card.problem is not None:
            self._canvases[name].hide()
            self._memo.pop(name, None)
            return state

        def draw_below(h: str) -> Drawing:
            if grid is not None:
                return draw_images(card, grid, images.w, offset, style, h)
            return draw_rows(card, images.w, images.h, offset, style, h)

        self._panel(name, images, hot, (card, rows, grid, offset), draw_below)
        return state

    def _reveal(self, state: State, catalog: Catalog, units: ListView) -> State:
        """Scroll the lists to the layer and unit shown when those have changed."""
        now = (state.here, units.order is None, units.quantity, units.units, self.layout)
        if now == self._revealed:
            for name in ("layers", "units"):
                rows = self.regions[name].rows
                if state.scroll(name) > rows.limit:
                    state = state.scrolled(name, rows.limit)
            return state
        self._revealed = now
        for name, row in (
            ("layers", catalog.position(state.here.layer)),
            ("units", unit_row(units, state.here.unit)),
        ):
            rows = self.regions[name].rows
            offset = rows.revealing(row, state.scroll(name))
            if offset != state.scroll(name):
                state = state.scrolled(name, offset)
        return state

    def tooltip(
        self, zone: Zone | None, mouse: tuple[float, float], size: tuple[int, int], style: Style
    ) -> None:
        """Show a zone's tooltip, or none."""
        canvas = self._canvases["tip"]
        if zone is None or zone.tip is None:
            if self._memo.pop("tip", None) is not None:
                canvas.hide()
            return
        inputs = (zone.tip, mouse, size, style)
        if self._memo.get("tip") != inputs:
            self._memo["tip"] = inputs
            window = Rect(0, 0, *size)
            canvas.show(draw_tip(zone.tip, mouse, window, style), window, size)

    def _panel(
        self,
        name: str,
        rect: Rect,
        hot: str,
        inputs: tuple[Any, ...],
        draw: Callable[[str], Drawing],
    ) -> None:
        canvas = self._canvases[name]
        old = canvas.drawing
        own = hot if old is not None and any(zone.name == hot for zone in old.zones) else ""
        key = (*inputs, own)
        if old is None or self._memo.get(name) != key:
            self._memo[name] = key
            drawing = draw(own)
            if name in ("bar", "side", "status"):
                drawing = _relative(drawing, rect)
            canvas.show(drawing, rect, self._size)
        else:
            canvas.show(old, rect, self._size)

    def hit(self, x: float, y: float) -> Hit | None:
        """What lies under a point of the window."""
        assert self.layout is not None
        for name in reversed(self._canvases):
            canvas = self._canvases[name]
            if canvas.drawing is None or name == "tip" or not canvas.rect.contains(x, y):
                continue
            if name.startswith(("card.", "images.")) and not self.layout.stage.contains(x, y):
                continue
            zone = canvas.drawing.zone_at(x - canvas.rect.x, y - canvas.rect.y)
            if zone is not None:
                return Hit(zone, canvas.rect)
        return None

    def zone(self, name: str) -> Rect | None:
        """Where the zone of that name lies in the window."""
        for canvas in self._canvases.values():
            for zone in canvas.drawing.zones if canvas.drawing is not None else ():
                if zone.name == name:
                    return zone.rect.moved(canvas.rect.x, canvas.rect.y)
        return None

    def drawings(self) -> Iterator[tuple[str, Rect, Drawing]]:
        """Every panel on screen: its name, its place and its drawing."""
        for name, canvas in self._canvases.items():
            if canvas.drawing is not None:
                yield name, canvas.rect, canvas.drawing

    def close(self) -> None:
        """Let go of what is bound to the whole context."""
        dpg.bind_theme(0)

    def sync_pictures(self) -> list[Hashable]:
        """Put loaded textures in their places; returns the keys of the missing, in order."""
        missing: dict[Hashable, None] = {}
        for canvas in reversed(self._canvases.values()):
            canvas.sync_pictures(self.textures.get)
            missing.update(dict.fromkeys(canvas.missing))
        return [key for key in missing if not self.textures.knows(key)]

    def shown_pictures(self) -> set[Hashable]:
        """The keys of every picture that a panel wants to show."""
        return {
            picture.key
            for canvas in self._canvases.values()
            for picture in (canvas.drawing.pictures if canvas.drawing is not None else ())
        }


def _relative(drawing: Drawing, rect: Rect) -> Drawing:
    """A drawing in window coordinates, made relative to its canvas."""
    moved = Drawing(drawing.style)
    moved.place(drawing, -rect.x, -rect.y)
    return moved
