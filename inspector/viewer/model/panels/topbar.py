"""The bar at the top: name, where we are, reduction, search, theme and help."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.viewer.model import actions as act
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import Layout
from inspector.viewer.model.palette import CLEAR, faded
from inspector.viewer.model.panels.parts import middle
from inspector.viewer.model.state import VIEWS, State
from inspector.viewer.model.unit_data import reduction_name

NAME = "Inspector"
# A spike over a baseline, in units of the icon's side: what an electrode sees.
_SPIKE = ((0.16, 0.58), (0.36, 0.58), (0.45, 0.20), (0.56, 0.80), (0.64, 0.58), (0.84, 0.58))


def draw_topbar(state: State, catalog: Catalog, layout: Layout, style: Style, hot: str) -> Drawing:
    """Draw the bar, relative to the window."""
    d = Drawing(style)
    palette, px = style.palette, style.px
    bar = layout.bar
    d.box(bar, palette.panel, palette.border, radius=px(8))
    side = px(26)
    icon = Rect(bar.x + px(12), bar.y + (bar.h - side) / 2, side, side)
    d.box(icon, palette.accent, radius=px(7))
    points = tuple((icon.x + x * side, icon.y + y * side) for x, y in _SPIKE)
    d.line(*points, colour=palette.on_accent, thickness=max(1.5, px(2)))
    x = icon.right + px(10)
    if layout.named:
        x += d.text(x, middle(bar, px(21)), NAME, size=px(21), bold=True) + px(20)
    d.line((x, bar.y + px(14)), (x, bar.bottom - px(14)), colour=palette.border, thickness=1)
    x += px(14)
    x = _tabs(d, state, x, bar, hot) + px(8)
    x = _arrows(d, state, x, bar, hot)
    _crumbs(d, state, catalog, x + px(8), bar, layout.reduction.x - px(16))
    if layout.reduction.w:
        _reduction(d, state, catalog, layout.reduction, hot)
    _buttons(d, state, layout, hot)
    return d


def _tabs(d: Drawing, state: State, x: float, bar: Rect, hot: str) -> float:
    """The views; only the shown one is filled."""
    style, palette, px = d.style, d.style.palette, d.style.px
    for view in VIEWS:
        words = view.capitalize()
        on = state.here.view == view and bool(state.places)
        name = f"view.{view}"
        width = round(style.bold.width(words, style.small)) + px(24)
        rect = Rect(round(x), bar.y + (bar.h - px(30)) / 2, width, px(30))
        if on:
            d.box(rect, palette.selected, radius=px(6))
        elif hot == name:
            d.box(rect, palette.hover, radius=px(6))
        d.text(
            rect.x + rect.w / 2, middle(rect, style.small), words, size=style.small, bold=on,
            colour=palette.text if on else palette.dim, align="centre",
        )  # fmt: skip
        d.zone(rect, act.SetView(view), Tip(f"{words} view ({words[0]})"), name=name)
        x = rect.right + px(4)
    return x


def _arrows(d: Drawing, state: State, x: float, bar: Rect, hot: str) -> float:
    style, palette, px = d.style, d.style.palette, d.style.px
    for name, sign, action, can, tip in (
        ("back", "←", act.Back(), bool(state.past), "Back (Alt ←)"),
        ("forward", "→", act.Forward(), bool(state.future), "Forward (Alt →)"),
    ):
        rect = Rect(x, bar.y + (bar.h - px(28)) / 2, px(28), px(28))
        if can and hot == name:
            d.box(rect, palette.hover, radius=px(6))
        d.text(
            rect.x + rect.w / 2, middle(rect, style.body), sign,
            colour=palette.dim if can else faded(palette.faint, 0.45), align="centre",
        )  # fmt: skip
        d.zone(rect, action if can else None, Tip(tip), name=name)
        x = rect.right
    return x


def _crumbs(d: Drawing, state: State, catalog: Catalog, x: float, bar: Rect, right: float) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    here = state.here
    models = list(dict.fromkeys(model for model in catalog.models if model))
    model = models[0] if len(models) == 1 else f"{len(models)} models" if models else "no model"
    parts: Sequence[tuple[str, bool]]
    if here.view == "unit":
        last = f"Unit {here.unit}" if here.layer else ""
        parts = ((model, False), (here.layer, False), (last, True))
    elif here.view == "image":
        parts = ((catalog.names[state.active], False), (f"Image {here.image:,}", True))
    else:
        names = catalog.classes[state.active]
        known = here.category < len(names)
        name = names[here.category] if known else f"category {here.category}"
        parts = ((model, False), (name, True))
    shown = [(text, bold) for text, bold in parts if text]
    fonts = {False: style.regular, True: style.bold}
    # In a narrow window the first parts go: where we are says more than where that lies.
    while len(shown) > 1 and right - x < sum(
        fonts[bold].width(text, style.body) + px(22) for text, bold in shown
    ):
        shown.pop(0)
    if right - x < px(56):
        return
    y = middle(bar, style.body)
    for place, (text, bold) in enumerate(shown):
        if x >= right - px(20):
            return
        if place:
            x += d.text(x, y, "/", colour=palette.faint) + px(8)
        colour = palette.text if bold else palette.dim
        width = d.text(x, y, text, colour=colour, bold=bold, room=max(px(20), right - x))
        x += width + px(8)


def _reduction(d: Drawing, state: State, catalog: Catalog, rect: Rect, hot: str) -> None:
    layer = catalog.layer(state.here.layer)
    stored = layer.reductions if layer is not None else ()
    shown = state.reduction if state.reduction in stored else (stored[0] if stored else "none")
    text = "values as they are" if shown == "none" else reduction_name(shown)
    open_now = state.menu == "reduction"
    tip = Tip(
        "Reduction",
        ("How the positions of a map (or the tokens) became", "one number per unit and image."),
    )
    dropdown(d, rect, text, "reduction", open_now, hot, tip)


def dropdown(
    d: Drawing, rect: Rect, text: str, menu: str, open_now: bool, hot: str, tip: Tip
) -> None:
    """A button that opens a menu."""
    style, palette, px = d.style, d.style.palette, d.style.px
    name = f"menu.{menu}"
    d.box(rect, palette.selected if open_now or hot == name else palette.raised, radius=px(6))
    d.text(rect.x + px(10), middle(rect, style.small), text, size=style.small, room=rect.w - px(32))
    x, y, arm = rect.right - px(16), rect.y + rect.h / 2, px(4)
    d.line(
        (x - arm, y - arm / 2), (x, y + arm / 2), (x + arm, y - arm / 2),
        colour=palette.dim, thickness=max(1.0, style.scale * 1.5),
    )  # fmt: skip
    d.zone(rect, act.OpenMenu(menu), None if open_now else tip, name=name)


def _buttons(d: Drawing, state: State, layout: Layout, hot: str) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    x = layout.search.right + px(8)
    side = px(32)
    theme = Rect(x, layout.search.y, side, side)
    d.box(theme, palette.selected if hot == "theme" else palette.raised, radius=px(6))
    ring = px(14)
    circle = Rect(theme.x + (side - ring) / 2, theme.y + (side - ring) / 2, ring, ring)
    d.box(circle, CLEAR, palette.dim, radius=ring / 2, thickness=max(1.0, style.scale * 1.5))
    half = Rect(circle.x + ring / 4, circle.y + ring / 4, ring / 2, ring / 2)
    d.box(half, palette.dim, radius=ring / 4)
    d.zone(theme, act.ToggleTheme(), Tip("Light or dark (T)"), name="theme")
    page = Rect(theme.right + px(8), layout.search.y, side, side)
    d.box(page, palette.selected if hot == "help" else palette.raised, radius=px(6))
    d.text(
        page.x + side / 2, middle(page, style.body), "?", bold=True, colour=palette.dim,
        align="centre",
    )  # fmt: skip
    d.zone(page, act.ToggleHelp(), Tip("All keys (?)"), name="help")
