"""Columns of metadata and ground truth: numbers where all are numbers, text otherwise."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import UNLABELLED, Column

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_REAL = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?|[+-]?(nan|inf|infinity)", re.IGNORECASE
)


def typed_column(values: Sequence[Any]) -> Column:
    """Turn the cells of a column into int64, float64, or a list of text.

    Parameters
    ----------
    values : sequence
        Text as in a CSV file, or None, booleans, numbers and text as in JSON; anything nested
        becomes its JSON text.

    Returns
    -------
    int64 array, float64 array or list of str
        Whole numbers where every cell is one (`007` is text), numbers with NaN for empty cells
        where every other cell is one, text with empty strings otherwise.
    """
    cells = [_cell(value) for value in values]
    filled = [cell for cell in cells if cell != ""]
    if filled and all(_WHOLE.fullmatch(cell) for cell in filled):
        if len(filled) == len(cells):
            return np.array([int(cell) for cell in cells], np.int64)
        return np.array([math.nan if cell == "" else float(cell) for cell in cells], np.float64)
    # A leading zero as in 007 belongs to a name, not to a number.
    if filled and all(_REAL.fullmatch(cell) and not _padded(cell) for cell in filled):
        return np.array([math.nan if cell == "" else float(cell) for cell in cells], np.float64)
    return cells


def column_kind(values: Column) -> str:
    """Name a column's kind as recordings do: `int`, `float` or `text`."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        return "float" if values.dtype.kind == "f" else "int"
    return "text"


def categories(labels: Sequence[Any] | Column) -> tuple[tuple[str, ...] | None, NDArray[np.int32]]:
    """Number the distinct labels of a column.

    Parameters
    ----------
    labels : sequence
        One a stimulus, text or numbers; empty, None, NaN and -1 mean no ground truth.

    Returns
    -------
    tuple of str or None, int32 array
        The names, sorted (None without any), and each stimulus' place among them or -1.
    """
    texts = [_label(value) for value in labels]
    names = tuple(sorted(set(texts) - {""}))
    number = {name: place for place, name in enumerate(names)} | {"": UNLABELLED}
    return names or None, np.array([number[text] for text in texts], np.int32)


def _label(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = _cell(value).strip()
    return "" if text in ("-1", "nan") else text


def _cell(value: Any) -> str:
    if isinstance(value, str):
        # JSON can spell half a surrogate pair, which no file of text can hold.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return repr(value.item() if isinstance(value, np.generic) else value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _padded(cell: str) -> bool:
    digits = cell.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
