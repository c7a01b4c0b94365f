"""Writing a recording that is there whole or not at all, and never over what it is made from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inspector.recording.errors import RecordingExistsError, RecordingWriteError
from inspector.recording.writer import replaceable


@contextmanager
def whole_recording(
    out: Path, inputs: Sequence[str | os.PathLike[str]], *, overwrite: bool
) -> Iterator[Path]:
    """Give a name to write under; the file gets its own name when the block ends well.

    Parameters
    ----------
    out : Path
        The new recording. An older one is replaced at the very end, all at once.
    inputs : sequence of path
        What it is made from, which it must not replace.
    overwrite : bool
        Whether there may be an older one.

    Raises
    ------
    RecordingExistsError
        If `out` is an input, is there without `overwrite`, or is no recording.
    RecordingWriteError
        If the operating system refuses; nothing is left behind.
    """
    for each in inputs:
        if out.exists() and Path(each).exists() and out.samefile(each):
            raise RecordingExistsError(
                "this is one of the files to be read", path=out, advice="choose another name"
            )
    if os.path.lexists(out) and not overwrite:
        raise RecordingExistsError(
            "there is a file of that name", path=out,
            advice="replace it with --overwrite, or choose another name",
        )  # fmt: skip
    if os.path.lexists(out) and not replaceable(out):
        raise RecordingExistsError(
            "this is not a recording, and only recordings are replaced", path=out,
            advice="choose another name, or remove the file yourself",
        )  # fmt: skip
    part = out.with_name(f".{out.name}.part")
    done = False
    try:
        yield part
        part.replace(out)
        done = True
    except RecordingWriteError as error:
        raise RecordingWriteError(
            error.rule,
            path=out,
            advice="nothing is left behind: make room, or choose another folder",
        ) from error
    except OSError as error:
        raise RecordingWriteError(
            f"cannot write: {error.strerror}", path=out, advice="choose another folder"
        ) from error
    finally:
        if not done:
            part.unlink(missing_ok=True)
