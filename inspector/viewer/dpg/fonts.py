"""The two fonts, and their widths for the layout."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from inspector.viewer.dpg.font_files import BOLD, REGULAR, read_metrics


class Fonts:
    """Regular and bold Inter, as fonts of the toolkit and as widths."""

    def __init__(self) -> None:
        with dpg.font_registry() as self.registry:
            self.regular = dpg.add_font(str(REGULAR), 16)
            self.bold = dpg.add_font(str(BOLD), 16)
        dpg.bind_font(self.regular)
        self.regular_metrics, self.bold_metrics = read_metrics()

    def resize(self, size: int) -> None:
        """The size of text in boxes to type in; drawn text brings its own."""
        dpg.configure_item(self.regular, size=size)
