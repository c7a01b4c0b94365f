"""`inspector view`: look at recordings in a window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inspector.cli.output import LONGEST_MESSAGE, RECORDINGS, say
from inspector.text import clean

EXAMPLE = "inspector view colored.msgpack drifted.msgpack --unit linear1:7"


def command(
    files: Annotated[list[str] | None, typer.Argument(help=RECORDINGS, show_default=False)] = None,
    unit: Annotated[
        str | None,
        typer.Option(help="Unit to start with, as LAYER:NUMBER.", show_default=False),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="Image to start with, as NAME:NUMBER, NAME being a recording's.",
            show_default=False,
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(help="Category to start with, by its name.", show_default=False),
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option(help="Recording that the others follow.", show_default=False),
    ] = None,
    normalizer: Annotated[
        str | None,
        typer.Option(help="Recording whose maxima divide the activity shown.", show_default=False),
    ] = None,
    screenshot: Annotated[
        Path | None,
        typer.Option(help="Write what the window shows to this PNG and end.", show_default=False),
    ] = None,
    size: Annotated[str, typer.Option(help="Size of the window, WIDTHxHEIGHT.")] = "1600x1000",
    theme: Annotated[str, typer.Option(help="dark or light.")] = "dark",
    scale: Annotated[
        float, typer.Option(help="Size of everything; 2 for a dense screen.", min=0.5, max=4)
    ] = 1.0,
) -> None:
    """Look at recordings side by side: units, their top images and what they answer to.

    It needs a screen; over ssh, `ssh -X` or `xvfb-run -a inspector view … --screenshot x.png`.
    """
    from inspector.viewer.dpg import show

    if theme not in ("dark", "light"):
        raise typer.BadParameter(f"{theme!r}: choose dark or light", param_hint="--theme")

    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise typer.BadParameter(f"{size!r}: give WIDTHxHEIGHT", param_hint="--size")
    show(
        files or [],
        unit=unit,
        image=image,
        category=category,
        lead=lead,
        normalizer=normalizer,
        screenshot=screenshot,
        size=(int(width), int(height)),
        theme=theme,
        scale=scale,
        on_problem=lambda problem: say(f"inspector: {clean(problem, LONGEST_MESSAGE)}"),
    )
