"""Running models with ONNX Runtime: the shape probe, and values to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from inspector.graph import Graph, Layer, Shapes, expose_all, find_layers, instrument, load_graph

Feed = dict[str, NDArray[Any]]


def session(model: bytes | str, folder: Path | None = None, *, fast: bool = False) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not fast:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if folder is not None:
        key = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(key, str(folder))
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def feed(graph: Graph, batch: int, size: int = 16, seed: int = 0) -> Feed:
    random = np.random.default_rng(seed)
    values: Feed = {}
    for item in graph.inputs:
        shape = [s or (batch if axis == 0 else size) for axis, s in enumerate(item.shape)]
        dtype = np.dtype(item.dtype)
        if dtype.kind in "iu":
            values[item.name] = random.integers(0, 9, shape).astype(dtype)
        else:
            values[item.name] = random.standard_normal(shape).astype(dtype)
    return values


def probe(graph: Graph) -> Shapes:
    """Concrete shapes at batch 2 and 3, as the runner finds them."""
    exposed = expose_all(graph)
    run = session(exposed.model_bytes, graph.path.parent)
    two, three = (run.run(list(exposed.tensors), feed(graph, batch)) for batch in (2, 3))
    return {
        name: (a.shape, b.shape) for name, a, b in zip(exposed.tensors, two, three, strict=True)
    }


def layers_of(path: Path) -> tuple[Graph, Shapes, tuple[Layer, ...]]:
    graph = load_graph(path)
    shapes = probe(graph)
    return graph, shapes, find_layers(graph, shapes)


def tensors(graph: Graph, values: Feed) -> dict[str, NDArray[Any]]:
    """Every tensor of the untouched model."""
    exposed = expose_all(graph)
    run = session(exposed.model_bytes, graph.path.parent)
    return dict(zip(exposed.tensors, run.run(list(exposed.tensors), values), strict=True))


def taps(
    graph: Graph,
    wanted: list[tuple[Layer, tuple[str, ...]]],
    values: Feed,
    *,
    tokens: str = "patch",
) -> dict[tuple[str, str], NDArray[np.float32]]:
    """What an instrumented model gives, optimised as it is in use."""
    made = instrument(graph, wanted, tokens=tokens)
    run = session(made.model_bytes, graph.path.parent, fast=True)
    names = [output for _, _, output in made.outputs]
    return {
        (layer, reduction): value
        for (layer, reduction, _), value in zip(made.outputs, run.run(names, values), strict=True)
    }


def reduced(layer: Layer, value: NDArray[Any], reduction: str, tokens: str = "patch") -> Any:
    """The reduction in numpy, written apart from the graph's."""
    value = np.moveaxis(value.astype(np.float32), layer.axis, -1)
    value = value.reshape(len(value), -1, layer.units)
    if reduction in ("cls", "last", "none"):
        return value[:, 0 if reduction != "last" else -1]
    if layer.kind == "tokens" and tokens == "patch":
        value = value[:, layer.prefix_tokens :]
    if reduction == "relu_mean":
        value = np.maximum(value, 0)
    return value.max(1) if reduction == "max" else value.mean(1)
