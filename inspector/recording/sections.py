"""Adding sections to a finished recording: tags, maps, notes, results; nothing is rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.catalogue import load_catalogue
from inspector.recording.errors import InvalidRecordingInputError
from inspector.recording.framing import write_end, write_record
from inspector.recording.output import Output
from inspector.recording.payloads import DTYPES, IMAGES, PayloadWriter
from inspector.recording.records import SECTION
from inspector.recording.schema import plain
from inspector.recording.source import Source

Added = tuple[str, Mapping[str, Any], Mapping[str, NDArray[Any]]]


def is_made(name: str) -> bool:
    """Return whether a section of that name is made by finishing a recording."""
    return name == "columns" or name.startswith(("checksums/", "summary/"))


def add_section(
    path: str | PathLike[str],
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Add a section to a finished recording; one of that name is replaced.

    Parameters
    ----------
    path : path
    name : str
        Such as "notes" or "maps/layer4"; not one that finishing makes.
    arrays : mapping of str to ndarray
        Of the dtypes of the format (float16/32/64, int32/64, uint8/32).
    meta : mapping, optional
        Plain values.

    Raises
    ------
    InvalidRecordingInputError
        If the recording is unfinished, the name is taken by the format, or a dtype is unknown.
    RecordingLockedError
        If another process is writing the recording.
    """
    write_sections(Path(path), [(name, meta or {}, arrays)])


def write_sections(path: Path, added: Sequence[Added]) -> None:
    """Add several sections with one index and end; all of them or none."""
    for name, _, arrays in added:
        if is_made(name) or not name:
            raise InvalidRecordingInputError(
                "a section of that name is made by finishing a recording", path=path, value=name
            )
        for key, array in arrays.items():
            if key == IMAGES:
                raise InvalidRecordingInputError(
                    "this array name is kept for thumbnails", path=path, value=key
                )
            if np.asarray(array).dtype.name not in DTYPES or not np.asarray(array).ndim:
                raise InvalidRecordingInputError(
                    f"array {key!r} of section {name!r} has a dtype that is not stored",
                    path=path, value=np.asarray(array).dtype, limit=", ".join(DTYPES),
                )  # fmt: skip
    output = Output.open(path, create=False)
    try:
        source = Source(path)
        try:
            catalogue = load_catalogue(source)
        finally:
            source.close()
        if not catalogue.finished:
            raise InvalidRecordingInputError(
                "sections are added to finished recordings", path=path,
                advice="finish it with `inspector record --resume`",
            )  # fmt: skip
        if output.size != catalogue.end:
            output.truncate(catalogue.end)
        begin = output.size
        sections = dict(catalogue.sections)
        try:
            for name, meta, arrays in added:
                body = {"name": name, "replaces": sections.get(name, 0), "meta": plain(meta)}
                payloads = [PayloadWriter(key, np.asarray(array)) for key, array in arrays.items()]
                sections[name] = write_record(output, SECTION, body, payloads).offset
            write_end(output, catalogue.header, catalogue.chunks, sections)
        except BaseException:
            output.undo(begin)
            raise
    finally:
        output.close()
