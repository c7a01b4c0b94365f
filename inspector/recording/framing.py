"""Framing: from a body and its payloads to the bytes of one record, appended in one write."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inspector.recording.chunks import ChunkAt
from inspector.recording.model import Header
from inspector.recording.output import Output
from inspector.recording.payloads import PayloadWriter
from inspector.recording.records import (
    END,
    INDEX,
    MARK_SIZE,
    Mark,
    pack_body,
    pack_end_body,
)
from inspector.recording.schema import pack_header


def write_record(
    output: Output, tag: bytes, body: dict[str, Any], payloads: Sequence[PayloadWriter]
) -> Mark:
    """Append one record and return its mark."""
    described = {**body, "payloads": [writer.payload.describe() for writer in payloads]}
    buffers, mark = framed(tag, output.size, pack_body(described), payloads)
    output.append(buffers)
    return mark


def write_end(
    output: Output, header: Header, chunks: Sequence[ChunkAt], sections: Mapping[str, int]
) -> None:
    """Write index and end, with the disk synchronised before the end and after it.

    The index repeats the header: it is the one record without which nothing can be read.
    """
    table = np.array([(c.offset, c.payloads_at, c.end) for c in chunks], np.int64).reshape(-1)
    entries = [[name, offset] for name, offset in sections.items()]
    copy = np.frombuffer(pack_body(pack_header(header)), np.uint8)
    payloads = [PayloadWriter("chunks", table), PayloadWriter("header", copy)]
    index = write_record(output, INDEX, {"sections": entries}, payloads)
    output.sync()
    output.append(frame(END, output.size, pack_end_body(index.offset)))
    output.sync()


def frame(tag: bytes, offset: int, body: bytes) -> list[bytes | memoryview]:
    """Return the bytes of a record without payloads."""
    return framed(tag, offset, body, [])[0]


def framed(
    tag: bytes, offset: int, body: bytes, payloads: Sequence[PayloadWriter]
) -> tuple[list[bytes | memoryview], Mark]:
    """Return the bytes of a record that begins at `offset`, in pieces, and its mark."""
    buffers: list[bytes | memoryview] = []
    position = offset + MARK_SIZE + len(body)
    for writer in payloads:
        more, position = writer.buffers(position)
        buffers += more
    mark = Mark(tag, offset, position - offset, len(body), zlib.crc32(body))
    return [mark.pack(), body, *buffers], mark
