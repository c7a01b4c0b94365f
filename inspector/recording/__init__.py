"""The recording file: write, append, resume, read.

One recording is one file, `NAME.msgpack`: appended to while it is made, opened at once whatever
its size, read without loading it, and a plain stream of msgpack objects for everybody else.
"""

from __future__ import annotations

from inspector.recording.activity import Activity
from inspector.recording.answers import unanswered
from inspector.recording.errors import (
    CorruptRecordingError,
    InvalidRecordingInputError,
    NotARecordingError,
    OutOfRangeError,
    QueryError,
    RecordingChangedError,
    RecordingError,
    RecordingExistsError,
    RecordingLockedError,
    RecordingReadError,
    RecordingWriteError,
    ResumeMismatchError,
    SummaryTooLargeError,
    UnknownColumnError,
    UnknownLayerError,
    UnknownReductionError,
    UnknownSectionError,
    UnsupportedVersionError,
)
from inspector.recording.file_store import Section
from inspector.recording.merge import Merged, merge
from inspector.recording.model import (
    Chunk,
    Header,
    ImageRecord,
    RecordedLayer,
    Summary,
    TopImages,
    default_chunk,
)
from inspector.recording.query import select
from inspector.recording.recording import Recording
from inspector.recording.recover import Recovery, recover
from inspector.recording.sections import add_section
from inspector.recording.tag import Tagged, tag
from inspector.recording.verify import Verification, verify
from inspector.recording.view import open_recording, split_expression
from inspector.recording.writer import RecordingWriter, replaceable

__all__ = [
    "Activity",
    "Chunk",
    "CorruptRecordingError",
    "Header",
    "ImageRecord",
    "InvalidRecordingInputError",
    "Merged",
    "NotARecordingError",
    "OutOfRangeError",
    "QueryError",
    "RecordedLayer",
    "Recording",
    "RecordingChangedError",
    "RecordingError",
    "RecordingExistsError",
    "RecordingLockedError",
    "RecordingReadError",
    "RecordingWriteError",
    "RecordingWriter",
    "Recovery",
    "ResumeMismatchError",
    "Section",
    "Summary",
    "SummaryTooLargeError",
    "Tagged",
    "TopImages",
    "UnknownColumnError",
    "UnknownLayerError",
    "UnknownReductionError",
    "UnknownSectionError",
    "UnsupportedVersionError",
    "Verification",
    "add_section",
    "default_chunk",
    "merge",
    "open_recording",
    "recover",
    "replaceable",
    "select",
    "split_expression",
    "tag",
    "unanswered",
    "verify",
]
