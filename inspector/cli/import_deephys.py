"""`inspector import`: Deephys' files as recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inspector.cli.output import number, print_json, say, size
from inspector.cli.steps import steps

NAME = "import"
EXAMPLE = "inspector import resnet18.model ImageNet.test Sketch.test -o recordings"


def command(
    model: Annotated[Path, typer.Argument(help="Deephys' .model file.", show_default=False)],
    tests: Annotated[
        list[Path], typer.Argument(help="Its .test files, one a dataset.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for the recordings.")],
    classification: Annotated[
        str | None,
        typer.Option(
            help="The classification layer, where an old .model file does not name it.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace recordings that are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a list.")] = False,
) -> None:
    """Make a recording of every Deephys dataset (.test), to view and score as any other.

    Every file is read to its end and checked before anything is written.
    """
    from inspector.interop import import_deephys
    from inspector.text import clean

    with steps() as on_step:
        done = import_deephys(
            model,
            tests,
            out,
            classification=classification,
            overwrite=overwrite,
            on_step=on_step,
        )
    for each in done:
        for warning in each.warnings:
            say(f"{clean(str(each.source))}: {clean(warning)}")
    if as_json:
        print_json(
            [
                {
                    "source": str(each.source),
                    "path": str(each.path),
                    "images": each.images,
                    "accuracy": None if each.accuracy != each.accuracy else each.accuracy,
                    "bytes": each.path.stat().st_size,
                    "warnings": list(each.warnings),
                }
                for each in done
            ]
        )
        return
    for each in done:
        say(
            f"{clean(str(each.path))}: {each.images:,} images, accuracy {number(each.accuracy)}, "
            f"{size(each.path.stat().st_size)}"
        )
