"""What can go wrong with a recording: one class per cause, one line per message."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from inspector.errors import InspectorError
from inspector.text import clean


class RecordingError(InspectorError):
    """The root of every error about a recording.

    Attributes
    ----------
    path : str
        The file, as text ("" when there is none).
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
        parts = [f"{clean(self.path, 300)}: " if self.path else "", clean(self.rule, 400)]
        if self.offset is not None:
            parts.append(f" at byte {self.offset}")
        if self.value is not None:
            parts.append(f" (found {clean(str(self.value), 120)}")
            parts.append(
                f"; limit {clean(str(self.limit), 120)})" if self.limit is not None else ")"
            )
        elif self.limit is not None:
            parts.append(f" (limit {clean(str(self.limit), 120)})")
        if self.advice:
            parts.append(f"; {clean(self.advice, 400)}")
        return "".join(parts)


class NotARecordingError(RecordingError):
    """The file is something else; the message says what it looks like."""


class UnsupportedVersionError(RecordingError):
    """The file has a major version that this program does not know."""


class CorruptRecordingError(RecordingError):
    """The file breaks a rule of the format, or a checksum does not match."""


class RecordingChangedError(RecordingError):
    """The file was truncated, replaced or deleted after it was opened."""


class RecordingReadError(RecordingError):
    """The operating system could not read the file."""


class RecordingWriteError(RecordingError):
    """The operating system could not write the file: what was acknowledged before is safe."""


class RecordingExistsError(RecordingError):
    """There is a file of that name already."""


class RecordingLockedError(RecordingError):
    """Another process is writing this recording."""


class ResumeMismatchError(RecordingError):
    """The recording was begun with other options than those given now."""


class InvalidRecordingInputError(RecordingError, ValueError):
    """What was handed to the writer does not fit the header."""


class UnknownLayerError(RecordingError, KeyError):
    """The recording has no layer of that name; the message names the nearest."""


class UnknownReductionError(RecordingError, KeyError):
    """The layer was not recorded under that reduction."""


class UnknownColumnError(RecordingError, KeyError):
    """The recording has no such column."""


class UnknownSectionError(RecordingError, KeyError):
    """Nothing of that name was added to the recording."""


class OutOfRangeError(RecordingError, IndexError):
    """An image or unit number lies outside the recording, or is no whole number."""


class QueryError(RecordingError, ValueError):
    """A filter expression that cannot be read or does not fit the recording."""


class SummaryTooLargeError(RecordingError):
    """A summary that is not in the file would take too much memory to make."""
