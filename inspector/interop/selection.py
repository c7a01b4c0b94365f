"""Which layers of a recording go out, and under which reduction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inspector.recording import RecordedLayer, Recording

PAPERS_REDUCTION = "relu_mean"


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
