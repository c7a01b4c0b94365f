"""What the palette means for the few widgets that are not drawn by hand: window and text boxes."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from inspector.viewer.model.drawing import Style
from inspector.viewer.model.palette import CLEAR, faded


def make_theme(style: Style) -> int:
    """A theme for everything; the caller binds it and deletes the one before."""
    palette, px = style.palette, style.px
    colours = {
        "WindowBg": palette.window,
        "Text": palette.text,
        "TextDisabled": palette.faint,
        "FrameBg": palette.raised,
        "FrameBgHovered": palette.raised,
        "FrameBgActive": palette.selected,
        "Border": CLEAR,
        "BorderShadow": CLEAR,
        "TextSelectedBg": faded(palette.accent, 0.4),
        "NavCursor": palette.accent,
        "InputTextCursor": palette.text,
    }
    styles = {
        "WindowPadding": (0, 0),
        "WindowBorderSize": (0,),
        "FrameRounding": (px(6),),
        "FramePadding": (px(10), max(0, round((px(32) - px(15)) / 2))),
        "ItemSpacing": (0, 0),
    }
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        for name, colour in colours.items():
            constant = getattr(dpg, f"mvThemeCol_{name}", None)
            if constant is not None:
                dpg.add_theme_color(constant, colour)
        for name, amounts in styles.items():
            dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *amounts)
    return int(theme)
