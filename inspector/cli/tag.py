"""`inspector tag`: join the columns of a table to a recording."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inspector.cli.output import print_json

EXAMPLE = "inspector tag photos.msgpack cameras.csv --on path"


def command(
    file: Annotated[Path, typer.Argument(help="A finished recording.")],
    table: Annotated[Path, typer.Argument(help="A CSV (or TSV) file with a row of names.")],
    on: Annotated[
        str, typer.Option(help="The column that finds each row's image: path, image or another.")
    ] = "path",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Join the columns of a table to a recording; nothing recorded is changed.

    Columns joined before under the same name are replaced.
    """
    from inspector.recording import tag
    from inspector.text import clean

    result = tag(file, table, on=on)
    if as_json:
        print_json(asdict(result))
        return
    columns = ", ".join(f"{clean(name)} ({kind})" for name, kind in result.columns.items())
    typer.echo(f"{clean(str(file))}: {columns}")
    typer.echo(
        f"  {result.matched:,} of {result.images:,} images found a row, "
        f"{result.unused_rows:,} rows found no image"
    )
