"""`inspector record`: run a model over stimuli into a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.cli.layers import AXIS_HELP, FEED_HELP, read_axes, read_feeds
from inspector.cli.output import accuracy, fail, print_json, progress, quiet_libraries, say, size

if TYPE_CHECKING:
    from inspector.runner import RecordResult

EXAMPLE = "inspector record models/coloured_mnist_cnn.onnx demo:drifted -o drifted.msgpack"

_INTERRUPTED = 130
_SHOWN_REASONS = 3


def command(
    model: Annotated[Path, typer.Argument(help="The ONNX model.", show_default=False)],
    data: Annotated[
        str,
        typer.Argument(
            help="A folder of images (or of one folder per category), a glob, a .npy or .npz file, "
            "MNIST idx, CIFAR .bin, .tar shards, .parquet, or "
            "demo:colored|permuted|arbitrary|drifted.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The recording to write.")],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the recording (default: the data's).", show_default=False),
    ] = None,
    layers: Annotated[
        str, typer.Option(help="default, all, or globs over layer names, with commas.")
    ] = "default",
    reduce: Annotated[
        str,
        typer.Option(
            help="Reductions, with commas: mean, relu_mean, max, cls, last. `default` is "
            "relu_mean and max, with mean where a layer is signed."
        ),
    ] = "default",
    tokens: Annotated[
        str, typer.Option(help="Whether token layers leave the class token out (patch) or not.")
    ] = "patch",
    classes: Annotated[
        Path | None,
        typer.Option(
            help="File with the names of the model's outputs, one a line.", show_default=False
        ),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="none, unit (0..1), signed (-1..1), raw, imagenet, clip, efficientnet-lite0 to 4, "
            "or a JSON file, Hugging Face's and timm's too (default: what the model's metadata "
            "says, else arrays that fit as they are, else the file beside the model, else unit).",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="Name of the classification output.", show_default=False)
    ] = None,
    axis: Annotated[list[str] | None, typer.Option(help=AXIS_HELP, show_default=False)] = None,
    feed: Annotated[list[str] | None, typer.Option(help=FEED_HELP, show_default=False)] = None,
    provider: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="Threads of the model; 0: one per core.")] = 0,
    memory: Annotated[
        float | None, typer.Option(help="Limit on the model's memory in GB.", show_default=False)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Images run at once (default: 32).", show_default=False)
    ] = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            help="Images stored at once (default: up to 1024, by the model).", show_default=False
        ),
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32, or float16 for half the size.")] = "float32",
    thumb: Annotated[int, typer.Option(help="Longest side of the thumbnails in pixels.")] = 64,
    limit: Annotated[
        str | None,
        typer.Option(
            help="N: a seeded sample, stratified by label; first:N: the first N.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="K/N: only the K-th of N parts; `inspector merge` joins them into the whole.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="CSV or JSON-lines table that describes the images.", show_default=False),
    ] = None,
    path_col: Annotated[
        str | None, typer.Option(help="Its column of paths below DATA.", show_default=False)
    ] = None,
    label_col: Annotated[
        str | None, typer.Option(help="Its column of ground truth.", show_default=False)
    ] = None,
    group_col: Annotated[
        str | None,
        typer.Option(
            help="Its column whose rows are not independent: camera, patient, burst.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            help="""Only rows that match, such as 'camera == "c7" and heat > 3'.""",
            show_default=False,
        ),
    ] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Let paths lead out of the folder DATA.")
    ] = False,
    like: Annotated[
        Path | None,
        typer.Option(
            help="Take classes, preprocessing, layers, reductions and thumbnails from this "
            "recording.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first image that cannot be read.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a recording that was broken off.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the closing figures as JSON.")] = (
        False
    ),
) -> None:
    """Record what a model's units do on a set of stimuli.

    Images that cannot be read are left out, listed, and make the exit code 1; with --strict the
    first one stops the recording.
    """
    from inspector.runner import RecordOptions
    from inspector.runner import record as run

    options = RecordOptions(
        name=name,
        layers=layers,
        reduce=tuple(reduce.split(",")),
        tokens=tokens,
        classes=None if classes is None else read_classes(classes),
        preprocess=preprocess,
        output=output,
        axes=tuple(read_axes(axis or [])),
        feeds=tuple(read_feeds(feed or [])),
        provider=provider,
        threads=threads,
        memory=memory,
        batch=batch,
        chunk=chunk,
        dtype=dtype,
        thumb=thumb,
        limit=limit,
        part=part,
        table=table,
        path_col=path_col,
        label_col=label_col,
        group_col=group_col,
        where=where,
        follow_links=follow_links,
        like=like,
        strict=strict,
        resume=resume,
        overwrite=overwrite,
    )
    try:
        with quiet_libraries(), progress(out.name) as on_progress:
            result = run(model, data, out, options, on_progress)
    except KeyboardInterrupt:
        kept = f"what {out} holds is kept: go on with --resume" if out.exists() else "nothing kept"
        say(f"inspector: interrupted; {kept}")
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        print_json(_plain(result))
    else:
        say(f"preprocessing: {result.preprocess}")
        say(closing_line(result))
    for hint in result.hints:
        say(f"hint: {hint}")
    if result.skipped:
        shown = "; ".join(result.reasons[:_SHOWN_REASONS])
        more = result.skipped - min(result.skipped, _SHOWN_REASONS)
        fail(
            f"{result.skipped:,} of {result.images:,} images could not be read and were left out: "
            f"{shown}" + (f"; and {more:,} more (all are listed by `inspector info`)" * bool(more))
        )


def closing_line(result: RecordResult) -> str:
    """Sum a recording up in one line."""
    return (
        f"{result.path}: {result.images:,} images in {result.seconds:.1f} s "
        f"({result.rate:,.0f} images/s), accuracy {accuracy(result.accuracy, result.unanswered)}, "
        f"{result.skipped:,} skipped, {size(result.path.stat().st_size)}, on {result.provider}"
    )


def read_classes(path: Path) -> tuple[str, ...]:
    """Read class names: one a line, or a JSON list."""
    import json

    from inspector.runner import OptionError

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"--classes {path}: cannot be read ({error}); give a text file with one name a line"
        ) from None
    if text.lstrip().startswith("["):
        try:
            names = json.loads(text)
        except ValueError as error:
            raise OptionError(f"--classes {path}: is no JSON list ({error})") from None
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names or not all(isinstance(each, str) for each in names):
        raise OptionError(f"--classes {path}: holds no names; give one a line")
    if len(set(names)) != len(names):
        twice = next(each for each in names if names.count(each) > 1)
        raise OptionError(f"--classes {path}: names {twice!r} twice; names must differ")
    return tuple(names)


def _plain(result: RecordResult) -> dict[str, object]:
    return {
        "path": str(result.path),
        "images": result.images,
        "seconds": result.seconds,
        "rate": result.rate,
        "accuracy": None if result.accuracy != result.accuracy else result.accuracy,
        "unanswered": result.unanswered,
        "skipped": result.skipped,
        "batch": result.batch,
        "provider": result.provider,
        "hints": list(result.hints),
        "bytes": result.path.stat().st_size,
    }
