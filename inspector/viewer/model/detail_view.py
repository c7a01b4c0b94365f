"""What the Image and Category views show of each recording."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import TypeVar

import numpy as np

from inspector.viewer.model.cards import CardView, Problem, UnitRow
from inspector.viewer.model.category_data import CategoryData, read_category
from inspector.viewer.model.image_data import ImageData, read_image
from inspector.viewer.model.reader import Reader, words
from inspector.viewer.model.state import State
from inspector.viewer.model.unit_data import LayerData, TopImage, top_images
from inspector.viewer.model.work import Failure

ROW_IMAGES = 18
"""Top images in a row of a unit, at most (the reference system: 8 to 18)."""


T = TypeVar("T")


class DetailView:
    """Puts the cards of the Image and Category views together."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rows: dict[int, tuple[tuple[object, ...], tuple[UnitRow, ...]]] = {}

    def card(self, number: int, state: State) -> CardView:
        """The card of one recording; asks for what the store lacks."""
        card = self._reader.heading(number, state)
        source = self._reader.sources[number]
        if source.recording is None:
            problem = Problem("This file cannot be opened", source.error)
            return replace(card, problem=problem)
        if source.recording.images == 0:
            problem = Problem("No image yet", "Nothing has been recorded so far.", serious=False)
            return replace(card, problem=problem)
        try:
            if card.place.view == "image":
                return self._image_card(card, state)
            return self._category_card(card, state)
        except _UnreadableError as error:
            return replace(
                card, problem=Problem("This part of the file cannot be read", str(error))
            )

    def _lead(self, card: CardView, state: State) -> int:
        """The recording that chooses the units: the Lead, or the card's own."""
        return card.number if state.lead is None else state.lead

    def _image_card(self, card: CardView, state: State) -> CardView:
        lead = self._lead(card, state)
        chosen = self._image(lead, state)
        if chosen is None:
            return card
        follows = "" if lead == card.number else self._reader.sources[lead].name
        layer = self._layer(card.number, state)
        if isinstance(layer, Problem):
            return replace(card, problem=layer) if follows else replace(card, image=chosen)
        base = self._base(state)
        rows: tuple[UnitRow, ...] = ()
        if layer is not None:
            values = chosen.values
            if follows:
                # A follower has not seen this image: it shows what these units reach on its own.
                values = _at(layer.maximum, chosen.units)
            rows = self._unit_rows(card.number, chosen.units, values, layer, base, chosen)
        title = f"Top units of {follows}'s image" if follows else "Top units"
        note = "maximum" if follows else "activity"
        return replace(
            card,
            image=chosen,
            rows=rows,
            rows_title=title,
            rows_note=f"{note}, ratio" if base is not None else note,
            follows=follows,
            native=self._reader.native(card.number, 0),
        )

    def _category_card(self, card: CardView, state: State) -> CardView:
        lead = self._lead(card, state)
        place = card.place
        problem = self._other_category(card.number, lead, place.category)
        if problem is not None:
            return replace(card, problem=problem)
        layer = self._layer(card.number, state)
        own = self._category(card.number, state)
        chosen = own if lead == card.number else self._category(lead, state)
        if own is None or chosen is None or layer is None:
            return card
        follows = "" if lead == card.number else self._reader.sources[lead].name
        rows: tuple[UnitRow, ...] = ()
        base = self._base(state)
        if isinstance(layer, LayerData):
            values = _at(own.all_means, chosen.units)
            rows = self._unit_rows(card.number, chosen.units, values, layer, base, own, chosen)
        note = "mean"
        return replace(
            card,
            category=own,
            rows=rows,
            rows_title=f"Top units of {follows}" if follows else "Top units",
            rows_note=f"{note}, ratio" if base is not None else note,
            follows=follows,
            native=self._reader.native(card.number, 0),
        )

    def _other_category(self, number: int, lead: int, category: int) -> Problem | None:
        own, leading = (self._reader.catalog.classes[n] for n in (number, lead))
        name = leading[category] if category < len(leading) else f"category {category}"
        if category >= len(own):
            text = f"It has {len(own)} categories." if own else "Its images have no labels."
            return Problem(f"{name} is not a category here", text, serious=False)
        if own[category] != name:
            text = f"Category {category} is {own[category]} here: the two do not mean the same."
            return Problem(f"{name} is not a category here", text, serious=False)
        return None

    def _image(self, number: int, state: State) -> ImageData | None:
        recording = self._reader.sources[number].recording
        if recording is None:
            return None
        place = state.place(number)
        held = self._reader.catalog.layer(place.layer)
        layer = place.layer if held is not None and held.held[number] is not None else ""
        key = self._reader.key("image", number, layer, place.image, state.reduction)
        make = functools.partial(read_image, recording, layer, place.image, state.reduction)
        return _read(self._reader.store.get(key, make), ImageData)

    def _category(self, number: int, state: State) -> CategoryData | None:
        recording = self._reader.sources[number].recording
        layer = self._layer(number, state)
        if recording is None or layer is None:
            return None
        found = layer if isinstance(layer, LayerData) else None
        place = state.place(number)
        key = self._reader.key("category", number, place.layer, place.category, state.reduction)
        make = functools.partial(read_category, recording, found, place.category)
        return _read(self._reader.store.get(key, make), CategoryData)

    def _layer(self, number: int, state: State) -> LayerData | Problem | None:
        """Numbers of the layer's units; a Problem when the recording lacks the layer."""
        place = state.place(number)
        problem = self._reader.absent(number, replace(place, unit=0))
        if problem is not None:
            return problem
        return _read(self._reader.layer(number, place.layer, state), LayerData)

    def _base(self, state: State) -> LayerData | None:
        """The Normalizer's numbers of the layer, if there is one and it has them."""
        if state.normalizer is None:
            return None
        found = self._layer(state.normalizer, state)
        return found if isinstance(found, LayerData) else None

    def _unit_rows(
        self,
        number: int,
        units: np.ndarray,
        values: np.ndarray,
        layer: LayerData,
        base: LayerData | None,
        *made_of: object,
    ) -> tuple[UnitRow, ...]:
        key = (layer, base, *made_of)
        if number in self._rows and self._rows[number][0] == key:
            return self._rows[number][1]
        recording = self._reader.sources[number].recording
        assert recording is not None
        rows = []
        for unit, value in zip(units.tolist(), values.tolist(), strict=True):
            divisor = math.nan
            if base is not None and unit < len(base.maximum) and base.maximum[unit] > 0:
                divisor = float(base.maximum[unit])
            top: tuple[TopImage, ...] = ()
            if unit < len(layer.maximum):
                images = layer.top_images[unit, :ROW_IMAGES]
                kept = images >= 0
                amounts = layer.top_values[unit, :ROW_IMAGES][kept]
                top = top_images(recording, images[kept], amounts)
            rows.append(UnitRow(unit, float(value), divisor, top))
        self._rows[number] = (key, tuple(rows))
        return self._rows[number][1]


class _UnreadableError(Exception):
    """Reading failed."""


def _read(result: object, kind: type[T]) -> T | None:
    if isinstance(result, Failure):
        raise _UnreadableError(words(result.error))
    return result if isinstance(result, kind) else None


def _at(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Values at those units, NaN for units that do not exist here."""
    out = np.full(len(units), np.nan)
    known = units < len(values)
    out[known] = values[units[known]]
    return out
