"""What the Unit view shows: one `CardView` per recording, put together from state and store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.histogram import Histogram, count_values, shared_range
from inspector.viewer.model.numbers import count, percent, plural
from inspector.viewer.model.sources import Source
from inspector.viewer.model.state import Place, State
from inspector.viewer.model.unit_data import LayerData, UnitData, read_layer, read_unit
from inspector.viewer.model.work import Failure, Store


@dataclass(frozen=True)
class Problem:
    """Why a card shows no activity."""

    title: str
    text: str
    serious: bool = True


@dataclass(frozen=True)
class Ratio:
    """A maximum divided by the Normalizer's, or the reason why there is none."""

    value: float = float("nan")
    reason: str = ""
    divisor: float = float("nan")
    name: str = ""


@dataclass(frozen=True)
class CardView:
    """One recording in the Unit view; `data` is None while it loads or when there is a problem."""

    number: int
    name: str
    subtitle: str
    subtitle_tip: tuple[str, ...]
    warning: str
    warning_tip: str
    place: Place
    leads: bool
    normalizes: bool
    focused: bool
    problem: Problem | None = None
    data: UnitData | None = None
    ratio: Ratio = field(default_factory=Ratio)
    histogram: Histogram | None = None
    plot_top: float = 0.0
    categories_top: float = 0.0
    native: int = 0
    """Longest side of the first thumbnail in pixels; 0 while unknown."""
    classes: tuple[str, ...] = ()
    generation: int = 0
    linked: bool = False
    """Whether there is a Lead, so that images scroll together."""

    def category(self, number: int) -> str:
        """A category's name."""
        if number < 0:
            return ""
        return self.classes[number] if number < len(self.classes) else f"category {number}"


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


