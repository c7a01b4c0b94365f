"""Choosing layers by name, with patterns."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from inspector.graph.errors import LayerNotFoundError
from inspector.graph.layer import Layer

# As many suggestions as fit on the error's line.
SUGGESTIONS = 4


def select_layers(
    layers: Sequence[Layer], patterns: Sequence[str] | str = ("default",)
) -> tuple[Layer, ...]:
    """The layers that any of the patterns names, in the model's order.

    Parameters
    ----------
    layers
        As :func:`find_layers` gives them.
    patterns
        ``default``, ``all``, or names and globs (``encoder.*``, ``layer?.1``) over names, aliases
        and raw tensor names; a text is split at commas. A name that is there literally is meant
        literally, whatever brackets it holds.

    Raises
    ------
    LayerNotFoundError
        A pattern matches nothing; the message shows the nearest names.
    """
    if isinstance(patterns, str):
        patterns = [part.strip() for part in patterns.split(",") if part.strip()]
    chosen: set[str] = set()
    for pattern in patterns:
        found = [layer.name for layer in layers if _matches(layer, pattern, layers)]
        if not found:
            raise LayerNotFoundError(_not_found(layers, pattern))
        chosen.update(found)
    return tuple(layer for layer in layers if layer.name in chosen)


def _names(layer: Layer) -> tuple[str, ...]:
    return (layer.name, *layer.aliases, layer.tensor)


def _matches(layer: Layer, pattern: str, layers: Sequence[Layer]) -> bool:
    names = _names(layer)
    if any(pattern in _names(other) for other in layers):
        return pattern in names
    if pattern == "all":
        return True
    if pattern == "default":
        return layer.default
    return any(fnmatchcase(name, pattern) for name in names)


def _not_found(layers: Sequence[Layer], pattern: str) -> str:
    if not layers:
        return f"no layer matches {pattern!r}: the model has no layers that can be recorded"
    if pattern == "default":
        return "the model has no default layers: name some, or ask for all"
    known = list(dict.fromkeys(name for layer in layers for name in _names(layer)))
    plain = pattern.strip("*?").lower()
    near = [name for name in known if plain and plain in name.lower()]
    near += difflib.get_close_matches(pattern, known, SUGGESTIONS, cutoff=0.4)
    near = list(dict.fromkeys(near or [layer.name for layer in layers if layer.default]))
    return f"no layer matches {pattern!r}; nearest: {', '.join(near[:SUGGESTIONS])}"
