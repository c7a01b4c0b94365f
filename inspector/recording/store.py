"""What a recording reads from: one file, the matching part of one, or a folder of parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.recording.activity import ActivitySource
from inspector.recording.model import Header, Summary, Tap

BUILT_IN = {"labels": "int32", "predictions": "int32", "confidences": "float32"}


class Store(Protocol):
    """One state of what is recorded; everything it hands out is checked.

    A store does not change: :meth:`refreshed` makes a new one when the file has grown.
    """

    @property
    def path(self) -> str:
        """The file or folder, and the filter if there is one."""
        ...

    @property
    def header(self) -> Header:
        """What the recording is of."""
        ...

    @property
    def images(self) -> int:
        """How many images can be read."""
        ...

    @property
    def finished(self) -> bool:
        """Whether all of it is complete."""
        ...

    def numeric(self, name: str) -> NDArray[Any]:
        """Return labels, predictions or confidences of all images."""
        ...

    def paths(self) -> Sequence[str]:
        """Return the path of every image."""
        ...

    def skipped(self) -> Mapping[int, str]:
        """Return image number → reason of every skipped image."""
        ...

    def column_kinds(self) -> Mapping[str, str]:
        """Return the metadata columns, name → "text", "float" or "int"."""
        ...

    def column(self, name: str) -> NDArray[Any] | Sequence[str]:
        """Return one metadata column."""
        ...

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail, RGB."""
        ...

    def activity(self, tap: Tap) -> ActivitySource:
        """Return where the activity of a layer and reduction is read."""
        ...

    def summary(self, tap: Tap, unit: int | None = None) -> Summary | None:
        """Return the stored summary of all units or of one, None when there is none."""
        ...

    def numbers(self) -> NDArray[np.int64]:
        """Return the number that each image has in the file."""
        ...

    def refreshed(self) -> Store | None:
        """Look at the file again; return a new store if it has grown."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
