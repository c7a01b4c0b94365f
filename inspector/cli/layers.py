"""`inspector layers`: what there is to record in a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inspector.cli.output import console as open_console
from inspector.cli.output import print_json, say
from inspector.text import clean

if TYPE_CHECKING:
    from inspector.graph import Layer

AXIS_HELP = "LAYER=AXIS: the unit axis of a layer, where the one found is wrong; repeatable."
FEED_HELP = "INPUT=FILE.npy: a further input, one row for all images or one each; repeatable."
EXAMPLE = "inspector layers models/coloured_mnist_cnn.onnx"


def command(
    model: Annotated[Path, typer.Argument(help="The ONNX model.", show_default=False)],
    every: Annotated[
        bool, typer.Option("--all", help="Every tensor that can be recorded, not the default ones.")
    ] = False,
    output: Annotated[
        str | None, typer.Option(help="Name of the classification output.", show_default=False)
    ] = None,
    axis: Annotated[list[str] | None, typer.Option(help=AXIS_HELP, show_default=False)] = None,
    feed: Annotated[list[str] | None, typer.Option(help=FEED_HELP, show_default=False)] = None,
    memory: Annotated[
        float | None, typer.Option(help="Limit on the model's memory in GB.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the layers of a model: name, kind, units, shape and reductions."""
    from inspector.runner import load_model

    axes, feeds = dict(read_axes(axis or [])), tuple(read_feeds(feed or []))
    loaded = load_model(model, output=output, memory=memory, axes=axes, feeds=feeds)
    shown = [layer for layer in loaded.layers if every or layer.default]
    rows = [_row(layer) for layer in shown]
    if as_json:
        print_json([row.plain() for row in rows])
        return
    _print_table(rows)
    if not every:
        hidden = len(loaded.layers) - len(shown)
        say(f"{len(shown)} layers are recorded by default; {hidden} more with --all")
        return
    for module in loaded.survey.folded:
        typer.echo(f"folded: {clean(module.name)} into {clean(module.into)}")
    for tensor in loaded.survey.untapped:
        typer.echo(f"not recordable: {clean(tensor.tensor)}: {clean(tensor.reason)}")


def read_feeds(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read `INPUT=FILE` options."""
    for text in texts:
        name, _, file = text.partition("=")
        if not name or not file:
            raise typer.BadParameter(f"{text!r}: give INPUT=FILE.npy", param_hint="--feed")
        yield name, file


def read_axes(texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Read `LAYER=AXIS` options."""
    for text in texts:
        layer, _, axis = text.rpartition("=")
        if not layer or not axis.lstrip("-").isdigit():
            raise typer.BadParameter(f"{text!r}: give LAYER=AXIS", param_hint="--axis")
        yield layer, int(axis)


@dataclass(frozen=True)
class _Row:
    layer: Layer
    reductions: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        layer = self.layer
        return {
            "name": layer.name,
            "tensor": layer.tensor,
            "op": layer.op,
            "kind": layer.kind,
            "units": layer.units,
            "shape": list(layer.shape),
            "axis": layer.axis,
            "signed": layer.signed,
            "reductions": list(self.reductions),
            "aliases": list(layer.aliases),
            "kilobytes": layer.kilobytes,
            "default": layer.default,
        }


def _row(layer: Layer) -> _Row:
    from inspector.graph import stored_reductions

    return _Row(layer, stored_reductions(layer)[0])


def _print_table(rows: list[_Row]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "layer",
        "kind",
        "units",
        "shape",
        "kB/image",
        "made by",
        "reductions",
        "default",
    ):
        table.add_column(
            title, justify="right" if title in ("units", "kB/image") else "left", overflow="fold"
        )
    for row in rows:
        layer = row.layer
        table.add_row(
            escape(clean(layer.name)),
            layer.kind,
            f"{layer.units:,}",
            "×".join(map(str, layer.shape)),
            f"{layer.kilobytes:,.1f}",
            escape(clean(layer.op)),
            ", ".join(row.reductions),
            "yes" if layer.default else "",
        )
    open_console().print(table)
