"""Writing a recording: chunk after chunk on the grid, then what makes it quick to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from inspector.recording.catalogue import Catalogue, load_catalogue, read_mark
from inspector.recording.check import check_chunk
from inspector.recording.chunks import ChunkAt, chunk_writers, expected_images, writers_of
from inspector.recording.errors import (
    InvalidRecordingInputError,
    RecordingExistsError,
    RecordingWriteError,
    ResumeMismatchError,
)
from inspector.recording.framing import frame, write_end, write_record
from inspector.recording.memory import keep_freed_memory
from inspector.recording.model import Chunk, Header
from inspector.recording.output import Output
from inspector.recording.payloads import PayloadWriter
from inspector.recording.records import CHUNK, HEADER, PREAMBLE, SECTION, Mark, pack_body
from inspector.recording.schema import check_header, first_difference, pack_header
from inspector.recording.source import Source


class RecordingWriter:
    """Writes one recording; a context manager that holds the writer's lock.

    Leaving the context closes the file but does not finish it: only :meth:`finish` does. What
    :meth:`append` returned from is in the file, even if the process is killed right after.

    The file is put on the disk (fsync) after the header, before the end record and after it.

    Attributes
    ----------
    path : Path
    header : Header
    next_image : int
        The first image that the next chunk must hold; where to go on after resuming.
    finished : bool
    """

    def __init__(self, output: Output, header: Header, catalogue: Catalogue) -> None:
        self.path = output.path
        self.header = header
        self.finished = catalogue.finished
        self._output = output
        self._chunks = list(catalogue.chunks)
        self._failed = False
        keep_freed_memory()

    @property
    def next_image(self) -> int:
        """Return the number of the first image not yet recorded."""
        last = self._chunks[-1] if self._chunks else None
        return last.start + last.images if last else 0

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], header: Header, *, overwrite: bool = False
    ) -> RecordingWriter:
        """Begin a recording.

        Raises
        ------
        RecordingExistsError
            If there is a file and `overwrite` is not given.
        RecordingLockedError
            If the file to overwrite is being written by another process.
        InvalidRecordingInputError
            If the header breaks a rule.
        RecordingWriteError
            If the operating system refuses.
        """
        target = Path(path)
        body = check_header(header)
        packed = pack_body(body)
        if overwrite and os.path.lexists(target):
            _unlink(target)
        try:
            output = Output.open(target, create=True)
        except FileExistsError:
            raise RecordingExistsError(
                "there is a file of that name", path=target,
                advice="go on with --resume, replace it with --overwrite, or choose another name",
            ) from None  # fmt: skip
        try:
            output.append([PREAMBLE, *frame(HEADER, len(PREAMBLE), packed)])
            output.sync()
            output.sync_folder()
        except BaseException:
            output.close()
            target.unlink(missing_ok=True)
            raise
        return cls(output, header, Catalogue(header))

    @classmethod
    def resume(cls, path: str | os.PathLike[str], header: Header) -> RecordingWriter:
        """Go on with a recording: cut a torn tail and continue at the next grid point.

        A finished recording comes back with `finished` set and nothing to do.

        Raises
        ------
        ResumeMismatchError
            If the recording was begun with another header; the message names the difference.
        RecordingLockedError
            If another process is writing it.
        NotARecordingError, CorruptRecordingError
            If the file cannot be gone on with.
        """
        target = Path(path)
        check_header(header)
        output = Output.open(target, create=False)
        try:
            source = Source(target)
            try:
                catalogue = load_catalogue(source)
                _compare(target, catalogue.header, header)
                if not catalogue.finished:
                    _drop_bad_last_chunk(source, catalogue)
            finally:
                source.close()
            if output.size != catalogue.end:
                output.truncate(catalogue.end)
        except BaseException:
            output.close()
            raise
        return cls(output, header, catalogue)

    def append(self, chunk: Chunk) -> None:
        """Write one chunk: images `next_image` to the next grid point.

        Raises
        ------
        InvalidRecordingInputError
            If the chunk does not fit the header or the grid; nothing was written.
        RecordingWriteError
            If the disk is full or broken; everything appended before is safe.
        """
        self._append(self._payloads(chunk, self.next_image))

    def extend(self, chunks: Iterable[Chunk]) -> None:
        """Write several chunks: each is made ready while the one before it is written.

        Raises
        ------
        InvalidRecordingInputError, RecordingWriteError
            As :meth:`append`; the chunks before the one that failed are in the file.
        """
        start = self.next_image
        waiting: Future[None] | None = None
        with ThreadPoolExecutor(1) as pool:
            for chunk in chunks:
                payloads = self._payloads(chunk, start)
                start += expected_images(self.header, start)
                if waiting is not None:
                    waiting.result()
                waiting = pool.submit(self._append, payloads)
        if waiting is not None:
            waiting.result()

    def _payloads(self, chunk: Chunk, start: int) -> list[PayloadWriter]:
        self._usable()
        if chunk.start != start or not expected_images(self.header, start):
            raise InvalidRecordingInputError(
                "a chunk begins where the last one ended", path=self.path,
                value=chunk.start, limit=f"{start} of {self.header.images}",
            )  # fmt: skip
        return writers_of(self.header, chunk)

    def append_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the next chunk from its stored arrays, as read from another recording."""
        self._usable()
        images = expected_images(self.header, self.next_image)
        self._append(chunk_writers(self.header, images, arrays))

    def _append(self, payloads: Sequence[PayloadWriter]) -> None:
        start = self.next_image
        images = expected_images(self.header, start)
        mark = self._write(CHUNK, {"start": start, "images": images}, payloads)
        self._chunks.append(ChunkAt(mark.offset, mark.end, mark.payloads_at, start, images))

    def finish(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Gather the columns, make the summary and write the index: the recording is complete.

        Parameters
        ----------
        on_progress : callable, optional
            Called with (steps done, steps) as sections are written.

        Raises
        ------
        InvalidRecordingInputError
            If images are missing.
        """
        if self.finished:
            return
        self._usable()
        if self.next_image != self.header.images:
            raise InvalidRecordingInputError(
                "a recording is finished when all its images are in it", path=self.path,
                value=self.next_image, limit=self.header.images,
            )  # fmt: skip
        from inspector.recording.finish import sections_of

        begin = self._output.size
        sections: dict[str, int] = {}
        source = Source(self.path)
        try:
            for name, meta, payloads, done, steps in sections_of(source, self.header, self._chunks):
                body = {"name": name, "replaces": 0, "meta": meta}
                sections[name] = self._write(SECTION, body, payloads).offset
                if on_progress is not None:
                    on_progress(done, steps)
            write_end(self._output, self.header, self._chunks, sections)
        except BaseException:
            self._output.undo(begin)
            raise
        finally:
            source.close()
        self.finished = True

    def _write(self, tag: bytes, body: dict[str, Any], payloads: Sequence[PayloadWriter]) -> Mark:
        try:
            return write_record(self._output, tag, body, payloads)
        except RecordingWriteError:
            self._failed = True
            raise

    def _usable(self) -> None:
        if self._output.fd < 0 or self.finished or self._failed:
            state = "failed" if self._failed else "finished" if self.finished else "closed"
            raise InvalidRecordingInputError(
                f"this writer is {state}", path=self.path,
                advice="open the recording again with resume" if self._failed else "",
            )  # fmt: skip

    def close(self) -> None:
        """Close the file and release the lock; an unfinished recording stays unfinished."""
        self._output.close()

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def replaceable(target: Path) -> bool:
    """Whether a file may be overwritten: it is a recording, whole or not, or empty."""
    if not target.is_file():
        return False
    begin = PREAMBLE[:-1]  # without the version: one of any version may go
    with target.open("rb") as file:
        return file.read(len(begin)) in (b"", begin)


def _unlink(target: Path) -> None:
    """Remove a file to be replaced, unless somebody is writing it.

    Readers that have it open keep what they have: the new recording is another file.
    """
    if target.is_dir():
        raise RecordingExistsError("this is a folder", path=target, advice="choose another name")
    if target.exists() and not replaceable(target):
        # A mistyped -o must not cost a model, the data, or a device.
        raise RecordingExistsError(
            "this is not a recording, and only recordings are replaced", path=target,
            advice="choose another name, or remove the file yourself",
        )  # fmt: skip
    try:
        held = Output.open(target, create=False)
    except RecordingWriteError as error:
        if target.is_symlink():
            raise RecordingExistsError(
                "this is a link to nothing", path=target, advice="remove it"
            ) from error
        raise
    try:
        target.unlink()
    except OSError as error:
        raise RecordingWriteError(f"cannot replace: {error.strerror}", path=target) from error
    finally:
        held.close()


def _compare(path: Path, was: Header, now: Header) -> None:
    old, new = pack_header(was), pack_header(now)
    difference = first_difference("", old, new)
    if difference is not None:
        name, before, after = difference
        raise ResumeMismatchError(
            f"the recording was begun with another {name}", path=path,
            value=f"now {after!r}, then {before!r}",
            advice="use the options of then, or --overwrite",
        )  # fmt: skip


def _drop_bad_last_chunk(source: Source, catalogue: Catalogue) -> None:
    """Drop a last chunk whose bytes never reached the disk (a power cut keeps lengths only)."""
    while catalogue.chunks:
        last = catalogue.chunks[-1]
        mark = read_mark(source, last.offset, CHUNK)
        if not check_chunk(source, catalogue.header, mark, last.start):
            return
        catalogue.chunks.pop()
        catalogue.end = last.offset
