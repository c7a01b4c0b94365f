"""What the Unit view shows of each recording."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inspector.viewer.model.cards import CardView, Problem, Ratio
from inspector.viewer.model.histogram import Histogram, count_values, shared_range
from inspector.viewer.model.reader import Reader, words
from inspector.viewer.model.score_data import UnitScores, scores_of
from inspector.viewer.model.state import Place, State
from inspector.viewer.model.unit_data import UnitData
from inspector.viewer.model.work import Failure


class UnitView:
    """Puts the cards of the Unit view together, on shared scales."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def cards(self, state: State, numbers: Sequence[int]) -> list[CardView]:
        """The cards of those recordings; asks for what the store lacks."""
        read = [self._data(number, state) for number in numbers]
        units = [data for data in read if isinstance(data, UnitData)]
        extents = [(data.minimum, data.maximum) for data in units]
        low, high = shared_range(extents)
        histograms = [
            self._histogram(number, state, data, low, high) if isinstance(data, UnitData) else None
            for number, data in zip(numbers, read, strict=True)
        ]
        # Bars are only comparable on one scale, so none is drawn before all are counted.
        complete = sum(h is not None for h in histograms) == len(units)
        plot_top = max([float(h.shares.max()) for h in histograms if h is not None], default=0.0)
        ratios = [
            self._ratio(number, state, data) for number, data in zip(numbers, read, strict=True)
        ]
        tops = [
            data.categories[0].mean / (1.0 if np.isnan(ratio.divisor) else ratio.divisor)
            for data, ratio in zip(read, ratios, strict=True)
            if isinstance(data, UnitData) and data.categories
        ]
        cards = []
        for place, number in enumerate(numbers):
            data, card = read[place], self._reader.heading(number, state)
            if isinstance(data, UnitData):
                if data.note and not card.warning:
                    tip = "The other recordings may show another reduction."
                    card = replace(card, warning=data.note, warning_tip=tip)
                card = replace(
                    card,
                    data=data,
                    histogram=histograms[place] if complete else None,
                    native=self._reader.native(number, data.top[0].image if data.top else 0),
                    scores=self._scores(number, state, data),
                )
            cards.append(
                replace(
                    card,
                    problem=data if isinstance(data, Problem) else None,
                    ratio=ratios[place],
                    plot_top=plot_top,
                    categories_top=max(tops, default=0.0),
                )
            )
        return cards

    def look_ahead(self, state: State) -> None:
        """Wish for the units next to the present ones, behind everything that is on screen."""
        for number in range(len(self._reader.sources)):
            place = state.place(number)
            layer = self._reader.catalog.layer(place.layer)
            units = layer.held[number] if layer is not None else None
            recording = self._reader.sources[number].recording
            if recording is None or not units or recording.images == 0:
                continue
            for step in (1, -1):
                near = Place(place.layer, (place.unit + step) % units)
                self._reader.unit(number, near, state.reduction)

    def is_ahead(self, key: tuple[object, ...], state: State) -> bool:
        """Whether a wish is for a unit that is not on screen yet."""
        if key[0] != "unit":
            return False
        shown = {(place.layer, place.unit) for place in map(state.place, range(len(state.places)))}
        return key[3:5] not in shown

    def _scores(self, number: int, state: State, data: UnitData) -> UnitScores | None:
        lead = state.lead
        if lead is None or lead == number or self._reader.absent(lead, state.place(lead)):
            return None
        name = self._reader.sources[lead].name
        found = self._reader.scores(number, data.layer, state)
        if isinstance(found, Failure):
            return UnitScores(name, reason=words(found.error))
        return None if found is None else scores_of(found, data.unit, name)

    def _data(self, number: int, state: State) -> UnitData | Problem | None:
        source, place = self._reader.sources[number], state.place(number)
        if source.recording is not None and source.recording.images == 0:
            return Problem("No image yet", "Nothing has been recorded so far.", serious=False)
        problem = self._reader.absent(number, place)
        if problem is not None:
            return problem
        data = self._reader.unit(number, place, state.reduction)
        if isinstance(data, Failure):
            return Problem("This part of the file cannot be read", words(data.error))
        return data

    def _ratio(self, number: int, state: State, data: UnitData | Problem | None) -> Ratio:
        chosen = state.normalizer
        if chosen is None:
            return Ratio(reason="no Normalizer is chosen (N)", brief="no Normalizer")
        name, place = self._reader.sources[chosen].name, state.place(number)
        problem = self._reader.absent(chosen, place)
        if problem is not None:
            return Ratio(reason=f"{name}: {problem.title}", name=name, brief="not there")
        if not isinstance(data, UnitData):
            return Ratio(name=name)
        divisor = self._reader.unit(chosen, place, state.reduction)
        if divisor is None:
            return Ratio(name=name)
        if isinstance(divisor, Failure):
            return Ratio(reason=f"{name} cannot be read", name=name, brief="not readable")
        if divisor.reduction != data.reduction:
            return Ratio(
                reason=f"{name} holds {divisor.reduction}, this recording {data.reduction}",
                name=name,
                brief="other reduction",
            )
        if np.isnan(divisor.maximum):
            return Ratio(
                reason=f"{name} has no finite activity of this unit", name=name, brief="divisor NaN"
            )
        if divisor.maximum <= 0:
            return Ratio(
                reason=f"its maximum over {name} is {divisor.maximum:.3g}: nothing to divide by",
                name=name,
                brief="divisor ≤ 0",
            )
        return Ratio(data.maximum / divisor.maximum, "", divisor.maximum, name)

    def _histogram(
        self, number: int, state: State, data: UnitData, low: float, high: float
    ) -> Histogram | None:
        place = state.place(number)
        key = self._reader.key(
            "histogram", number, place.layer, place.unit, data.reduction, low, high
        )
        made = self._reader.store.get(key, functools.partial(count_values, data.values, low, high))
        return made if isinstance(made, Histogram) else None
