"""Select stimuli by their metadata before they are recorded: `--where`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inspector.recording import QueryError, Recording, select
from inspector.recording.query_syntax import Name, Unit, parse
from inspector.runner.errors import OptionError
from inspector.stimuli import Column, Dataset, Subset

_KNOWN_LATER = ("prediction", "confidence", "right", "wrong", "skipped")


def selected(dataset: Dataset, expression: str, classes: Sequence[str] = ()) -> Dataset:
    """Keep the stimuli that a filter matches.

    Parameters
    ----------
    dataset : Dataset
        The stimuli.
    expression : str
        In the language of recordings' filters: columns, `label`, `path`, `image`. What only the
        model can tell (`prediction`, `right`, activity) is not known yet.
    classes : sequence of str
        Names that labels stand for, where the dataset itself only has numbers.

    Raises
    ------
    QueryError
        When the filter cannot be read, or does not fit the data (naming what there is).
    OptionError
        When nothing matches.
    """
    for part in _parts(parse(expression)):
        if isinstance(part, Unit):
            raise _unknown(f"{part.layer}:{part.unit}")
        if isinstance(part, Name) and part.value in _KNOWN_LATER:
            raise _unknown(part.value)
    known = _Stimuli(dataset, classes)
    mask = select(cast(Recording, known), expression)
    if not mask.any():
        raise OptionError(
            f"--where {expression}: matches none of the {len(dataset):,} images of {dataset.name}; "
            "loosen it"
        )
    if mask.all():
        return dataset
    return Subset(dataset, np.flatnonzero(mask))


class _Stimuli:
    """What a filter asks of a recording, answered for stimuli that are not recorded yet."""

    def __init__(self, dataset: Dataset, classes: Sequence[str]) -> None:
        self._dataset = dataset
        self.images = len(dataset)
        self.classes = tuple(dataset.category_names or classes)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        return np.arange(self.images)

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        return self._dataset.labels()

    @cached_property
    def paths(self) -> NDArray[Any]:
        return np.array([self._dataset.path(number) for number in range(self.images)], object)

    @cached_property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        return {name: _values(column) for name, column in self._dataset.columns.items()}

    @property
    def predictions(self) -> None:
        """Not known yet; a filter that needs them is refused before."""

    @property
    def confidences(self) -> None:
        """Not known yet; a filter that needs them is refused before."""


def _parts(tree: Any) -> Iterator[Any]:
    """Walk over a parsed filter."""
    yield tree
    if isinstance(tree, tuple):
        inner = tree
    else:
        inner = tuple(vars(tree).values()) if is_dataclass(tree) else ()
    for each in inner:
        yield from _parts(each)


def _values(column: Column) -> NDArray[Any]:
    return column if isinstance(column, np.ndarray) else np.array(column, object)


def _unknown(what: str) -> QueryError:
    return QueryError(
        f"--where cannot use {what}: known only once the images are recorded",
        advice="filter the recording instead, as FILE::EXPR",
    )
