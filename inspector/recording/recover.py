"""Saving what is whole of a damaged or broken-off recording into a new file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from inspector.recording.catalogue import (
    chunk_record,
    read_header,
    read_mark,
    stored_record,
)
from inspector.recording.check import check_chunk, checked_arrays
from inspector.recording.errors import CorruptRecordingError, RecordingError
from inspector.recording.model import Header
from inspector.recording.records import (
    CHUNK,
    END,
    END_SIZE,
    INDEX,
    MARK_SIZE,
    PREAMBLE,
    SECTION,
    Mark,
    unpack_body,
    unpack_mark,
)
from inspector.recording.replacing import whole_recording
from inspector.recording.salvage import lost_arrays, salvage
from inspector.recording.schema import parse_header
from inspector.recording.sections import is_made, write_sections
from inspector.recording.source import Source
from inspector.recording.writer import RecordingWriter

_STEP = 1 << 20


@dataclass(frozen=True)
class Recovery:
    """What recovering saved.

    Attributes
    ----------
    path : str
        The new file.
    images, planned : int
        Images in the new file, and images of the whole recording.
    lost_images : int
        Images of the new file that are skipped because they were lost.
    finished : bool
        Whether the new file is finished; otherwise recording can be resumed.
    lost : tuple of str
        What was lost, in words; empty when nothing was.
    """

    path: str
    images: int
    planned: int
    lost_images: int
    finished: bool
    lost: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 complete, 3 something was lost, 1 nothing recovered."""
        if self.planned and self.lost_images == self.images:
            return 1
        return 3 if self.lost else 0


def recover(
    path: str | PathLike[str],
    out: str | PathLike[str],
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Write what is whole of a recording into a new one.

    Every image keeps its number: those of a lost chunk become skipped, with the reason. Of a
    damaged chunk only the damaged units, columns and thumbnails are lost.

    Parameters
    ----------
    path, out : path
        The damaged file, which is left as it is, and the new one.
    overwrite : bool
    on_progress : callable, optional
        Called with (images done, images).

    Raises
    ------
    RecordingError
        If not even the header can be found, or `out` cannot be written.
    """
    source = Source(path)
    try:
        header, lost = _find_header(source)
        marks, more = _find_records(source)
        with whole_recording(Path(out), [path], overwrite=overwrite) as part:
            made = _write(source, header, marks, [*lost, *more], part, on_progress)
        return replace(made, path=str(out))
    finally:
        source.close()


def _find_header(source: Source) -> tuple[Header, list[str]]:
    """Return the header, from its copy in the index where it is damaged itself."""
    try:
        return read_header(source)[0], []
    except RecordingError as error:
        at = source.size - END_SIZE
        if at <= 0:
            raise
        try:
            end = read_mark(source, at, END)
            body = unpack_body(source.read(end.body_at, end.body_length), end, source.path)
            index = stored_record(source, read_mark(source, int(body["index"]), INDEX))
            packed = bytes(index["header"].read())
            import zlib

            copy = Mark(b"HEAD", 0, 0, len(packed), zlib.crc32(packed))
            header = parse_header(unpack_body(packed, copy, source.path), source.path, 0)
        except (RecordingError, KeyError, TypeError, ValueError):
            raise error from None
        return header, ["the header (its copy was used)"]


def _find_records(source: Source) -> tuple[list[Mark], list[str]]:
    """Return every mark that is whole, looking for the next one after a damaged place."""
    marks: list[Mark] = []
    lost: list[str] = []
    position = len(PREAMBLE)
    while position < source.size:
        head = source.read(position, min(MARK_SIZE, source.size - position))
        mark = unpack_mark(head, position)
        if mark is not None and mark.end <= source.size:
            marks.append(mark)
            position = mark.end
            continue
        found = _next_mark(source, position + 1)
        lost.append(f"bytes {position:,} to {found - 1:,}")
        position = found
    return marks, lost


def _next_mark(source: Source, position: int) -> int:
    """Return the offset of the next whole mark, or the end of the file."""
    while position < source.size:
        data = source.read(position, min(_STEP + MARK_SIZE, source.size - position))
        at = data.find(b"\x96\xa4")
        while at >= 0:
            if unpack_mark(data[at : at + MARK_SIZE], position + at) is not None:
                return position + at
            at = data.find(b"\x96\xa4", at + 1)
        position += _STEP
    return source.size


def _write(
    source: Source,
    header: Header,
    marks: list[Mark],
    lost: list[str],
    out: Path,
    on_progress: Callable[[int, int], None] | None,
) -> Recovery:
    chunks = _starts(source, header, marks)
    complete = any(mark.tag == END for mark in marks)
    stop = header.images if complete else max(chunks, default=-header.chunk) + header.chunk
    lost_images = 0
    with RecordingWriter.create(out, header, overwrite=True) as writer:
        while writer.next_image < min(stop, header.images):
            start = writer.next_image
            mark = chunks.get(start)
            if mark is None:
                arrays = lost_arrays(header, start, "lost: the file was damaged here")
                damage = ["everything"]
                lost_images += min(header.chunk, header.images - start)
            else:
                record = chunk_record(source, header, mark, start)
                damage = []
                if check_chunk(source, header, mark, start):
                    arrays, damage = salvage(header, start, record)
                else:
                    arrays = checked_arrays(record)
            writer.append_arrays(arrays)
            last = writer.next_image - 1
            lost += [f"of images {start} to {last}: {each}" for each in damage]
            if on_progress is not None:
                on_progress(writer.next_image, header.images)
        finished = writer.next_image == header.images
        if finished:
            writer.finish()
        else:
            lost.append(f"images {writer.next_image} to {header.images - 1}: never recorded whole")
        images = writer.next_image
    if finished:
        lost += _copy_sections(source, marks, out)
    return Recovery(str(out), images, header.images, lost_images, finished, tuple(lost))


def _starts(source: Source, header: Header, marks: list[Mark]) -> dict[int, Mark]:
    """Return first image → mark of every chunk whose list of payloads is whole."""
    chunks: dict[int, Mark] = {}
    for mark in marks:
        if mark.tag != CHUNK:
            continue
        try:
            body = unpack_body(source.read(mark.body_at, mark.body_length), mark, source.path)
            start = body.get("start")
            if type(start) is int and start % header.chunk == 0 and 0 <= start < header.images:
                chunk_record(source, header, mark, start)
                chunks.setdefault(start, mark)
        except CorruptRecordingError:
            continue
    return chunks


def _copy_sections(source: Source, marks: list[Mark], out: Path) -> list[str]:
    """Copy what was added to the recording: the newest whole section of each name."""
    found = {}
    lost = []
    for mark in marks:
        if mark.tag != SECTION:
            continue
        try:
            record = stored_record(source, mark)
            name, meta = str(record.body["name"]), dict(record.body["meta"])
            if not is_made(name):
                arrays = {key: stored.read() for key, stored in record.arrays.items()}
                found[name] = (name, meta, arrays)
        except (RecordingError, KeyError, TypeError, ValueError):
            lost.append(f"a section at byte {mark.offset:,}")
    if found:
        write_sections(out, list(found.values()))
    return lost
