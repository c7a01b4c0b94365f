"""The part of a recording that a filter matches, as a recording of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from inspector.recording.activity import ActivitySource
from inspector.recording.model import Header, Summary, Tap
from inspector.recording.payloads import read_only
from inspector.recording.store import Store


class ViewStore:
    """Some images of another store, renumbered from 0 in their order."""

    def __init__(self, base: Store, rows: NDArray[np.int64], expression: str) -> None:
        self._base = base
        self._rows = rows
        self.expression = expression
        self.path = f"{base.path}::{expression}"
        self.header: Header = replace(
            base.header, name=f"{base.header.name}::{expression}", images=int(rows.size)
        )
        self.images = int(rows.size)

    @property
    def base(self) -> Store:
        """Return the store that this is a part of."""
        return self._base

    @property
    def finished(self) -> bool:
        """Return whether the whole recording is complete."""
        return self._base.finished

    def numeric(self, name: str) -> NDArray[Any]:
        """Return a numeric column of the matching images."""
        return read_only(self._base.numeric(name)[self._rows])

    def paths(self) -> Sequence[str]:
        """Return the paths of the matching images."""
        return PickedTexts(self._base.paths(), self._rows)

    def skipped(self) -> dict[int, str]:
        """Return the skipped ones of the matching images."""
        gone = self._base.skipped()
        if not gone:
            return {}
        numbers = np.array(sorted(gone), np.int64)
        here = np.searchsorted(self._rows, numbers)
        found = here < self.images
        found[found] = self._rows[here[found]] == numbers[found]
        return {
            int(row): gone[int(number)]
            for row, number in zip(here[found], numbers[found], strict=True)
        }

    def column_kinds(self) -> Mapping[str, str]:
        """Return the metadata columns."""
        return self._base.column_kinds()

    def column(self, name: str) -> NDArray[Any] | Sequence[str]:
        """Return one metadata column of the matching images."""
        values = self._base.column(name)
        if isinstance(values, np.ndarray):
            return read_only(values[self._rows])
        return PickedTexts(values, self._rows)

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail."""
        return self._base.thumbnail(int(self._rows[image]))

    def activity(self, tap: Tap) -> ActivitySource:
        """Return the activity of the matching images."""
        return _PickedActivity(self._base.activity(tap), self._rows)

    def summary(self, tap: Tap, unit: int | None = None) -> Summary | None:
        """Return None, as a part's summary is made when it is asked for."""
        return self._base.summary(tap, unit) if self.images == self._base.images else None

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the matching images in the file."""
        return read_only(self._base.numbers()[self._rows])

    def refreshed(self) -> Store | None:
        """Look at the file again; return a new view if it has grown."""
        base = self._base.refreshed()
        if base is None:
            return None
        from inspector.recording.view import view_of

        return view_of(base, self.expression)

    def close(self) -> None:
        """Close the file."""
        self._base.close()


class _PickedActivity:
    """Some images of another activity source."""

    def __init__(self, base: ActivitySource, rows: NDArray[np.int64]) -> None:
        self._base = base
        self._rows = rows
        self.units = base.units
        self.images = int(rows.size)
        spans = base.spans()
        starts = np.array([start for start, _ in spans] + [base.images], np.int64)
        edges = np.searchsorted(rows, starts)
        # Blocks without a matching image are never read.
        self._blocks = [
            (number, int(edges[number]), int(edges[number + 1]), int(starts[number]))
            for number in range(len(spans))
            if edges[number + 1] > edges[number]
        ]

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every block with a matching image."""
        return [(low, high - low) for _, low, high, _ in self._blocks]

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of the matching images of one block."""
        number, low, high, start = self._blocks[block]
        values = self._base.read(number, first, last)
        if high - low == values.shape[1]:
            return values
        picked = np.ascontiguousarray(values[:, self._rows[low:high] - start])
        picked.flags.writeable = False
        return picked

    def read_unit(self, unit: int) -> NDArray[np.float32]:
        """Return one unit over the matching images."""
        return self._base.read_unit(unit)[self._rows]


class PickedTexts(Sequence[str]):
    """Some entries of a text column, in a given order, read when they are asked for."""

    def __init__(self, base: Sequence[str], rows: NDArray[np.int64]) -> None:
        self._base = base
        self._rows = rows

    def __len__(self) -> int:
        return int(self._rows.size)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self._many(self._rows[index])
        return self._base[int(self._rows[index])]

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), 4096):
            yield from self._many(self._rows[first : first + 4096])

    def _many(self, rows: NDArray[np.int64]) -> list[str]:
        if not rows.size:
            return []
        low, high = int(rows.min()), int(rows.max()) + 1
        if high - low > 64 + 8 * rows.size:
            return [self._base[row] for row in rows.tolist()]
        span = self._base[low:high]
        return [span[row - low] for row in rows.tolist()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = np.empty(len(self), object)
        array[:] = list(self)
        return array if dtype is None else array.astype(dtype)
