"""Checking a recording whole: every byte, and that index, columns and summary say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from inspector.recording.catalogue import (
    Catalogue,
    is_torn,
    load_catalogue,
    read_body,
    read_header,
    read_mark,
    stored_record,
)
from inspector.recording.check import check_chunk, check_record
from inspector.recording.errors import CorruptRecordingError, RecordingError
from inspector.recording.finish import sections_of
from inspector.recording.model import Header
from inspector.recording.records import CHUNK, END, INDEX, MARK_SIZE, SECTION, Mark, unpack_mark
from inspector.recording.source import Source

_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Verification:
    """What checking a recording found.

    Attributes
    ----------
    path : str
    finished : bool
    images, planned : int
        Images that are whole, and images of the finished recording.
    size : int
        Bytes of the file.
    torn : int
        Bytes of a write that was broken off at the end.
    problems : tuple of RecordingError
        Every rule broken, at most 100; empty when the file is good.
    """

    path: str
    finished: bool
    images: int
    planned: int
    size: int
    torn: int
    problems: tuple[RecordingError, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 good, 3 unfinished but good as far as it goes, 1 bad."""
        if self.problems:
            return 1
        return 0 if self.finished and not self.torn else 3


def verify(
    path: str | PathLike[str], on_progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Check every checksum of a recording, and that its parts agree.

    Parameters
    ----------
    path : path
        A file.
    on_progress : callable, optional
        Called with (bytes checked, bytes).

    Raises
    ------
    RecordingReadError
        If the file cannot be opened; what is wrong inside is reported, not raised.
    """
    source = Source(path)
    try:
        return _verify(source, on_progress or (lambda done, size: None))
    finally:
        source.close()


def _verify(source: Source, on_progress: Callable[[int, int], None]) -> Verification:
    try:
        header, after = read_header(source)
    except RecordingError as error:
        return Verification(source.path, False, 0, 0, source.size, 0, (error,))
    walk = _Walk(source, header, after, on_progress)
    walk.run()
    finished = walk.ended
    if not walk.problems:
        try:
            catalogue = load_catalogue(source)
            finished = catalogue.finished
            walk.problems += _compare(source, catalogue, walk)
        except RecordingError as error:
            walk.problems.append(error)
    return Verification(
        source.path, finished, min(walk.images, header.images), header.images, source.size,
        walk.torn, tuple(walk.problems[:_MOST_PROBLEMS]),
    )  # fmt: skip


class _Walk:
    """Goes from record to record and checks each."""

    def __init__(
        self, source: Source, header: Header, after: int, on_progress: Callable[[int, int], None]
    ) -> None:
        self.source = source
        self.header = header
        self.position = after
        self.on_progress = on_progress
        self.problems: list[RecordingError] = []
        self.chunks: list[Mark] = []
        self.sections: dict[int, str] = {}
        self.images = 0
        self.torn = 0
        self.ended = False

    def run(self) -> None:
        source = self.source
        while self.position < source.size and len(self.problems) < _MOST_PROBLEMS:
            head = source.read(self.position, min(MARK_SIZE, source.size - self.position))
            mark = unpack_mark(head, self.position)
            if mark is None and not is_torn(source, self.position, head):
                self.problems.append(
                    CorruptRecordingError(
                        "a record must begin here, or the file end", path=source.path,
                        offset=self.position, value=f"bytes {head[:8].hex(' ')}",
                    )
                )  # fmt: skip
                return
            if mark is None or mark.end > source.size:
                self.torn = source.size - self.position
                return
            try:
                self.check(read_mark(source, self.position))
            except CorruptRecordingError as error:
                self.problems.append(error)
            self.position = mark.end
            self.on_progress(self.position, source.size)

    def check(self, mark: Mark) -> None:
        if mark.tag == CHUNK:
            self.problems += check_chunk(self.source, self.header, mark, self.images)
            self.images += self.header.chunk
            self.chunks.append(mark)
        elif mark.tag in (SECTION, INDEX):
            broken = check_record(self.source, mark)
            self.problems += broken
            if mark.tag == SECTION and not broken:
                self.add_section(mark)
        else:
            body = read_body(self.source, mark)
            if mark.tag == END:
                self.ended = True
                if list(body) != ["index"] or mark.end != mark.payloads_at:
                    raise CorruptRecordingError(
                        "the end record names the index", path=self.source.path,
                        offset=mark.offset, value=body,
                    )  # fmt: skip

    def add_section(self, mark: Mark) -> None:
        body = read_body(self.source, mark)
        name, replaced = body.get("name"), body.get("replaces")
        before = [offset for offset, each in self.sections.items() if each == name]
        if not isinstance(name, str) or replaced != max(before, default=0):
            raise CorruptRecordingError(
                "a section names itself and the one that it replaces", path=self.source.path,
                offset=mark.offset, value=replaced, limit=max(before, default=0),
            )  # fmt: skip
        self.sections[mark.offset] = name


def _compare(source: Source, catalogue: Catalogue, walk: _Walk) -> Iterator[RecordingError]:
    """Yield where the index, or a section made from the chunks, differs from the chunks."""
    if not catalogue.finished:
        return
    by_index = [(chunk.offset, chunk.payloads_at, chunk.end) for chunk in catalogue.chunks]
    if by_index != [(mark.offset, mark.payloads_at, mark.end) for mark in walk.chunks]:
        yield CorruptRecordingError("the index names the chunks that are there", path=source.path)
        return
    for name, offset in catalogue.sections.items():
        if walk.sections.get(offset) != name:
            yield CorruptRecordingError(
                "the index names the sections that are there", path=source.path, value=name
            )
            return
    for name, meta, payloads, *_ in sections_of(source, catalogue.header, catalogue.chunks):
        if name not in catalogue.sections:
            yield CorruptRecordingError(
                "a finished recording has its sections", path=source.path, value=name
            )
            continue
        record = stored_record(source, read_mark(source, catalogue.sections[name], SECTION))
        stored = [array.payload for array in record.arrays.values()]
        made = [writer.payload for writer in payloads]
        if stored != made and not _close(record.arrays, payloads):
            yield CorruptRecordingError(
                "a section says what the chunks say", path=source.path,
                offset=catalogue.sections[name], value=name,
            )  # fmt: skip
        elif record.body.get("meta") != meta:
            yield CorruptRecordingError(
                "a section's facts", path=source.path, offset=catalogue.sections[name], value=name
            )


def _close(arrays: object, payloads: object) -> bool:
    """Return whether two summaries agree: float64 sums may differ in the last bit elsewhere."""
    from inspector.recording.payloads import DTYPES, PayloadWriter, StoredArray

    assert isinstance(arrays, dict)
    assert isinstance(payloads, list)
    for stored, made in zip(arrays.values(), payloads, strict=False):
        assert isinstance(stored, StoredArray)
        assert isinstance(made, PayloadWriter)
        if replace(stored.payload, crc=0) != replace(made.payload, crc=0):
            return False
        values = np.frombuffer(made.data, DTYPES[made.payload.dtype]).reshape(made.payload.shape)
        exact = not stored.payload.dtype.startswith("float")
        tolerance = 0.0 if exact else 1e-9
        if not np.allclose(stored.read(), values, tolerance, tolerance, equal_nan=not exact):
            return False
    return len(arrays) == len(payloads)
