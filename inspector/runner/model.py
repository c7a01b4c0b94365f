"""A model ready to be recorded: its graph, its layers and its classes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.graph import (
    Graph,
    Layer,
    Output,
    Survey,
    expose_all,
    find_output,
    load_graph,
    survey,
)
from inspector.runner.errors import (
    ModelInputError,
    ModelMemoryError,
    ModelRunError,
    RunnerError,
)
from inspector.runner.feeds import Feed, open_feeds, stimulus_input
from inspector.runner.supervisor import Supervisor
from inspector.stimuli import ModelInput

USUAL_SIDE = 224
"""Side that a dimension left open by the model gets when no stimulus says better."""

_USUAL_CHANNELS = 3


@dataclass(frozen=True)
class Model:
    """An ONNX model whose layers are known.

    Attributes
    ----------
    graph : Graph
        The model file as it was read.
    survey : Survey
        Its layers, the modules that were folded away, and what cannot be recorded and why.
    output : Output or None
        The classification output; None when the model has none.
    batch : int or None
        The batch that the model takes and no other; None where any will do.
    shapes : mapping of str
        Shapes of the tensors in the two runs that told the layers.
    """

    graph: Graph
    survey: Survey
    output: Output | None
    batch: int | None
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every tensor that can be recorded, in the order in which the model computes them."""
        return self.survey.layers

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.graph.name

    @property
    def path(self) -> Path:
        """Where the model file lies."""
        return Path(self.graph.path)

    @property
    def sha256(self) -> str:
        """Hash of the model file."""
        return self.graph.sha256

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs: the model's own, or their numbers; empty without a classifier."""
        if self.output is None:
            return ()
        named = self.graph.classes
        if len(named) == self.output.classes:
            return named
        return tuple(str(number) for number in range(self.output.classes))

    def __repr__(self) -> str:
        return f"<Model {self.name}: {len(self.layers)} layers, {len(self.classes)} classes>"


def model_input(graph: Graph, fed: Sequence[str] = ()) -> ModelInput:
    """Describe what one stimulus must look like for this model, `fed` being its other inputs."""
    only = stimulus_input(graph, fed)
    if not only.shape:
        raise ModelInputError(
            f"{graph.path}: the input {only.name} has no batch dimension; export the model with one"
        )
    return ModelInput(np.dtype(only.dtype), tuple(only.shape[1:]))


def load_model(
    path: str | os.PathLike[str],
    *,
    output: str | None = None,
    size: Sequence[int] | None = None,
    memory: float | None = None,
    axes: Mapping[str, int] | None = None,
    feeds: Sequence[tuple[str, str]] = (),
) -> Model:
    """Read an ONNX model and find its layers.

    The model is checked, then run twice in a worker process to learn the shapes of its tensors.

    Parameters
    ----------
    path : path
        The `.onnx` file.
    output : str, optional
        Name of the classification output, when it is not found by itself.
    size : sequence of int, optional
        Shape of one stimulus, for the dimensions that the model leaves open (else 224 and 3).
    memory : float, optional
        Limit on the model's memory in GiB.
    axes : mapping of str to int, optional
        Unit axis by layer or tensor name, where the one found is not the one wanted.
    feeds : sequence of (str, str)
        Further inputs and the `.npy` files that go into them.

    Raises
    ------
    InspectorError
        When the file is no model, or the model cannot be run.
    """
    graph = load_graph(path)
    with Supervisor(memory) as worker:
        fed = open_feeds(graph, feeds, images=1)
        return probe(graph, worker, output=output, size=size, axes=axes, feeds=fed)


def probe(
    graph: Graph,
    worker: Supervisor,
    *,
    output: str | None = None,
    size: Sequence[int] | None = None,
    axes: Mapping[str, int] | None = None,
    feeds: Sequence[Feed] = (),
) -> Model:
    """Find the layers of a graph with a worker that already runs; see :func:`load_model`."""
    exposed = expose_all(graph)
    examples = [example_feeds(graph, batch, size, feeds) for batch in (2, 3)]
    # Optimisation would fuse away what is to be seen; one thread keeps address space small.
    worker.open(
        exposed.model_bytes,
        folder=external_folder(graph),
        provider="cpu",
        threads=1,
        optimise=False,
    )
    batch = stimulus_input(graph, [feed.name for feed in feeds]).shape[0]
    try:
        first = worker.shapes(examples[0])
        second = first if batch is not None else worker.shapes(examples[1])
    except ModelRunError as error:
        if batch is not None or isinstance(error, ModelMemoryError):
            raise
        # Some exports say that any batch will do, and have the batch of 1 written inside.
        batch = 1
        try:
            first = second = worker.shapes(example_feeds(graph, batch, size, feeds))
        except ModelRunError:
            raise error from None
    shapes = {tensor: (first[tensor], second[tensor]) for tensor in exposed.tensors}
    found = survey(graph, shapes, axes, output=output)
    return Model(graph, found, find_output(graph, shapes, output), batch, shapes)


def example_feeds(
    graph: Graph,
    batch: int,
    size: Sequence[int] | None = None,
    feeds: Sequence[Feed] = (),
) -> dict[str, NDArray[Any]]:
    """Make inputs of the right shapes from seeded noise; a fixed batch overrules `batch`."""
    random = np.random.default_rng(0)
    fed = [feed.name for feed in feeds]
    only = stimulus_input(graph, fed)
    fixed = only.shape[0]
    noise = random.random([fixed or batch, *_open_sides(graph, size, fed)])
    dtype = np.dtype(only.dtype)
    examples = {feed.name: feed.batch(0, batch, fixed) for feed in feeds}
    return {only.name: (noise * 2 if dtype.kind in "ui" else noise).astype(dtype), **examples}


def external_folder(graph: Graph) -> str:
    """Where ONNX Runtime looks for weights that lie outside the model file."""
    return str(Path(graph.path).resolve().parent)


def _open_sides(graph: Graph, size: Sequence[int] | None, fed: Sequence[str]) -> tuple[int, ...]:
    """Fill the dimensions that the model leaves open."""
    wanted = model_input(graph, fed)
    if size is None:
        usual = [USUAL_SIDE] * len(wanted.shape)
        if len(usual) == 3:
            usual[0 if wanted.channels_first else 2] = _USUAL_CHANNELS
        size = usual
    if len(size) != len(wanted.shape):
        raise RunnerError(
            f"a stimulus has {len(size)} dimensions {_shown(size)}, but the model's input "
            f"{stimulus_input(graph, fed).name} takes {len(wanted.shape)} {_shown(wanted.shape)}"
        )
    return tuple(
        given if have is None else have for have, given in zip(wanted.shape, size, strict=True)
    )


def _shown(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join("?" if side is None else str(side) for side in shape) + "]"
