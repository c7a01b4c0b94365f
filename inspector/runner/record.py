"""Record what a model's units do on a dataset."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.analysis import predictions, probabilities
from inspector.graph import load_graph
from inspector.recording import (
    Chunk,
    Header,
    RecordingExistsError,
    RecordingWriter,
    open_recording,
    replaceable,
    unanswered,
)
from inspector.runner.batches import Batch, BatchSource
from inspector.runner.errors import OptionError, RunnerError
from inspector.runner.feeds import open_feeds
from inspector.runner.like import options_like
from inspector.runner.model import Model, external_folder, model_input, probe
from inspector.runner.options import RecordOptions, check_options
from inspector.runner.plan import Plan, make_plan
from inspector.runner.progress import OnProgress, Progress
from inspector.runner.selecting import first_readable, open_stimuli
from inspector.runner.supervisor import Supervisor
from inspector.stimuli import (
    GUESSED,
    Dataset,
    InputRange,
    PreprocessError,
    Preprocessor,
    choose_preprocess,
    diagnose,
    input_range,
)

_IN_FLIGHT = 2
_MEASURED = 8
"""Inputs that are looked at for hints: enough to tell a range."""


@dataclass(frozen=True)
class RecordResult:
    """What a recording came to.

    Attributes
    ----------
    path : Path
        The finished file.
    images, skipped : int
        Stimuli in the file, and how many of them could not be read.
    seconds, rate : float
        Time of this run and its images a second.
    accuracy : float
        Share of labelled images with an answer that were answered right; NaN without any.
    unanswered : int
        Images without an answer although the model has a classifier: an output was not finite.
    batch : int
        Images run at once.
    provider : str
        Where the model ran.
    preprocess : str
        The preprocessing and the reason for it.
    reasons : tuple of str
        The first reasons for skipped images.
    hints : tuple of str
        What looks wrong, with the likely cause.
    """

    path: Path
    images: int
    skipped: int
    seconds: float
    rate: float
    accuracy: float
    unanswered: int
    batch: int
    provider: str
    preprocess: str
    reasons: tuple[str, ...]
    hints: tuple[str, ...]


def record(
    model: str | os.PathLike[str] | Model,
    data: str | os.PathLike[str] | Dataset,
    out: str | os.PathLike[str],
    options: RecordOptions | None = None,
    on_progress: OnProgress | None = None,
) -> RecordResult:
    """Run a model over stimuli and write what its units do into a recording.

    Parameters
    ----------
    model : path or Model
        The ONNX model.
    data : path or Dataset
        The stimuli; see :func:`inspector.stimuli.open_data`.
    out : path
        The recording. It appears once the first batch has run, and counts as finished only when
        all is written.
    options : RecordOptions, optional
        How to record.
    on_progress : callable, optional
        Called with a :class:`Progress` after each batch.

    Raises
    ------
    InspectorError
        When model, data or options do not fit, or the model fails. Chunks already written are kept
        and `resume` goes on behind them.
    """
    options = options or RecordOptions()
    check_options(options)
    target = Path(out)
    _check_target(target, options)
    if options.like is not None:
        with open_recording(options.like) as other:
            options = options_like(options, other.header)
    if options.resume and target.exists():
        options = _on_recorded_grid(options, target)
    if not target.parent.is_dir():
        raise OptionError(f"{target}: the folder {target.parent} does not exist; make it first")
    graph = model.graph if isinstance(model, Model) else load_graph(model)
    known = model.classes if isinstance(model, Model) else graph.classes
    dataset = open_stimuli(data, options, options.classes or known)
    first = first_readable(dataset, options.strict)
    feeds = open_feeds(graph, options.feeds, len(dataset))
    wanted = model_input(graph, [feed.name for feed in feeds])
    steps, reason = choose_preprocess(
        options.preprocess, graph.metadata, wanted, first, dataset.is_array, graph.path
    )
    preprocessor = Preprocessor(steps, wanted)
    try:
        example = preprocessor(first)
    except PreprocessError as error:
        raise PreprocessError(f"{dataset.name}: {error}") from None
    with Supervisor(options.memory) as worker:
        if not isinstance(model, Model):
            model = probe(
                graph,
                worker,
                output=options.output,
                size=example.shape,
                axes=dict(options.axes),
                feeds=feeds,
            )
        plan = make_plan(model, dataset, options, steps, feeds)
        provider = worker.open(
            plan.instrumented.model_bytes,
            folder=external_folder(graph),
            provider=options.provider,
            threads=options.threads,
        )
        header = replace(plan.header, options={**plan.header.options, "provider": provider})
        source = BatchSource(
            plan.dataset,
            preprocessor,
            example.shape,
            example.dtype,
            thumb=options.thumb,
            threads=os.cpu_count() or 1,
            strict=options.strict,
        )
        with _Recorder(target, header, plan, worker, options) as recorder:
            fresh, seconds = recorder.run(source, on_progress)
            inputs = recorder.inputs
    # Read back, so that a resumed recording is summed up whole.
    with open_recording(target) as made:
        return RecordResult(
            path=target,
            images=made.images,
            skipped=len(made.skipped),
            seconds=seconds,
            rate=fresh / seconds if seconds else 0.0,
            accuracy=made.accuracy,
            unanswered=unanswered(made),
            batch=header.batch,
            provider=provider,
            preprocess=f"{steps.as_dict()} ({reason})",
            reasons=tuple(list(made.skipped.values())[:5]),
            hints=tuple(
                hint.text
                for hint in diagnose(
                    made.labels, made.predictions, made.classes, inputs, guessed=reason == GUESSED
                )
            ),
        )


def _check_target(target: Path, options: RecordOptions) -> None:
    """Refuse a target that must not be written, before anything is run."""
    if target.exists() and not (options.resume or options.overwrite):
        raise RecordingExistsError(
            "the file exists",
            path=target,
            advice="go on with it with --resume, replace it with --overwrite, or name another one",
        )
    if target.exists() and not replaceable(target):
        raise RecordingExistsError(
            "this is not a recording, and only recordings are replaced or gone on with",
            path=target,
            advice="choose another name, or remove the file yourself",
        )


def _on_recorded_grid(options: RecordOptions, target: Path) -> RecordOptions:
    """Go on with the batch and chunk of the file where the user names none."""
    with open_recording(target) as begun:
        header = begun.header
    return replace(
        options, batch=options.batch or header.batch, chunk=options.chunk or header.chunk
    )


class _Recorder:
    """Feeds batches to the worker and gathers what comes back into chunks."""

    def __init__(
        self,
        target: Path,
        header: Header,
        plan: Plan,
        worker: Supervisor,
        options: RecordOptions,
    ) -> None:
        self._target = target
        self._aside = target.with_name(f"{target.name}.replaced")
        self._header = header
        self._plan = plan
        self._worker = worker
        self._options = options
        self._fresh = 0
        self._chunk: Chunk | None = None
        self._filled = 0
        self._writer: RecordingWriter | None = None
        self.inputs: InputRange | None = None
        """What the first batch of this run is like; None while there is none."""
        if options.resume and target.exists():
            self._writer = RecordingWriter.resume(target, header)

    def __enter__(self) -> _Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def run(self, source: BatchSource, on_progress: OnProgress | None) -> tuple[int, float]:
        """Record from where the file ends to the last stimulus, and finish the file.

        Returns
        -------
        int, float
            Images of this run, and its seconds.
        """
        started = time.perf_counter()
        start = self._writer.next_image if self._writer is not None else 0
        outputs = [name for _, _, name in self._plan.instrumented.outputs]
        waiting: deque[Batch] = deque()

        def collect() -> None:
            batch = waiting.popleft()
            self._take(batch, self._worker.result())
            self._fresh += batch.count
            if on_progress is not None:
                done = batch.start + batch.count
                seconds = time.perf_counter() - started
                on_progress(Progress(done, self._header.images, seconds, self._fresh))

        try:
            for batch in source.batches(start, self._header.batch, self._header.chunk):
                if self.inputs is None and not batch.skipped:
                    self.inputs = input_range(batch.inputs[:_MEASURED])
                self._worker.submit(self._feeds(batch), outputs)
                waiting.append(batch)
                if len(waiting) >= _IN_FLIGHT:
                    collect()
            while waiting:
                collect()
        except RunnerError as error:
            raise self._with_rest(error) from error
        if self._writer is not None:
            self._writer.finish()
            self._aside.unlink(missing_ok=True)
        return self._fresh, time.perf_counter() - started

    def _feeds(self, batch: Batch) -> dict[str, NDArray[Any]]:
        """Everything that goes into the model for one batch."""
        plan = self._plan
        others = {
            feed.name: feed.batch(batch.start, batch.count, plan.fixed_batch) for feed in plan.feeds
        }
        return {plan.input_name: self._padded(batch.inputs), **others}

    def _padded(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Fill up a last batch that a model with a fixed batch would refuse."""
        fixed = self._plan.fixed_batch
        if fixed is None or len(inputs) == fixed:
            return inputs
        rest = np.zeros((fixed - len(inputs), *inputs.shape[1:]), inputs.dtype)
        return np.concatenate([inputs, rest])

    def _take(self, batch: Batch, outputs: dict[str, NDArray[Any]]) -> None:
        """Put a batch's activity into the chunk at hand; write the chunk when it is full."""
        header = self._header
        if self._chunk is None:
            size = min(header.chunk, header.images - batch.start)
            self._chunk = self._empty_chunk(batch.start, size)
            self._filled = 0
        chunk, place = self._chunk, slice(self._filled, self._filled + batch.count)
        skipped = [number - batch.start for number in batch.skipped]
        for layer, reduction, name in self._plan.instrumented.outputs:
            values = chunk.activity[layer, reduction]
            values[place] = outputs[name][: batch.count]
            if skipped:
                values[place][skipped] = np.nan
        self._predict(chunk, place)
        chunk.thumbnails = [*chunk.thumbnails, *batch.thumbnails]
        chunk.skipped = {**chunk.skipped, **batch.skipped}
        self._filled += batch.count
        if self._filled == len(chunk.labels):
            if self._writer is None:
                # Only now: a model that fails at once leaves nothing, and harms no older file.
                self._set_aside()
                self._writer = RecordingWriter.create(
                    self._target, header, overwrite=self._options.overwrite
                )
            self._writer.append(chunk)
            self._chunk = None

    def _set_aside(self) -> None:
        """Keep the recording that is replaced until the new one is whole."""
        if self._target.exists() and not self._aside.exists():
            self._target.replace(self._aside)

    def _empty_chunk(self, start: int, size: int) -> Chunk:
        activity = {
            (layer.name, reduction): np.empty((size, layer.units), np.float32)
            for layer in self._header.layers
            for reduction in layer.reductions
        }
        dataset = self._plan.dataset
        return Chunk(
            start=start,
            activity=activity,
            thumbnails=[],
            labels=self._plan.labels[start : start + size],
            predictions=np.full(size, -1, np.int32),
            confidences=np.full(size, np.nan, np.float32),
            paths=[dataset.path(number) for number in range(start, start + size)],
            skipped={},
            columns={
                name: np.asarray(values[start : start + size]).tolist()
                for name, values in self._plan.columns.items()
            },
        )

    def _predict(self, chunk: Chunk, place: slice) -> None:
        output = self._header.output
        if not output:
            return
        layer = next(each for each in self._header.layers if each.name == output["layer"])
        values = chunk.activity[layer.name, layer.reductions[0]][place]
        chances = probabilities(values, output["kind"])
        chunk.predictions[place], chunk.confidences[place] = predictions(chances)

    def _with_rest(self, error: RunnerError) -> RunnerError:
        """Say what is kept beside what went wrong."""
        kept = self._writer.next_image if self._writer is not None else 0
        if not kept:
            return error
        older = f" (what it replaces is kept in {self._aside.name})" * self._aside.exists()
        return type(error)(
            f"{error}; {kept:,} of {self._header.images:,} images are kept in {self._target}"
            f"{older}: go on with --resume"
        )
