"""Settle what is recorded before the first batch runs: layers, classes, labels, grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspector.graph import Instrumented, Layer, instrument, select_layers, stored_reductions
from inspector.recording import Header, RecordedLayer, default_chunk
from inspector.runner.errors import OptionError
from inspector.runner.feeds import Feed, stimulus_input
from inspector.runner.model import Model
from inspector.runner.options import RecordOptions
from inspector.stimuli import Dataset, Preprocess, Subset, labels_as_outputs
from inspector.stimuli.dataset import Column

DEFAULT_BATCH = 32


@dataclass(frozen=True)
class Plan:
    """Everything that is settled before the first batch runs."""

    header: Header
    instrumented: Instrumented
    labels: NDArray[np.int32]
    input_name: str
    fixed_batch: int | None
    dataset: Dataset
    columns: Mapping[str, Column]
    feeds: tuple[Feed, ...]


def make_plan(
    model: Model,
    dataset: Dataset,
    options: RecordOptions,
    steps: Preprocess,
    feeds: Sequence[Feed] = (),
) -> Plan:
    """Choose layers, match labels to outputs by name, and settle the grid.

    Raises
    ------
    InspectorError
        When layers, classes, labels, batch or chunk do not fit the model.
    """
    graph, output = model.graph, model.output
    classes = options.classes if options.classes is not None else model.classes
    outputs = output.classes if output is not None else 0
    if options.classes is not None and len(classes) != outputs:
        raise OptionError(
            f"--classes names {len(classes):,} classes, but the model has {outputs:,} outputs; "
            "give one name per output in their order"
        )
    chosen = list(select_layers(model.layers, options.layers))
    # Predictions are read off the classification layer, so it is recorded in any case.
    logits = next(
        (layer for layer in model.layers if output and layer.tensor == output.logits), None
    )
    if logits is not None and logits not in chosen:
        chosen.append(logits)
    taps, recorded = [], []
    for layer in chosen:
        stored, same = stored_reductions(layer, options.reduce)
        taps.append((layer, stored))
        recorded.append(_recorded_layer(layer, stored, same, options.dtype))
    taken = stimulus_input(graph, [feed.name for feed in feeds])
    fixed = model.batch
    batch, chunk = _grid(recorded, options, fixed)
    header = Header(
        name=options.name or dataset.name,
        model={"name": graph.name, "sha256": graph.sha256, "file": Path(graph.path).name},
        layers=tuple(recorded),
        classes=tuple(classes),
        output={} if logits is None or output is None else _output(logits, output.kind),
        images=len(dataset),
        batch=batch,
        chunk=chunk,
        stimuli_sha256=dataset.digest(),
        options={
            "preprocess": steps.as_dict(),
            "tokens": options.tokens,
            **({"group": dataset.group_column} if dataset.group_column else {}),
        },
        thumbnail={"px": options.thumb},
        columns=_column_kinds(dataset.columns),
        data=dataset.root,
    )
    labels = labels_as_outputs(dataset, classes, outputs)
    first, stop = 0, len(dataset)
    if options.part is not None:
        first, stop = part_span(options.part, len(dataset), chunk)
        header, dataset, labels = _cut(header, dataset, labels, first, stop)
    return Plan(
        header,
        instrument(graph, taps, tokens=options.tokens),
        labels,
        taken.name,
        fixed,
        dataset,
        dataset.columns,
        tuple(feed.span(first, stop) for feed in feeds),
    )


def part_span(part: str, images: int, chunk: int) -> tuple[int, int]:
    """Find the images of a part: whole chunks, spread evenly.

    Parameters
    ----------
    part : str
        `K/N`, K from 1 to N.
    images, chunk : int
        Of the whole.

    Returns
    -------
    int, int
        First image, and the one behind the last.

    Raises
    ------
    OptionError
        When it is no `K/N`, or there are fewer chunks than parts.
    """
    number, _, count = part.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise OptionError(f"--part {part!r}: give K/N with K from 1 to N, such as 2/4")
    chunks = -(-images // chunk)
    if int(count) > chunks:
        raise OptionError(
            f"--part {part}: the data has {images:,} images, {chunks:,} chunks of {chunk:,}; ask "
            f"for at most {chunks:,} parts, or set a smaller --chunk"
        )
    begin, end = (chunks * k // int(count) * chunk for k in (int(number) - 1, int(number)))
    return begin, min(end, images)


def _cut(
    header: Header, dataset: Dataset, labels: NDArray[np.int32], first: int, stop: int
) -> tuple[Header, Dataset, NDArray[np.int32]]:
    """Keep a part of the data, and say in its header where in the whole it belongs."""
    place = {"first": first, "images": header.images, "stimuli_sha256": header.stimuli_sha256}
    digest = hashlib.sha256(f"{header.stimuli_sha256} {first} {stop}".encode()).hexdigest()
    part = replace(
        header,
        images=stop - first,
        stimuli_sha256=digest,
        options={**header.options, "part": place},
    )
    return part, Subset(dataset, np.arange(first, stop)), labels[first:stop]


def _column_kinds(columns: Mapping[str, Column]) -> dict[str, str]:
    """Name the type of each metadata column by its values."""
    return {name: _column_kind(values) for name, values in columns.items()}


def _column_kind(values: Column) -> str:
    if isinstance(values, np.ndarray):
        return "int" if values.dtype.kind in "iub" else "float"
    if all(isinstance(value, int) for value in values):
        return "int"
    return "float" if all(isinstance(value, int | float) for value in values) else "text"


def _output(logits: Layer, kind: str) -> dict[str, str]:
    return {"layer": logits.name, "kind": kind}


def _recorded_layer(
    layer: Layer, stored: tuple[str, ...], same: dict[str, str], dtype: str
) -> RecordedLayer:
    return RecordedLayer(
        name=layer.name,
        tensor=layer.tensor,
        kind=layer.kind,
        units=layer.units,
        shape=tuple(layer.shape),
        default=layer.default,
        signed=layer.signed,
        op=layer.op,
        axis=layer.axis,
        aliases=tuple(layer.aliases),
        reductions=stored,
        same=same,
        dtype=dtype,
    )


def _grid(
    layers: Sequence[RecordedLayer], options: RecordOptions, fixed: int | None
) -> tuple[int, int]:
    """Settle batch and chunk: chunks hold whole batches."""
    if fixed is not None and options.batch not in (None, fixed):
        raise OptionError(
            f"--batch {options.batch}: the model's batch is fixed at {fixed}; leave --batch out, "
            "or export the model with a dynamic batch"
        )
    batch = fixed or options.batch or DEFAULT_BATCH
    chunk = options.chunk or default_chunk(layers, batch)
    if chunk % batch:
        raise OptionError(
            f"--chunk {chunk} is no multiple of the batch of {batch}; give one that is"
        )
    return batch, chunk
