"""Scales of quantised tensors: with them an integer tensor can be read as what it stands for."""

from __future__ import annotations

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex

Scale = tuple[str, str]
"""Names of a tensor's scale and zero point ("" where the zero point is left out)."""

# Where an operator names the scale of its result; the zero point comes next.
_POSITION = {
    "QuantizeLinear": 1,
    "QLinearConv": 6,
    "QLinearMatMul": 6,
    "QLinearAdd": 6,
    "QLinearMul": 6,
    "QLinearGlobalAveragePool": 3,
    "QLinearAveragePool": 3,
    "QLinearReduceMean": 3,
    "QLinearLeakyRelu": 3,
    "QLinearSigmoid": 3,
    "QLinearSoftmax": 3,
    "QLinearConcat": 0,
}
# Hand on integers as they are, and so their scale.
_HANDS_ON = frozenset({"MaxPool", "Relu"})


def tensor_scales(index: GraphIndex) -> dict[str, Scale]:
    """Live quantised tensors with one constant scale for the whole tensor."""
    found: dict[str, Scale] = {}
    for number, node in enumerate(index.nodes):
        if not node.output or node.output[0] not in index.live:
            continue
        position = _POSITION.get(node.op_type)
        if position is not None and len(node.input) > position:
            scale = node.input[position]
            zero = node.input[position + 1] if len(node.input) > position + 1 else ""
            if scale in index.constants and (not zero or zero in index.constants):
                found[node.output[0]] = (scale, zero)
        elif node.input and node.input[0] in found:
            moves = index.classes[number] in (ops.MOVE, ops.SELECT) and node.op_type != "Cast"
            if moves or node.op_type in _HANDS_ON:
                found.update((name, found[node.input[0]]) for name in node.output if name)
    return found


def is_unsigned(index: GraphIndex, scale: Scale) -> bool:
    """Whether the zero point is the lowest value of an unsigned type: a quantised ReLU."""
    if not scale[1]:
        return False
    zero = index.constant(scale[1])
    return zero is not None and zero.dtype.kind == "u" and not zero.any()
