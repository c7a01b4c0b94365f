"""A recording opened for reading: lazy, checked, safe to use from several threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from inspector.recording.activity import Activity
from inspector.recording.columns import Columns
from inspector.recording.errors import (
    SummaryTooLargeError,
    UnknownLayerError,
    UnknownReductionError,
    UnknownSectionError,
)
from inspector.recording.file_store import FileStore, Section
from inspector.recording.indices import one_number
from inspector.recording.limits import BINS, MAX_SUMMARY, TOP
from inspector.recording.model import (
    Header,
    ImageRecord,
    RecordedLayer,
    Summary,
    Tap,
    TopImages,
    taps_of,
)
from inspector.recording.payloads import read_only
from inspector.recording.sections import is_made
from inspector.recording.store import Store
from inspector.recording.summarise import of_unit, summarise
from inspector.text import clean

T = TypeVar("T")


class Recording:
    """What the units of a model did on every image of a dataset.

    Made by :func:`open_recording`. Arrays are read when they are asked for, checked against their
    checksums, and handed out read-only. Several threads may read at once.
    """

    def __init__(self, store: Store) -> None:
        self._set(store)

    def _set(self, store: Store) -> None:
        self._store = store
        self._taps = {(tap.layer.name, tap.reduction): tap for tap in taps_of(store.header.layers)}
        self._cache: dict[Any, Any] = {}

    @property
    def path(self) -> Path:
        """Return the file or folder; of a part, with its filter."""
        return Path(self._store.path)

    @property
    def header(self) -> Header:
        """Return what the recording is of, and how it was made."""
        return self._store.header

    @property
    def name(self) -> str:
        """Return the recording's name (the dataset's)."""
        return self.header.name

    @property
    def model(self) -> Mapping[str, str]:
        """Return name, sha256 and file of the model."""
        return self.header.model

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the category names by id; () when unknown."""
        return self.header.classes

    @property
    def layers(self) -> tuple[RecordedLayer, ...]:
        """Return the recorded layers, in order."""
        return self.header.layers

    @property
    def data(self) -> str:
        """Return where the stimuli came from; "" when they were not files."""
        return self.header.data

    @property
    def finished(self) -> bool:
        """Return False while it is being made, or when making it was broken off."""
        return self._store.finished

    @property
    def images(self) -> int:
        """Return how many images can be read now; they are numbered 0 to images-1."""
        return self._store.images

    def __len__(self) -> int:
        return self.images

    @property
    def labels(self) -> NDArray[np.int32]:
        """Return the true category ids, int32 [images]; -1 for none."""
        return self._numeric("labels")

    @property
    def predictions(self) -> NDArray[np.int32]:
        """Return the predicted category ids, int32 [images]; -1 for none."""
        return self._numeric("predictions")

    @property
    def confidences(self) -> NDArray[np.float32]:
        """Return the probability of each prediction, float32 [images]; NaN for none."""
        return self._numeric("confidences")

    @property
    def paths(self) -> Sequence[str]:
        """Return the path of every image relative to `data`, "" for none; read when asked for."""
        return self._kept("paths", self._store.paths)

    @property
    def skipped(self) -> Mapping[int, str]:
        """Return image number → reason for every image that could not be shown to the model."""
        return self._kept("skipped", lambda: MappingProxyType(dict(self._store.skipped())))

    @property
    def columns(self) -> Mapping[str, Any]:
        """Return the metadata columns: float64, int64 or a text sequence, read when asked for."""
        kinds = self._kept("kinds", self._store.column_kinds)
        return Columns(self.path, kinds, self._column)

    def _column(self, name: str) -> Any:
        def read() -> Any:
            values = self._store.column(name)
            return read_only(values) if isinstance(values, np.ndarray) else values

        return self._kept(("column", name), read)

    @property
    def accuracy(self) -> float:
        """Return the share answered right of the labelled images with a prediction; NaN if none."""
        asked = (self.labels >= 0) & (self.predictions >= 0)
        count = int(asked.sum())
        return float((self.labels == self.predictions)[asked].sum()) / count if count else math.nan

    @property
    def logits(self) -> Activity | None:
        """Return the activity of the classifier's output layer; None without a classifier."""
        name = self.header.output.get("layer", "")
        return self.activity(name) if name else None

    def layer(self, name: str) -> RecordedLayer:
        """Return a layer by its name, an alias or its tensor.

        Raises
        ------
        UnknownLayerError
            Naming the nearest layers.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        for layer in self.layers:
            if name in layer.aliases or layer.tensor == name:
                return layer
        names = [layer.name for layer in self.layers]
        near = get_close_matches(name, names, 3, 0.4) or names[:5]
        raise UnknownLayerError(
            "no such layer in the recording", path=self.path, value=name,
            advice=f"there is {', '.join(near)}" if near else "it has no layers",
        )  # fmt: skip

    def _tap(self, layer: str, reduction: str | None) -> Tap:
        found = self.layer(layer)
        wanted = found.reductions[0] if reduction is None else reduction
        wanted = wanted if wanted in found.reductions else found.same.get(wanted, wanted)
        if wanted not in found.reductions:
            raise UnknownReductionError(
                f"layer {found.name!r} was not recorded under that reduction", path=self.path,
                value=wanted, advice=f"there is {', '.join([*found.reductions, *found.same])}",
            )  # fmt: skip
        return self._taps[found.name, wanted]

    def activity(self, layer: str, reduction: str | None = None) -> Activity:
        """Return a layer's activity as a lazy array [images, units].

        Parameters
        ----------
        layer : str
            Name, alias or tensor.
        reduction : str, optional
            The first one recorded when not given.
        """
        tap = self._tap(layer, reduction)
        return self._kept(
            ("activity", tap.index),
            lambda: Activity(self._store.activity(tap), tap.name, self.path),
        )

    def unit(self, layer: str, unit: int, reduction: str | None = None) -> NDArray[np.float32]:
        """Return one unit over all images, float32 [images], read-only."""
        return self.activity(layer, reduction).unit(unit)

    def row(self, layer: str, image: int, reduction: str | None = None) -> NDArray[np.float32]:
        """Return all units of a layer for one image, float32 [units], read-only."""
        return self.activity(layer, reduction)[self._number(image)]

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail, uint8 [h, w, 3] RGB, read-only; [0, 0, 3] when there is none."""
        return read_only(self._store.thumbnail(self._number(image)))

    def image(self, image: int) -> ImageRecord:
        """Return everything about one image but its activity."""
        number = self._number(image)
        columns = self.columns
        return ImageRecord(
            number=number,
            thumbnail=self.thumbnail(number),
            label=int(self.labels[number]),
            prediction=int(self.predictions[number]),
            confidence=float(self.confidences[number]),
            path=self.paths[number],
            columns={name: _item(columns[name][number]) for name in columns},
            skipped=self.skipped.get(number, ""),
        )

    def top(
        self, layer: str, unit: int, count: int = TOP, reduction: str | None = None
    ) -> TopImages:
        """Return the images that drive a unit most: finite, not 0, ties to the lower number."""
        values = self.unit(layer, unit, reduction)
        numbers = np.flatnonzero(np.isfinite(values) & (values != 0))
        chosen = values[numbers]
        if 0 < count < chosen.size:
            bound = np.partition(chosen, chosen.size - count)[chosen.size - count]
            numbers = numbers[chosen >= bound]
            chosen = values[numbers]
        order = np.argsort(-chosen, kind="stable")[: max(0, count)]
        return TopImages(read_only(numbers[order].astype(np.int64)), read_only(chosen[order]))

    def summary(self, layer: str, reduction: str | None = None) -> Summary:
        """Return the summary of a layer: from the file, or from one pass if it is unfinished.

        Raises
        ------
        SummaryTooLargeError
            If it has to be made and the layer has too many units for that.
        """
        tap = self._tap(layer, reduction)
        return self._kept(("summary", tap.index), lambda: self._summary(tap))

    def unit_summary(self, layer: str, unit: int, reduction: str | None = None) -> Summary:
        """Return the summary of one unit: its arrays have one row. Of a finished file, quick."""
        tap = self._tap(layer, reduction)
        what = f"layer {tap.name!r}: unit number"
        number = one_number(unit, tap.layer.units, what, self.path)
        stored = self._store.summary(tap, number)
        return stored if stored is not None else of_unit(self.summary(layer, reduction), number)

    def _summary(self, tap: Tap) -> Summary:
        stored = self._store.summary(tap)
        if stored is not None:
            return stored
        refusal = SummaryTooLargeError(
            f"layer {tap.name!r}: numbers of its summary, which has to be made now",
            path=self.path, value=f"{tap.layer.units} units × {BINS + TOP}", limit=MAX_SUMMARY,
            advice="finish the recording, or read some units with unit()",
        )  # fmt: skip
        if self.images and tap.layer.units * (BINS + TOP) > MAX_SUMMARY:
            raise refusal
        gone = np.array(sorted(self.skipped), np.int64)
        try:
            return summarise(self._store.activity(tap), self.labels, gone)
        except MemoryError:
            refusal.limit = "the memory there is"
            raise refusal from None

    @property
    def sections(self) -> tuple[str, ...]:
        """Return the names of what was added to the recording: maps, notes, results."""
        store = self._store
        names = store.catalogue.sections if isinstance(store, FileStore) else ()
        return tuple(name for name in names if not is_made(name))

    def section(self, name: str) -> Section:
        """Return something that was added to the recording.

        Raises
        ------
        UnknownSectionError
            Naming those that there are.
        """
        store = self._store
        section = store.added(name) if isinstance(store, FileStore) else None
        if section is None:
            raise UnknownSectionError(
                "no such section in the recording", path=self.path, value=name,
                advice=f"there is {', '.join(self.sections) or 'none'}",
            )  # fmt: skip
        return section

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Return each image's number in the file, int64 [images]: 0, 1, … but for a part."""
        return self._kept("numbers", self._store.numbers)

    def select(self, expression: str) -> NDArray[np.bool_]:
        """Return which images a filter (docs/query.md) matches, bool [images].

        Raises
        ------
        QueryError
            If the filter cannot be read, saying where, or names what is not there.
        """
        from inspector.recording.query import select

        return select(self, expression)

    def where(self, expression: str) -> Recording:
        """Return the images that a filter (docs/query.md) matches, as a recording of its own.

        Its images are numbered from 0; `numbers` gives their numbers here. Closing it closes
        this recording too, as they share the file.
        """
        from inspector.recording.view import view_of

        return Recording(view_of(self._store, expression))

    def refresh(self) -> bool:
        """Look at the file again; return whether images or sections were added.

        Raises
        ------
        RecordingChangedError
            If the file was truncated, replaced or deleted.
        """
        store = self._store.refreshed()
        if store is None:
            return False
        self._set(store)
        return True

    def close(self) -> None:
        """Close the file; arrays handed out before stay good."""
        self._store.close()

    def __repr__(self) -> str:
        state = "" if self.finished else f", unfinished: {self.header.images:,} planned"
        return (
            f"<Recording {clean(self.name, 60)!r}: {self.images:,} images, "
            f"{len(self.layers)} layers{state}>"
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from inspector.recording.notebook import html_of

        return html_of(self)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _kept(self, key: Any, make: Callable[[], T]) -> T:
        cache = self._cache
        if key not in cache:
            cache[key] = make()
        kept: T = cache[key]
        return kept

    def _numeric(self, name: str) -> NDArray[Any]:
        return self._kept(name, lambda: read_only(self._store.numeric(name)))

    def _number(self, image: int) -> int:
        return one_number(image, self.images, "image number", self.path)


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
