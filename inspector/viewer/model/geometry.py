"""Rectangles in window pixels."""

from __future__ import annotations

from typing import NamedTuple


class Rect(NamedTuple):
    """An axis-parallel rectangle; `x`, `y` is its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The first x beyond the rectangle."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The first y below the rectangle."""
        return self.y + self.h

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies inside (the right and bottom edges do not)."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def inset(self, dx: float, dy: float | None = None) -> Rect:
        """The rectangle without a margin of `dx` left and right and `dy` above and below."""
        dy = dx if dy is None else dy
        return Rect(self.x + dx, self.y + dy, max(0.0, self.w - 2 * dx), max(0.0, self.h - 2 * dy))

    def moved(self, dx: float, dy: float) -> Rect:
        """The rectangle shifted."""
        return Rect(self.x + dx, self.y + dy, self.w, self.h)

    def overlaps(self, other: Rect) -> bool:
        """Whether the two share at least one point of their insides."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def within(self, other: Rect) -> bool:
        """Whether it lies wholly inside `other`."""
        return (
            self.x >= other.x
            and self.y >= other.y
            and self.right <= other.right
            and self.bottom <= other.bottom
        )
