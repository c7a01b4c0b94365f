"""Opening: a file, the matching part of one (`F.msgpack::EXPR`), or a folder of parts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from inspector.recording.errors import (
    NotARecordingError,
    RecordingReadError,
    ResumeMismatchError,
)
from inspector.recording.file_store import FileStore
from inspector.recording.model import Header
from inspector.recording.part_store import PartStore
from inspector.recording.query import select
from inspector.recording.recording import Recording
from inspector.recording.schema import first_difference, pack_header
from inspector.recording.source import Source
from inspector.recording.store import Store
from inspector.recording.view_store import ViewStore

PART = "part"


def open_recording(path: str | os.PathLike[str], *, mapped: bool = False) -> Recording:
    """Open a recording; at once, whatever its size.

    Parameters
    ----------
    path : path
        A file; ``FILE::EXPR`` for the images that a filter matches (docs/query.md); or a folder
        with parts of one recording.
    mapped : bool
        Map the file into memory, and hand out views of it where the layout allows: less copying,
        no limit but the address space. Only for files that nobody shortens: reading what is gone
        from under a mapping kills the process, which no program can catch. Checksums are compared
        when an array is handed out, so a file changed in place later changes the array.

    Returns
    -------
    Recording
        An unfinished one opens too, as far as it goes.

    Raises
    ------
    NotARecordingError
        If the file is something else; the message says what it looks like.
    UnsupportedVersionError, CorruptRecordingError, RecordingReadError
        If it cannot be read.
    QueryError
        If the filter cannot be read.
    """
    text = os.fsdecode(path)
    if not text:
        raise NotARecordingError("a recording has a path", value="''", advice="name a file")
    file, expression = split_expression(text)
    store = _open_store(file, mapped)
    try:
        if expression is not None:
            store = view_of(store, expression)
        return Recording(store)
    except BaseException:
        store.close()
        raise


def split_expression(text: str) -> tuple[str, str | None]:
    """Return the path and the filter of ``PATH::EXPR``; a file of that very name comes first."""
    if "::" not in text or os.path.lexists(text):
        return text, None
    file, _, expression = text.partition("::")
    return file, expression


def _open_store(file: str, mapped: bool) -> Store:
    try:
        is_folder = Path(file).is_dir()
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero byte
        raise RecordingReadError(
            f"no path of a file ({getattr(error, 'strerror', None) or error})", path=file
        ) from error
    if is_folder:
        return _open_parts(Path(file), mapped)
    source = Source(file, mapped)
    try:
        return FileStore(source)
    except BaseException:
        source.close()
        raise


def _open_parts(folder: Path, mapped: bool) -> PartStore:
    files = sorted(folder.glob("*.msgpack"))
    if not files:
        raise NotARecordingError(
            "this folder has no recordings (*.msgpack) in it", path=folder,
            advice="name a recording, or a folder with the parts of one",
        )  # fmt: skip
    stores: list[FileStore] = []
    try:
        for file in files:
            source = Source(file, mapped)
            try:
                stores.append(FileStore(source))
            except BaseException:
                source.close()
                raise
        stores.sort(key=lambda store: (first_image(store.header), store.path))
        whole = join_headers([(store.path, store.header) for store in stores], complete=False)
        return PartStore(str(folder), whole, stores)
    except BaseException:
        for store in stores:
            store.close()
        raise


def first_image(header: Header) -> int:
    """Return the number, in the whole dataset, of a part's first image; 0 when it is not said."""
    part = header.options.get(PART)
    first = part.get("first") if isinstance(part, dict) else None
    return first if type(first) is int else 0


def join_headers(parts: list[tuple[str, Header]], *, complete: bool = True) -> Header:
    """Return the header of the whole that the parts make up.

    A part that knows its place says so: ``options["part"]`` is ``{"first", "images",
    "stimuli_sha256"}``: its first image in the whole, the images and the hash of the whole.

    Parameters
    ----------
    parts : list of (path, Header)
        In their order.
    complete : bool
        Refuse parts that end before the whole does; otherwise its images are still planned.

    Raises
    ------
    ResumeMismatchError
        If a part was made by another model or with other options, naming the difference, or if
        parts overlap or are missing, naming the images.
    """
    (first_path, first), *others = parts
    model = pack_header(_comparable(first))
    for path, header in others:
        difference = first_difference("", model, pack_header(_comparable(header)))
        if difference is not None:
            name, ours, theirs = difference
            raise ResumeMismatchError(
                f"parts of one recording differ in {name}", path=path,
                value=f"{theirs!r}, in {first_path} {ours!r}",
                advice="open them one by one",
            )  # fmt: skip
    if not any(PART in header.options for _, header in parts):
        images = sum(header.images for _, header in parts)
        joined = first.stimuli_sha256 if len(parts) == 1 else ""
        return replace(first, images=images, stimuli_sha256=joined)
    images = _place_parts(parts, complete)
    part = first.options[PART]
    options = {key: value for key, value in first.options.items() if key != PART}
    return replace(
        first, images=images, options=options, stimuli_sha256=str(part.get("stimuli_sha256", ""))
    )


def _place_parts(parts: list[tuple[str, Header]], complete: bool) -> int:
    """Return the images of the whole; refuse parts that overlap or leave some out."""
    expected = images = 0
    for path, header in parts:
        part = header.options.get(PART)
        place = [part.get(key) if isinstance(part, dict) else None for key in ("first", "images")]
        first, images = (each if type(each) is int else -1 for each in place)
        if first < 0 or images < first + header.images:
            raise ResumeMismatchError(
                "a part says where in the whole it belongs", path=path, value=part,
                limit=f"{{'first': …, 'images': …}} around its {header.images} images",
            )  # fmt: skip
        if first != expected:
            raise ResumeMismatchError(
                "parts follow one another without a gap", path=path,
                value=f"first image {first}", limit=expected,
                advice=_missing(expected, first) if first > expected else "the parts overlap",
            )  # fmt: skip
        expected += header.images
    if complete and expected < images:
        raise ResumeMismatchError(
            "the parts do not make up the whole", path=parts[-1][0],
            value=f"{expected} images", limit=images, advice=_missing(expected, images),
        )  # fmt: skip
    return images


def _missing(first: int, stop: int) -> str:
    images = f"images {first} to {stop - 1} are" if stop - first > 1 else f"image {first} is"
    return f"{images} missing: add that part"


def _comparable(header: Header) -> Header:
    part = header.options.get(PART)
    options = {key: value for key, value in header.options.items() if key != PART}
    if isinstance(part, dict):
        whole = {key: value for key, value in part.items() if key != "first"}
        return replace(header, images=0, stimuli_sha256="", options={**options, PART: whole})
    return replace(header, images=0, stimuli_sha256="", name="", options=options)


def view_of(store: Store, expression: str) -> Store:
    """Return the part of a store that a filter matches."""
    mask = select(Recording(store), expression)
    return ViewStore(store, np.flatnonzero(mask).astype(np.int64), expression)
