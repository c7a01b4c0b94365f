"""`inspector recover`: save what is whole of a damaged recording."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inspector.cli.output import print_json

EXAMPLE = "inspector recover damaged.msgpack -o saved.msgpack"

_SHOWN = 20


def command(
    file: Annotated[Path, typer.Argument(help="A damaged or broken-off recording.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The new recording.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the new recording if it exists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write what is whole of a recording into a new one; the old one is left as it is.

    Every image keeps its number. Exit code: 0 complete, 3 something was lost, 1 nothing saved.
    """
    from inspector.recording import recover
    from inspector.text import clean

    result = recover(file, out, overwrite=overwrite)
    if as_json:
        print_json(asdict(result))
    else:
        state = "finished" if result.finished else "unfinished: go on with record --resume"
        typer.echo(
            f"{clean(result.path)}: {result.images - result.lost_images:,} of "
            f"{result.planned:,} images saved ({state})"
        )
        for words in result.lost[:_SHOWN]:
            typer.echo(f"  lost: {clean(words, 300)}")
        if len(result.lost) > _SHOWN:
            typer.echo(f"  … and {len(result.lost) - _SHOWN} more (see --json)")
    sys.exit(result.exit_code)
