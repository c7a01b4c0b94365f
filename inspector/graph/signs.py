"""Which tensors can hold values below zero."""

from __future__ import annotations

import numpy as np

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex, attribute
from inspector.graph.quantization import is_unsigned

_NEVER_NEGATIVE = frozenset(
    {
        "Relu",
        "Sigmoid",
        "HardSigmoid",
        "Softplus",
        "Abs",
        "Exp",
        "Sqrt",
        "Softmax",
        "Hardmax",
        "ReduceL1",
        "ReduceL2",
        "ReduceSumSquare",
        "GlobalLpPool",
        "LpPool",
    }
)
_KEEPS_SIGN = frozenset(
    {
        "Add",
        "Sum",
        "Mul",
        "Div",
        "Max",
        "Min",
        "Mean",
        "ReduceMean",
        "ReduceMax",
        "ReduceMin",
        "ReduceSum",
        "ReduceProd",
        "Ceil",
        "Floor",
        "Round",
        "Sign",
        "Reciprocal",
        "LRN",
        "Where",
        "QLinearAdd",
        "QLinearMul",
        "QuantizeLinear",
    }
)
_BY_CLASS = frozenset({ops.POOL, ops.CONCAT, ops.MOVE, ops.SELECT})


def never_negative(index: GraphIndex) -> set[str]:
    """Live tensors whose values are zero or above whatever is fed, as far as operators tell."""
    found: set[str] = set()

    def positive(name: str) -> bool:
        if name in index.live:
            return name in found
        array = index.constant(name)
        return array is not None and array.dtype.kind in "fiu" and bool(np.all(array >= 0))

    for number, node in enumerate(index.nodes):
        if not any(name in index.live for name in node.output) or not ops.is_known(node):
            continue
        op, reads = node.op_type, [name for name in node.input if name]
        if op in _NEVER_NEGATIVE:
            nonnegative = True
        elif op == "Clip":
            low = attribute(node, "min")
            if low is None and len(node.input) > 1 and node.input[1]:
                array = index.constant(node.input[1])
                low = None if array is None else float(np.min(array))
            nonnegative = (low is not None and low >= 0) or positive(reads[0])
        elif op == "Pow":
            power = index.constant(reads[1])
            nonnegative = power is not None and bool(np.all(power % 2 == 0))
        elif op == "ThresholdedRelu":
            nonnegative = attribute(node, "alpha", 1.0) >= 0
        elif op == "DequantizeLinear":
            zero = reads[2] if len(reads) > 2 else ""
            nonnegative = positive(reads[0]) or is_unsigned(index, ("", zero))
        elif node.output[0] in index.scales and is_unsigned(index, index.scales[node.output[0]]):
            nonnegative = True
        elif op == "Max":
            nonnegative = any(positive(name) for name in reads)
        elif op in ("Gather", "Slice", "Pad", "Reshape", "Expand", "Tile", "Resize", "Split"):
            nonnegative = positive(reads[0])
        elif op in _KEEPS_SIGN or index.classes[number] in _BY_CLASS:
            inputs = index.live_inputs(number) if index.classes[number] != ops.CONCAT else reads
            inputs = reads if op in _KEEPS_SIGN and not op.startswith("Reduce") else inputs
            nonnegative = bool(inputs) and all(positive(name) for name in inputs)
        else:
            nonnegative = False
        if nonnegative:
            found.update(name for name in node.output if name)
    return found
