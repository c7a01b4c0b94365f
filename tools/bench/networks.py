"""Well-known architectures with seeded random weights, built with onnx alone.

Speed does not depend on the weights, so nothing needs to be downloaded and no framework installed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 224


class Builder:
    """Adds nodes one after another; each method returns the name of what it made."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        """Add one node with one output."""
        out = f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def weight(self, *shape: int, fan_in: int | None = None) -> str:
        """Add normal weights scaled by the fan-in (He)."""
        fan = fan_in or int(np.prod(shape[1:])) or 1
        values = self._random.normal(size=shape) * np.sqrt(2 / fan)
        return self.constant(values.astype(np.float32))

    def constant(self, values: np.ndarray) -> str:
        """Add a constant."""
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> str:
        """Convolution with bias, as BatchNorm folds into."""
        pad = kernel // 2
        return self.add(
            "Conv", x, self.weight(outputs, inputs, kernel, kernel), self.constant(
                np.zeros(outputs, np.float32)
            ), kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4,
        )  # fmt: skip

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        """Matrix product and bias over the last axis."""
        product = self.add("MatMul", x, self.weight(inputs, outputs, fan_in=inputs))
        return self.add("Add", product, self.constant(np.zeros(outputs, np.float32)))

    def model(self, out: str, classes: int) -> onnx.ModelProto:
        """Close the graph: images [batch, 3, 224, 224] in, logits out."""
        graph = helper.make_graph(
            self._nodes,
            "net",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["batch", classes])],
            self._weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def resnet(depth: int) -> onnx.ModelProto:
    """ResNet-18 (basic blocks) or ResNet-50 (bottlenecks), BatchNorm folded (He et al. 2016)."""
    blocks: Sequence[int] = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}[depth]
    growth = 1 if depth == 18 else 4
    net = Builder()
    x = net.add("Relu", net.conv("images", 3, 64, 7, 2))
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    width = 64
    for stage, count in enumerate(blocks):
        inner = 64 << stage
        for block in range(count):
            stride = 2 if stage and not block else 1
            outer = inner * growth
            if depth == 18:
                y = net.add("Relu", net.conv(x, width, inner, 3, stride))
                y = net.conv(y, inner, outer, 3)
            else:
                y = net.add("Relu", net.conv(x, width, inner, 1))
                y = net.add("Relu", net.conv(y, inner, inner, 3, stride))
                y = net.conv(y, inner, outer, 1)
            shortcut = x if (width, stride) == (outer, 1) else net.conv(x, width, outer, 1, stride)
            x = net.add("Relu", net.add("Add", y, shortcut))
            width = outer
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    return net.model(net.add("Gemm", x, net.weight(1000, width), transB=1), 1000)


def vit_tiny() -> onnx.ModelProto:
    """ViT-Tiny/16: 12 blocks, 192 wide, 3 heads, class token (Touvron et al. 2021)."""
    wide, heads, tokens = 192, 3, (SIDE // 16) ** 2 + 1
    net = Builder()
    patches = net.add(
        "Conv", "images", net.weight(wide, 3, 16, 16), kernel_shape=[16, 16], strides=[16, 16]
    )
    shape = net.constant(np.array([0, wide, -1]))
    x = net.add("Transpose", net.add("Reshape", patches, shape), perm=[0, 2, 1])
    batch = net.add("Shape", x, start=0, end=1)
    rest = net.constant(np.array([1, wide]))
    token = net.add("Expand", net.weight(1, 1, wide), net.add("Concat", batch, rest, axis=0))
    x = net.add("Concat", token, x, axis=1)
    x = net.add("Add", x, net.weight(1, tokens, wide, fan_in=wide))
    for _ in range(12):
        y = _norm(net, x, wide)
        q, k, v = (
            net.add(
                "Transpose",
                net.add(
                    "Reshape",
                    net.linear(y, wide, wide),
                    net.constant(np.array([0, 0, heads, wide // heads])),
                ),
                perm=list(order),
            )
            for order in ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3))
        )
        scale = net.constant(np.array((wide // heads) ** -0.5, np.float32))
        weights = net.add("Softmax", net.add("Mul", net.add("MatMul", q, k), scale), axis=-1)
        y = net.add("Transpose", net.add("MatMul", weights, v), perm=[0, 2, 1, 3])
        y = net.add("Reshape", y, net.constant(np.array([0, 0, wide])))
        x = net.add("Add", x, net.linear(y, wide, wide))
        y = net.add("Gelu", net.linear(_norm(net, x, wide), wide, 4 * wide))
        x = net.add("Add", x, net.linear(y, 4 * wide, wide))
    first = net.add("Gather", _norm(net, x, wide), net.constant(np.array(0)), axis=1)
    return net.model(net.add("Gemm", first, net.weight(1000, wide), transB=1), 1000)


def _norm(net: Builder, x: str, wide: int) -> str:
    one, zero = net.constant(np.ones(wide, np.float32)), net.constant(np.zeros(wide, np.float32))
    return net.add("LayerNormalization", x, one, zero, axis=-1)
