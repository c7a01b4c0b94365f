"""`inspector verify`: check every byte of recordings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inspector.cli.output import print_json, size

if TYPE_CHECKING:
    from inspector.recording import Verification

EXAMPLE = "inspector verify drifted.msgpack"

_SHOWN = 10


def command(
    files: Annotated[list[Path], typer.Argument(help="Recordings.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a list.")] = False,
) -> None:
    """Check every checksum of recordings, and that index, columns and summary agree.

    Exit code: 0 good, 3 unfinished but good as far as it goes, 1 bad (the worst of all files).
    """
    from inspector.recording import verify

    found = []
    for file in files:
        found.append(verify(file))
        if not as_json:
            _print(found[-1])
    if as_json:
        print_json([describe(each) for each in found])
    codes = {each.exit_code for each in found}
    sys.exit(next(code for code in (1, 3, 0) if code in codes))


def describe(result: Verification) -> dict[str, Any]:
    """Plain facts about a check, as `--json` prints them."""
    return {
        "path": result.path,
        "state": _state(result),
        "finished": result.finished,
        "images": result.images,
        "planned": result.planned,
        "bytes": result.size,
        "torn": result.torn,
        "problems": [str(problem) for problem in result.problems],
    }


def _state(result: Verification) -> str:
    """Say in words what the exit code says; a whole file with a torn addition is finished."""
    if result.exit_code == 3 and result.finished:
        return "finished, but an addition was broken off"
    return ("good", "bad", "", "unfinished")[result.exit_code]


def _print(result: Verification) -> None:
    from inspector.text import clean

    facts = describe(result)
    images = f"{result.images:,} of {result.planned:,} images, {size(result.size)}"
    torn = f", {result.torn:,} bytes of a broken-off write at the end" if result.torn else ""
    typer.echo(f"{clean(result.path)}: {facts['state']} ({images}{torn})")
    for problem in facts["problems"][:_SHOWN]:
        typer.echo(f"  {clean(problem, 1000)}")
    if len(facts["problems"]) > _SHOWN:
        typer.echo(f"  … and {len(facts['problems']) - _SHOWN} more (see --json)")
