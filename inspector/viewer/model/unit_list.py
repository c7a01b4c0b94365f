"""The list of units at the left: bars of a quantity, by number or by value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model.reader import Reader
from inspector.viewer.model.score_data import ScoreData
from inspector.viewer.model.state import State
from inspector.viewer.model.unit_data import LayerData


@dataclass(frozen=True, eq=False)
class ListView:
    """The list of units: bars of one recording's quantity, and the order in which they stand."""

    layer: str
    units: int
    recording: int
    quantity: str
    values: NDArray[np.float64] | None
    top: float
    order: NDArray[np.int64] | None
    sorted: bool


class UnitList:
    """Makes the list, and the same list again while nothing in it has changed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._list: tuple[tuple[object, ...], ListView] | None = None

    def view(self, state: State) -> ListView:
        """The list of units of the layer shown."""
        layer = self._reader.catalog.layer(state.here.layer)
        recording = self._recording(state)
        if layer is None or recording is None:
            return self._kept(("empty", state.quantity), lambda: _empty_list(state))
        values, made_of = self._quantity(recording, layer.name, state)
        key = (layer.name, layer.units, recording, state.quantity, state.sorted, made_of)
        return self._kept(
            key, lambda: _make_list(layer.name, layer.units, recording, state, values)
        )

    def _kept(self, key: tuple[object, ...], make: Callable[[], ListView]) -> ListView:
        """The last list again, while nothing in it has changed."""
        if self._list is None or self._list[0] != key:
            self._list = (key, make())
        return self._list[1]

    def _recording(self, state: State) -> int | None:
        """Whose units are listed: what is compared, for a comparison, else the active one."""
        layer = self._reader.catalog.layer(state.here.layer)
        if layer is None:
            return None
        held = [number for number, units in enumerate(layer.held) if units is not None]
        base = {"ratio": state.normalizer, "spurious": state.lead, "novelty": state.lead}.get(
            state.quantity
        )
        if base is not None:
            others = [number for number in held if number != base]
            if state.focus in others:
                return state.focus
            if others:
                return others[0]
        if state.active in held:
            return state.active
        return held[0] if held else None

    def _quantity(
        self, number: int, layer: str, state: State
    ) -> tuple[NDArray[np.float64] | None, tuple[object, ...]]:
        """Values per unit, and the data that they were made of."""
        if state.quantity in ("spurious", "novelty"):
            scores = self._reader.scores(number, layer, state)
            if not isinstance(scores, ScoreData):
                return None, ()
            return scores.spurious if state.quantity == "spurious" else scores.novelty, (scores,)
        data = self._reader.layer(number, layer, state)
        if not isinstance(data, LayerData):
            return None, ()
        if state.quantity != "ratio" or state.normalizer is None:
            return data.quantity(state.quantity), (data,)
        held = self._reader.catalog.layer(layer)
        if held is None or held.held[state.normalizer] is None:
            return None, ()
        base = self._reader.layer(state.normalizer, layer, state)
        if not isinstance(base, LayerData) or len(base.maximum) != len(data.maximum):
            return None, ()
        divisor = np.where(base.maximum > 0, base.maximum, np.nan)
        return np.asarray(data.maximum / divisor, dtype=np.float64), (data, base)


def _empty_list(state: State) -> ListView:
    return ListView("", 0, 0, state.quantity, None, 0.0, None, state.sorted)


def _make_list(
    layer: str, units: int, recording: int, state: State, values: NDArray[np.float64] | None
) -> ListView:
    order = None
    if values is not None and state.sorted:
        full = np.full(units, -np.inf)
        full[: len(values)] = np.where(np.isnan(values), -np.inf, values)
        order = np.argsort(-full, kind="stable")
    finite = values[np.isfinite(values)] if values is not None else np.zeros(0)
    top = float(finite.max()) if len(finite) else 0.0
    if state.quantity in ("zeros", "spurious"):
        top = 1.0
    return ListView(layer, units, recording, state.quantity, values, top, order, state.sorted)
