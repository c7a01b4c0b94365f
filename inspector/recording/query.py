"""Evaluating a filter over a recording: a mask, true where an image matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fnmatch import translate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import (
    OutOfRangeError,
    QueryError,
    UnknownLayerError,
    UnknownReductionError,
)
from inspector.recording.query_syntax import (
    Among,
    Both,
    Compare,
    Match,
    Missing,
    Name,
    Not,
    Number,
    Test,
    Text,
    Unit,
    Value,
    parse,
)

if TYPE_CHECKING:
    from inspector.recording.recording import Recording

Mask = NDArray[np.bool_]
FLAGS = ("right", "wrong", "skipped")
NUMBERS = ("image", "label", "prediction", "confidence")
_COLUMNS = "columns."
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
    ">=": np.greater_equal,
}  # fmt: skip


def select(recording: Recording, expression: str) -> Mask:
    """Return which images a filter matches.

    Parameters
    ----------
    recording : Recording
    expression : str
        In the language of docs/query.md, such as ``camera == "c7" and linear1:7 > 0.8``.

    Returns
    -------
    bool [images]

    Raises
    ------
    QueryError
        If the filter cannot be read (saying where) or does not fit the recording (naming what
        there is).
    """
    return _Evaluator(recording, expression).test(parse(expression))


class _Evaluator:
    def __init__(self, recording: Recording, expression: str) -> None:
        self.recording = recording
        self.expression = expression
        self.images = recording.images
        self.known: dict[Value, Any] = {}

    def refuse(self, at: int, words: str, advice: str = "") -> QueryError:
        return QueryError(f"the filter, at character {at + 1}: {words}", advice=advice)

    def test(self, tree: Test) -> Mask:
        if isinstance(tree, Not):
            return ~self.test(tree.inner)
        if isinstance(tree, Both):
            left = self.test(tree.left)
            right = self.test(tree.right)
            return left | right if tree.either else left & right
        if isinstance(tree, Compare):
            return self.compare(tree)
        if isinstance(tree, Among):
            mask = np.zeros(self.images, bool)
            for choice in tree.choices:
                mask |= self.compare(Compare("==", tree.value, choice, tree.at))
            return mask
        if isinstance(tree, Match):
            return self.match(tree)
        return self.flag(tree)

    def flag(self, name: Name) -> Mask:
        recording = self.recording
        if name.value == "skipped":
            mask = np.zeros(self.images, bool)
            mask[list(recording.skipped)] = True
            return mask
        if name.value in ("right", "wrong"):
            asked = (recording.labels >= 0) & (recording.predictions >= 0)
            same: Mask = recording.labels == recording.predictions
            right: Mask = asked & same
            return right if name.value == "right" else asked & ~same
        self.values(name)
        raise self.refuse(
            name.at, f"{name.value!r} is not true or false", "compare it with a value"
        )

    def compare(self, tree: Compare) -> Mask:
        left, right = tree.left, tree.right
        if isinstance(left, Missing) or isinstance(right, Missing):
            return self.compare_missing(tree)
        categories = [_is_category(each) for each in (left, right)]
        if categories[0] and isinstance(right, Text):
            right = self.category(right)
        if categories[1] and isinstance(left, Text):
            left = self.category(left)
        a = self.values(left)
        if isinstance(right, Name) and not self.is_known(right.value):
            raise self.unknown(right, f'text stands in quotes: "{right.value}"')
        b = self.values(right)
        if _is_text(a) != _is_text(b):
            kinds = ["text" if _is_text(each) else "a number" for each in (a, b)]
            raise self.refuse(tree.at, f"{kinds[0]} cannot be compared with {kinds[1]}")
        mask = np.asarray(_COMPARE[tree.sign](a, b))
        if mask.shape != (self.images,):
            mask = np.full(self.images, bool(mask))
        mask = mask.astype(bool)
        if tree.sign in ("<", "<=", ">", ">="):
            for side, is_category in zip((a, b), categories, strict=True):
                if is_category:
                    mask &= np.asarray(side) >= 0  # no label is neither less nor more
        return mask

    def compare_missing(self, tree: Compare) -> Mask:
        if tree.sign not in ("==", "!="):
            raise self.refuse(tree.at, "'none' is compared with == or != only")
        value = tree.right if isinstance(tree.left, Missing) else tree.left
        if isinstance(value, Missing | Number | Text):
            raise self.refuse(tree.at, "'none' is compared with a column")
        found = self.values(value)
        if _is_category(value):
            gone = found < 0
        elif _is_text(found):
            gone = found == ""
        elif found.dtype.kind == "f":
            gone = np.isnan(found)
        else:
            gone = np.zeros(self.images, bool)
        mask: Mask = np.asarray(gone if tree.sign == "==" else ~gone, bool)
        return mask

    def match(self, tree: Match) -> Mask:
        if not isinstance(tree.value, Name):
            raise self.refuse(tree.at, "text is matched in a column")
        values: Sequence[str]
        if _is_category(tree.value):
            names = [*self.recording.classes, ""]
            ids = self.values(tree.value)
            chosen = np.array([self.matches(tree, name) for name in names])
            known = np.where((ids >= 0) & (ids < len(names) - 1), ids, len(names) - 1)
            by_category: Mask = chosen[known]
            return by_category
        values = self.values(tree.value)
        if not _is_text(values):
            raise self.refuse(tree.at, f"{tree.value.value!r} is not text")
        found: Mask = np.fromiter((self.matches(tree, each) for each in values), bool, self.images)
        return found

    @staticmethod
    def matches(tree: Match, text: str) -> bool:
        if not tree.whole:
            return tree.pattern.casefold() in text.casefold()
        # fnmatch's pattern has no nested repetition, so it cannot run away.
        return re.match(_pattern(tree.pattern), text.casefold()) is not None

    def category(self, text: Text) -> Number:
        classes = self.recording.classes
        if text.value not in classes:
            near = get_close_matches(text.value, classes, 3, 0.4) or classes[:5]
            raise self.refuse(
                text.at,
                f"there is no class {text.value!r}",
                f"there is {', '.join(near)}" if near else "the recording has no class names",
            )
        return Number(classes.index(text.value), text.at)

    def values(self, value: Value) -> Any:
        """Return an array over the images (object dtype for text), or a literal."""
        if isinstance(value, Number | Text):
            return value.value
        if value not in self.known:
            assert not isinstance(value, Missing)
            self.known[value] = self.read(value)
        return self.known[value]

    def read(self, value: Name | Unit) -> NDArray[Any]:
        recording = self.recording
        if isinstance(value, Unit):
            try:
                return recording.unit(value.layer, value.unit, value.reduction)
            except (UnknownLayerError, UnknownReductionError, OutOfRangeError) as error:
                found = f" {error.value!r}" if error.value is not None else ""
                limit = f", limit {error.limit}" if error.limit is not None else ""
                raise self.refuse(value.at, f"{error.rule}{found}{limit}", error.advice) from None
        name = value.value
        if name in FLAGS:
            raise self.refuse(value.at, f"{name!r} stands alone, it is not compared")
        if name in NUMBERS:
            return self.number(name)
        if name == "path":
            return np.asarray(recording.paths)
        if not self.is_known(name):
            raise self.unknown(value)
        return np.asarray(recording.columns[name.removeprefix(_COLUMNS)])

    def is_known(self, name: str) -> bool:
        built_in = name in (*NUMBERS, "path", *FLAGS)
        return built_in or name.removeprefix(_COLUMNS) in self.recording.columns

    def unknown(self, name: Name, more: str = "") -> QueryError:
        """Return the error for a name that is not there, naming the nearest that are."""
        bare = name.value.removeprefix(_COLUMNS)
        built_in = (*NUMBERS, "path", *FLAGS)
        if bare != name.value:
            every = list(self.recording.columns)
            more = f"{bare!r} alone is built in" if bare in built_in else more
        else:
            every = [*built_in, *self.recording.columns]
        near = get_close_matches(bare, every, 3, 0.5) or every
        there = f"there is {', '.join(near) or 'none'}"
        return self.refuse(
            name.at, f"there is no column {bare!r}", f"{more}; {there}" if more else there
        )

    def number(self, name: str) -> NDArray[Any]:
        recording = self.recording
        if name == "image":
            return recording.numbers
        return {
            "label": recording.labels,
            "prediction": recording.predictions,
            "confidence": recording.confidences,
        }[name]


def _is_category(value: Value) -> bool:
    return isinstance(value, Name) and value.value in ("label", "prediction")


def _is_text(values: Any) -> bool:
    return isinstance(values, str) or (isinstance(values, np.ndarray) and values.dtype == object)


def _pattern(glob: str) -> str:
    # Only * and ? are special: brackets are common in file names.
    return translate(glob.casefold().replace("[", "[[]"))
