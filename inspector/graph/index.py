"""Who makes, who reads, what is constant and what depends on the model's input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper
from onnx import numpy_helper as nph

from inspector.graph import operators
from inspector.graph.types import element_types

# Constants above this are weights; what shapes a graph (axes, indices, bounds) is far smaller.
SMALL_CONSTANT = 4096


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """Value of a node's attribute, or `default`."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The bodies of If, Loop and Scan."""
    for item in node.attribute:
        if item.type == AttributeProto.GRAPH:
            yield item.g
        elif item.type == AttributeProto.GRAPHS:
            yield from item.graphs


def captured(graph: GraphProto) -> set[str]:
    """Names that a body reads from the graph around it."""
    made = {value.name for value in graph.input}
    made.update(tensor.name for tensor in graph.initializer)
    made.update(sparse.values.name for sparse in graph.sparse_initializer)
    read: set[str] = set()
    for node in graph.node:
        read.update(name for name in node.input if name not in made)
        for body in subgraphs(node):
            read.update(name for name in captured(body) if name not in made)
        made.update(node.output)
    read.update(value.name for value in graph.output if value.name not in made)
    read.discard("")
    return read


def node_reads(node: NodeProto) -> list[str]:
    """All that a node reads, its bodies' captured values included, without repeats."""
    names = [name for name in node.input if name]
    for body in subgraphs(node):
        names.extend(sorted(captured(body)))
    return list(dict.fromkeys(names))


class GraphIndex:
    """Look-ups over a model's main graph.

    Attributes
    ----------
    nodes
        The nodes in their (topological) order; a node is known by its number.
    producer
        Tensor to the number of the node that makes it.
    readers
        Tensor to the numbers of the nodes that read it, captured values included.
    constants
        Tensors that never change: initializers and all that follows from them alone.
    live
        Tensors whose values depend on what is fed. What only depends on its *size* is not live.
    inputs, outputs
        The graph's own, initializers left out.
    """

    def __init__(self, proto: ModelProto) -> None:
        graph = proto.graph
        self.proto = proto
        self.nodes: Sequence[NodeProto] = list(graph.node)
        self.initializers: dict[str, TensorProto] = {t.name: t for t in graph.initializer}
        sparse = {t.values.name for t in graph.sparse_initializer}
        weights = self.initializers.keys() | sparse
        self.inputs = [value.name for value in graph.input if value.name not in weights]
        self.outputs = [value.name for value in graph.output]
        self.producer: dict[str, int] = {}
        self.readers: dict[str, list[int]] = defaultdict(list)
        self.reads: list[list[str]] = []
        self.constants: set[str] = set(weights)
        self.live: set[str] = set(self.inputs)
        self.classes: list[str] = []
        for number, node in enumerate(self.nodes):
            reads = node_reads(node)
            self.reads.append(reads)
            for name in reads:
                self.readers[name].append(number)
            outputs = [name for name in node.output if name]
            self.producer.update((name, number) for name in outputs)
            live = [name for name in reads if name in self.live]
            if live and node.op_type not in operators.SHAPE_READERS:
                self.live.update(outputs)
            elif node.op_type not in operators.RANDOM and self.constants.issuperset(reads):
                self.constants.update(outputs)
            self.classes.append(operators.operator_class(node, len(live)))

    @cached_property
    def types(self) -> dict[str, int]:
        """Tensor to ONNX element type, where it can be told."""
        return element_types(self.proto)

    @cached_property
    def scales(self) -> dict[str, tuple[str, str]]:
        """Quantised tensor to the names of its scale and zero point."""
        from inspector.graph.quantization import tensor_scales

        return tensor_scales(self)

    def live_inputs(self, number: int) -> list[str]:
        """The inputs of a node that depend on what is fed, repeats kept."""
        return [name for name in self.nodes[number].input if name in self.live]

    def node_of(self, tensor: str) -> NodeProto | None:
        """The node that makes a tensor; None for inputs and initializers."""
        number = self.producer.get(tensor)
        return None if number is None else self.nodes[number]

    def class_of(self, tensor: str) -> str:
        """Operator class of the tensor's maker; "" for inputs and initializers."""
        number = self.producer.get(tensor)
        return "" if number is None else self.classes[number]

    def rank(self, tensor: str) -> int | None:
        """Rank of an initializer, or None."""
        found = self.initializers.get(tensor)
        return None if found is None else len(found.dims)

    def constant(self, tensor: str) -> NDArray[Any] | None:
        """Value of a small constant held in the file itself; None otherwise."""
        found: TensorProto | None = self.initializers.get(tensor)
        if found is None:
            node = self.node_of(tensor)
            if node is None:
                return None
            if node.op_type == "Identity":
                return self.constant(node.input[0])
            if node.op_type != "Constant":
                return None
            for item in node.attribute:
                if item.name == "value":
                    found = item.t
                elif item.name in ("value_float", "value_int", "value_floats", "value_ints"):
                    return np.asarray(helper.get_attribute_value(item))
        if found is None or found.data_location == TensorProto.EXTERNAL:
            return None
        if int(np.prod(list(found.dims), dtype=np.int64)) > SMALL_CONSTANT:
            return None
        array: NDArray[Any] = nph.to_array(found)
        return array

    def initial(self, names: Iterable[str]) -> list[str]:
        """The initializers that constants were made from (transposed, reshaped, …)."""
        stack, found = [name for name in names if name in self.constants][::-1], []
        while stack:
            name = stack.pop()
            maker = self.producer.get(name)
            if maker is None:
                found.append(name)
            else:
                # A constant made by a node without inputs bears the name it was given.
                reads = self.reads[maker]
                found += [] if reads else [name]
                stack.extend(reversed(reads))
        return found

    def ints(self, number: int, name: str, position: int) -> list[int] | None:
        """A list of integers given as attribute `name` or as the input at `position`."""
        node = self.nodes[number]
        value = attribute(node, name)
        if value is not None:
            return [int(v) for v in np.atleast_1d(value)]
        if len(node.input) > position and node.input[position]:
            array = self.constant(node.input[position])
            return None if array is None else [int(v) for v in np.atleast_1d(array)]
        return None
