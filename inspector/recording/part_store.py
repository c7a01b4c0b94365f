"""A folder of parts as one recording: the same model and options, one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from inspector.recording.activity import ActivitySource
from inspector.recording.model import Header, Summary, Tap
from inspector.recording.payloads import read_only
from inspector.recording.store import Store


class PartStore:
    """Several stores of one model, joined in order; nothing is copied.

    It can be read up to the first part with missing images.
    """

    def __init__(self, path: str, header: Header, parts: Sequence[Store]) -> None:
        """Join `parts`; `header` is of the whole, which they may not make up yet."""
        self.path = path
        self.header = header
        self._all = list(parts)
        # Behind missing images every number would be another image's: nothing of that is shown.
        gaps = (n for n, part in enumerate(parts, 1) if part.images < part.header.images)
        self._parts = self._all[: next(gaps, len(parts))]
        self._starts = [0, *accumulate(part.images for part in self._parts)]
        self.images = self._starts.pop()

    @property
    def finished(self) -> bool:
        """Return whether every part is there and complete."""
        complete = all(part.finished for part in self._all)
        return complete and self.images == self.header.images

    def numeric(self, name: str) -> NDArray[Any]:
        """Return a numeric column of all parts."""
        return read_only(np.concatenate([part.numeric(name) for part in self._parts]))

    def paths(self) -> Sequence[str]:
        """Return the path of every image."""
        return JoinedTexts([part.paths() for part in self._parts])

    def skipped(self) -> dict[int, str]:
        """Return the skipped images of all parts."""
        return {
            start + number: reason
            for start, part in zip(self._starts, self._parts, strict=True)
            for number, reason in part.skipped().items()
        }

    def column_kinds(self) -> Mapping[str, str]:
        """Return the metadata columns that every part has."""
        kinds = [part.column_kinds() for part in self._parts]
        return {
            name: kind
            for name, kind in kinds[0].items()
            if all(other.get(name) == kind for other in kinds)
        }

    def column(self, name: str) -> NDArray[Any] | Sequence[str]:
        """Return one metadata column of all parts."""
        values = [part.column(name) for part in self._parts]
        arrays = [each for each in values if isinstance(each, np.ndarray)]
        if arrays:
            return read_only(np.concatenate(arrays))
        return JoinedTexts([each for each in values if not isinstance(each, np.ndarray)])

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail."""
        part = bisect_right(self._starts, image) - 1
        return self._parts[part].thumbnail(image - self._starts[part])

    def activity(self, tap: Tap) -> ActivitySource:
        """Return the activity of all parts, one after the other."""
        return _JoinedActivity([part.activity(tap) for part in self._parts], self._starts)

    def summary(self, tap: Tap, unit: int | None = None) -> Summary | None:
        """Return the summary of a single part; of several it is made when asked for."""
        return self._parts[0].summary(tap, unit) if len(self._parts) == 1 else None

    def numbers(self) -> NDArray[np.int64]:
        """Return the images' own numbers."""
        return read_only(np.arange(self.images, dtype=np.int64))

    def refreshed(self) -> Store | None:
        """Look at every part again; return a new store if one has grown."""
        fresh = [part.refreshed() for part in self._all]
        if not any(fresh):
            return None
        parts = [new or old for new, old in zip(fresh, self._all, strict=True)]
        return PartStore(self.path, self.header, parts)

    def close(self) -> None:
        """Close every part."""
        for part in self._all:
            part.close()


class _JoinedActivity:
    """Activity of several sources, one after the other."""

    def __init__(self, parts: Sequence[ActivitySource], starts: Sequence[int]) -> None:
        self._parts = parts
        self.units = parts[0].units
        self.images = sum(part.images for part in parts)
        self._blocks = [
            (part, number, start + first, count)
            for part, start in zip(parts, starts, strict=True)
            for number, (first, count) in enumerate(part.spans())
        ]

    def spans(self) -> list[tuple[int, int]]:
        """Return (first image, images) of every block."""
        return [(first, count) for _, _, first, count in self._blocks]

    def read(self, block: int, first: int, last: int) -> NDArray[np.float32]:
        """Return units first..last-1 of one block."""
        part, number, _, _ = self._blocks[block]
        return part.read(number, first, last)

    def read_unit(self, unit: int) -> NDArray[np.float32]:
        """Return one unit over all images."""
        return np.concatenate([part.read_unit(unit) for part in self._parts])


class JoinedTexts(Sequence[str]):
    """Text columns one after the other."""

    def __init__(self, parts: Sequence[Sequence[str]]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(len(part) for part in parts)]
        self._count = self._starts.pop()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            numbers = range(*index.indices(self._count))
            if numbers.step != 1:
                return [self[number] for number in numbers]
            return self._span(numbers.start, numbers.stop)
        number = range(self._count)[index]
        part = bisect_right(self._starts, number) - 1
        return self._parts[part][number - self._starts[part]]

    def _span(self, first: int, last: int) -> list[str]:
        result: list[str] = []
        for start, part in zip(self._starts, self._parts, strict=True):
            low, high = max(first, start) - start, min(last, start + len(part)) - start
            if low < high:
                result += part[low:high]
        return result

    def __iter__(self) -> Iterator[str]:
        for part in self._parts:
            yield from part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = np.empty(self._count, object)
        array[:] = list(self)
        return array if dtype is None else array.astype(dtype)
