"""Reading CBOR (RFC 8949) piece by piece, each piece of the type that the caller expects.

A decoder of whole items would build what the file says, and a file can say much: tags that make
regular expressions or shared references, a million empty maps in a megabyte, arrays of 2^60. Here
nothing is built that was not asked for, and every length is checked against a limit and against
what is left of the file before anything is read, so memory is bounded by the caller's limits.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from inspector.interop.errors import BrokenFileError, UnreadableFileError

NUMBER, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
_TYPES = ("a number", "a negative number", "bytes", "text", "an array", "a map", "a tag", "a value")
_NULL = 22
_INDEFINITE = 31
_BUFFER = 1 << 18


class CborReader:
    """A CBOR file and the place in it; a context manager.

    Raises
    ------
    UnreadableFileError
        If the file cannot be opened or read, or is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            # Asked before opening: opening a named pipe would wait for its writer.
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise UnreadableFileError("this is not a file", path=self.path)
            self._file = io.BufferedReader(io.FileIO(self.path), _BUFFER)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UnreadableFileError(f"cannot open: {reason}", path=self.path) from None
        self.size = os.fstat(self._file.fileno()).st_size
        self.offset = 0

    def refuse(self, rule: str, value: Any = None, limit: Any = None, advice: str = "") -> NoReturn:
        """Raise that the file breaks a rule here."""
        raise BrokenFileError(
            rule, path=self.path, offset=self.offset, value=value, limit=limit, advice=advice
        )

    def read(self, count: int, what: str) -> bytes:
        """Return the next `count` bytes."""
        if count > self.size - self.offset:
            self.refuse(
                f"the file ends inside {what}", f"{self.size - self.offset:,} bytes left",
                f"{count:,} bytes", "copy or export it again",
            )  # fmt: skip
        try:
            data = self._file.read(count)
        except OSError as error:
            raise UnreadableFileError(f"cannot read: {error.strerror}", path=self.path) from error
        if len(data) != count:
            self.refuse("the file became shorter while it was read")
        self.offset += count
        return data

    def _head(self, what: str) -> tuple[int, int | None]:
        """Return (type, argument) of the next item; an indefinite length and a break are None."""
        first = self.read(1, what)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        if info < 28:
            return major, int.from_bytes(self.read(1 << (info - 24), what), "big")
        if info != _INDEFINITE or major in (NUMBER, NEGATIVE, TAG):
            self.refuse(f"{what} is not CBOR", f"byte 0x{first:02x}")
        return major, None

    def _expect(self, what: str, major: int) -> int | None:
        found, argument = self._head(what)
        if found != major:
            seen = "null" if (found, argument) == (SIMPLE, _NULL) else _TYPES[found]
            self.refuse(f"{what} must be {_TYPES[major]}", seen)
        return argument

    def peek(self) -> int:
        """Return the next byte without going on; -1 at the end of the file."""
        data = self._file.peek(1)[:1]
        return data[0] if data and self.offset < self.size else -1

    def null(self) -> bool:
        """Go past a null if it is the next item, and return whether it was."""
        return self._skip(SIMPLE << 5 | _NULL)

    def _skip(self, byte: int) -> bool:
        if self.peek() != byte:
            return False
        self.read(1, "an item")
        return True

    def number(self, what: str, low: int, high: int) -> int:
        """Return a whole number within low..high."""
        major, argument = self._head(what)
        if major not in (NUMBER, NEGATIVE) or argument is None:
            self.refuse(f"{what} must be a whole number", _TYPES[major])
        value = argument if major == NUMBER else -1 - argument
        if not low <= value <= high:
            self.refuse(what, value, f"{low} to {high:,}")
        return value

    def _length(self, what: str, major: int, limit: int) -> int:
        length = self._expect(what, major)
        if length is None:
            self.refuse(f"{what} must say its length", "an indefinite one")
        if length > limit:
            self.refuse(f"{what} is too long", f"{length:,} bytes", f"{limit:,} bytes")
        return length

    def text(self, what: str, limit: int) -> str:
        """Return a text of at most `limit` bytes."""
        data = self.read(self._length(what, TEXT, limit), what)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self.refuse(f"{what} must be UTF-8", data[:40])

    def blob(self, what: str, length: int) -> bytes:
        """Return a byte string of exactly `length` bytes."""
        found = self._length(what, BYTES, self.size)
        if found != length:
            self.refuse(f"{what} has another length", f"{found:,} bytes", f"{length:,} bytes")
        return self.read(length, what)

    def items(self, what: str, limit: int) -> Iterator[int]:
        """Yield 0, 1, … for the items of an array of at most `limit`; the caller reads each."""
        count = self._expect(what, ARRAY)
        if count is not None:
            self._check_count(what, count, limit, 1)
            yield from range(count)
            return
        number = 0
        while not self._skip(0xFF):
            self._check_count(what, number + 1, limit, 0)
            yield number
            number += 1

    def keys(self, what: str, limit: int, among: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the keys of a map, text, each once; the caller reads each value.

        Unknown keys are refused when `among` names the known ones.
        """
        count = self._expect(what, MAP)
        seen: set[str] = set()
        if count is not None:
            self._check_count(what, count, limit, 2)
        while not self._skip(0xFF) if count is None else len(seen) < count:
            self._check_count(what, len(seen) + 1, limit, 0)
            key = self.text(f"a key of {what}", 1 << 10)
            if key in seen:
                self.refuse(f"a key of {what} stands twice", repr(key))
            if among and key not in among:
                self.refuse(f"{what} has an unknown key", repr(key), ", ".join(among))
            seen.add(key)
            yield key

    def _check_count(self, what: str, count: int, limit: int, least: int) -> None:
        if count > limit:
            self.refuse(f"{what} has too many entries", f"{count:,}", f"{limit:,}")
        if count * least > self.size - self.offset:
            self.refuse(
                f"the file ends inside {what}", f"{self.size - self.offset:,} bytes left",
                f"{count:,} entries", "copy or export it again",
            )  # fmt: skip

    def rows(self, what: str, height: int, width: int) -> NDArray[np.uint8]:
        """Return an array of `height` byte strings of `width` bytes, uint8 [height, width]."""
        at = self.offset
        prefix = head_of(ARRAY, height) + head_of(BYTES, width)
        step = len(prefix) - len(head_of(ARRAY, height)) + width
        size = len(head_of(ARRAY, height)) + height * step
        if height and size <= self.size - at and self.read(len(prefix), what) == prefix:
            # As every encoder writes it: all rows at once.
            rest = self.read(size - len(prefix), what)
            rows = np.frombuffer(prefix[-(step - width) :] + rest, np.uint8).reshape(height, step)
            heads = rows[:, : step - width]
            if (heads == heads[0]).all():
                return rows[:, step - width :]
        self.seek(at)
        pixels = np.empty((height, width), np.uint8)
        count = 0
        for row in self.items(what, height):
            pixels[row] = np.frombuffer(self.blob(f"a row of {what}", width), np.uint8)
            count += 1
        if count != height:
            self.refuse(f"{what} has another number of rows", count, height)
        return pixels

    def empty_maps(self, what: str, limit: int) -> int:
        """Go past an array of empty maps and return how many they are."""
        at = self.offset
        count = self._expect(what, ARRAY)
        if count is not None:
            self._check_count(what, count, limit, 1)
            if self.read(count, what).count(b"\xa0") == count:
                return count
        self.seek(at)
        count = 0
        for number in self.items(what, limit):
            for key in self.keys(f"an entry of {what}", 1):
                self.refuse(f"an entry of {what} must be an empty map", repr(key))
            count = number + 1
        return count

    def shape(self, what: str, limit: int) -> tuple[int, int]:
        """Return (height, width) of an array of byte strings that comes next, without going on.

        The width is the first row's.
        """
        at = self.offset
        widths = []
        for _ in self.items(what, limit):
            widths.append(self._length(f"a row of {what}", BYTES, limit))
            self.read(widths[-1], what)
        self.seek(at)
        return len(widths), widths[0] if widths else 0

    def seek(self, offset: int) -> None:
        """Go to a byte of the file."""
        self._file.seek(offset)
        self.offset = offset

    def end(self, what: str) -> None:
        """Refuse anything that comes after."""
        if self.offset != self.size:
            self.refuse(f"nothing may follow {what}", f"{self.size - self.offset:,} bytes more")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> CborReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def head_of(major: int, argument: int) -> bytes:
    """Return the shortest head of an item of that type with that length or value."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
    raise ValueError(f"{argument} needs more than 64 bits")
