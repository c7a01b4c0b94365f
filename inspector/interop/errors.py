"""What can go wrong with files of other programs: one class per cause, one line per message."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from inspector.errors import InspectorError
from inspector.text import clean


class InteropError(InspectorError):
    """The root of every error about another program's files.

    Attributes
    ----------
    path : str
        The file, "" when there is none.
    offset : int or None
        The byte at which the rule was broken.
    rule : str
        The rule, in words.
    value, limit : object
        What was found, and what is allowed.
    """

    def __init__(
        self,
        rule: str,
        *,
        path: str | PathLike[str] = "",
        offset: int | None = None,
        value: Any = None,
        limit: Any = None,
        advice: str = "",
    ) -> None:
        self.path = str(fspath(path))
        self.offset = offset
        self.rule = rule
        self.value = value
        self.limit = limit
        self.advice = advice
        super().__init__(rule)

    def __str__(self) -> str:
        """Return one line: where, which rule, the value, the limit, and what to do."""
        place = f"{clean(self.path, 300)}: " if self.path else ""
        at = "" if self.offset is None else f" at byte {self.offset}"
        found = [
            f"{word} {clean(str(what), 120)}"
            for word, what in (("found", self.value), ("limit", self.limit))
            if what is not None
        ]
        brackets = f" ({'; '.join(found)})" if found else ""
        advice = f"; {clean(self.advice, 400)}" if self.advice else ""
        return f"{place}{clean(self.rule, 400)}{at}{brackets}{advice}"


class BrokenFileError(InteropError):
    """The file breaks a rule of its format, or of what is read of it."""


class UnreadableFileError(InteropError):
    """The operating system could not read the file."""


class UnwritableFileError(InteropError):
    """The operating system could not write the file."""


class TargetExistsError(InteropError):
    """There is a file of that name already."""


class NotExportableError(InteropError):
    """The recording holds something that the other program's format has no room for."""


class MissingLibraryError(InteropError):
    """A library that only this needs is not installed."""
