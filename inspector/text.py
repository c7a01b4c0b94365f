"""Clean text for terminal and screen: names in files are data, never instructions."""

from __future__ import annotations

import unicodedata

_VISIBLE = {"\n": "⏎", "\r": "⏎", "\t": " "}
# Bidirectional overrides and isolates reorder what follows them; zero-width and invisible
# characters make two names look the same.
_INVISIBLE = {"Cc", "Cf", "Cn", "Cs", "Co", "Zl", "Zp"}


def clean(text: str, limit: int = 200) -> str:
    r"""Return `text` in one line that cannot move the cursor, hide or reorder anything.

    Parameters
    ----------
    text : str
        Any text, such as a path or a class name read from a file.
    limit : int
        The longest result, in characters, at least 1. Longer text keeps its head and tail around
        one "…", as the end of a path says more than its middle.

    Returns
    -------
    str
        Line breaks become "⏎", tabs a space, control, format (bidirectional, zero-width),
        surrogate, private and unassigned characters ``\xNN`` or ``\uNNNN``.
    """
    if limit < 1:
        raise ValueError(f"the limit of clean text must be at least 1, not {limit}")
    if len(text) > 4 * limit + 8:
        # Cut before the work: a name of a gigabyte must not cost a gigabyte of steps.
        text = text[: 2 * limit] + "…" + text[-2 * limit :]
    if not text.isprintable():
        text = "".join(map(_clean_character, text))
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    tail = limit - 1 - head
    return text[:head] + "…" + (text[-tail:] if tail else "")


def _clean_character(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    if unicodedata.category(character) not in _INVISIBLE:
        return " " if character.isspace() else character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
