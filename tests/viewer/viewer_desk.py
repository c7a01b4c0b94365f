"""Views of real files without a window: background work is done at once."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.reducer import reduce, start
from inspector.viewer.model.sources import Source, catalog_of
from inspector.viewer.model.state import State
from inspector.viewer.model.views import Views
from inspector.viewer.model.work import Failure, Store


@dataclass(frozen=True)
class Layer:
    """A layer of a catalogue made up for a test."""

    name: str
    units: int
    kind: str = "vector"
    reductions: tuple[str, ...] = ("none",)


class Desk:
    """Views of real files, with the background work done at once."""

    def __init__(self, sources: list[Source]) -> None:
        self.catalog = catalog_of(sources)
        self.store = Store()
        self.views = Views(sources, self.catalog, self.store)
        self.state: State = start(self.catalog, lead=0, layer="dense", unit=1)

    def do(self, *actions: act.Action) -> list[CardView]:
        """Act, read what that needs, and return the cards."""
        for action in actions:
            self.state = reduce(self.state, action, self.catalog)
        for _ in range(6):
            self.store.begin()
            cards = self.views.cards(self.state)
            self.views.units(self.state)
            for key, make in self.store.wishes.items():
                try:
                    self.store.put(key, make())
                except Exception as error:
                    self.store.put(key, Failure(error))
        return cards
