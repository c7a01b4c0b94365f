"""One model of the coverage table: found layers, and how far values are off."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, ValueInfoProto

from inspector.graph import (
    Graph,
    Layer,
    Output,
    Shapes,
    expose_all,
    find_layers,
    find_output,
    instrument,
    load_graph,
    stored_reductions,
)
from inspector.graph.rewrite import rebuild

OUTPUTS_BOUND, HALF_BOUND, ACTIVITY_BOUND = 1e-5, 2e-3, 1e-4


@dataclass(frozen=True)
class Case:
    """A model file, where it comes from, and what its framework computes.

    Attributes
    ----------
    feed
        What goes in; seeded noise when None.
    reference
        Name of a module in the framework to the outputs of its calls.
    names_kept
        Whether the export keeps the framework's names. Where it does not, each layer recorded by
        default must equal some output of the framework.
    """

    name: str
    source: str
    path: Path
    feed: dict[str, Any] | None = None
    reference: dict[str, list[Any]] | None = None
    names_kept: bool = True


def session(model: bytes | str, folder: Path, *, optimise: bool) -> Any:
    """A session on one core in two, with external weights found in `folder`."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = max((os.cpu_count() or 2) // 2, 1)
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(folder)
    )
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def feeds(graph: Graph, batch: int, seed: int) -> dict[str, Any]:
    """Seeded random values for every input."""
    random = np.random.default_rng(seed)
    made = {}
    for item in graph.inputs:
        shape = [size or (batch if axis == 0 else 64) for axis, size in enumerate(item.shape)]
        made[item.name] = random.standard_normal(shape).astype(item.dtype)
    return made


def reduced(layer: Layer, value: Any, reduction: str) -> Any:
    """The reduction in numpy, written apart from the graph's."""
    value = np.moveaxis(value.astype(np.float32), layer.axis, -1)
    value = value.reshape(len(value), -1, layer.units)
    if reduction == "none":
        return value[:, 0]
    if layer.kind == "tokens":
        value = value[:, layer.prefix_tokens :]
    if reduction == "relu_mean":
        value = np.maximum(value, 0)
    return value.max(1) if reduction == "max" else value.mean(1)


def relative(found: Any, expected: Any) -> float:
    """Largest difference relative to the largest expected value."""
    scale = max(float(np.abs(expected).max(initial=0)), 1e-9)
    return float(np.abs(found - expected).max(initial=0)) / scale


@dataclass
class Examined:
    """A model that was probed and run once untouched."""

    graph: Graph
    shapes: Shapes
    layers: tuple[Layer, ...]
    output: Output | None
    feed: dict[str, Any]
    tensors: dict[str, Any]
    varies: bool


def examine(case: Case) -> Examined:
    """Probe a model, find its layers, and run it untouched on two inputs."""
    graph = load_graph(case.path)
    exposed = expose_all(graph)
    run = session(exposed.model_bytes, case.path.parent, optimise=False)
    names = list(exposed.tensors)
    fixed = graph.inputs[0].batch
    two, three = (run.run(names, feeds(graph, batch, 0)) for batch in (2, 3))
    shapes = {n: (a.shape, b.shape) for n, a, b in zip(names, two, three, strict=True)}
    feed = case.feed or feeds(graph, fixed or 4, 1)
    tensors = dict(zip(names, run.run(names, feed), strict=True))
    other = dict(zip(names, run.run(names, feeds(graph, fixed or 4, 2)), strict=True))
    # A softmax of random weights may be saturated: what it reads differs all the same.
    found = find_output(graph, shapes)
    outputs = [n for n in graph.index.outputs if n in tensors and tensors[n].dtype.kind == "f"]
    outputs = [found.logits] if found else outputs
    varies = any(
        tensors[n].shape != other[n].shape or relative(other[n], tensors[n]) > 1e-4 for n in outputs
    )
    return Examined(graph, shapes, find_layers(graph, shapes), found, feed, tensors, varies)


