"""`inspector info`: what is in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inspector.cli.output import RECORDINGS, accuracy, print_json, size
from inspector.cli.output import console as open_console

if TYPE_CHECKING:
    from inspector.recording import Recording

EXAMPLE = "inspector info drifted.msgpack"

_SHOWN_SKIPPED = 20


def command(
    files: Annotated[list[str], typer.Argument(help=RECORDINGS, show_default=False)],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: an object, or a list for several files.")
    ] = False,
) -> None:
    """Show what recordings hold: model, images, layers, accuracy, and whether they are finished."""
    from inspector.recording import open_recording

    found = []
    for file in files:
        with open_recording(file) as recording:
            found.append(describe(recording))
            if not as_json:
                _print(recording)
    if as_json:
        print_json(found if len(found) != 1 else found[0])


def describe(recording: Recording) -> dict[str, Any]:
    """Plain facts about a recording, as `--json` prints them."""
    from inspector.recording import unanswered

    share = recording.accuracy
    return {
        "name": recording.name,
        "path": str(recording.path),
        "model": dict(recording.model),
        "finished": recording.finished,
        "images": recording.images,
        "planned": recording.header.images,
        "skipped": {str(image): reason for image, reason in recording.skipped.items()},
        "classes": list(recording.classes),
        "layers": [
            {
                "name": layer.name,
                "tensor": layer.tensor,
                "kind": layer.kind,
                "units": layer.units,
                "shape": list(layer.shape),
                "reductions": list(layer.reductions),
                "dtype": layer.dtype,
                "default": layer.default,
            }
            for layer in recording.layers
        ],
        "accuracy": None if share != share else share,
        "unanswered": unanswered(recording),
        "options": dict(recording.header.options),
        "bytes": file_bytes(recording),
    }


def file_bytes(recording: Recording) -> int:
    """Size on disk of the file, or of all files of a folder of parts, that a recording reads."""
    path = Path(str(recording.path).partition("::")[0])
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _print(recording: Recording) -> None:
    from rich.markup import escape
    from rich.table import Table

    from inspector.recording import unanswered
    from inspector.text import clean

    def safe(text: str) -> str:
        return escape(clean(text))

    console = open_console()
    state = (
        "finished"
        if recording.finished
        else f"unfinished: {recording.images:,} of {recording.header.images:,} images"
    )
    console.print(f"[bold]{safe(recording.name)}[/bold]  {safe(str(recording.path))}  ({state})")
    model = recording.model
    console.print(f"  model     {safe(model['name'])}  sha256 {safe(model['sha256'][:16])}…")
    console.print(
        f"  images    {recording.images:,}, {len(recording.skipped):,} skipped, accuracy "
        f"{accuracy(recording.accuracy, unanswered(recording))}"
    )
    classes = recording.classes
    listed = ", ".join(safe(name) for name in classes[:10])
    more = f" and {len(classes) - 10:,} more" if len(classes) > 10 else ""
    console.print(f"  classes   {len(classes):,}: {listed}{more}")
    console.print(f"  size      {size(file_bytes(recording))}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bold")
    for title in ("layer", "kind", "units", "shape", "reductions", "type"):
        table.add_column(title, justify="right" if title == "units" else "left", overflow="fold")
    for layer in recording.layers:
        table.add_row(
            safe(layer.name),
            layer.kind,
            f"{layer.units:,}",
            "×".join(map(str, layer.shape)),
            ", ".join(layer.reductions),
            layer.dtype,
        )
    console.print(table)
    for place, (image, reason) in enumerate(recording.skipped.items()):
        if place == _SHOWN_SKIPPED:
            console.print(f"  … and {len(recording.skipped) - place:,} more skipped (see --json)")
            break
        console.print(f"  skipped   {image}: {safe(reason)}")
