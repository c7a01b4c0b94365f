"""The two boxes to type in: for going anywhere, and for a unit's number."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg

from inspector.viewer.model.geometry import Rect

HINTS = {"search": "Go to …   Ctrl+K", "unit": "Unit number"}


class Boxes:
    """The toolkit's own text boxes, by name: "search" and "unit".

    Parameters
    ----------
    window
        That they stand in, above what was added to it before.
    on_submit
        Called (from the queue of callbacks) with the name of the box and its text on Enter.
    """

    def __init__(self, window: int, on_submit: Callable[[str, str], None]) -> None:
        self._items = {name: _make(window, name, on_submit) for name in HINTS}
        self._places: dict[str, tuple[Rect, float]] = {}
        self._typed: str | None = None

    def item(self, name: str) -> int:
        """The toolkit's item of a box."""
        return self._items[name][1]

    @property
    def typing(self) -> str:
        """The box that the cursor is in, or ""."""
        for name in self._items:
            if dpg.is_item_active(self.item(name)):
                return name
        return ""

    @property
    def searched(self) -> str:
        """What stands in the box for going anywhere while the cursor is in it."""
        if not dpg.is_item_active(self.item("search")):
            return ""
        return str(dpg.get_value(self.item("search")))

    def place(self, name: str, rect: Rect, scale: float) -> None:
        """Put a box where it belongs."""
        if self._places.get(name) != (rect, scale):
            self._places[name] = (rect, scale)
            group, box = self._items[name]
            dpg.set_item_pos(group, [round(rect.x), round(rect.y)])
            dpg.configure_item(box, width=round(rect.w))

    def show_typed(self, number: str) -> None:
        """Show a number that is typed without the cursor in the box for units."""
        if self._typed != number:
            self._typed = number
            dpg.set_value(self.item("unit"), number)


def _make(window: int, name: str, on_submit: Callable[[str, str], None]) -> tuple[int, int]:
    group = int(dpg.add_group(parent=window, pos=(0, 0)))

    def submitted(_: int, text: str) -> None:
        on_submit(name, text)

    box = dpg.add_input_text(
        parent=group, hint=HINTS[name], on_enter=True, callback=submitted, auto_select_all=True
    )
    return group, int(box)
