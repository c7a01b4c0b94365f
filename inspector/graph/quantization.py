"""Scales of quantised tensors: with them an integer tensor can be read as what it stands for."""

from __future__ import annotations

import numpy as np

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
    """Whether the zero point is the type's lowest value (0 or −128): a quantised ReLU."""
    if not scale[1]:
        return False
    zero = index.constant(scale[1])
    if zero is None or zero.dtype.kind not in "iu":
        return False
    return bool(np.all(zero == np.iinfo(zero.dtype).min))


def signed_pair(index: GraphIndex, tensor: str) -> tuple[int, int] | None:
    """Numbers of the int8 QuantizeLinear and DequantizeLinear that `tensor` comes from directly.

    None unless each has a single reader. On x64 ONNX Runtime computes such a pair in uint8, whose
    instructions do not saturate alike; a tap adds a reader and would keep it from doing so.
    """
    dequantize = index.producer.get(tensor)
    if dequantize is None or index.nodes[dequantize].op_type != "DequantizeLinear":
        return None
    quantize = index.producer.get(index.nodes[dequantize].input[0])
    if quantize is None or index.nodes[quantize].op_type != "QuantizeLinear":
        return None
    for number in (quantize, dequantize):
        node = index.nodes[number]
        name = node.output[0]
        zero = index.constant(node.input[2]) if len(node.input) > 2 else None
        if zero is None or zero.dtype != np.int8 or zero.ndim:
            return None
        if len(index.readers.get(name, ())) != 1 or name in index.outputs:
            return None
    return quantize, dequantize
