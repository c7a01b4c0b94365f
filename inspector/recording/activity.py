"""Activity of one layer and reduction as a lazy array [images, units]."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from os import PathLike
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import OutOfRangeError
from inspector.recording.indices import numbers_of, one_number
from inspector.recording.payloads import read_only

_AT_ONCE = 1 << 16  # values
_Run = tuple[int, int, "NDArray[np.int64] | None"]


class ActivitySource(Protocol):
    """Where activity comes from: blocks of images, each [units, n], checked when read."""

    units: int
    images: int

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every block, in order."""
        ...

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of a block, float32 [last - first, n]."""
        ...

    def read_unit(self, unit: int) -> NDArray[np.float32]:
        """Return one unit over all images, float32 [images]."""
        ...


class Activity:
    """What the units of a layer did on every image, read when it is asked for.

    ``activity[rows, columns]`` takes numbers, slices, index arrays and masks and returns
    read-only float32; two index arrays give the product (every row with every column).
    ``numpy.asarray(activity)`` reads everything.

    Attributes
    ----------
    shape : (int, int)
        [images, units].
    """

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, source: ActivitySource, name: str, path: str | PathLike[str] = "") -> None:
        self._source = source
        self._path = path
        self.name = name

    @property
    def shape(self) -> tuple[int, int]:
        """Return (images, units)."""
        return (self._source.images, self._source.units)

    @property
    def nbytes(self) -> int:
        """Return the bytes of the whole array in memory."""
        return 4 * self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<Activity {self.name!r}: {self.shape[0]:,} images × {self.shape[1]:,} units>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self[:, :]
        return array if dtype in (None, np.float32) else array.astype(dtype)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (first image, float32 [units, n], read-only) block by block, in order."""
        for number, (start, _) in enumerate(self._source.spans()):
            yield start, self._source.read(number, 0, self._source.units)

    def unit(self, unit: int) -> NDArray[np.float32]:
        """Return one unit over all images, float32 [images], read-only."""
        number = one_number(unit, self.shape[1], self._what("unit"), self._path)
        return read_only(self._source.read_unit(number))

    def _what(self, kind: str) -> str:
        return f"layer {self.name!r}: {kind} number"

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        if not isinstance(key, tuple):
            key = (key,)
        if len(key) > 2:
            raise OutOfRangeError(
                f"layer {self.name!r}: axes", path=self._path, value=len(key), limit=2
            )
        rows, one_row = numbers_of(
            key[0] if key else slice(None), self.shape[0], self._what("image"), self._path
        )
        columns, one_column = numbers_of(
            key[1] if len(key) == 2 else slice(None), self.shape[1], self._what("unit"), self._path
        )
        if columns.size == 1 and rows.size > 64:
            values = self._source.read_unit(int(columns[0]))[rows][:, None]
        else:
            values = self._read(rows, columns)
        if one_row and one_column:
            return values[0, 0]  # type: ignore[no-any-return]
        if one_row:
            values = values[0]
        elif one_column:
            values = values[:, 0]
        return read_only(values)

    @cached_property
    def _edges(self) -> NDArray[np.int64]:
        """Return the first image of every block, and the number of images."""
        return np.array([*(start for start, _ in self._source.spans()), self.shape[0]])

    def _read(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
        # Stored [units, images]: filled that way round, handed out transposed.
        out = np.empty((columns.size, rows.size), np.float32)
        if not out.size:
            return out.T
        runs = _runs(columns)
        spans = self._source.spans()
        ascending = rows.size < 2 or bool((np.diff(rows) > 0).all())
        order = None if ascending else np.argsort(rows, kind="stable")
        ordered = rows if order is None else rows[order]
        edges = np.searchsorted(ordered, self._edges)
        for number in np.flatnonzero(np.diff(edges)).tolist():
            start, count = spans[number]
            part = slice(edges[number], edges[number + 1])
            where: Any = part if order is None else order[part]
            inside: Any = ordered[part] - start
            reads = runs
            if ascending and inside.size == count:
                inside = slice(None)
            else:
                # What is read and mostly dropped stays in the processor's cache.
                reads = _cut(runs, max(1, _AT_ONCE // count))
            done = 0
            for first, last, picks in reads:
                block = self._source.read(number, first, last)
                chosen = (block if picks is None else block[picks])[:, inside]
                out[done : done + chosen.shape[0], where] = chosen
                done += chosen.shape[0]
        return out.T


def _runs(columns: NDArray[np.int64]) -> list[_Run]:
    """Return (first, last, picks) reads that give `columns` in order: neighbours in one read."""
    steps = np.diff(columns)
    if columns.size > 64 and not bool((steps == 1).all()):
        first, last = int(columns.min()), int(columns.max()) + 1
        return [(first, last, columns - first)]
    cuts = np.flatnonzero(steps != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1, None) for run in np.split(columns, cuts)]


def _cut(runs: list[_Run], units: int) -> list[_Run]:
    """Return reads of at most `units` neighbours."""
    return [
        (begin, last if picks is not None else min(begin + units, last), picks)
        for first, last, picks in runs
        for begin in range(first, last, last - first if picks is not None else units)
    ]
