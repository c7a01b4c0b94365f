"""Find what lies where in a tar file, reading its headers only.

Nothing is ever extracted, and names are only labels: no path of an archive reaches the file
system. Links, devices and folders are passed over. Long names (GNU, pax) are read within bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inspector.stimuli.errors import ArchiveError

_BLOCK = 512
_MOST_NAME_BYTES = 1 << 16
MOST_MEMBERS = 50_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name, and where its bytes lie."""

    name: str
    offset: int
    size: int


def tar_members(path: Path) -> Iterator[Member]:
    """Yield the regular files of an uncompressed tar archive in their order.

    Raises
    ------
    ArchiveError
        When it is no tar archive, compressed, cut short, or a header is broken.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        yield from _members(path, file, length)


def _members(path: Path, file: BinaryIO, length: int) -> Iterator[Member]:
    place, count = 0, 0
    long_name: str | None = None
    long_size: int | None = None
    while place < length:
        file.seek(place)
        head = file.read(_BLOCK)
        if len(head) < _BLOCK:
            raise _broken(path, place, "is cut short")
        if head == bytes(_BLOCK):
            if place == 0:
                raise _broken(path, place, "is empty")
            return
        if not _is_header(head):
            raise _broken(path, place, "has no tar header there")
        size = _number(head[124:136])
        kind = head[156:157]
        start = place + _BLOCK
        if kind in b"LKxg":
            if size > _MOST_NAME_BYTES:
                raise _broken(path, place, f"has a name of {size:,} bytes")
            content = file.read(size)
            if kind == b"L":
                long_name = _text(content)
            elif kind == b"x":
                names = _pax(content)
                long_name = names.get("path", long_name)
                if "size" in names:
                    long_size = int(names["size"]) if names["size"].isdigit() else -1
        else:
            if long_size is not None:
                size = long_size
            if size < 0 or start + size > length:
                raise _broken(path, place, f"claims a file of {size:,} bytes, past its end")
            if kind in b"0\0":
                yield Member(long_name if long_name is not None else _name(head), start, size)
            long_name = long_size = None
        place = start + (size + _BLOCK - 1) // _BLOCK * _BLOCK
        count += 1
        if count > MOST_MEMBERS:
            raise _broken(path, place, f"has more than {MOST_MEMBERS:,} members")


def _is_header(head: bytes) -> bool:
    """Check the sum of a header's bytes, its own field counted as blanks."""
    try:
        said = int(head[148:156].split(b"\0")[0].strip() or b"-1", 8)
    except ValueError:
        return False
    return said == sum(head) - sum(head[148:156]) + 8 * 32


def _number(field: bytes) -> int:
    """Octal text, or binary where the first bit is set (GNU, for sizes beyond 8 GiB)."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
    try:
        return int(field.split(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return -1


def _name(head: bytes) -> str:
    name, prefix = _text(head[:100]), _text(head[345:500])
    return f"{prefix}/{name}" if prefix and head[257:262] == b"ustar" else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _pax(content: bytes) -> dict[str, str]:
    """Read records of `LENGTH KEY=VALUE`."""
    found = {}
    while content:
        digits, _, _ = content.partition(b" ")
        if not digits.isdigit() or not 0 < int(digits[:9]) <= len(content):
            break
        record = content[len(digits) + 1 : int(digits[:9])].rstrip(b"\n")
        key, _, value = record.partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        content = content[int(digits[:9]) :]
    return found


def _broken(path: Path, place: int, reason: str) -> ArchiveError:
    return ArchiveError(
        f"{path}: {reason} (byte {place:,}); give an uncompressed tar file that is whole"
    )
