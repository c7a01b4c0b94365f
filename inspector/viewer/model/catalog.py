"""What the recordings opened together hold: their layers, units and reductions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class LayerLike(Protocol):
    """What is read of a recorded layer."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    @property
    def kind(self) -> str:
        """conv, tokens, vector or logits."""

    @property
    def units(self) -> int:
        """How many."""

    @property
    def reductions(self) -> tuple[str, ...]:
        """The stored ones."""


@dataclass(frozen=True)
class CatalogLayer:
    """One layer name over all recordings.

    `units` is the largest count; `held` the count per recording, None where it lacks the layer.
    """

    name: str
    kind: str
    units: int
    reductions: tuple[str, ...]
    held: tuple[int | None, ...]


@dataclass(frozen=True)
class Catalog:
    """The layers of all recordings, in the order in which they are met, and the recordings' names.

    `models` names each recording's model ("" when its file could not be opened);
    `images` and `classes` are its count of images and its categories.
    """

    layers: tuple[CatalogLayer, ...]
    names: tuple[str, ...]
    models: tuple[str, ...]
    images: tuple[int, ...] = ()
    classes: tuple[tuple[str, ...], ...] = ()

    def layer(self, name: str) -> CatalogLayer | None:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        return None

    def position(self, name: str) -> int:
        """Its place in the list; 0 when there is none."""
        for place, layer in enumerate(self.layers):
            if layer.name == name:
                return place
        return 0

    @property
    def reductions(self) -> tuple[str, ...]:
        """Every reduction that at least one layer stores, without "none"."""
        seen: dict[str, None] = {}
        for layer in self.layers:
            seen.update(dict.fromkeys(layer.reductions))
        seen.pop("none", None)
        return tuple(seen)


def make_catalog(
    names: Sequence[str],
    models: Sequence[str],
    layers: Sequence[Iterable[LayerLike]],
    images: Sequence[int] = (),
    classes: Sequence[Sequence[str]] = (),
) -> Catalog:
    """Merge the layers of several recordings.

    A layer that an earlier recording lacks is placed after the one it follows in its own.
    """
    order: list[str] = []
    held: dict[str, dict[int, LayerLike]] = {}
    for recording, its_layers in enumerate(layers):
        place = 0
        for layer in its_layers:
            if layer.name in held:
                place = order.index(layer.name) + 1
            else:
                order.insert(place, layer.name)
                held[layer.name] = {}
                place += 1
            held[layer.name][recording] = layer
    merged = []
    for name in order:
        by_recording = held[name]
        reductions: dict[str, None] = {}
        for layer in by_recording.values():
            reductions.update(dict.fromkeys(layer.reductions))
        merged.append(
            CatalogLayer(
                name=name,
                kind=next(iter(by_recording.values())).kind,
                units=max(layer.units for layer in by_recording.values()),
                reductions=tuple(reductions),
                held=tuple(
                    by_recording[r].units if r in by_recording else None for r in range(len(names))
                ),
            )
        )
    return Catalog(
        tuple(merged),
        tuple(names),
        tuple(models),
        tuple(images) or (0,) * len(names),
        tuple(map(tuple, classes)) or ((),) * len(names),
    )