def taps_difference(seen: Examined) -> tuple[float, float]:
    """How far default taps are off, and how far they move the model's own classification.

    Taps run optimised, as they do in use; the untouched model's tensors come from a run without
    optimisation. Int8 and float16 models compute with another precision there, so their
    reference is the tapped tensors themselves, in the run of the taps.
    """
    wanted = [(layer, stored_reductions(layer)[0]) for layer in seen.layers if layer.default]
    if not wanted:
        return float("nan"), float("nan")
    made = instrument(seen.graph, wanted)
    values = _run(seen, made.model_bytes, [output for _, _, output in made.outputs])
    by_name = {layer.name: layer for layer, _ in wanted}
    tensors = seen.tensors
    if is_quantised(seen) or is_half(seen):
        tensors = _beside(seen, made.model_bytes, [layer.tensor for layer, _ in wanted])
    worst, moved = 0.0, float("nan")
    for (name, reduction, _), value in zip(made.outputs, values, strict=True):
        layer = by_name[name]
        tensor = tensors[layer.tensor]
        if tensor.dtype.kind != "f":
            continue
        worst = max(worst, relative(value, reduced(layer, tensor, reduction)))
        if seen.output is not None and layer.tensor == seen.output.logits:
            bare = _outputs(seen, [layer.tensor])[layer.tensor]
            moved = relative(value, reduced(layer, bare, reduction))
    return worst, moved


def is_quantised(seen: Examined) -> bool:
    """Whether activations are integers somewhere in the model."""
    return any("QuantizeLinear" in node.op_type for node in seen.graph.index.nodes)


def is_half(seen: Examined) -> bool:
    """Whether a layer is computed in float16."""
    types = seen.graph.index.types
    return any(types.get(layer.tensor) == TensorProto.FLOAT16 for layer in seen.layers)


def _outputs(seen: Examined, names: list[str]) -> dict[str, Any]:
    """Tensors of the untouched, optimised model with these and no other outputs."""
    names = list(dict.fromkeys(names))
    model = rebuild(seen.graph.index, [ValueInfoProto(name=name) for name in names])
    return dict(zip(names, _run(seen, model, names), strict=True))


def _beside(seen: Examined, model: bytes, names: list[str]) -> dict[str, Any]:
    """Tensors themselves, from an instrumented model."""
    names = list(dict.fromkeys(names))
    proto = onnx.load_from_string(model)
    proto.graph.output.extend(ValueInfoProto(name=name) for name in names)
    return dict(zip(names, _run(seen, proto.SerializeToString(), names), strict=True))


def _run(seen: Examined, model: bytes, names: list[str]) -> list[Any]:
    found: list[Any] = session(model, seen.graph.path.parent, optimise=True).run(names, seen.feed)
    return found


def values_difference(seen: Examined, reference: dict[str, list[Any]]) -> tuple[int, int, float]:
    """Default layers that equal some output of the framework, how many there are, the worst."""
    outputs = [value for calls in reference.values() for value in calls]
    compared, right, worst = 0, 0, 0.0
    for layer in seen.layers:
        if layer.default:
            found = seen.tensors[layer.tensor]
            if layer.kind == "logits" and seen.output and seen.output.kind == "logits":
                # Frameworks without names give probabilities.
                found = np.exp(found - found.max(axis=-1, keepdims=True))
                found /= found.sum(axis=-1, keepdims=True)
            same = [value for value in outputs if value.size == found.size]
            difference = min((_same_values(layer, found, value) for value in same), default=1.0)
            compared += 1
            right += difference <= ACTIVITY_BOUND
            worst = max(worst, difference)
    return right, compared, worst


def names_difference(seen: Examined, reference: dict[str, list[Any]]) -> tuple[int, int, float]:
    """Module names that the framework confirms, how many could be compared, and the worst of those.

    A module that gives several tensors is compared where its first one has the layer's size.
    """
    compared, right, worst = 0, 0, 0.0
    for layer in seen.layers:
        for name in (layer.name, *layer.aliases):
            module, _, call = name.partition("#")
            calls = reference.get(module, [])
            index = int(call) - 1 if call.isdigit() else -1
            if not calls or (call and not call.isdigit()) or index >= len(calls):
                continue
            found, expected = seen.tensors[layer.tensor], calls[index]
            if found.size != expected.size:
                continue
            difference = _same_values(layer, found, expected)
            compared += 1
            right += difference <= ACTIVITY_BOUND
            worst = max(worst, difference)
    return right, compared, worst


def _same_values(layer: Layer, found: Any, expected: Any) -> float:
    """The smallest difference over the unit axes that the framework's tensor may have."""
    differences = [relative(found, expected)] if found.shape == expected.shape else []
    flat = np.moveaxis(found, layer.axis, -1).ravel()
    for axis in range(1, expected.ndim):
        differences.append(relative(flat, np.moveaxis(expected, axis, -1).ravel()))
    return min(differences, default=float("inf"))
