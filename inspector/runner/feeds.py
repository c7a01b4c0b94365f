"""The further inputs of a model: arrays that go in beside the stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.graph import Graph, GraphInput
from inspector.runner.errors import ModelInputError, OptionError


@dataclass(frozen=True)
class Feed:
    """One further input.

    Attributes
    ----------
    name : str
        The input.
    array : array
        As the model takes it whole, or one row to be repeated, or one row per image.
    rows : {"whole", "repeated", "each"}
        Which of these it is.
    """

    name: str
    array: NDArray[Any]
    rows: str

    def span(self, first: int, stop: int) -> Feed:
        """Keep the rows of some images."""
        if self.rows != "each":
            return self
        return Feed(self.name, self.array[first:stop], self.rows)

    def batch(self, start: int, count: int, fixed: int | None) -> NDArray[Any]:
        """Take the rows of the images `start` to `start + count`, filled up to a fixed batch."""
        if self.rows == "whole":
            return self.array
        size = fixed or count
        if self.rows == "repeated":
            return np.repeat(self.array, size, axis=0)
        numbers = np.minimum(np.arange(start, start + size), len(self.array) - 1)
        return self.array[numbers]


def open_feeds(graph: Graph, named: Sequence[tuple[str, str]], images: int) -> tuple[Feed, ...]:
    """Read the arrays given for inputs.

    Parameters
    ----------
    graph : Graph
        Whose inputs they are.
    named : sequence of (str, str)
        Input and `.npy` file.
    images : int
        How many stimuli there are.

    Raises
    ------
    OptionError
        When there is no such input, or the array does not fit it.
    """
    inputs = {each.name: each for each in graph.inputs}
    feeds = []
    for name, file in named:
        if name not in inputs:
            raise OptionError(
                f"--feed {name}={file}: the model has no such input (it has: {', '.join(inputs)})"
            )
        feeds.append(_open_feed(inputs[name], Path(file), images))
    return tuple(feeds)


def stimulus_input(graph: Graph, fed: Sequence[str] = ()) -> GraphInput:
    """Find the one input that stimuli are handed to: the one that is not fed.

    Raises
    ------
    ModelInputError
        When none is left, or more than one.
    """
    left = [each for each in graph.inputs if each.name not in fed]
    for each in left:
        if each.dtype == "object":
            raise ModelInputError(
                f"{graph.path}: the input {each.name} takes text, but stimuli are numbers; export "
                "the model from behind its tokenizer"
            )
    if len(left) == 1:
        return left[0]
    shown = ", ".join(f"{each.name} {list(each.shape)}" for each in left) or "none"
    raise ModelInputError(
        f"{graph.path}: stimuli go into one input, but {len(left)} are left ({shown}); give the "
        "others as arrays with --feed INPUT=FILE.npy"
    )


def _open_feed(taken: GraphInput, path: Path, images: int) -> Feed:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise OptionError(
            f"--feed {taken.name}={path}: cannot be read as one array ({error}); save it with "
            "np.save"
        ) from None
    want = tuple(taken.shape)
    if array.dtype != np.dtype(taken.dtype):
        raise OptionError(
            f"--feed {taken.name}={path}: is {array.dtype}, but the model takes {taken.dtype}"
        )
    if None not in want and array.shape == want:
        return Feed(taken.name, array, "whole")
    if array.ndim == len(want) - 1:
        array = array[None]
    fits = array.ndim == len(want) and all(
        side in (None, have) for side, have in zip(want[1:], array.shape[1:], strict=True)
    )
    if not fits or not len(want) or len(array) not in (1, images):
        shown = ", ".join("?" if side is None else str(side) for side in want)
        raise OptionError(
            f"--feed {taken.name}={path}: is {list(array.shape)}, but the model takes [{shown}]; "
            f"give one row for all images, or one for each of the {images:,}"
        )
    return Feed(taken.name, array, "repeated" if len(array) == 1 else "each")
