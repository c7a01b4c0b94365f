"""Open the stimuli to record, and select among them by their metadata: `--where`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inspector.recording import QueryError, Recording, select
from inspector.recording.query_syntax import Name, Unit, parse
from inspector.runner.errors import NothingReadableError, OptionError
from inspector.runner.options import RecordOptions
from inspector.stimuli import (
    BrokenImageError,
    Column,
    Dataset,
    Subset,
    TableOptions,
    limited,
    open_data,
)

_KNOWN_LATER = ("prediction", "confidence", "right", "wrong", "skipped")


def open_stimuli(
    data: str | os.PathLike[str] | Dataset, options: RecordOptions, classes: Sequence[str]
) -> Dataset:
    """Open what is recorded: the data as its table says, filtered, then limited.

    Parameters
    ----------
    data : path or Dataset
        The stimuli; of a dataset that is open already only `where` and `limit` are applied.
    options : RecordOptions
        How to record.
    classes : sequence of str
        Names of the model's outputs, for filters of labels that are numbers.

    Raises
    ------
    InspectorError
        When data and options do not fit.
    """
    if isinstance(data, Dataset):
        dataset = data
    else:
        columns = TableOptions(
            table=None if options.table is None else Path(options.table),
            path_col=options.path_col,
            label_col=options.label_col,
            group_col=options.group_col,
            follow_links=options.follow_links,
        )
        dataset = open_data(os.fspath(data), columns)
    if options.where is not None:
        dataset = selected(dataset, options.where, classes)
    if options.limit is not None:
        try:
            dataset = limited(dataset, options.limit)
        except ValueError as error:
            raise OptionError(str(error)) from None
    return dataset


def first_readable(dataset: Dataset, strict: bool) -> NDArray[Any]:
    """Read the first stimulus that can be read: it shows what the others are like."""
    why: BrokenImageError | None = None
    for number in range(len(dataset)):
        try:
            return dataset.read(number)
        except BrokenImageError as error:
            if strict:
                raise
            why = why or error
    raise NothingReadableError(
        f"{dataset.name}: none of the {len(dataset):,} images can be read; the first: {why}"
    )


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
