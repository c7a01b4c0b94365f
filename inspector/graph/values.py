"""Values: tensors that differ only by their layout are one value with several names.

Identity, Cast, Dropout, Transpose, Squeeze, a Reshape that leaves the units whole, and the pair
QuantizeLinear → DequantizeLinear all hand on what they got. A layer is a value, not a tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onnx import TensorProto

from inspector.graph import operators as ops
from inspector.graph.axes import Axes
from inspector.graph.index import GraphIndex
from inspector.graph.model import Shapes

FLOATS = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}
)


@dataclass
class Value:
    """One value: its tensors in order, what makes it and who reads it.

    Attributes
    ----------
    tensors
        The tensors that hold it, in the order in which they are made.
    maker
        Number of the node that makes the first one; -1 for an input of the model.
    kind
        Operator class of the maker (``""`` for an input).
    readers
        Numbers of the nodes that read any of the tensors and make another value.
    sources
        Values that the maker reads.
    is_output
        Whether a tensor of it is an output of the model.
    """

    tensors: list[str]
    maker: int
    kind: str
    readers: list[int] = field(default_factory=list)
    sources: list[Value] = field(default_factory=list)
    is_output: bool = False

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


class Values:
    """All live values of a graph and the tensors they are made of.

    Attributes
    ----------
    of
        Tensor to its value.
    all
        The values in the order of their making.
    """

    def __init__(self, index: GraphIndex, shapes: Shapes, axes: dict[str, Axes]) -> None:
        self.index, self.shapes, self.axes = index, shapes, axes
        self.of: dict[str, Value] = {}
        self.all: list[Value] = []
        for name in index.inputs:
            self._new(name, -1, "")
        for number, node in enumerate(index.nodes):
            for output in node.output:
                if output in index.live:
                    self._place(number, output)
        outputs = set(index.outputs)
        for value in self.all:
            value.is_output = any(name in outputs for name in value.tensors)
            for name in value.tensors:
                for reader in index.readers.get(name, ()):
                    if not self._hands_on(reader, value):
                        value.readers.append(reader)
            if value.maker >= 0:
                value.sources = self.sources(value.maker)

    def sources(self, number: int) -> list[Value]:
        """The values that a node reads, repeats kept."""
        return [self.of[name] for name in self.index.live_inputs(number) if name in self.of]

    def _new(self, name: str, maker: int, kind: str) -> None:
        value = Value([name], maker, kind)
        self.of[name] = value
        self.all.append(value)

    def _place(self, number: int, output: str) -> None:
        node, kind = self.index.nodes[number], self.index.classes[number]
        source = node.input[0] if node.input else ""
        if (
            (kind == ops.MOVE or node.op_type in ops.QUANTIZE)
            and output == node.output[0]
            and source in self.of
            and self._same_units(source, output)
        ):
            self.of[source].tensors.append(output)
            self.of[output] = self.of[source]
            return
        self._new(output, number, kind)

    def _same_units(self, before: str, after: str) -> bool:
        left, right = self.axes.get(before), self.axes.get(after)
        if not left or not right:
            # Without units both ways nothing can be mistaken (masks, scores, scalars).
            return not left and not right
        a, b = self.shapes.get(before), self.shapes.get(after)
        if a is None or b is None:
            return False
        if len(right) < len(left) and list(left) != sorted(left):
            # Joined in another order than they were split: a channel shuffle renumbers units.
            return False
        size_left = [a[0][axis] for axis in left]
        size_right = [b[0][axis] for axis in right]
        product_left = product_right = 1
        for size in size_left:
            product_left *= size
        for size in size_right:
            product_right *= size
        return product_left == product_right

    def _hands_on(self, number: int, value: Value) -> bool:
        node = self.index.nodes[number]
        return bool(node.output) and self.of.get(node.output[0]) is value
