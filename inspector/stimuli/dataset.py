"""What every source of stimuli offers, whatever it is made of."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -1

Column = NDArray[Any] | list[str]
"""Metadata: numbers as int64 or float64 [stimuli], or text."""


class Dataset(ABC):
    """An ordered, countable set of stimuli that are read one at a time.

    Attributes
    ----------
    name : str
        What the recording is called unless the user says otherwise.
    root : str
        The folder that stimulus paths are relative to; empty when there are no files.
    category_names : tuple of str or None
        The names that :meth:`labels` index, when the source knows its categories by name; None
        when its labels already are numbers of the model's outputs.
    group_column : str or None
        The column whose equal values mark stimuli that are not independent of each other (one
        camera, patient or burst); None when each stands for itself.
    """

    name: str
    root: str = ""
    category_names: tuple[str, ...] | None = None
    group_column: str | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Count the stimuli."""

    @abstractmethod
    def read(self, number: int) -> NDArray[Any]:
        """Read one stimulus: uint8 RGB [height, width, 3] from a file, or the array as it is.

        Raises
        ------
        BrokenImageError
            When this one stimulus cannot be read.
        """

    @abstractmethod
    def digest(self) -> str:
        """Hash the ordered list of stimuli (hex SHA-256), to tell whether it has changed."""

    def labels(self) -> NDArray[np.int32]:
        """Ground truth per stimulus, int32 [stimuli]; -1 where there is none."""
        return np.full(len(self), UNLABELLED, np.int32)

    def path(self, number: int) -> str:
        """Path relative to :attr:`root`; empty when the stimulus is not a file of its own."""
        return ""

    @property
    def columns(self) -> Mapping[str, Column]:
        """Metadata: a sequence with one value per stimulus under each name."""
        return {}

    @property
    def is_array(self) -> bool:
        """Whether stimuli are arrays that may be handed to a model unchanged."""
        return False


class Subset(Dataset):
    """Some stimuli of another dataset, renumbered in the order given.

    Parameters
    ----------
    source : Dataset
        Where the stimuli come from.
    numbers : int array [chosen]
        Numbers of the stimuli in `source`.
    """

    def __init__(self, source: Dataset, numbers: NDArray[np.int64]) -> None:
        self._source = source
        self._numbers = numbers
        self.name = source.name
        self.root = source.root
        self.category_names = source.category_names
        self.group_column = source.group_column

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, number: int) -> NDArray[Any]:
        return self._source.read(int(self._numbers[number]))

    def digest(self) -> str:
        both = hashlib.sha256(self._source.digest().encode())
        both.update(np.ascontiguousarray(self._numbers, "<i8").tobytes())
        return both.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        chosen: NDArray[np.int32] = self._source.labels()[self._numbers]
        return chosen

    def path(self, number: int) -> str:
        return self._source.path(int(self._numbers[number]))

    @property
    def columns(self) -> Mapping[str, Column]:
        return {
            name: values[self._numbers]
            if isinstance(values, np.ndarray)
            else [values[i] for i in self._numbers]
            for name, values in self._source.columns.items()
        }

    @property
    def is_array(self) -> bool:
        return self._source.is_array


def limited(dataset: Dataset, limit: str, seed: int = 0) -> Dataset:
    """Keep a part of a dataset: `N` a seeded sample stratified by label, `first:N` the first N.

    The sample keeps each label's share to within one stimulus and the original order.

    Raises
    ------
    ValueError
        When `limit` is neither a positive number nor `first:` and one.
    """
    first, _, count_text = limit.rpartition(":")
    if first not in ("", "first") or not count_text.isdigit() or int(count_text) == 0:
        raise ValueError(f"--limit {limit!r}: give a positive number or first:NUMBER")
    count = int(count_text)
    if count >= len(dataset):
        return dataset
    if first:
        return Subset(dataset, np.arange(count))
    return Subset(dataset, _stratified(dataset.labels(), count, seed))


def _stratified(labels: NDArray[np.int32], count: int, seed: int) -> NDArray[np.int64]:
    """Draw `count` numbers so that every label keeps its share (largest remainders rounded up)."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    # Sorted by label with a random order inside each, every len/count-th one is an even share.
    by_label = order[np.argsort(labels[order], kind="stable")]
    places = (np.arange(count) * len(labels)) // count
    return np.sort(by_label[places]).astype(np.int64)
