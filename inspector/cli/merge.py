"""`inspector merge`: join recordings of parts of one dataset."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inspector.cli.output import print_json, say

EXAMPLE = "inspector merge part1.msgpack part2.msgpack -o all.msgpack"


def command(
    files: Annotated[
        list[Path],
        typer.Argument(help="Finished recordings by one model with the same options."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The new recording.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the new recording if it exists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Join recordings of parts of one dataset into one file.

    A folder of parts also opens as one recording without joining. All parts but the last hold a
    whole number of chunks.
    """
    from inspector.recording import merge
    from inspector.text import clean

    result = merge(files, out, overwrite=overwrite)
    if result.left_out:
        say(f"left out, as they belong to single parts: {clean(', '.join(result.left_out))}")
    if as_json:
        print_json(asdict(result))
    else:
        typer.echo(f"{clean(result.path)}: {result.images:,} images")
