"""Prepare batches ahead of the model: read, shrink, preprocess, in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.runner.errors import ImageSkippedError
from inspector.stimuli import (
    BrokenImageError,
    Dataset,
    PreprocessError,
    Preprocessor,
    thumbnail,
)

PREPARED_BATCHES = 2
"""Batches ready or in work ahead of the model: one runs, one waits, memory stays bounded."""

_IMAGES_PER_TASK = 8


@dataclass
class Batch:
    """Stimuli `start` to `start + count`, ready for the model.

    Attributes
    ----------
    start, count : int
        Where the batch lies and how many stimuli it has.
    inputs : array [count, ...]
        What the model is fed; zeros in place of a skipped stimulus.
    thumbnails : list of uint8 [height, width, 3]
        Small pictures; empty ones for skipped stimuli.
    skipped : dict of int to str
        Stimuli that could not be read, by number, with the reason.
    """

    start: int
    count: int
    inputs: NDArray[Any]
    thumbnails: list[NDArray[np.uint8]]
    skipped: dict[int, str]


class BatchSource:
    """Yields the batches of a dataset in order.

    Parameters
    ----------
    dataset : Dataset
        Where stimuli come from.
    preprocessor : Preprocessor
        Makes model inputs of them.
    shape, dtype : tuple of int, dtype
        Of one model input.
    thumb : int
        Longest side of the thumbnails in pixels; 0 for none.
    threads : int
        How many stimuli are prepared at once.
    strict : bool
        Whether a stimulus that cannot be read ends it all.
    """

    def __init__(
        self,
        dataset: Dataset,
        preprocessor: Preprocessor,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        thumb: int,
        threads: int,
        strict: bool,
    ) -> None:
        self._dataset = dataset
        self._preprocess = preprocessor
        self._shape = shape
        self._dtype = dtype
        self._thumb = thumb
        self._threads = threads
        self._strict = strict

    def batches(self, start: int, batch: int, chunk: int) -> Iterator[Batch]:
        """Yield batches from `start` on; none crosses a multiple of `chunk`.

        Raises
        ------
        ImageSkippedError
            In strict mode, at the first stimulus that cannot be read.
        """
        spans = iter(_spans(start, len(self._dataset), batch, chunk))
        with ThreadPoolExecutor(self._threads, "stimuli") as pool:
            waiting: deque[tuple[Batch, list[Future[None]]]] = deque()
            try:
                for span in spans:
                    waiting.append(self._begin(pool, *span))
                    if len(waiting) > PREPARED_BATCHES:
                        yield _complete(waiting.popleft())
                while waiting:
                    yield _complete(waiting.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _begin(
        self, pool: ThreadPoolExecutor, start: int, stop: int
    ) -> tuple[Batch, list[Future[None]]]:
        count = stop - start
        batch = Batch(
            start,
            count,
            np.zeros((count, *self._shape), self._dtype),
            [np.zeros((0, 0, 3), np.uint8)] * count,
            {},
        )
        tasks = [
            pool.submit(self._prepare, batch, place, min(place + _IMAGES_PER_TASK, count))
            for place in range(0, count, _IMAGES_PER_TASK)
        ]
        return batch, tasks

    def _prepare(self, batch: Batch, first: int, stop: int) -> None:
        for place in range(first, stop):
            number = batch.start + place
            try:
                stimulus = self._dataset.read(number)
                made = self._preprocess(stimulus)
                if made.shape != self._shape:
                    raise PreprocessError(
                        f"makes an input of {list(made.shape)} where the others have "
                        f"{list(self._shape)}; give a preprocessing that makes them equal"
                    )
                batch.inputs[place] = made
                batch.thumbnails[place] = thumbnail(stimulus, self._thumb)
            except (BrokenImageError, PreprocessError) as error:
                if self._strict:
                    raise ImageSkippedError(
                        f"image {number} cannot be used and --strict is set: {error}"
                    ) from error
                batch.skipped[number] = str(error)


def _spans(start: int, images: int, batch: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Cut the numbers from `start` to `images` on the grid."""
    while start < images:
        chunk_end = (start // chunk + 1) * chunk
        stop = min(start + batch, chunk_end, images)
        yield start, stop
        start = stop


def _complete(begun: tuple[Batch, list[Future[None]]]) -> Batch:
    batch, tasks = begun
    for task in tasks:
        task.result()
    return batch
