"""Writing a file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from inspector.interop.errors import TargetExistsError, UnwritableFileError
from inspector.recording import replaceable


def part_of(target: Path) -> Path:
    """Return the name under which a file is written until it is whole."""
    return target.with_name(f".{target.name}.part")


def check_target(target: Path, overwrite: bool) -> None:
    """Refuse a file that is there, or a folder that is not.

    Raises
    ------
    TargetExistsError, UnwritableFileError
    """
    if target.is_dir():
        raise TargetExistsError("this is a folder", path=target, advice="name a file")
    if os.path.lexists(target) and not overwrite:
        raise TargetExistsError(
            "there is a file of that name",
            path=target,
            advice="replace it with --overwrite, or choose another name",
        )
    if not target.parent.is_dir():
        raise UnwritableFileError("its folder is not there", path=target, advice="make it first")


def _is_recording(target: Path) -> bool:
    return target.is_file() and target.stat().st_size > 0 and replaceable(target)


@contextmanager
def whole_file(target: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Give a file to write; it gets its name when the block ends well, else it is removed.

    Raises
    ------
    TargetExistsError
        If there is a file and `overwrite` is not given.
    UnwritableFileError
        If the operating system refuses, as on a full disk.
    """
    check_target(target, overwrite)
    if _is_recording(target):
        raise TargetExistsError(
            "this is a recording, which no export replaces", path=target,
            advice="choose another name",
        )  # fmt: skip
    part = part_of(target)
    try:
        with part.open("wb", buffering=1 << 20) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise UnwritableFileError(
            f"cannot write: {error.strerror or error}", path=target, advice="make room, or choose "
            "another folder",
        ) from error  # fmt: skip
    finally:
        part.unlink(missing_ok=True)
