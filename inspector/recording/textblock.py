"""Columns of text: one block of UTF-8 and where each entry ends; read a few entries at a time."""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import CorruptRecordingError, OutOfRangeError
from inspector.recording.payloads import StoredArray


def encode_texts(texts: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return (ends int64 [n], UTF-8 bytes); names that are not UTF-8 keep their bytes."""
    parts = [text.encode("utf-8", "surrogateescape") for text in texts]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    return np.cumsum(lengths), np.frombuffer(b"".join(parts), np.uint8)


def decode(data: bytes) -> str:
    """Return stored text; bytes that are not UTF-8 become lone surrogates, as in Python paths."""
    return data.decode("utf-8", "surrogateescape")


class StoredTexts:
    """Text entries of one record."""

    def __init__(self, ends: StoredArray, data: StoredArray) -> None:
        self._ends = ends
        self._data = data
        found = [(each.payload.dtype, len(each.payload.shape)) for each in (ends, data)]
        if found != [("int64", 1), ("uint8", 1)]:
            raise CorruptRecordingError(
                "text is int64 ends and uint8 bytes", path=data.source.path, value=found
            )

    def read(self, first: int, last: int) -> list[str]:
        """Return entries first..last-1, reading only the blocks that hold them."""
        if last <= first:
            return []
        ends = self._ends.read_items(max(0, first - 1), last)
        if first == 0:
            ends = np.concatenate([[0], ends])
        size = self._data.payload.nbytes
        # Each step is checked, not only the last: one wild entry must not reach another's bytes.
        if ends[0] < 0 or ends[-1] > size or bool((np.diff(ends) < 0).any()):
            raise CorruptRecordingError(
                f"ends of {self._data.payload.name!r} must ascend within the block",
                path=self._data.source.path,
                offset=self._ends.place.pieces[0],
                limit=size,
            )
        block = bytes(self._data.read_items(int(ends[0]), int(ends[-1])))
        steps = (ends - ends[0]).tolist()
        return [decode(block[a:b]) for a, b in pairwise(steps)]


class TextColumn(Sequence[str]):
    """A read-only sequence of text over all images, read when it is asked for.

    Slices give lists; ``numpy.asarray(column)`` gives an object array.
    """

    def __init__(self, parts: Sequence[StoredTexts], starts: Sequence[int], count: int) -> None:
        self._parts = parts
        self._starts = starts
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            first, last, step = index.indices(self._count)
            if step == 1:
                return self.read(first, last)
            numbers = range(first, last, step)
            if not numbers:
                return []
            low = min(numbers)
            span = self.read(low, max(numbers) + 1)
            return [span[number - low] for number in numbers]
        number = operator.index(index)
        if not -self._count <= number < self._count:
            raise OutOfRangeError("image number", value=number, limit=f"0 to {self._count - 1}")
        number %= self._count
        return self.read(number, number + 1)[0]

    def __iter__(self) -> Iterator[str]:
        for first in range(0, self._count, 4096):
            yield from self.read(first, min(self._count, first + 4096))

    def read(self, first: int, last: int) -> list[str]:
        """Return entries first..last-1."""
        result: list[str] = []
        last = min(last, self._count)
        part = bisect_right(self._starts, first) - 1
        while first < last:
            start = self._starts[part]
            stop = self._starts[part + 1] if part + 1 < len(self._starts) else self._count
            upto = min(stop, last)
            result += self._parts[part].read(first - start, upto - start)
            first = upto
            part += 1
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = np.empty(self._count, object)
        array[:] = self.read(0, self._count)
        return array if dtype is None else array.astype(dtype)

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self[:3]))
        return f"<{self._count:,} texts: {head}{', …' if self._count > 3 else ''}>"