class UnitView:
    """Puts the view together, asking the store for what it needs.

    It keeps the last card of each recording, so that a step to the next unit changes numbers in
    place instead of flashing empty panels for the few milliseconds of reading.
    """

    def __init__(self, sources: Sequence[Source], catalog: Catalog, store: Store) -> None:
        self._sources = sources
        self._catalog = catalog
        self._store = store
        self._list: tuple[tuple[object, ...], ListView] | None = None

    def cards(self, state: State) -> list[CardView]:
        """One per recording; asks for what the store lacks."""
        read = [self._data(number, state) for number in range(len(self._sources))]
        units = [data for data in read if isinstance(data, UnitData)]
        extents = [(data.minimum, data.maximum) for data in units]
        low, high = shared_range(extents)
        histograms = [
            self._histogram(number, state, data, low, high) if isinstance(data, UnitData) else None
            for number, data in enumerate(read)
        ]
        # Bars are only comparable on one scale, so none is drawn before all are counted.
        complete = sum(h is not None for h in histograms) == len(units)
        plot_top = max([float(h.shares.max()) for h in histograms if h is not None], default=0.0)
        ratios = [self._ratio(number, state, data) for number, data in enumerate(read)]
        tops = [
            data.categories[0].mean / (1.0 if np.isnan(ratio.divisor) else ratio.divisor)
            for data, ratio in zip(read, ratios, strict=True)
            if isinstance(data, UnitData) and data.categories
        ]
        cards = [
            self._card(
                number,
                state,
                data,
                ratios[number],
                histograms[number] if complete else None,
                plot_top,
                max(tops, default=0.0),
            )
            for number, data in enumerate(read)
        ]
        self._look_ahead(state)
        return cards

    def units(self, state: State) -> ListView:
        """The list of units of the layer shown."""
        layer = self._catalog.layer(state.here.layer)
        recording = self._list_recording(state)
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

    def is_ahead(self, key: tuple[object, ...], state: State) -> bool:
        """Whether a wish is for a unit that is not on screen yet."""
        if key[0] != "unit":
            return False
        shown = {(place.layer, place.unit) for place in map(state.place, range(len(state.places)))}
        return key[3:5] not in shown

    def _list_recording(self, state: State) -> int | None:
        layer = self._catalog.layer(state.here.layer)
        if layer is None:
            return None
        if layer.held[state.active] is not None:
            return state.active
        return next((r for r, units in enumerate(layer.held) if units is not None), None)

    def _key(self, kind: str, number: int, *rest: object) -> tuple[object, ...]:
        return (kind, number, self._sources[number].generation, *rest)

    def _unit(self, number: int, place: Place, reduction: str) -> UnitData | Failure | None:
        recording = self._sources[number].recording
        assert recording is not None
        key = self._key("unit", number, place.layer, place.unit, reduction)
        make = functools.partial(read_unit, recording, place.layer, place.unit, reduction)
        result: UnitData | Failure | None = self._store.get(key, make)
        return result

    def _data(self, number: int, state: State) -> UnitData | Problem | None:
        source, place = self._sources[number], state.place(number)
        if source.recording is not None and source.recording.images == 0:
            return Problem("No image yet", "Nothing has been recorded so far.", serious=False)
        problem = self._absent(number, place)
        if problem is not None:
            return problem
        data = self._unit(number, place, state.reduction)
        if isinstance(data, Failure):
            return Problem("This part of the file cannot be read", _words(data.error))
        return data

    def _absent(self, number: int, place: Place) -> Problem | None:
        source = self._sources[number]
        if source.recording is None:
            return Problem("This file cannot be opened", source.error)
        layer = self._catalog.layer(place.layer)
        units = layer.held[number] if layer is not None else None
        if units is None:
            held = [known.name for known in self._catalog.layers if known.held[number] is not None]
            return Problem(
                f"{place.layer} is not in this recording",
                f"It holds {', '.join(held[:12])}{' …' if len(held) > 12 else ''}."
                if held
                else "It holds no layer.",
                serious=False,
            )
        if place.unit >= units:
            return Problem(
                f"{place.layer} has no unit {place.unit} here",
                f"In this recording it has {plural(units, 'unit')}: 0 to {units - 1}.",
                serious=False,
            )
        return None

    def _ratio(self, number: int, state: State, data: UnitData | Problem | None) -> Ratio:
        chosen = state.normalizer
        if chosen is None:
            return Ratio(reason="no Normalizer is chosen (N)")
        name, place = self._sources[chosen].name, state.place(number)
        problem = self._absent(chosen, place)
        if problem is not None:
            return Ratio(reason=f"{name}: {problem.title}", name=name)
        if not isinstance(data, UnitData):
            return Ratio(name=name)
        divisor = self._unit(chosen, place, state.reduction)
        if divisor is None:
            return Ratio(name=name)
        if isinstance(divisor, Failure):
            return Ratio(reason=f"{name} cannot be read", name=name)
        if divisor.reduction != data.reduction:
            return Ratio(
                reason=f"{name} holds {divisor.reduction}, this recording {data.reduction}",
                name=name,
            )
        if np.isnan(divisor.maximum):
            return Ratio(reason=f"{name} has no finite activity of this unit", name=name)
        if divisor.maximum <= 0:
            return Ratio(
                reason=f"its maximum over {name} is {divisor.maximum:.3g}: nothing to divide by",
                name=name,
            )
        return Ratio(data.maximum / divisor.maximum, "", divisor.maximum, name)

    def _histogram(
        self, number: int, state: State, data: UnitData, low: float, high: float
    ) -> Histogram | None:
        place = state.place(number)
        key = self._key("histogram", number, place.layer, place.unit, data.reduction, low, high)
        made = self._store.get(key, functools.partial(count_values, data.values, low, high))
        return made if isinstance(made, Histogram) else None

    def _card(
        self,
        number: int,
        state: State,
        data: UnitData | Problem | None,
        ratio: Ratio,
        histogram: Histogram | None,
        plot_top: float,
        categories_top: float,
    ) -> CardView:
        source = self._sources[number]
        recording = source.recording
        subtitle, lines = "", [str(source.path)]
        warning, warning_tip = "", ""
        if recording is not None:
            subtitle = plural(recording.images, "image")
            if not (recording.finished or source.error):
                subtitle = ""
            accuracy = recording.accuracy
            if not np.isnan(accuracy):
                right = f"{percent(accuracy)} right"
                subtitle = f"{subtitle}  ·  {right}" if subtitle else right
            skipped = len(recording.skipped)
            if skipped:
                lines.append(f"{plural(skipped, 'image')} skipped while recording")
            lines.append(f"model {self._catalog.models[number]}")
            if source.error:
                warning, warning_tip = "The file changed under the viewer", source.error
            elif not recording.finished:
                planned = recording.header.images
                warning = f"Unfinished: {count(recording.images)} of {count(planned)}"
                warning_tip = (
                    "The recording is still being made, or was broken off. "
                    "`inspector record … --resume` goes on with it."
                )
        if isinstance(data, UnitData) and data.note and not warning:
            warning, warning_tip = data.note, "The other recordings may show another reduction."
        return CardView(
            number=number,
            name=source.name,
            subtitle=subtitle,
            subtitle_tip=tuple(lines),
            warning=warning,
            warning_tip=warning_tip,
            place=state.place(number),
            leads=state.lead == number,
            normalizes=state.normalizer == number,
            focused=len(self._sources) > 1 and state.focus == number and state.lead != number,
            linked=state.lead is not None,
            problem=data if isinstance(data, Problem) else None,
            data=data if isinstance(data, UnitData) else None,
            ratio=ratio,
            histogram=histogram,
            plot_top=plot_top,
            categories_top=categories_top,
            native=self._native(number, data),
            classes=recording.classes if recording is not None else (),
            generation=source.generation,
        )

    def _native(self, number: int, data: UnitData | Problem | None) -> int:
        recording = self._sources[number].recording
        if recording is None or not isinstance(data, UnitData):
            return 0
        first = data.top[0].image if data.top else 0

        def longest() -> int:
            return int(max(recording.thumbnail(first).shape[:2]))

        # Thumbnails of one recording have one longest side, so any image stands for all.
        found = self._store.get(("native", number), longest)
        return found if isinstance(found, int) else 0

    def _quantity(
        self, number: int, layer: str, state: State
    ) -> tuple[NDArray[np.float64] | None, tuple[object, ...]]:
        """Values per unit, and the data that they were made of."""
        data = self._layer(number, layer, state)
        if data is None:
            return None, ()
        if state.quantity != "ratio" or state.normalizer is None:
            return data.quantity(state.quantity), (data,)
        held = self._catalog.layer(layer)
        if held is None or held.held[state.normalizer] is None:
            return None, ()
        base = self._layer(state.normalizer, layer, state)
        if base is None or len(base.maximum) != len(data.maximum):
            return None, ()
        divisor = np.where(base.maximum > 0, base.maximum, np.nan)
        return np.asarray(data.maximum / divisor, dtype=np.float64), (data, base)

    def _layer(self, number: int, layer: str, state: State) -> LayerData | None:
        recording = self._sources[number].recording
        if recording is None or recording.images == 0:
            return None
        key = self._key("layer", number, layer, state.reduction)
        make = functools.partial(read_layer, recording, layer, state.reduction)
        data = self._store.get(key, make)
        return data if isinstance(data, LayerData) else None

    def _look_ahead(self, state: State) -> None:
        """Wish for the units next to the present ones, behind everything that is on screen."""
        for number in range(len(self._sources)):
            place = state.place(number)
            layer = self._catalog.layer(place.layer)
            units = layer.held[number] if layer is not None else None
            recording = self._sources[number].recording
            if recording is None or not units or recording.images == 0:
                continue
            for step in (1, -1):
                near = Place(place.layer, (place.unit + step) % units)
                self._unit(number, near, state.reduction)


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
    if state.quantity == "zeros":
        top = 1.0
    return ListView(layer, units, recording, state.quantity, values, top, order, state.sorted)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
