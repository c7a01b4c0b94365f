"""Joining columns of a table to a recording."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import (
    InvalidRecordingInputError,
    RecordingReadError,
    UnknownColumnError,
)
from inspector.recording.file_store import TAG
from inspector.recording.sections import Added, write_sections
from inspector.recording.textblock import encode_texts
from inspector.recording.view import open_recording

_MOST_FIELD = 1 << 20


@dataclass(frozen=True)
class Tagged:
    """What a join did: the columns added, how many images found a row, rows without an image."""

    columns: dict[str, str]
    matched: int
    images: int
    unused_rows: int


def tag(
    path: str | PathLike[str],
    table: str | PathLike[str],
    on: str = "path",
) -> Tagged:
    """Join the columns of a table (CSV, or TSV by its name) to a recording.

    Parameters
    ----------
    path : path
        A finished recording.
    table : path
        Its first row names the columns.
    on : str
        The column by which rows find their images: "path", "image" (the number) or any column of
        the recording; the table has one of that name, with each value at most once.

    Returns
    -------
    Tagged
        A column is "int" where all its entries are whole numbers, "float" where all are numbers
        or empty, else "text". Images without a row get "" or NaN, so whole numbers become float
        where an image has no row. Columns joined before under the same name are replaced.

    Raises
    ------
    UnknownColumnError
        If `on` is not in the table or the recording.
    InvalidRecordingInputError
        If a value of `on` stands twice, or the table cannot be read.
    """
    names, rows = _read_table(Path(table))
    if on not in names:
        raise UnknownColumnError(
            "the table has no such column",
            path=table,
            value=on,
            advice=f"there is {', '.join(names)}",
        )
    key = names.index(on)
    places: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row[key] in places:
            raise InvalidRecordingInputError(
                f"a value of {on!r} stands twice in the table", path=table, value=row[key]
            )
        places[row[key]] = number
    with open_recording(path) as recording:
        if on == "path":
            keys: Sequence[Any] = recording.paths
        elif on == "image":
            keys = recording.numbers.tolist()
        else:
            keys = recording.columns[on]
        found = [places.get(_text(value), -1) for value in keys]
        images = recording.images
    added: list[Added] = []
    kinds: dict[str, str] = {}
    for column, name in enumerate(names):
        if column != key:
            values = [rows[row][column] if row >= 0 else "" for row in found]
            kinds[name], arrays = encode_column(values)
            added.append((TAG + name, {"kind": kinds[name]}, arrays))
    write_sections(Path(path), added)
    matched = sum(row >= 0 for row in found)
    return Tagged(kinds, matched, images, len(rows) - len(set(found) - {-1}))


def encode_column(values: Sequence[str]) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the kind that a column of text is, and the arrays that are stored of it."""
    try:
        return "int", {"values": np.array([_whole(value) for value in values], np.int64)}
    except (ValueError, OverflowError):
        pass
    try:
        numbers = [float(value) if value.strip() else math.nan for value in values]
        if not all(map(math.isnan, numbers)):
            return "float", {"values": np.array(numbers)}
    except ValueError:
        pass
    ends, data = encode_texts(values)
    return "text", {"ends": ends, "values": data}


def _whole(value: str) -> int:
    # int() takes "1_000" and other scripts' digits; a table's numbers are plain.
    if not value.strip().lstrip("+-").isascii() or "_" in value:
        raise ValueError(value)
    return int(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(getattr(value, "item", lambda: value)())


def _read_table(table: Path) -> tuple[list[str], list[list[str]]]:
    tabs = table.suffix.lower() in (".tsv", ".tab")
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t" if tabs else ","))
    except OSError as error:
        raise RecordingReadError(f"cannot open: {error.strerror}", path=table) from error
    except csv.Error as error:
        raise InvalidRecordingInputError(
            "the table cannot be read", path=table, value=error
        ) from None
    rows = [row for row in rows if row]
    if not rows:
        raise InvalidRecordingInputError("the table is empty", path=table)
    names = rows[0]
    if len(set(names)) != len(names) or not all(names):
        raise InvalidRecordingInputError(
            "columns of a table have names, each once", path=table, value=", ".join(names)
        )
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise InvalidRecordingInputError(
                f"row {number} of the table",
                path=table,
                value=f"{len(row)} fields",
                limit=len(names),
            )
    return names, rows[1:]
