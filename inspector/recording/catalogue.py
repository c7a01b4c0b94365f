"""What a file holds: found at once from its end, or by going from mark to mark.

A finished file is read from its last 55 bytes: the end record names the index, the index names
every chunk and section. Any other file is scanned: the marks say where the next record begins, so
a scan touches the marks and bodies alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inspector.recording.chunks import (
    ChunkAt,
    StoredRecord,
    check_layout,
    chunk_payloads,
    expected_images,
)
from inspector.recording.errors import (
    CorruptRecordingError,
    NotARecordingError,
    UnsupportedVersionError,
)
from inspector.recording.limits import MAGIC, MAJOR, MAX_BODY
from inspector.recording.model import Header
from inspector.recording.payloads import Payload, parse_payloads
from inspector.recording.records import (
    CHUNK,
    END,
    END_SIZE,
    HEADER,
    INDEX,
    MARK_SIZE,
    PREAMBLE,
    SECTION,
    Mark,
    begins_mark,
    unpack_body,
    unpack_mark,
)
from inspector.recording.schema import parse_header
from inspector.recording.source import Source


@dataclass
class Catalogue:
    """The records of a file that count.

    Attributes
    ----------
    header : Header
    chunks : list of ChunkAt
        In order, without a gap.
    sections : dict of str to int
        Name to offset of the record; empty while the file is unfinished.
    finished : bool
        Whether a valid end record stands.
    end : int
        The first byte after what counts: of the last end record, or of the last whole chunk.
    torn : int
        Bytes after the last whole record.
    """

    header: Header
    chunks: list[ChunkAt] = field(default_factory=list)
    sections: dict[str, int] = field(default_factory=dict)
    finished: bool = False
    end: int = 0
    torn: int = 0

    @property
    def images(self) -> int:
        """Return how many images can be read."""
        return self.chunks[-1].start + self.chunks[-1].images if self.chunks else 0


def read_mark(source: Source, offset: int, tag: bytes = b"") -> Mark:
    """Return the mark at `offset`, which must be whole, be of `tag` and fit into the file."""
    mark = unpack_mark(source.read(offset, MARK_SIZE), offset)
    if mark is None or (tag and mark.tag != tag):
        raise CorruptRecordingError(
            "a record must begin here", path=source.path, offset=offset,
            advice="run `inspector recover` to save what is whole",
        )  # fmt: skip
    if mark.body_length > MAX_BODY:
        raise CorruptRecordingError(
            "length of a metadata object", path=source.path, offset=offset,
            value=mark.body_length, limit=MAX_BODY,
        )  # fmt: skip
    if mark.total < MARK_SIZE + mark.body_length:
        raise CorruptRecordingError(
            "a record is longer than its parts", path=source.path, offset=offset,
            value=mark.total, limit=MARK_SIZE + mark.body_length,
        )  # fmt: skip
    if mark.end > source.size:
        raise CorruptRecordingError(
            "a record ends beyond the end of the file", path=source.path, offset=offset,
            value=mark.total, limit=source.size - offset,
        )  # fmt: skip
    return mark


def read_body(source: Source, mark: Mark) -> dict[str, Any]:
    """Return the metadata map of a record."""
    return unpack_body(source.read(mark.body_at, mark.body_length), mark, source.path)


def read_record(source: Source, mark: Mark) -> tuple[dict[str, Any], list[Payload]]:
    """Return the body (its payload list taken out) and the payloads of a record."""
    body = read_body(source, mark)
    room = mark.end - mark.payloads_at
    return body, parse_payloads(body.pop("payloads", []), source.path, mark.offset, room)


def stored_record(source: Source, mark: Mark) -> StoredRecord:
    """Return a record ready to read from, its payloads placed; they must fill it exactly."""
    body, payloads = read_record(source, mark)
    record = StoredRecord(source, body, payloads, mark.payloads_at)
    if record.end != mark.end:
        raise CorruptRecordingError(
            "payloads must fill their record", path=source.path, offset=mark.offset,
            value=record.end - mark.offset, limit=mark.total,
        )  # fmt: skip
    return record


def read_header(source: Source) -> tuple[Header, int]:
    """Return the header and the offset after it.

    Raises
    ------
    NotARecordingError
        If the file is something else, or ends before its header does.
    UnsupportedVersionError
        If it is of another major version.
    """
    head = source.read(0, min(source.size, 64))
    magic, version = PREAMBLE[:-1], PREAMBLE[-1:]
    if head[: len(magic)] != magic[: len(head)] or not head:
        raise NotARecordingError(
            "this is not a recording", path=source.path, value=what_it_is(head),
            advice=f"a recording begins with {MAGIC!r}",
        )  # fmt: skip
    found = head[len(magic) : len(magic) + 1]
    if found and found != version:
        raise UnsupportedVersionError(
            "major version of the recording", path=source.path, offset=len(magic),
            value=found[0] if found[0] < 0x80 else f"byte {found[0]:#x}",
            limit=f"this program reads version {MAJOR}",
            advice="use the Inspector that wrote it, or a newer one",
        )  # fmt: skip
    mark = None
    at = len(PREAMBLE)
    if source.size >= at + MARK_SIZE:
        mark = unpack_mark(source.read(at, MARK_SIZE), at)
        if mark is None or mark.tag != HEADER:
            raise CorruptRecordingError("the header must begin here", path=source.path, offset=at)
        if mark.end <= source.size:
            mark = read_mark(source, at, HEADER)
            header = parse_header(read_body(source, mark), source.path, at)
            if mark.end != mark.payloads_at:
                raise CorruptRecordingError("a header has no payloads", path=source.path, offset=at)
            return header, mark.end
    raise NotARecordingError(
        "the recording ends before its header does: nothing was recorded yet",
        path=source.path, value=f"{source.size:,} bytes",
    )  # fmt: skip


def what_it_is(head: bytes) -> str:
    """Return what a file that is no recording looks like, from its first bytes."""
    if not head:
        return "an empty file"
    known = {
        b"PK\x03\x04": "a ZIP archive (a PyTorch or .npz file?)",
        b"\x80\x02": "a Python pickle", b"\x80\x03": "a Python pickle",
        b"\x80\x04": "a Python pickle", b"\x80\x05": "a Python pickle",
        b"\x93NUMPY": "a NumPy array", b"\xff\xd8\xff": "a JPEG image",
        b"\x89PNG": "a PNG image", b"\x89HDF": "an HDF5 file", b"GGUF": "a GGUF model",
        b"\x1f\x8b": "a gzip archive", b"SQLite": "an SQLite database", b"%PDF": "a PDF",
        b"PAR1": "a Parquet file",
        b"\x7fELF": "a program", b"\x28\xb5\x2f\xfd": "a zstd archive", b"{": "text (JSON?)",
        b"\x08": "protobuf (an ONNX model?)",
    }  # fmt: skip
    for start, words in known.items():
        if head.startswith(start):
            return words
    if b"dtype" in head or b"layers" in head or b"suffix" in head:
        return "a Deephys file (see `inspector import`)?"
    printable = all(32 <= byte < 127 or byte in b"\r\n\t" for byte in head)
    return f"text beginning {head[:24].decode()!r}" if printable else f"bytes {head[:8].hex(' ')}"


def load_catalogue(source: Source) -> Catalogue:
    """Return what the file holds, from its end if that is whole, by a scan otherwise."""
    header, after = read_header(source)
    if source.size >= after + END_SIZE:
        at = source.size - END_SIZE
        mark = unpack_mark(source.read(at, MARK_SIZE), at)
        if mark is not None and mark.tag == END and mark.end == source.size:
            return _from_end(source, header, mark, Catalogue(header, end=mark.end), after)
    return scan(source, header, after)


def scan(source: Source, header: Header, after: int) -> Catalogue:
    """Return what the file holds by going from mark to mark; the last valid end wins."""
    catalogue = Catalogue(header, end=after)
    position = after
    last_end: Mark | None = None
    while position < source.size:
        left = source.size - position
        head = source.read(position, min(left, MARK_SIZE))
        mark = unpack_mark(head, position)
        if mark is None:
            if is_torn(source, position, head):
                break
            raise CorruptRecordingError(
                "a record must begin here, or the file end", path=source.path, offset=position,
                value=f"bytes {head[:8].hex(' ')}",
                advice="run `inspector recover` to save what is whole",
            )  # fmt: skip
        if mark.end > source.size:
            break
        mark = read_mark(source, position)
        if mark.tag == CHUNK:
            if last_end is not None:
                raise CorruptRecordingError(
                    "a chunk after the end record", path=source.path, offset=position
                )
            catalogue.chunks.append(read_chunk_at(source, header, mark, catalogue.images))
            catalogue.end = mark.end
        elif mark.tag in (SECTION, INDEX):
            read_body(source, mark)
        elif mark.tag == END:
            last_end = mark
        elif mark.tag == HEADER:
            raise CorruptRecordingError("a second header", path=source.path, offset=position)
        position = mark.end
    if last_end is not None:
        catalogue.end = last_end.end
        catalogue = _from_end(source, header, last_end, catalogue, after)
    catalogue.torn = source.size - position
    return catalogue


def is_torn(source: Source, position: int, head: bytes) -> bool:
    """Return whether the bytes after the last record are what a broken-off write leaves.

    `head` are the first of them, at most a mark's. A power cut can leave the length of a write
    without its bytes: zeros to the end.
    """
    if not any(head):
        zeros = bytes(1 << 22)
        return all(
            source.view(at, min(len(zeros), source.size - at)) == zeros[: source.size - at]
            for at in range(position, source.size, len(zeros))
        )
    return len(head) < MARK_SIZE and begins_mark(head, position)


def read_chunk_at(source: Source, header: Header, mark: Mark, start: int) -> ChunkAt:
    """Return a chunk's place; its body must be the next one of the grid."""
    record = chunk_record(source, header, mark, start)
    return ChunkAt(mark.offset, mark.end, mark.payloads_at, start, record.body["images"])


