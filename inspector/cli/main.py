"""The program `inspector`: its commands, and how errors become one line."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

import inspector
from inspector.cli import (
    demo,
    doctor,
    export,
    import_deephys,
    info,
    layers,
    merge,
    record,
    recover,
    scores,
    tag,
    verify,
    view,
)
from inspector.cli.output import fail
from inspector.cli.system import missing_library
from inspector.errors import InspectorError

_VERBOSE = ("-v", "--verbose")

app = typer.Typer(
    name="inspector",
    help="Electrophysiology for neural networks: record what the units of any ONNX model do, and "
    "see, rank and explain what changes out of distribution.",
    epilog="Start with `inspector demo`. The usual way: layers, record (once for InD, once for "
    "OOD data), scores, view.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    demo, layers, record, info, verify, recover, merge, tag, scores, view, import_deephys, export,
    doctor,
)  # fmt: skip

for module in COMMANDS:
    # `import` is a word of Python's and cannot be the name of a file.
    name = getattr(module, "NAME", module.__name__.rpartition(".")[2])
    app.command(name, epilog=f"Example: {module.EXAMPLE}")(module.command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inspector {inspector.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program with the arguments of the process; ends it.

    Exit codes: 0 ok, 1 a named error in one line, 2 wrong use, 130 interrupted.
    """
    arguments = sys.argv[1:]
    verbose = any(argument in _VERBOSE for argument in arguments)
    # -v may stand anywhere, as people add it to the end of the line that failed.
    arguments = [argument for argument in arguments if argument not in _VERBOSE]
    try:
        app(["-v", *arguments] if verbose else arguments, prog_name="inspector")
    except InspectorError as error:
        _end(str(error), verbose)
    except ImportError as error:
        known = missing_library(error)
        if known is None:
            raise
        _end(known, verbose)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", verbose)


def _end(message: str, verbose: bool) -> None:
    if verbose:
        traceback.print_exc()
    fail(message)
