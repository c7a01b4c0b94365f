"""All cards of a state, whatever the view of each recording."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from inspector.viewer.model.cards import CardView
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.detail_view import DetailView
from inspector.viewer.model.reader import Reader
from inspector.viewer.model.sources import Source
from inspector.viewer.model.state import State
from inspector.viewer.model.unit_list import ListView, UnitList
from inspector.viewer.model.unit_view import UnitView
from inspector.viewer.model.work import Key, Store

PATIENCE = 0.25
"""Seconds that the cards shown before stay while new ones are read: numbers then change in place
instead of flashing empty panels for the few milliseconds of reading."""


class Views:
    """Makes the cards and the list of units of a state.

    Parameters
    ----------
    clock
        Seconds that only go on.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        catalog: Catalog,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        reader = Reader(sources, catalog, store)
        self._reader = reader
        self._unit_view = UnitView(reader)
        self._detail_view = DetailView(reader)
        self._list = UnitList(reader)
        self._clock = clock
        self._shown: list[CardView] = []
        self._waiting_since: float | None = None
        self.loading = False

    def cards(self, state: State) -> list[CardView]:
        """One per recording; asks for what the store lacks."""
        count = len(self._reader.sources)
        as_units = [n for n in range(count) if state.place(n).view == "unit"]
        found = {card.number: card for card in self._unit_view.cards(state, as_units)}
        for number in range(count):
            if number not in found:
                found[number] = self._detail_view.card(number, state)
        cards = [found[number] for number in range(count)]
        tops = [row.shown for card in cards for row in card.rows if not math.isnan(row.shown)]
        if tops:
            cards = [replace(card, rows_top=max(tops)) for card in cards]
        self._unit_view.look_ahead(state)
        self.loading = any(card.loading for card in cards)
        if self.loading:
            now = self._clock()
            if self._waiting_since is None:
                self._waiting_since = now
            if self._shown and now - self._waiting_since < PATIENCE:
                return self._shown
        else:
            self._waiting_since = None
        self._shown = cards
        return cards

    def units(self, state: State) -> ListView:
        """The list of units of the layer shown."""
        return self._list.view(state)

    def is_ahead(self, key: Key, state: State) -> bool:
        """Whether a wish is for a unit that is not on screen yet."""
        return self._unit_view.is_ahead(key, state)

    def renew(self, catalog: Catalog) -> None:
        """Take in that a file has grown."""
        self._reader.catalog = catalog
