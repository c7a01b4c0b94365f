"""The frame of every record: a mark of fixed size, then a body that is one msgpack map.

::

    mark (39 bytes)                                                    body        payloads
    [tag, offset, total, body length, CRC of body, CRC of this mark]   {...}       bin bin bin …

The mark is one msgpack array whose integers have fixed widths, so a reader knows the length of
what follows, and can check it against the file, before it decodes or allocates anything.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from inspector.recording.errors import CorruptRecordingError
from inspector.recording.limits import MAGIC, MAJOR, MAX_BODY, MAX_DEPTH

HEADER, CHUNK, SECTION, INDEX, END = b"HEAD", b"CHNK", b"SECT", b"INDX", b"DONE"

_MARK = struct.Struct(">BB4sBQBQBIBIBI")
MARK_SIZE = _MARK.size
_CHECKED = MARK_SIZE - 5
PREAMBLE = msgpack.packb(MAGIC) + msgpack.packb(MAJOR)
_END_BODY = b"\x81\xa5index\xcf"
END_SIZE = MARK_SIZE + len(_END_BODY) + 8


@dataclass(frozen=True)
class Mark:
    """The first object of a record."""

    tag: bytes
    offset: int
    total: int
    body_length: int
    body_crc: int

    @property
    def body_at(self) -> int:
        """Return the offset of the body."""
        return self.offset + MARK_SIZE

    @property
    def payloads_at(self) -> int:
        """Return the offset at which the payloads (or their padding) begin."""
        return self.offset + MARK_SIZE + self.body_length

    @property
    def end(self) -> int:
        """Return the offset of the first byte after the record."""
        return self.offset + self.total

    def pack(self) -> bytes:
        """Return the 39 bytes of the mark."""
        head = _MARK.pack(
            0x96, 0xA4, self.tag, 0xCF, self.offset, 0xCF, self.total,
            0xCE, self.body_length, 0xCE, self.body_crc, 0xCE, 0,
        )[:_CHECKED]  # fmt: skip
        return head + struct.pack(">BI", 0xCE, zlib.crc32(head))


def unpack_mark(data: bytes, offset: int) -> Mark | None:
    """Return the mark in `data`, or None when these bytes are not a mark written at `offset`."""
    if len(data) < MARK_SIZE:
        return None
    a, b, tag, c, own, d, total, e, length, f, crc, g, check = _MARK.unpack(data[:MARK_SIZE])
    if (a, b, c, d, e, f, g) != (0x96, 0xA4, 0xCF, 0xCF, 0xCE, 0xCE, 0xCE):
        return None
    if own != offset or zlib.crc32(data[:_CHECKED]) != check:
        return None
    return Mark(tag, own, total, length, crc)


def begins_mark(data: bytes, offset: int) -> bool:
    """Return whether `data`, shorter than a mark, is how a mark at `offset` may begin."""
    known = b"\x96\xa4"
    if data[: len(known)] != known[: len(data)]:
        return False
    place = b"\xcf" + struct.pack(">Q", offset)
    return data[6:15] == place[: max(0, len(data) - 6)]


def pack_body(body: dict[str, Any]) -> bytes:
    """Return a metadata map as msgpack; the caller has checked what is in it."""
    packed: bytes = msgpack.packb(body, use_bin_type=True)
    if len(packed) > MAX_BODY:
        raise CorruptRecordingError(
            "a metadata object is too large",
            value=f"{len(packed):,} bytes",
            limit=f"{MAX_BODY:,} bytes",
            advice="record fewer layers or shorten the class names",
        )
    return packed


def pack_end_body(index_offset: int) -> bytes:
    """Return the body of the end record, whose size is fixed so that it is found from the end."""
    return _END_BODY + struct.pack(">Q", index_offset)


def unpack_body(data: bytes, mark: Mark, path: str | Path) -> dict[str, Any]:
    """Return the metadata map in `data`, checked: CRC, types, depth, no duplicate keys.

    Raises
    ------
    CorruptRecordingError
        Naming the rule and the offset.
    """
    if zlib.crc32(data) != mark.body_crc:
        raise CorruptRecordingError("checksum of a metadata object", path=path, offset=mark.body_at)
    try:
        # Nothing but the plain types may come out: extension types (timestamps too) are refused.
        body = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_ext_len=0,
            object_pairs_hook=_unique_keys,
        )
        _check_plain(body, MAX_DEPTH)
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise CorruptRecordingError(
            "a metadata object cannot be read",
            path=path,
            offset=mark.body_at,
            value=str(error) or type(error).__name__,
        ) from None
    if not isinstance(body, dict):
        raise CorruptRecordingError(
            "a metadata object must be a map",
            path=path,
            offset=mark.body_at,
            value=type(body).__name__,
        )
    return body


def _unique_keys(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise ValueError(f"a key must be text, not {type(key).__name__}")
        if key in result:
            raise ValueError(f"key {key[:60]!r} stands twice")
        result[key] = value
    return result


_PLAIN = (type(None), bool, int, float, str, bytes)


def _check_plain(value: Any, depth: int) -> None:
    if isinstance(value, dict | list):
        if value and not depth:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        for item in value.values() if isinstance(value, dict) else value:
            if type(item) not in _PLAIN:
                _check_plain(item, depth - 1)
    elif type(value) not in _PLAIN:
        raise ValueError(f"type {type(value).__name__} is not allowed")
