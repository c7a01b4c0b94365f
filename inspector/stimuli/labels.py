"""Match the names of categories to a model's outputs: by name, by synset, or by number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import UNLABELLED, Dataset
from inspector.stimuli.errors import LabelError

_SYNSET = re.compile(r"n\d{8}")
_NUMBER = re.compile(r"0|[1-9]\d{0,8}")


@dataclass(frozen=True)
class Matched:
    """How names of categories became numbers of outputs.

    Attributes
    ----------
    outputs : dict of str to int
        Output of each name that was matched.
    unmatched : tuple of str
        Names without an output, in the order given.
    """

    outputs: dict[str, int]
    unmatched: tuple[str, ...]


def match_names(names: Sequence[str], classes: Sequence[str], outputs: int) -> Matched:
    """Find the output that each name of a category stands for.

    A name is the class of the same name; else of the same name but for case, `_` and `-`; else the
    class that lists it between commas (`tench, Tinca tinca`); an ImageNet synset (`n01440764`) is
    the class with one of its words, or its place among the 1,000 (one further on in models of
    1,001 outputs, whose first is the background). Where no name is a class and all are numbers,
    they are numbers of outputs. What could be two outputs is unmatched; no name ever counts by its
    place among the names.

    Parameters
    ----------
    names : sequence of str
        Of the categories, each once.
    classes : sequence of str
        Names of the outputs in their order; empty when nobody knows them.
    outputs : int
        How many outputs there are.
    """
    exact, loose = _lookups(classes)
    found: dict[str, int] = {}
    for name in names:
        number = exact.get(name, UNLABELLED)
        if number == UNLABELLED:
            number = loose.get(_loosened(name), UNLABELLED)
        if number == UNLABELLED and _SYNSET.fullmatch(name):
            number = _of_synset(name, classes, loose, outputs)
        if number != UNLABELLED:
            found[name] = number
    if not found and all(_NUMBER.fullmatch(name) and int(name) < outputs for name in names):
        found = {name: int(name) for name in names}
    return Matched(found, tuple(name for name in names if name not in found))


def imagenet_synsets() -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return the 1,000 synsets of ILSVRC 2012: place and words by identifier."""
    return dict(_synsets())


@lru_cache(maxsize=1)
def _synsets() -> dict[str, tuple[int, tuple[str, ...]]]:
    listed = resources.files("inspector.stimuli") / "imagenet_synsets.txt"
    lines = listed.read_text(encoding="utf-8").splitlines()
    entries = [line.partition(" ") for line in lines if not line.startswith("#")]
    return {
        synset: (place, tuple(words.split(", ")))
        for place, (synset, _, words) in enumerate(entries)
    }


def _of_synset(name: str, classes: Sequence[str], loose: dict[str, int], outputs: int) -> int:
    if name not in _synsets():
        return UNLABELLED
    place, words = _synsets()[name]
    background = outputs - 1000
    named = any(not _NUMBER.fullmatch(each) for each in classes)
    by_place = place + background if background in (0, 1) else UNLABELLED
    if not named:
        return by_place
    # Words such as "crane" and "maillot" stand for two synsets each; place tells them apart.
    spoken = {loose.get(_loosened(word), UNLABELLED) for word in words} - {UNLABELLED}
    if len(spoken) == 1:
        return spoken.pop()
    if by_place != UNLABELLED and (
        by_place in spoken or {_loosened(word) for word in words} & _parts(classes[by_place])
    ):
        return by_place
    return UNLABELLED


def _lookups(classes: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Outputs by exact name, and by loosened name or part; what stands for two is left out."""
    exact: dict[str, int] = {}
    loose: dict[str, set[int]] = {}
    twice = set()
    for number, name in enumerate(classes):
        if name in exact:
            twice.add(name)
        exact[name] = number
        for part in _parts(name):
            loose.setdefault(part, set()).add(number)
    for name in twice:
        del exact[name]
    return exact, {part: numbers.pop() for part, numbers in loose.items() if len(numbers) == 1}


def _parts(name: str) -> set[str]:
    return {_loosened(part) for part in (name, *name.split(","))} - {""}


def _loosened(name: str) -> str:
    return " ".join(re.sub(r"[_\-\s]+", " ", name).casefold().split())


def labels_as_outputs(dataset: Dataset, classes: Sequence[str], outputs: int) -> NDArray[np.int32]:
    """Turn a dataset's ground truth into numbers of the model's outputs, by name.

    A folder's place in the alphabet is never used: a set with fewer categories would shift every
    label. Names that are unknown are listed.

    Parameters
    ----------
    dataset : Dataset
        Stimuli with ground truth by name (folders, tables) or by number (arrays).
    classes : sequence of str
        Names of the outputs in their order; empty when nobody knows them.
    outputs : int
        How many outputs the model's classification layer has; 0 for a model without one.

    Returns
    -------
    int32 array [stimuli]
        -1 where there is no ground truth.

    Raises
    ------
    LabelError
        When a name is not among the classes, or a number is not one of the outputs.
    """
    labels = dataset.labels()
    if outputs == 0:
        return np.full(len(labels), UNLABELLED, np.int32)
    names = dataset.category_names
    if names is not None:
        matched = match_names(names, classes, outputs)
        if matched.unmatched:
            raise LabelError(
                f"{dataset.name}: {len(matched.unmatched)} of {len(names)} category names are no "
                f"class of the model: {_listed(matched.unmatched)} (its classes: "
                f"{_listed(classes)}); rename the folders or labels, or name the model's outputs "
                "in order with --classes FILE"
            )
        lookup = np.array([*(matched.outputs[name] for name in names), UNLABELLED], np.int32)
        return lookup[labels]
    wrong = (labels >= outputs) | (labels < UNLABELLED)
    if wrong.any():
        where = int(np.argmax(wrong))
        raise LabelError(
            f"{dataset.name}: image {where} has the label {labels[where]}, but the model has "
            f"{outputs} classes (0 to {outputs - 1}; -1 for none); mend the labels"
        )
    return labels


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
