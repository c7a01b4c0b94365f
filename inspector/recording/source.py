"""Positioned reads from one open file: nothing shared, short reads named; mapped when asked."""

from __future__ import annotations

import mmap
import os
import stat
import threading
from pathlib import Path

import numpy as np

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

    With `mapped` the file is mapped into memory as it was when it was opened, and reads are views
    of it; what was added since is read as without.
    """

    def __init__(self, path: str | os.PathLike[str], mapped: bool = False) -> None:
        self.path = str(os.fspath(path))
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            if Path(path).is_dir():
                raise NotARecordingError(
                    "this is a folder, not a recording", path=path,
                    advice="name the recordings in it, one by one",
                )  # fmt: skip
            # Not to hang on a pipe: opening one waits for its other end.
            self._handle: _Handle | None = _Handle(
                os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise RecordingReadError(f"cannot open: {reason}", path=path) from error
        except ValueError as error:
            raise RecordingReadError(f"cannot open: {error}", path=path) from error
        self._lock = threading.Lock()
        status = os.fstat(self._handle.fd)
        if not stat.S_ISREG(status.st_mode):
            raise NotARecordingError("this is not a file", path=path)
        self.size = status.st_size
        self._map: memoryview | None = None
        if mapped and self.size:
            whole = mmap.mmap(self._handle.fd, 0, access=mmap.ACCESS_READ)
            if hasattr(mmap, "MADV_RANDOM"):
                whole.madvise(mmap.MADV_RANDOM)  # readahead would fetch the whole file
            self._map = memoryview(whole)

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._handle is None

    def _open(self) -> _Handle:
        handle = self._handle
        if handle is None:
            raise RecordingReadError("the recording is closed", path=self.path)
        return handle

    def look(self, least: int | None = None) -> int:
        """Look at the file again, set and return its size.

        Parameters
        ----------
        least : int, optional
            How long it must still be; None for as long as before. A writer that resumes cuts a
            torn tail, which nobody has read.

        Raises
        ------
        RecordingChangedError
            If it is too short, or another file (or none) stands at its path.
        """
        try:
            status = os.fstat(self._open().fd)
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
        least = self.size if least is None else least
        if status.st_size < least:
            raise RecordingChangedError(
                "the file became shorter after it was opened",
                path=self.path,
                value=f"{status.st_size:,} bytes",
                limit=f"{least:,} bytes before",
                advice="open the recording again",
            )
        self.size = status.st_size
        return self.size

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`."""
        return bytes(self.view(offset, count))

    def view(self, offset: int, count: int) -> memoryview:
        """Return `count` bytes from `offset`: of the mapping, or read into memory of their own."""
        self._checked(offset, count)
        mapped = self._mapped(offset, count)
        if mapped is not None:
            return mapped
        data = np.empty(count, np.uint8).data
        self.read_into(offset, data)
        return data

    def _mapped(self, offset: int, count: int) -> memoryview | None:
        whole = self._map
        if whole is None or offset + count > len(whole):
            return None
        return whole[offset : offset + count]

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view` from `offset` on."""
        self._checked(offset, len(view))
        mapped = self._mapped(offset, len(view))
        if mapped is not None:
            view[:] = mapped
            return
        handle = self._open()  # kept while reading: another thread may close meanwhile
        done = 0
        while done < len(view):
            try:
                count = self._pread_into(handle.fd, offset + done, view[done:])
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
        self._open()
        if offset < 0 or count < 0 or offset + count > self.size:
            raise CorruptRecordingError(
                "a length points beyond the end of the file",
                path=self.path,
                offset=max(0, offset),
                value=f"{count:,} bytes",
                limit=f"{max(0, self.size - offset):,} bytes left",
            )
        return count

    def _pread_into(self, fd: int, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(fd, [view], offset)
        with self._lock:
            os.lseek(fd, offset, os.SEEK_SET)
            data = os.read(fd, len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file once no read is under way; later reads raise, arrays stay good."""
        self._handle = None
        self._map = None


class _Handle:
    """A file descriptor that is closed when nobody holds it: never under a running read."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)
