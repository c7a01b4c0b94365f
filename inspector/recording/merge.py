"""Joining recordings of parts of one dataset into one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from os import PathLike
from pathlib import Path

import numpy as np

from inspector.recording.check import checked_arrays
from inspector.recording.errors import InvalidRecordingInputError
from inspector.recording.file_store import FileStore
from inspector.recording.model import Header
from inspector.recording.replacing import whole_recording
from inspector.recording.sections import is_made
from inspector.recording.source import Source
from inspector.recording.view import first_image, join_headers
from inspector.recording.writer import RecordingWriter


@dataclass(frozen=True)
class Merged:
    """What joining made: the file, its images, and sections of the parts that were left out."""

    path: str
    images: int
    left_out: tuple[str, ...]


def merge(
    parts: Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Merged:
    """Join recordings of parts of one dataset, made by one model with the same options.

    Parts that say where they belong (``options["part"]``) are put in their order, and the result
    equals, byte for byte, what recording the whole at once writes. Others are joined in the order
    given, and the hash of their stimuli is that of their hashes.

    Parameters
    ----------
    parts : sequence of path
        Finished recordings; all but the last hold a whole number of chunks.
    out : path
    overwrite : bool
    on_progress : callable, optional
        Called with (images done, images).

    Raises
    ------
    InvalidRecordingInputError
        If a part is unfinished or not cut on the grid.
    ResumeMismatchError
        If the parts differ in model or options, naming the difference, or one is missing.
    """
    stores: list[FileStore] = []
    try:
        for path in parts:
            source = Source(path)
            try:
                stores.append(FileStore(source))
            except BaseException:
                source.close()
                raise
        with whole_recording(Path(out), parts, overwrite=overwrite) as part:
            made = _merge(stores, part, on_progress)
        return replace(made, path=str(out))
    finally:
        for store in stores:
            store.close()


def _merge(
    stores: list[FileStore],
    out: Path,
    on_progress: Callable[[int, int], None] | None,
) -> Merged:
    if not stores:
        raise InvalidRecordingInputError("merging needs at least one recording")
    stores.sort(key=lambda store: first_image(store.header))
    header = _joined(stores)
    for number, store in enumerate(stores):
        if not store.finished:
            raise InvalidRecordingInputError(
                "a part is not finished", path=store.path,
                value=f"{store.images} of {store.header.images} images",
                advice="finish it with `inspector record --resume`, or recover it",
            )  # fmt: skip
        if number < len(stores) - 1 and store.images % header.chunk:
            raise InvalidRecordingInputError(
                "all parts but the last hold a whole number of chunks", path=store.path,
                value=f"{store.images} images", limit=f"multiples of {header.chunk}",
                advice="record the parts with a chunk that divides them",
            )  # fmt: skip
    with RecordingWriter.create(out, header, overwrite=True) as writer:
        for store in stores:
            first = writer.next_image
            for number in range(len(store.catalogue.chunks)):
                arrays = checked_arrays(store.chunk(number))
                arrays["skipped"] = np.asarray(arrays["skipped"] + first, np.int64)
                writer.append_arrays(arrays)
                if on_progress is not None:
                    on_progress(writer.next_image, header.images)
        writer.finish()
    left_out = sorted({n for store in stores for n in store.catalogue.sections if not is_made(n)})
    return Merged(str(out), header.images, tuple(left_out))


def _joined(stores: list[FileStore]) -> Header:
    header = join_headers([(store.path, store.header) for store in stores])
    if header.stimuli_sha256 or len(stores) == 1:
        return header
    hashes = "\n".join(store.header.stimuli_sha256 for store in stores)
    return replace(header, stimuli_sha256=sha256(hashes.encode()).hexdigest())
