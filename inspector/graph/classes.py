"""Category names that a model carries in its own metadata."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

_KEYS = ("classes", "class_names", "names", "labels", "id2label", "label_names")


def classes_from_metadata(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Category names by id; () when the model has none.

    Read are lists and id-to-name tables, as JSON or as Python writes them (Ultralytics), and
    names one a line or between commas. A table whose ids are not 0, 1, 2, … is left alone.
    """
    for key in _KEYS:
        for name, text in metadata.items():
            if name.lower() == key:
                found = _names(_value(text))
                if found:
                    return found
    return ()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    parts = text.splitlines() if "\n" in text else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        try:
            table = {int(key): str(name) for key, name in value.items()}
        except (TypeError, ValueError):
            return ()
        if sorted(table) != list(range(len(table))):
            return ()
        return tuple(table[i] for i in range(len(table)))
    if isinstance(value, (list, tuple)) and len(value) > 1:
        return tuple(str(name) for name in value)
    return ()
