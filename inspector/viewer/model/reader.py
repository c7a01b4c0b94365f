"""Reading for every view: what a card needs is asked of the store under a key."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from inspector.viewer.model.cards import CardView, Problem
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.numbers import count, percent, plural
from inspector.viewer.model.score_data import ScoreData, read_scores
from inspector.viewer.model.sources import Source
from inspector.viewer.model.state import Place, State
from inspector.viewer.model.unit_data import LayerData, UnitData, read_layer, read_unit
from inspector.viewer.model.work import Failure, Store


class Reader:
    """Reads of the recordings through the store; None means that it is under way."""

    def __init__(self, sources: Sequence[Source], catalog: Catalog, store: Store) -> None:
        self.sources = sources
        self.catalog = catalog
        self.store = store

    def key(self, kind: str, number: int, *rest: object) -> tuple[object, ...]:
        """A key that is out of date when the file has grown."""
        return (kind, number, self.sources[number].generation, *rest)

    def unit(self, number: int, place: Place, reduction: str) -> UnitData | Failure | None:
        """One unit of one recording."""
        recording = self.sources[number].recording
        assert recording is not None
        key = self.key("unit", number, place.layer, place.unit, reduction)
        make = functools.partial(read_unit, recording, place.layer, place.unit, reduction)
        result: UnitData | Failure | None = self.store.get(key, make)
        return result

    def layer(self, number: int, layer: str, state: State) -> LayerData | Failure | None:
        """What a recording says of all units of a layer."""
        recording = self.sources[number].recording
        if recording is None or recording.images == 0:
            return None
        key = self.key("layer", number, layer, state.reduction)
        make = functools.partial(read_layer, recording, layer, state.reduction)
        data: LayerData | Failure | None = self.store.get(key, make)
        return data

    def scores(self, number: int, layer: str, state: State) -> ScoreData | Failure | None:
        """Scores of a layer in a recording against the Lead; None also when there is no Lead."""
        if state.lead is None or state.lead == number:
            return None
        ind, ood = self.sources[state.lead], self.sources[number]
        if not (ind.recording and ood.recording and ind.recording.images and ood.recording.images):
            return None
        key = self.key("scores", number, state.lead, ind.generation, layer)
        make = functools.partial(read_scores, ind.recording, ood.recording, layer)
        found: ScoreData | Failure | None = self.store.get(key, make)
        return found

    def absent(self, number: int, place: Place) -> Problem | None:
        """Why a recording has nothing to show at a place."""
        source = self.sources[number]
        if source.recording is None:
            return Problem("This file cannot be opened", source.error)
        layer = self.catalog.layer(place.layer)
        units = layer.held[number] if layer is not None else None
        if units is None:
            held = [known.name for known in self.catalog.layers if known.held[number] is not None]
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

    def heading(self, number: int, state: State) -> CardView:
        """A card with nothing but its header."""
        source = self.sources[number]
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
            lines.append(f"model {self.catalog.models[number]}")
            if source.error:
                warning, warning_tip = "The file changed under the viewer", source.error
            elif not recording.finished:
                planned = recording.header.images
                warning = f"Unfinished: {count(recording.images)} of {count(planned)}"
                warning_tip = (
                    "The recording is still being made, or was broken off. "
                    "`inspector record … --resume` goes on with it."
                )
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
            focused=len(self.sources) > 1 and state.focus == number and state.lead != number,
            scored=state.lead is not None and len(self.sources) > 1,
            linked=state.lead is not None,
            classes=recording.classes if recording is not None else (),
            generation=source.generation,
        )

    def native(self, number: int, first: int) -> int:
        """Longest side of a recording's thumbnails in pixels, told by one of them; 0 = unknown."""
        recording = self.sources[number].recording
        if recording is None or recording.images == 0:
            return 0

        def longest() -> int:
            return int(max(recording.thumbnail(first).shape[:2]))

        # Thumbnails of one recording have one longest side, so any image stands for all.
        found = self.store.get(("native", number), longest)
        return found if isinstance(found, int) else 0


def words(error: Exception) -> str:
    """What an error says."""
    return str(error) or type(error).__name__
