"""Which rows of a long list, and which cells of a grid, are on screen."""

from __future__ import annotations

from dataclasses import dataclass

SHARP = 40
"""Pictures up to this many pixels are enlarged by whole numbers of pixels, to stay sharp."""


@dataclass(frozen=True)
class Rows:
    """A list of equally high rows in a window of `height` pixels.

    Offsets are Python floats: exact to the pixel for any number of rows.
    """

    count: int
    row: float
    height: float

    @property
    def limit(self) -> float:
        """The largest offset."""
        return max(0.0, self.count * self.row - self.height)

    def clamped(self, offset: float) -> float:
        """The offset, moved into what exists."""
        return min(max(0.0, offset), self.limit)

    def visible(self, offset: float) -> range:
        """The rows of which at least a pixel shows."""
        if self.count <= 0 or self.height <= 0:
            return range(0)
        first = int(offset // self.row)
        last = int((offset + self.height - 1) // self.row) + 1
        return range(max(0, first), max(0, min(last, self.count)))

    def top(self, row: int, offset: float) -> float:
        """Where a row begins, relative to the window."""
        return row * self.row - offset

    def revealing(self, row: int, offset: float) -> float:
        """The offset that shows the whole row: the nearest, or with a far row in the middle."""
        top = row * self.row
        if top < offset - 2 * self.row or top > offset + self.height + self.row:
            return self.clamped(top - max(0.0, self.height - self.row) / 2)
        if top < offset or self.row > self.height:
            return self.clamped(top)
        if top + self.row > offset + self.height:
            return self.clamped(top + self.row - self.height)
        return self.clamped(offset)

    def thumb(self, offset: float) -> tuple[float, float] | None:
        """(top, length) of a scroll bar's handle in the window; None when all rows fit."""
        if self.limit <= 0:
            return None
        length = max(24.0, self.height * self.height / (self.count * self.row))
        return (self.height - length) * (offset / self.limit), length


@dataclass(frozen=True)
class Grid:
    """Cells of a picture and a caption, in columns, in a window of `width` × `height` pixels."""

    count: int
    columns: int
    cell: int
    gap: float
    caption: int
    height: float

    @property
    def rows(self) -> Rows:
        """Its rows."""
        return Rows(-(-self.count // self.columns), self.cell + self.caption, self.height)

    def left(self, column: int) -> float:
        """Where a column begins."""
        return round(column * (self.cell + self.gap))


def fitted_grid(
    count: int, width: float, height: float, *, target: int, native: int, gap: int, caption: int
) -> Grid:
    """The grid that fills `width` with cells near `target` pixels.

    Pictures of at most `SHARP` pixels are shown at whole multiples, so among the possible numbers
    of columns the one is taken that leaves the least of a cell empty and lies near the target.
    """
    best: tuple[float, int, int] | None = None
    for columns in range(1, 41):
        cell = int((width - gap * (columns - 1)) // columns)
        if cell < 24 and best is not None:
            break
        cell = max(8, cell)
        distance = abs(cell - target) / target
        empty = 0.0
        if 0 < native <= SHARP:
            factor = max(1, cell // native)
            empty = max(0.0, cell - factor * native) / cell
        score = distance + 1.5 * empty
        if best is None or score < best[0]:
            best = (score, columns, cell)
    assert best is not None
    return Grid(count, best[1], best[2], gap, caption, height)