def chunk_record(source: Source, header: Header, mark: Mark, start: int) -> StoredRecord:
    """Return a chunk's payloads, checked against the header's layout."""
    record = stored_record(source, mark)
    images = expected_images(header, start)
    if record.body != {"start": start, "images": images} or not images:
        raise CorruptRecordingError(
            "a chunk lies on the grid", path=source.path, offset=mark.offset,
            value=record.body, limit=f"start {start}, images {images}",
        )  # fmt: skip
    payloads = [array.payload for array in record.arrays.values()]
    check_layout(payloads, chunk_payloads(header, images), source.path, mark.offset)
    return record


def chunk_at(source: Source, header: Header, chunk: ChunkAt) -> StoredRecord:
    """Return the payloads of a chunk that was found before."""
    mark = read_mark(source, chunk.offset, CHUNK)
    if (mark.end, mark.payloads_at) != (chunk.end, chunk.payloads_at):
        raise CorruptRecordingError(
            "the index says where a chunk lies", path=source.path, offset=chunk.offset
        )
    return chunk_record(source, header, mark, chunk.start)


def _from_end(
    source: Source, header: Header, mark: Mark, catalogue: Catalogue, after: int
) -> Catalogue:
    """Fill a catalogue from the index that an end record names."""
    body = read_body(source, mark)
    offset = body.get("index")
    if list(body) != ["index"] or type(offset) is not int or not after <= offset < mark.offset:
        raise CorruptRecordingError(
            "the end record names the index", path=source.path, offset=mark.offset, value=body
        )
    index_mark = read_mark(source, offset, INDEX)
    record = stored_record(source, index_mark)
    if index_mark.end != mark.offset or list(record.arrays) != ["chunks", "header"]:
        raise CorruptRecordingError(
            "the index stands before its end record", path=source.path, offset=offset
        )
    table = record["chunks"].read()
    flat = table.shape
    count = -(-header.images // header.chunk)
    if flat != (3 * count,) or table.dtype != np.int64:
        raise CorruptRecordingError(
            "the index names every chunk", path=source.path, offset=offset,
            value=list(flat), limit=[3 * count],
        )  # fmt: skip
    edges = np.concatenate([[after], table, [offset]])
    if bool((np.diff(edges) < 0).any()):
        raise CorruptRecordingError(
            "chunks of the index follow one another", path=source.path, offset=offset
        )
    catalogue.chunks = [
        ChunkAt(
            at, end, payloads, number * header.chunk, expected_images(header, number * header.chunk)
        )
        for number, (at, payloads, end) in enumerate(table.reshape(-1, 3).tolist())
    ]
    catalogue.sections = _sections(source, record.body.get("sections"), offset, edges[-2])
    catalogue.finished = True
    return catalogue


def _sections(source: Source, entries: Any, index_at: int, low: Any) -> dict[str, int]:
    sections: dict[str, int] = {}
    for entry in entries if isinstance(entries, list) else [None]:
        if (
            not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str)
            or type(entry[1]) is not int or not low <= entry[1] < index_at or entry[0] in sections
        ):  # fmt: skip
            raise CorruptRecordingError(
                "sections of the index", path=source.path, offset=index_at, value=entry
            )
        sections[entry[0]] = entry[1]
    return sections
