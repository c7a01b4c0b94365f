"""Appending to one file under a lock: every write whole or undone, every failure named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from inspector.recording.errors import RecordingLockedError, RecordingWriteError

_BUFFERS = 512  # under IOV_MAX, the most that one writev takes


class Output:
    """A file that only grows, held by one process.

    The lock is the operating system's (flock): it ends with the process, so a killed writer
    leaves nothing to clean up.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.size = os.fstat(fd).st_size

    @classmethod
    def open(cls, path: Path, *, create: bool) -> Output:
        """Open and lock a file; `create` makes it, and fails with FileExistsError if it is there.

        Raises
        ------
        RecordingLockedError
            If another writer has it.
        """
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        if create:
            flags |= os.O_CREAT | os.O_EXCL
        try:
            fd = os.open(path, flags, 0o666)
        except FileExistsError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise RecordingWriteError(f"cannot write: {reason}", path=path) from error
        try:
            lock(fd, path)
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd)

    def append(self, buffers: Sequence[bytes | memoryview]) -> None:
        """Write `buffers` at the end; if that fails, cut off what was written of them.

        Raises
        ------
        RecordingWriteError
            With what the operating system said; the file ends where it ended before.
        """
        start = self.size
        waiting = [memoryview(buffer) for buffer in buffers if len(buffer)]
        try:
            position = start
            while waiting:
                count = self._write(waiting[:_BUFFERS], position)
                if count <= 0:
                    raise OSError(5, "nothing was written")
                position += count
                while waiting and count >= len(waiting[0]):
                    count -= len(waiting.pop(0))
                if count:
                    waiting[0] = waiting[0][count:]
            self.size = position
        except OSError as error:
            self.undo(start)
            raise RecordingWriteError(
                f"cannot write: {error.strerror or error}",
                path=self.path,
                offset=start,
                advice="what was written before is whole: make room, then go on with --resume",
            ) from error

    def _write(self, buffers: list[memoryview], position: int) -> int:
        if hasattr(os, "pwritev"):
            return os.pwritev(self.fd, buffers, position)
        os.lseek(self.fd, position, os.SEEK_SET)
        return os.write(self.fd, buffers[0])

    def undo(self, size: int) -> None:
        """Cut the file back to `size`, if the disk lets us; a torn tail harms nobody."""
        if self.fd < 0:
            return
        try:
            os.ftruncate(self.fd, size)
        except OSError:
            return
        self.size = size

    def truncate(self, size: int) -> None:
        """Cut off a torn tail."""
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise RecordingWriteError(
                f"cannot cut a torn tail: {error.strerror}", path=self.path, offset=size
            ) from error
        self.size = size

    def sync(self) -> None:
        """Ask the operating system to put everything on the disk."""
        try:
            os.fsync(self.fd)
        except OSError as error:
            raise RecordingWriteError(
                f"cannot write to the disk: {error.strerror}", path=self.path
            ) from error

    def sync_folder(self) -> None:
        """Put the file's name on the disk, where the system can."""
        if not hasattr(os, "O_DIRECTORY"):
            return
        try:
            fd = os.open(self.path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return
        try:
            os.fsync(fd)
        except OSError:
            return
        finally:
            os.close(fd)

    def close(self) -> None:
        """Release the lock and close the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def lock(fd: int, path: Path) -> None:
    """Take the writer's lock on an open file, or raise RecordingLockedError."""
    try:
        import fcntl
    except ImportError:
        _lock_windows(fd, path)
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RecordingLockedError(
            "another process is writing this recording",
            path=path,
            advice="wait for it to end, or choose another name",
        ) from error


def _lock_windows(fd: int, path: Path) -> None:
    import importlib
    from typing import Any

    msvcrt: Any = importlib.import_module("msvcrt")
    try:
        # Far beyond any data: Windows locks are mandatory and must not hinder readers.
        os.lseek(fd, 1 << 60, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        raise RecordingLockedError(
            "another process is writing this recording", path=path
        ) from error
