"""Positioned reads from one open file: nothing mapped, nothing shared, short reads named."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from inspector.recording.errors import (
    CorruptRecordingError,
    NotARecordingError,
    RecordingChangedError,
    RecordingReadError,
)


class Source:
    """A file opened for reading, and its size when it was last looked at.

    Reads name their place (pread), so threads share one source without a lock. A read beyond
    `size` is refused before anything is allocated.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(os.fspath(path))
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            if Path(path).is_dir():
                raise NotARecordingError("this is a folder, not a recording", path=path)
            self._fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            reason = error.strerror or str(error)
            raise RecordingReadError(f"cannot open: {reason}", path=path) from error
        except ValueError as error:
            raise RecordingReadError(f"cannot open: {error}", path=path) from error
        self._lock = threading.Lock()
        self.closed = False
        self.size = os.fstat(self._fd).st_size

    def look(self) -> int:
        """Look at the file again, set and return its size.

        Raises
        ------
        RecordingChangedError
            If it is shorter than before, or another file (or none) stands at its path.
        """
        try:
            status = os.fstat(self._fd)
        except OSError as error:
            raise RecordingReadError(f"cannot read: {error.strerror}", path=self.path) from error
        try:
            named = Path(self.path).stat()
        except OSError:
            raise RecordingChangedError(
                "the file was deleted or moved after it was opened",
                path=self.path,
                advice="open the recording again",
            ) from None
        if (named.st_dev, named.st_ino) != (status.st_dev, status.st_ino):
            raise RecordingChangedError(
                "the file was replaced by another after it was opened",
                path=self.path,
                advice="open the recording again",
            )
        if status.st_size < self.size:
            raise RecordingChangedError(
                "the file became shorter after it was opened",
                path=self.path,
                value=f"{status.st_size:,} bytes",
                limit=f"{self.size:,} bytes before",
                advice="open the recording again",
            )
        self.size = status.st_size
        return self.size

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`."""
        data = bytearray(self._checked(offset, count))
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view` from `offset` on."""
        self._checked(offset, len(view))
        done = 0
        while done < len(view):
            try:
                count = self._pread_into(offset + done, view[done:])
            except OSError as error:
                raise RecordingReadError(
                    f"cannot read: {error.strerror}", path=self.path, offset=offset + done
                ) from error
            if not count:
                raise RecordingChangedError(
                    "the file became shorter after it was opened",
                    path=self.path,
                    offset=offset + done,
                    advice="open the recording again",
                )
            done += count

    def _checked(self, offset: int, count: int) -> int:
        if self.closed:
            raise RecordingReadError("the recording is closed", path=self.path)
        if offset < 0 or count < 0 or offset + count > self.size:
            raise CorruptRecordingError(
                "a length points beyond the end of the file",
                path=self.path,
                offset=max(0, offset),
                value=f"{count:,} bytes",
                limit=f"{max(0, self.size - offset):,} bytes left",
            )
        return count

    def _pread_into(self, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._fd, [view], offset)
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            data = os.read(self._fd, len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file; reads after this raise."""
        if not self.closed:
            self.closed = True
            os.close(self._fd)
