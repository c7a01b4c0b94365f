"""A canvas keeps toolkit items for a drawing and changes only what differs from the last one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import dearpygui.dearpygui as dpg

from inspector.viewer.model.drawing import Box, Drawing, Line, Picture, Text
from inspector.viewer.model.geometry import Rect


class Plane:
    """A growing pool of items of one kind; item n shows shape n, items without one are hidden."""

    def __init__(
        self, parent: int, make: Callable[[int], int], arguments: Callable[[Any], dict[str, Any]]
    ) -> None:
        self.layer = int(dpg.add_draw_layer(parent=parent))
        self._make = make
        self._arguments = arguments
        self._items: list[int] = []
        self._shown: list[Any] = []

    def sync(self, shapes: list[Any]) -> None:
        """Show these shapes; None hides a place."""
        shown, items = self._shown, self._items
        for place, shape in enumerate(shapes):
            if place < len(shown):
                if shown[place] == shape:
                    continue
                shown[place] = shape
            else:
                items.append(self._make(self.layer))
                shown.append(shape)
            if shape is None:
                dpg.configure_item(items[place], show=False)
            else:
                dpg.configure_item(items[place], show=True, **self._arguments(shape))
        for place in range(len(shapes), len(shown)):
            if shown[place] is not None:
                shown[place] = None
                dpg.configure_item(items[place], show=False)


def _box_arguments(box: Box) -> dict[str, Any]:
    return {
        "pmin": (box.x, box.y),
        "pmax": (box.x + box.w, box.y + box.h),
        "fill": box.fill,
        "color": box.line,
        "rounding": box.radius,
        "thickness": box.thickness,
    }


def _line_arguments(line: Line) -> dict[str, Any]:
    return {
        "points": [list(point) for point in line.points],
        "color": line.colour,
        "thickness": line.thickness,
    }


def _text_arguments(text: Text) -> dict[str, Any]:
    return {
        "pos": (text.x, text.y),
        "text": text.text,
        "size": text.size,
        "color": text.colour,
    }


def _picture_arguments(shape: tuple[Picture, int]) -> dict[str, Any]:
    picture, texture = shape
    return {
        "texture_tag": texture,
        "pmin": (picture.x, picture.y),
        "pmax": (picture.x + picture.w, picture.y + picture.h),
    }


class Canvas:
    """A clipped rectangle of the window, or (without a parent) the plane above everything."""

    def __init__(self, parent: int | None, bold: int, blank: int) -> None:
        self._place: tuple[Rect, tuple[int, int]] | None = None
        self._group: int | None = None
        if parent is None:
            self._list = int(dpg.add_viewport_drawlist(front=True))
        else:
            self._group = int(dpg.add_group(parent=parent, pos=(0, 0)))
            self._list = int(dpg.add_drawlist(1, 1, parent=self._group))

        def box(layer: int) -> int:
            return int(dpg.draw_rectangle((0, 0), (0, 0), parent=layer))

        def picture(layer: int) -> int:
            return int(dpg.draw_image(blank, (0, 0), (0, 0), parent=layer))

        def line(layer: int) -> int:
            return int(dpg.draw_polyline([[0, 0], [0, 0]], parent=layer))

        def text(layer: int) -> int:
            return int(dpg.draw_text((0, 0), "", parent=layer))

        def bold_text(layer: int) -> int:
            item = text(layer)
            dpg.bind_item_font(item, bold)
            return item

        self._boxes = Plane(self._list, box, _box_arguments)
        self._pictures = Plane(self._list, picture, _picture_arguments)
        self._lines = Plane(self._list, line, _line_arguments)
        self._marks = Plane(self._list, box, _box_arguments)
        self._texts = Plane(self._list, text, _text_arguments)
        self._bold_texts = Plane(self._list, bold_text, _text_arguments)
        self.drawing: Drawing | None = None
        self.missing: list[Hashable] = []

    @property
    def rect(self) -> Rect:
        """Where it lies in the window."""
        return self._place[0] if self._place is not None else Rect(0, 0, 0, 0)

    def show(self, drawing: Drawing, rect: Rect, window: tuple[int, int]) -> None:
        """Show a drawing in a rectangle of a window of that size."""
        if (rect, window) != self._place:
            self._place = (rect, window)
            if self._group is not None:
                # What reached beyond the window would let the toolkit scroll it.
                width = min(round(rect.w), window[0] - round(rect.x))
                height = min(round(rect.h), window[1] - round(rect.y))
                dpg.configure_item(self._group, show=width > 0 and height > 0)
                dpg.set_item_pos(self._group, [round(rect.x), round(rect.y)])
                dpg.configure_item(self._list, width=max(1, width), height=max(1, height))
        if drawing is not self.drawing:
            self.drawing = drawing
            self._boxes.sync(list(drawing.boxes))
            self._lines.sync(list(drawing.lines))
            self._marks.sync(list(drawing.marks))
            self._texts.sync(list(drawing.texts))
            self._bold_texts.sync(list(drawing.bold_texts))

    def hide(self) -> None:
        """Show nothing."""
        if self.drawing is not None and self._place is not None:
            self.show(Drawing(self.drawing.style), *self._place)
            self._pictures.sync([])

    def sync_pictures(self, texture: Callable[[Hashable], int | None]) -> None:
        """Put loaded textures in their places and note which are missing."""
        if self.drawing is None:
            return
        shapes: list[tuple[Picture, int] | None] = []
        missing = []
        for picture in self.drawing.pictures:
            found = texture(picture.key)
            shapes.append(None if found is None else (picture, found))
            if found is None:
                missing.append(picture.key)
        self._pictures.sync(shapes)
        self.missing = missing
