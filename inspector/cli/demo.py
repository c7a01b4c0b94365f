"""`inspector demo`: the paper's first experiment, from models and digits to scores and a window."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.cli.output import console as open_console
from inspector.cli.output import number, progress, say
from inspector.cli.record import closing_line
from inspector.cli.scores import quartile_rows
from inspector.cli.system import display_problem

if TYPE_CHECKING:
    from inspector.recording import Recording

EXAMPLE = "inspector demo --out demo --no-view"

MODELS = {"coloured_mnist_cnn": "linear1", "coloured_mnist_vit": None}
"""The example models, and the layer that the paper studies; None: what the last layer reads."""

VIEWED_MODEL = "coloured_mnist_cnn"


def command(
    out: Annotated[Path, typer.Option(help="Folder for the recordings.")] = Path("inspector-demo"),
    no_view: Annotated[
        bool, typer.Option("--no-view", help="Do not open the viewer at the end.")
    ] = False,
) -> None:
    """Record two small models on coloured digits, score their units, and open the viewer.

    The models learned digits whose colour gives the class away. The same 5,000 unseen digits come
    in those colours (colored, InD), with the colours swapped between classes (permuted), in new
    colours (arbitrary) and darker (drifted).
    """
    from inspector.recording import open_recording

    files: dict[str, list[Path]] = {}
    try:
        for model in MODELS:
            files[model] = _record_sets(model, out / model)
    except KeyboardInterrupt:
        say(f"inspector: interrupted; what is finished in {out} is used again the next time")
        raise typer.Exit(130) from None
    telling = {}
    for model, layer in MODELS.items():
        recordings = [open_recording(path) for path in files[model]]
        try:
            telling[model] = _print_result(model, layer, recordings)
        finally:
            for recording in recordings:
                recording.close()
    shown, unit = files[VIEWED_MODEL], telling[VIEWED_MODEL]
    view = ["view", *map(str, shown), "--unit", unit, "--normalizer", "colored"]
    command_line = shlex.join([program(), *view])
    if no_view:
        say(f"look at it with: {command_line}")
    elif (problem := display_problem()) is not None:
        say(problem)
        say(f"on a machine with a screen: {command_line}")
        picture = out / "view.png"
        if draw_without_display([*view, "--screenshot", str(picture)]):
            say(f"what it would show is drawn in {picture}")
    else:
        from inspector.viewer.dpg import show

        say(f"opening the viewer: {command_line}")
        show(shown, unit=unit, normalizer="colored")


def draw_without_display(arguments: list[str]) -> bool:
    """Run a command of this program on a virtual screen; False where there is none."""
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        return False
    screen = ["-a", "-s", "-screen 0 1600x1000x24"]
    done = subprocess.run(
        [xvfb, *screen, sys.executable, "-m", "inspector", *arguments],
        check=False,
        capture_output=True,
        timeout=120,
    )
    return done.returncode == 0


def program() -> str:
    """How to call this program: its bare name where the shell would find this very one."""
    called = Path(sys.argv[0])
    found = shutil.which("inspector")
    if found is None or Path(found).resolve() != called.resolve():
        return str(called)
    return "inspector"


def model_path(name: str) -> Path:
    """Find an example model: in the installed package, or in the checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "models", package.parent / "models"):
        if (folder / f"{name}.onnx").is_file():
            return folder / f"{name}.onnx"
    from inspector.stimuli import DataNotFoundError

    raise DataNotFoundError(
        f"the example model {name}.onnx is not installed; install the package again"
    )


def _record_sets(model: str, folder: Path) -> list[Path]:
    """Record the four sets; finished recordings of the same model and digits are used again."""
    from inspector.runner import RecordOptions, load_model
    from inspector.runner import record as run
    from inspector.stimuli import open_demo_set
    from inspector.stimuli.coloured_digits import COLOURINGS

    folder.mkdir(parents=True, exist_ok=True)
    loaded = load_model(model_path(model))
    written = []
    for name in COLOURINGS:
        path = folder / f"{name}.msgpack"
        stimuli = open_demo_set(name)
        if _is_recorded(path, loaded.sha256, stimuli.digest()):
            say(f"{path}: recorded already")
        else:
            with progress(f"{model}/{name}") as on_progress:
                result = run(loaded, stimuli, path, RecordOptions(overwrite=True), on_progress)
            say(closing_line(result))
        written.append(path)
    return written


def _is_recorded(path: Path, model_sha256: str, stimuli_sha256: str) -> bool:
    from inspector.errors import InspectorError
    from inspector.recording import open_recording

    if not path.exists():
        return False
    try:
        with open_recording(path) as found:
            return (
                found.finished
                and found.model["sha256"] == model_sha256
                and found.header.stimuli_sha256 == stimuli_sha256
            )
    except InspectorError:
        return False  # damaged or of another version: recorded again


def _print_result(model: str, layer: str | None, recordings: list[Recording]) -> str:
    """Print accuracies and scores; return the unit that the first OOD set bends most."""
    import numpy as np
    from rich.table import Table

    from inspector.comparison import compare_scores

    ind, *oods = recordings
    layer = layer or penultimate(ind)
    console = open_console()
    console.print(f"\n[bold]{model}[/bold]  accuracy on 5,000 held-out digits")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for recording in recordings:
        table.add_column(recording.name, justify="right")
    table.add_row(*(number(recording.accuracy) for recording in recordings))
    console.print(table)
    scores = compare_scores(ind, oods, layer=layer)
    first = scores[layer].ood[oods[0].name]
    console.print(
        f"scores of the {len(scores[layer].unit)} units of {layer}, InD {ind.name}, over "
        f"{first.categories} categories of at least {first.fewest:,} images"
    )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("OOD", "score", "min", "25%", "median", "75%", "max", "chance"):
        table.add_column(title, justify="left" if title in ("OOD", "score") else "right")
    for row in quartile_rows(scores, layer):
        table.add_row(*row)
    console.print(table)
    spurious = scores[layer].ood[oods[0].name].spurious
    return f"{layer}:{int(np.nanargmax(spurious))}"


def penultimate(recording: Recording) -> str:
    """Name the last default layer that is not the logits."""
    inner = [layer for layer in recording.layers if layer.kind != "logits" and layer.default]
    return (inner or list(recording.layers))[-1].name
