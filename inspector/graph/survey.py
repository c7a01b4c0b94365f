"""Everything there is to say about a model's layers: found, folded away, and out of reach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from onnx import TensorProto

from inspector.graph import operators as ops
from inspector.graph.index import subgraphs
from inspector.graph.layer import Layer
from inspector.graph.layers import LayerSearch
from inspector.graph.model import Graph, Shapes
from inspector.graph.values import FLOATS

_PARAMETER = re.compile(r"\.(weight|bias|running_mean|running_var|gamma|beta|weight_scale)$")


@dataclass(frozen=True)
class Folded:
    """A module without a tensor of its own.

    Attributes
    ----------
    name
        The module's path.
    into
        The layer that its weights went into.
    """

    name: str
    into: str


@dataclass(frozen=True)
class Untapped:
    """A value that cannot be recorded, and why."""

    name: str
    tensor: str
    op: str
    reason: str


@dataclass(frozen=True)
class Survey:
    """What :func:`survey` found."""

    layers: tuple[Layer, ...]
    folded: tuple[Folded, ...]
    untapped: tuple[Untapped, ...]


def survey(
    graph: Graph,
    shapes: Shapes,
    axes: Mapping[str, int] | None = None,
    *,
    output: str | None = None,
) -> Survey:
    """Layers as :func:`find_layers` finds them, and what is no layer, with the reason.

    Parameters
    ----------
    graph, shapes, axes, output
        As :func:`find_layers` takes them.
    """
    search = LayerSearch(graph, shapes, axes, output)
    layers = search.layers()
    return Survey(layers, _folded(search, layers), _untapped(search, layers))


def _folded(search: LayerSearch, layers: tuple[Layer, ...]) -> tuple[Folded, ...]:
    """Modules whose weights are read by an operator that became another module's output."""
    index = search.index
    shown = {name: layer.name for layer in layers for name in (layer.name, *layer.aliases)}
    by_tensor = {layer.tensor: layer.name for layer in layers}
    found: dict[str, str] = {}
    for number, node in enumerate(index.nodes):
        path = search.scopes[number]
        own = {_PARAMETER.sub("", n) for n in node.input if _PARAMETER.search(n)}
        own.update(search.merged.get(number, ()))
        for module in sorted(own):
            if module in shown or module in search.modules or module in path:
                continue
            value = search.values.of.get(node.output[0])
            tensor = search.tap(value) if value is not None else None
            if tensor in by_tensor:
                found.setdefault(module, by_tensor[tensor])
    return tuple(Folded(name, into) for name, into in found.items())


def _untapped(search: LayerSearch, layers: tuple[Layer, ...]) -> tuple[Untapped, ...]:
    index = search.index
    tapped = {layer.tensor for layer in layers}
    found: list[Untapped] = []
    for value in search.values.all:
        if value.maker < 0 or value not in search.regions.candidates:
            continue
        if tapped.intersection(value.tensors):
            continue
        if not any(_may_be_float(search, name) for name in value.tensors):
            continue
        op = index.nodes[value.maker].op_type
        tensor = value.tensors[0]
        found.append(Untapped(search.name(value), tensor, op, _reason(search, tensor)))
    for number, node in enumerate(index.nodes):
        if index.classes[number] != ops.CONTROL or not index.live.intersection(node.output):
            continue
        inside = sum(len(body.node) for body in subgraphs(node))
        name = node.name or f"{node.op_type.lower()}_{number}"
        reason = f"{inside:,} operators lie inside the body of {node.op_type}"
        found.append(Untapped(name, node.output[0], node.op_type, reason))
    return tuple(found)


def _may_be_float(search: LayerSearch, tensor: str) -> bool:
    return search.index.types.get(tensor, TensorProto.FLOAT) in FLOATS


def _reason(search: LayerSearch, tensor: str) -> str:
    kind = search.index.class_of(tensor)
    node = search.index.node_of(tensor)
    if kind == ops.UNKNOWN and node is not None:
        return f"the operator {node.domain or 'ai.onnx'}:{node.op_type} is not known"
    if kind == ops.CONTROL and node is not None:
        return f"it is made inside the body of {node.op_type}"
    return search.reason(tensor) or "it is quantised before anything reads it"
