"""A drawing as data: shapes by plane, and the zones that answer to the mouse.

A panel is a function from what is to be shown to a `Drawing`; only the canvas (in `viewer.dpg`)
knows how shapes reach the screen. Planes lie above one another in the order of `PLANES`, shapes
of one plane in the order they were added.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from inspector.text import clean
from inspector.viewer.model.actions import Action
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.metrics import FontMetrics
from inspector.viewer.model.palette import CLEAR, Colour, Palette

PLANES = ("boxes", "pictures", "lines", "marks", "texts", "bold_texts")


class Box(NamedTuple):
    """A filled and/or outlined rectangle."""

    x: float
    y: float
    w: float
    h: float
    fill: Colour
    line: Colour
    radius: float
    thickness: float


class Line(NamedTuple):
    """A chain of straight lines."""

    points: tuple[tuple[float, float], ...]
    colour: Colour
    thickness: float


class Picture(NamedTuple):
    """A texture, by its key; not drawn until it is loaded."""

    key: Hashable
    x: float
    y: float
    w: float
    h: float


class Text(NamedTuple):
    """One line of text; `x`, `y` is the upper left corner of its line box."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour


@dataclass(frozen=True)
class Tip:
    """What a tooltip says: a title, lines below it, perhaps a picture above."""

    title: str
    lines: tuple[str, ...] = ()
    picture: tuple[int, int] | None = None
    """(recording, image) shown large."""
    warning: str = ""


class Zone(NamedTuple):
    """A place that answers to the mouse; later zones lie above earlier ones."""

    rect: Rect
    action: Action | None = None
    tip: Tip | None = None
    scroll: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Style:
    """Colours, fonts and the scale of everything."""

    palette: Palette
    regular: FontMetrics
    bold: FontMetrics
    scale: float = 1.0

    def px(self, length: float) -> int:
        """A length of the design (in pixels at scale 1) in whole pixels."""
        return round(length * self.scale)

    @property
    def body(self) -> int:
        """Size of ordinary text."""
        return self.px(16)

    @property
    def small(self) -> int:
        """Size of secondary text."""
        return self.px(14)

    @property
    def tiny(self) -> int:
        """Size of axis numbers and headings in capitals."""
        return self.px(13)


def shown(text: str) -> str:
    """Text from a file as it may stand on the screen: in one line, with nothing hidden in it."""
    return text if text.isprintable() else clean(text)


@dataclass
class Drawing:
    """Shapes by plane, and zones, in coordinates of the panel."""

    style: Style
    boxes: list[Box] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    bold_texts: list[Text] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)

    def box(
        self,
        rect: Rect,
        fill: Colour = CLEAR,
        line: Colour = CLEAR,
        radius: float = 0,
        thickness: float = 1,
    ) -> None:
        """Add a rectangle below the pictures."""
        self.boxes.append(Box(*rect, fill, line, radius, thickness))

    def mark(
        self, rect: Rect, line: Colour, radius: float, thickness: float, fill: Colour = CLEAR
    ) -> None:
        """Add a rectangle above the pictures."""
        self.marks.append(Box(*rect, fill, line, radius, thickness))

    def line(self, *points: tuple[float, float], colour: Colour, thickness: float = 1) -> None:
        """Add a chain of lines."""
        self.lines.append(Line(points, colour, thickness))

    def picture(self, key: Hashable, rect: Rect) -> None:
        """Add a picture."""
        self.pictures.append(Picture(key, *rect))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        colour: Colour | None = None,
        bold: bool = False,
        align: str = "left",
        room: float | None = None,
        keep_end: bool = False,
    ) -> float:
        """Add one line of text and return its width.

        `x` is its left end, middle or right end as `align` says; `y` the top of its line box; what
        is wider than `room` ends in an ellipsis (begins with one if its end is to be kept).
        What the font lacks is spelled out.
        """
        size = self.style.body if size is None else size
        colour = self.style.palette.text if colour is None else colour
        metrics = self.style.bold if bold else self.style.regular
        text = metrics.spelled(shown(text))
        if room is not None:
            fit = metrics.fitted_end if keep_end else metrics.fitted
            text = fit(text, size, room)
        width = metrics.width(text, size)
        if align == "right":
            x -= width
        elif align == "centre":
            x -= width / 2
        plane = self.bold_texts if bold else self.texts
        plane.append(Text(round(x), round(y), text, size, colour))
        return width

    def zone(
        self,
        rect: Rect,
        action: Action | None = None,
        tip: Tip | None = None,
        scroll: str | None = None,
        name: str = "",
    ) -> None:
        """Make a place answer to the mouse."""
        self.zones.append(Zone(rect, action, tip, scroll, name))

    def place(self, other: Drawing, dx: float, dy: float) -> None:
        """Add all of another drawing, shifted."""
        self.boxes += [Box(s[0] + dx, s[1] + dy, *s[2:]) for s in other.boxes]
        self.pictures += [Picture(s[0], s[1] + dx, s[2] + dy, *s[3:]) for s in other.pictures]
        self.lines += [
            s._replace(points=tuple((x + dx, y + dy) for x, y in s.points)) for s in other.lines
        ]
        self.marks += [Box(s[0] + dx, s[1] + dy, *s[2:]) for s in other.marks]
        self.texts += [Text(s[0] + dx, s[1] + dy, *s[2:]) for s in other.texts]
        self.bold_texts += [Text(s[0] + dx, s[1] + dy, *s[2:]) for s in other.bold_texts]
        self.zones += [Zone(s[0].moved(dx, dy), *s[1:]) for s in other.zones]

    def zone_at(self, x: float, y: float) -> Zone | None:
        """The uppermost zone at a point."""
        for zone in reversed(self.zones):
            if zone.rect.contains(x, y):
                return zone
        return None

    def rectangles(self) -> list[Rect]:
        """Where texts, pictures and boxes lie: for checks of overlap and clipping."""
        out = [Rect(*shape[:4]) for shape in (*self.boxes, *self.marks)]
        out += [Rect(p.x, p.y, p.w, p.h) for p in self.pictures]
        for bold, plane in ((False, self.texts), (True, self.bold_texts)):
            metrics = self.style.bold if bold else self.style.regular
            out += [Rect(t.x, t.y, metrics.width(t.text, t.size), t.size) for t in plane]
        return out
