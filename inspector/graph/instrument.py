"""Tapping layers: the graph pools them itself, and only one number a unit leaves it.

Taps go behind the activation, so that ORT still fuses Conv + Add + Relu, and use
GlobalAveragePool and GlobalMaxPool where the map is NCHW: they stay in ORT's blocked layout,
which ReduceMean does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from inspector.graph.errors import ReductionError
from inspector.graph.layer import Layer
from inspector.graph.model import Graph
from inspector.graph.quantization import signed_pair
from inspector.graph.reductions import REDUCTIONS
from inspector.graph.rewrite import opset_of, rebuild
from inspector.graph.values import FLOATS

_END = np.iinfo(np.int64).max
TOKENS = ("patch", "all")


@dataclass(frozen=True)
class Instrumented:
    """A model with taps in place of its outputs.

    Attributes
    ----------
    model_bytes
        The model; external weights as in :class:`Exposed`.
    outputs
        (layer name, reduction, name of the output), each float32 [N, units].
    """

    model_bytes: bytes
    outputs: tuple[tuple[str, str, str], ...]


def instrument(
    graph: Graph, taps: Sequence[tuple[Layer, tuple[str, ...]]], *, tokens: str = "patch"
) -> Instrumented:
    """Rewrite a model so that it gives the taps' reductions and nothing else.

    Parameters
    ----------
    graph
        The model.
    taps
        Layers, each with the reductions wanted (as :func:`stored_reductions` gives them).
    tokens
        ``patch`` leaves the class token (and what else precedes the patches) out of means and
        maxima; ``all`` takes it in, as the paper does.

    Raises
    ------
    ReductionError
        A reduction that does not fit its layer.
    """
    if tokens not in TOKENS:
        raise ReductionError(f"unknown tokens {tokens!r}: choose from {', '.join(TOKENS)}")
    builder = _Builder(graph, tokens)
    outputs = tuple(
        (layer.name, name, builder.tap(layer, name)) for layer, names in taps for name in names
    )
    infos = [
        helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, layer.units])
        for (_, _, output), layer in zip(
            outputs, (layer for layer, names in taps for _ in names), strict=True
        )
    ]
    return Instrumented(builder.bytes(infos), outputs)


class _Builder:
    def __init__(self, graph: Graph, tokens: str) -> None:
        self.graph, self.tokens = graph, tokens
        self.opset = opset_of(graph.proto)
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.replaced: dict[int, NodeProto] = {}
        self._made: dict[tuple[object, ...], str] = {}
        self._names = set(graph.index.producer) | graph.index.constants | graph.index.live

    def bytes(self, outputs: Sequence[ValueInfoProto]) -> bytes:
        return rebuild(self.graph.index, outputs, self.nodes, self.initializers, self.replaced)

    def tap(self, layer: Layer, reduction: str) -> str:
        """Add the nodes for one reduction of one layer and return the output's name."""
        if reduction not in REDUCTIONS:
            raise ReductionError(
                f"unknown reduction {reduction!r}: choose from {', '.join(REDUCTIONS)}"
            )
        self._make_unsigned(layer.tensor)
        pooled = self._reduce(layer, reduction)
        # Two layers may share a pooled value; an output needs a name of its own.
        return self._node("Identity", [pooled], once=False)

    def _reduce(self, layer: Layer, reduction: str) -> str:
        tensor = self._float32(layer.tensor)
        if layer.positions == 1:
            if reduction == "relu_mean" and layer.signed:
                tensor = self._node("Relu", [tensor])
            return self._flat(tensor, layer)
        if reduction == "none":
            raise ReductionError(
                f"layer {layer.name} has {layer.positions:,} positions a unit, so the reduction "
                "none does not fit: choose mean, relu_mean or max"
            )
        if reduction in ("cls", "last"):
            if layer.kind != "tokens" or (reduction == "cls" and not layer.class_token):
                raise ReductionError(
                    f"layer {layer.name} ({layer.kind}) has no such token, so the reduction "
                    f"{reduction} does not fit: choose mean, relu_mean or max"
                )
            span = (0, 1) if reduction == "cls" else (-1, _END)
            return self._flat(self._slice(tensor, *span), layer)
        if layer.kind == "tokens" and layer.prefix_tokens and self.tokens == "patch":
            tensor = self._slice(tensor, layer.prefix_tokens, _END)
        if reduction == "relu_mean" and layer.signed:
            tensor = self._node("Relu", [tensor])
        if layer.axis == 1:
            op = "GlobalMaxPool" if reduction == "max" else "GlobalAveragePool"
            return self._node("Flatten", [self._node(op, [tensor])], axis=1)
        op = "ReduceMax" if reduction == "max" else "ReduceMean"
        rank = len(layer.shape) + 1
        return self._over(op, tensor, [a for a in range(1, rank) if a != layer.axis])

    def _make_unsigned(self, tensor: str) -> None:
        """Write an int8 pair as the uint8 one that ORT makes of it while nothing looks on."""
        pair = signed_pair(self.graph.index, tensor)
        for number in pair or ():
            if number not in self.replaced:
                node = NodeProto()
                node.CopyFrom(self.graph.index.nodes[number])
                zero = self.graph.index.constant(node.input[2])
                assert zero is not None
                node.input[2] = self._zero(int(zero) + 128)
                self.replaced[number] = node

    def _zero(self, value: int) -> str:
        """A zero point of an unsigned pair."""
        key = ("zero", value)
        if key not in self._made:
            name = self._name("zero")
            self.initializers.append(numpy_helper.from_array(np.asarray(value, np.uint8), name))
            self._made[key] = name
        return self._made[key]

    def _float32(self, tensor: str) -> str:
        if self.graph.index.types.get(tensor) == TensorProto.FLOAT:
            return tensor
        if tensor in self.graph.index.scales and not self._is_float(tensor):
            # A quantised tensor is read as what it stands for, beside the int8 computation.
            parts = [name for name in self.graph.index.scales[tensor] if name]
            return self._node("DequantizeLinear", [tensor, *parts])
        return self._node("Cast", [tensor], to=TensorProto.FLOAT)

    def _is_float(self, tensor: str) -> bool:
        return self.graph.index.types.get(tensor, TensorProto.FLOAT) in FLOATS

    def _flat(self, tensor: str, layer: Layer) -> str:
        return tensor if len(layer.shape) == 1 else self._node("Flatten", [tensor], axis=1)

    def _slice(self, tensor: str, start: int, end: int) -> str:
        """Tokens `start` to `end` of [N, T, D]."""
        if self.opset < 10:
            return self._node("Slice", [tensor], starts=[start], ends=[end], axes=[1])
        parts = [self._ints([start]), self._ints([end]), self._ints([1])]
        return self._node("Slice", [tensor, *parts])

    def _over(self, op: str, tensor: str, axes: list[int]) -> str:
        """Reduce over axes, which ONNX turned from an attribute into an input at opset 18."""
        if self.opset < 18:
            return self._node(op, [tensor], axes=axes, keepdims=0)
        return self._node(op, [tensor, self._ints(axes)], keepdims=0)

    def _ints(self, values: list[int]) -> str:
        key = ("ints", *values)
        if key not in self._made:
            name = self._name("ints")
            array = np.asarray(values, dtype=np.int64)
            self.initializers.append(numpy_helper.from_array(array, name))
            self._made[key] = name
        return self._made[key]

    def _node(self, op: str, inputs: list[str], *, once: bool = True, **attributes: Any) -> str:
        """Add a node, or give the output of an equal one."""
        key = (op, *inputs, *sorted((k, str(v)) for k, v in attributes.items()))
        if once and key in self._made:
            return self._made[key]
        name = self._name(op)
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        if once:
            self._made[key] = name
        return name

    def _name(self, word: str) -> str:
        number = len(self._names)
        while (name := f"inspector/{word}_{number}") in self._names:
            number += 1
        self._names.add(name)
        return name
