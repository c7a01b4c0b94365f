"""`inspector export`: a recording for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from inspector.cli.output import print_json, say, size
from inspector.cli.steps import steps

EXAMPLE = "inspector export drifted.msgpack --to csv -o drifted.csv --layer linear1"

_FORMATS = ("deephys", "csv", "npz")
_FIT = {
    "--float64": ("deephys",),
    "--drop-unlabelled": ("deephys",),
    "--rectify": ("deephys",),
    "--size": ("deephys",),
    "--layer, more than once": ("deephys", "npz"),
}


def command(
    recording: Annotated[
        str,
        typer.Argument(
            metavar="F", help="The recording, or F::FILTER for a part.", show_default=False
        ),
    ],
    to: Annotated[str, typer.Option("--to", help="deephys, csv or npz.", show_default=False)],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="The file; for deephys a folder, or a path to which .model and .test are added.",
        ),
    ],
    layer: Annotated[
        list[str] | None,
        typer.Option(
            help="Write the activity of this layer; repeatable for deephys and npz, which write "
            "all layers without it.",
            show_default=False,
        ),
    ] = None,
    reduce: Annotated[
        str | None,
        typer.Option(
            help="Under this recorded reduction (default: relu_mean where recorded; npz: all).",
            show_default=False,
        ),
    ] = None,
    float64: Annotated[
        bool, typer.Option("--float64", help="deephys: float64, which its last app cannot open.")
    ] = False,
    drop_unlabelled: Annotated[
        bool,
        typer.Option("--drop-unlabelled", help="deephys: leave images without label out."),
    ] = False,
    rectify: Annotated[
        bool, typer.Option("--rectify", help="deephys: set negative activity to 0.")
    ] = False,
    pixels: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=1,
            max=4096,
            help="deephys: fit images into squares of so many pixels.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = (
        False
    ),
) -> None:
    """Write a recording as a table (csv), as arrays (npz) or for Deephys (deephys).

    csv: a row for each image with number, path, label, prediction, confidence and metadata, and
    with --layer a column for each unit. npz: arrays for numpy.load. deephys: a .model and a .test
    file, under the rules of its own exporter.
    """
    from inspector.interop import DeephysOptions, export_csv, export_deephys, export_npz
    from inspector.recording import open_recording
    from inspector.text import clean

    layers = layer or []
    _check(to, {
        "--float64": float64,
        "--drop-unlabelled": drop_unlabelled,
        "--rectify": rectify,
        "--size": pixels is not None,
        "--layer, more than once": len(layers) > 1,
    })  # fmt: skip
    if to == "csv" and reduce is not None and not layers:
        raise typer.BadParameter("needs --layer with --to csv", param_hint="--reduce")
    messages: tuple[str, ...] = ()
    with open_recording(recording) as opened, steps() as on_step:

        def on_images(done: int, total: int) -> None:
            on_step(f"exporting {opened.name}", done, total)

        images = opened.images
        if not opened.finished:
            say(f"it is unfinished: {images:,} of {opened.header.images:,} images are exported")
        if to == "deephys":
            options = DeephysOptions(
                float64, drop_unlabelled, rectify, pixels, tuple(layers), reduce, overwrite
            )
            exported = export_deephys(opened, out, options, on_images=on_images)
            files, images, messages = exported.files, exported.images, exported.messages
        else:
            common: dict[str, Any] = {
                "reduction": reduce,
                "overwrite": overwrite,
                "on_images": on_images,
            }
            if to == "csv":
                chosen = layers[0] if layers else None
                files = (export_csv(opened, out, layer=chosen, **common),)
            else:
                files = (export_npz(opened, out, layers=layers, **common),)
    for message in messages:
        say(clean(message))
    if as_json:
        print_json(
            {
                "files": [str(file) for file in files],
                "images": images,
                "bytes": sum(Path(file).stat().st_size for file in files),
                "messages": list(messages),
            }
        )
        return
    names = ", ".join(clean(str(file)) for file in files)
    say(f"{names}: {images:,} images, {size(sum(Path(file).stat().st_size for file in files))}")


def _check(to: str, given: dict[str, bool]) -> None:
    if to not in _FORMATS:
        raise typer.BadParameter(f"{to!r}: choose {', '.join(_FORMATS)}", param_hint="--to")
    for option, is_given in given.items():
        if is_given and to not in _FIT[option]:
            raise typer.BadParameter(
                f"goes with --to {' or '.join(_FIT[option])}, not {to}", param_hint=option
            )
