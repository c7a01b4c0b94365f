"""Which layers of a recording go out, and under which reduction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inspector.recording import RecordedLayer, Recording

PAPERS_REDUCTION = "relu_mean"
BLOCK_BYTES = 64 << 20
"""Bytes of activity read at once."""


@dataclass(frozen=True)
class Selected:
    """A layer, and the reduction under which its activity is read."""

    layer: RecordedLayer
    reduction: str


def select_layers(
    recording: Recording, names: Sequence[str] = (), reduction: str | None = None
) -> list[Selected]:
    """Return the layers asked for, in the recording's order; all of them when none is named.

    Without a reduction it is the paper's, `relu_mean`, where it was recorded, else the first one.

    Raises
    ------
    UnknownLayerError, UnknownReductionError
        Naming what there is.
    """
    wanted = {recording.layer(name).name for name in names}
    chosen = []
    for layer in recording.layers:
        if names and layer.name not in wanted:
            continue
        # One value a unit has no reduction to choose.
        fixed = layer.reductions == ("none",)
        if fixed or reduction is None:
            known = PAPERS_REDUCTION in (*layer.reductions, *layer.same)
            used = PAPERS_REDUCTION if known and not fixed else layer.reductions[0]
        else:
            used = reduction
        recording.activity(layer.name, used)
        chosen.append(Selected(layer, used))
    return chosen


def blocks_of(recording: Recording, layers: Sequence[Selected]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of images that are read at once: a chunk, as it is stored, or a part."""
    step = recording.header.chunk
    units = sum(each.layer.units for each in layers)
    while step > 1 and 4 * units * step > BLOCK_BYTES:
        step = -(-step // 2)
    for start in range(0, recording.images, recording.header.chunk):
        end = min(recording.images, start + recording.header.chunk)
        for first in range(start, end, step):
            yield first, min(end, first + step)
