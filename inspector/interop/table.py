"""A recording as a table: a row for each image, in CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from inspector.interop.selection import blocks_of, select_layers
from inspector.interop.whole_file import whole_file
from inspector.recording import Recording

COLUMNS = ("image", "path", "label", "prediction", "confidence")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def export_csv(
    recording: Recording,
    target: str | os.PathLike[str],
    *,
    layer: str | None = None,
    reduction: str | None = None,
    overwrite: bool = False,
    on_images: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a table with a row for each image; memory does not grow with the images.

    Columns: `image` (the number in the recording's file), `path`, `label`, `prediction` (class
    names; ids where the recording knows no names), `confidence`, every metadata column (with
    `columns.` before a name that is taken), `skipped` (the reason) if any image was skipped, and
    a column `LAYER:UNIT` for each unit of `layer`. What is missing, and NaN, is an empty cell.

    Text that a spreadsheet would take for a formula (it begins with ``= + - @``, a tab or a line
    break) gets a ``'`` before it.

    Parameters
    ----------
    recording : Recording
    target : path
    layer, reduction : str, optional
        Whose activity is added; the reduction is `relu_mean` where it was recorded when None.
    overwrite : bool
    on_images : callable, optional
        Called with (images done, images).

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TargetExistsError, UnwritableFileError
    UnknownLayerError, UnknownReductionError
    """
    path = Path(target)
    selected = select_layers(recording, [layer], reduction)[0] if layer is not None else None
    units = selected.layer.units if selected else 0
    with whole_file(path, overwrite=overwrite) as file:
        # Odd bytes of file names come out as they went in.
        text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="", write_through=True)
        writer = csv.writer(text)
        names = _column_names(recording)
        header = [*COLUMNS, *names.values(), *(["skipped"] if recording.skipped else [])]
        if selected:
            header += [f"{selected.layer.name}:{unit}" for unit in range(units)]
        writer.writerow([guarded(name) for name in header])
        for first, last in blocks_of(recording, [selected] if selected else []):
            rows = _rows(recording, list(names), first, last)
            if selected:
                values = recording.activity(selected.layer.name, selected.reduction)[first:last]
                writer.writerows(
                    [*row, *map(_number, each)]
                    for row, each in zip(rows, values.tolist(), strict=True)
                )
            else:
                writer.writerows(rows)
            if on_images is not None:
                on_images(last, recording.images)
        text.detach()
    return path


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _column_names(recording: Recording) -> dict[str, str]:
    """Return the metadata columns and what they are called in the table."""
    taken = {*COLUMNS, "skipped"}
    return {name: f"columns.{name}" if name in taken else name for name in recording.columns}


def _rows(recording: Recording, columns: list[str], first: int, last: int) -> Iterator[list[str]]:
    parts: list[list[str]] = [
        [str(number) for number in recording.numbers[first:last].tolist()],
        [guarded(path) for path in recording.paths[first:last]],
        [_class(recording, number) for number in recording.labels[first:last].tolist()],
        [_class(recording, number) for number in recording.predictions[first:last].tolist()],
        [_number(value) for value in recording.confidences[first:last].tolist()],
    ]
    parts += [[_cell(value) for value in recording.columns[name][first:last]] for name in columns]
    if recording.skipped:
        parts.append([guarded(recording.skipped.get(row, "")) for row in range(first, last)])
    return map(list, zip(*parts, strict=True))


def _class(recording: Recording, number: int) -> str:
    if number < 0:
        return ""
    known = number < len(recording.classes)
    return guarded(recording.classes[number]) if known else str(number)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, np.floating):
        return "" if value != value else repr(float(value))
    return str(value)


def _number(value: float) -> str:
    # Nine digits give every float32 back.
    return "" if value != value else f"{value:.9g}"
