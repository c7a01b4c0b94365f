"""`inspector scores`: which units change their tuning, and which fall silent."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.cli.output import PART_OF_RECORDING, number, print_json, say
from inspector.cli.output import console as open_console

if TYPE_CHECKING:
    from inspector.comparison import Scores

EXAMPLE = "inspector scores --ind colored.msgpack --ood drifted.msgpack --layer linear1"

_RANKINGS = ("spurious", "novelty", "rho")


def command(
    ind: Annotated[str, typer.Option(help=f"The in-distribution recording. {PART_OF_RECORDING}")],
    ood: Annotated[list[str], typer.Option(help="An out-of-distribution recording; repeatable.")],
    layer: Annotated[
        str | None, typer.Option(help="One layer (default: all).", show_default=False)
    ] = None,
    reduce: Annotated[
        str | None,
        typer.Option(help="A recorded reduction (default: relu_mean).", show_default=False),
    ] = None,
    by: Annotated[str, typer.Option(help="Rank by spurious, novelty or rho.")] = "spurious",
    top: Annotated[int, typer.Option(help="Units shown per layer and OOD set.", min=1)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print every unit as JSON.")] = False,
    table: Annotated[
        Path | None,
        typer.Option("--csv", help="Write every unit to this CSV file.", show_default=False),
    ] = None,
) -> None:
    """Score every unit: spurious (its tuning is lost) and novelty (it falls silent).

    Spurious is 1 - |ρ| of the category means InD against OOD: 0 where their order is kept, about
    the chance level where it is lost. Novelty is the highest category mean InD minus the highest
    OOD, as a share of the unit's InD maximum.
    """
    from inspector.comparison import compare_scores
    from inspector.recording import open_recording

    if by not in _RANKINGS:
        raise typer.BadParameter(f"{by!r}: choose {', '.join(_RANKINGS)}", param_hint="--by")
    with ExitStack() as stack:
        opened = [stack.enter_context(open_recording(path)) for path in (ind, *ood)]
        scores = compare_scores(opened[0], opened[1:], layer=layer, reduction=reduce)
    for name, reason in scores.left_out.items():
        say(f"{name} is left out: {reason}")
    for warning in scores.warnings:
        say(f"warning: {warning}")
    if table is not None:
        _write_csv(scores, table)
        say(f"{table}: written")
    if as_json:
        print_json(scores.as_dict())
    elif table is None:
        _print(scores, by, top)


def quartile_rows(scores: Scores, layer: str) -> list[tuple[str, ...]]:
    """One row per OOD set and score: minimum, quartiles and maximum over the layer's units."""
    import numpy as np

    rows = []
    for ood, result in scores[layer].ood.items():
        for kind in ("spurious", "novelty"):
            values = getattr(result, kind)
            defined = values[np.isfinite(values)]
            shown = np.quantile(defined, [0, 0.25, 0.5, 0.75, 1]) if len(defined) else [np.nan] * 5
            chance = number(result.chance, 2) if kind == "spurious" else ""
            rows.append((ood, kind, *(number(float(each)) for each in shown), chance))
    return rows


def _print(scores: Scores, by: str, top: int) -> None:
    import numpy as np
    from rich.markup import escape
    from rich.table import Table

    from inspector.text import clean

    console = open_console()
    for name, layer in scores.layers.items():
        note = ", raw signed values" if layer.signed else ""
        console.print(
            f"\n[bold]{escape(clean(name))}[/bold]  {len(layer.unit):,} units, "
            f"{layer.reduction}{note}, InD {escape(clean(scores.ind))}"
        )
        summary = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for title in ("OOD", "score", "min", "25%", "median", "75%", "max", "chance"):
            summary.add_column(title, justify="left" if title in ("OOD", "score") else "right")
        for row in quartile_rows(scores, name):
            summary.add_row(escape(clean(row[0])), *row[1:])
        console.print(summary)
        for ood, result in layer.ood.items():
            values = getattr(result, by)
            # A low ρ is the finding; of the scores, a high one.
            ranked = np.argsort(values if by == "rho" else -values, kind="stable")
            order = [unit for unit in ranked.tolist() if np.isfinite(values[unit])][:top]
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
            for title in ("unit", "spurious", "novelty", "ρ"):
                table.add_column(title, justify="right")
            for unit in order:
                table.add_row(
                    str(unit),
                    number(result.spurious[unit]),
                    number(result.novelty[unit]),
                    number(result.rho[unit]),
                )
            console.print(
                f"{escape(clean(ood))}: the {len(order)} units of highest {by}"
                if by != "rho"
                else f"{escape(clean(ood))}: the {len(order)} units of lowest ρ",
                f"({result.categories} categories of at least {result.fewest:,} images)",
                style="dim",
            )
            console.print(table)


def _write_csv(scores: Scores, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["layer", "unit", "reduction", "ind", "ood", "spurious", "novelty", "rho", "categories"]
        )
        for name, layer in scores.layers.items():
            for ood, result in layer.ood.items():
                columns = (result.spurious, result.novelty, result.rho)
                for unit in layer.unit.tolist():
                    # NaN is an empty cell, which every reader takes as missing.
                    values = [float(column[unit]) for column in columns]
                    cells = ["" if value != value else value for value in values]
                    writer.writerow(
                        [name, unit, layer.reduction, scores.ind, ood, *cells, result.categories]
                    )
