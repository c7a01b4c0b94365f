"""int8 models: QDQ graphs are tapped where they are dequantised, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from run_models import feed, layers_of, reduced, session, taps, tensors
from tiny_models import Builder

from inspector.graph import instrument, stored_reductions, survey


def pair(b: Builder, x: str, scale: float, zero: int, dtype: str = "uint8") -> str:
    """A QuantizeLinear and DequantizeLinear pair around a tensor."""
    parts = [b.constant(scale), b.constant(zero, dtype)]
    return b.add("DequantizeLinear", b.add("QuantizeLinear", x, *parts), *parts)


def weight(b: Builder, *shape: int) -> str:
    values = b.constant(b.random.integers(-90, 90, shape), "int8", f"{b.scope[-1]}.weight")
    return b.add("DequantizeLinear", values, b.constant(0.02), b.constant(0, "int8"))


def qdq_net(b: Builder, dtype: str = "uint8") -> str:
    """Two convolutions with a residual sum, pooled and classified; all of it in int8."""

    def quantize(b: Builder, x: str, scale: float, zero: int) -> str:
        return pair(b, x, scale, zero if dtype == "uint8" else zero - 128, dtype)

    x = quantize(b, b.input("x", "n", 3, 8, 8), 0.03, 128)
    with b.module("conv1"):
        y = b.add("Conv", x, weight(b, 6, 3, 3, 3), pads=[1] * 4)
    with b.module("relu"):
        # Quantising to an unsigned type with zero point 0 clips below zero like the ReLU.
        y = skip = quantize(b, b.add("Relu", y), 0.03, 0)
    with b.module("conv2"):
        y = quantize(b, b.add("Conv", y, weight(b, 6, 6, 3, 3), pads=[1] * 4), 0.05, 128)
    with b.module("block"):
        y = quantize(b, b.add("Add", y, skip), 0.06, 128)
    y = quantize(b, b.add("GlobalAveragePool", y), 0.02, 128)
    y = b.add("Flatten", y)
    with b.module("fc"):
        return quantize(b, b.add("MatMul", y, weight(b, 6, 4)), 0.02, 128)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_taps_lie_behind_dequantisation(tmp_path: Path, dtype: str) -> None:
    b = Builder(opset=13)
    graph, shapes, layers = layers_of(b.save(tmp_path / "net.onnx", qdq_net(b, dtype)))
    makers = {layer.name: graph.index.node_of(layer.tensor) for layer in layers}
    assert {node.op_type for node in makers.values() if node is not None} <= {
        "DequantizeLinear",
        "Flatten",
    }
    found = {layer.name: layer for layer in layers if layer.default}
    assert list(found) == ["relu", "block", "block.mean", "fc"]
    assert not found["relu"].signed
    assert found["block"].signed
    assert [layer.units for layer in found.values()] == [6, 6, 6, 4]
    # The convolution before the ReLU is never seen in float by the int8 runtime.
    reasons = {item.name: item.reason for item in survey(graph, shapes).untapped}
    assert all("quantised" in reason for reason in reasons.values())


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_nothing_changes_and_values_are_right(tmp_path: Path, dtype: str) -> None:
    b = Builder(opset=13)
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", qdq_net(b, dtype)))
    values = feed(graph, 16, seed=4)
    plain = session(str(graph.path), fast=True).run(None, values)[0]
    wanted = [(layer, stored_reductions(layer)[0]) for layer in layers if layer.default]
    found = taps(graph, wanted, values)
    np.testing.assert_array_equal(found[("fc", "none")], plain)
    assert np.ptp(plain, axis=0).max() > 0.1
    exact = tensors(graph, values)
    for layer, names in wanted:
        for name in names:
            expected = reduced(layer, exact[layer.tensor], name)
            # The optimised graph may round one step of the quantisation elsewhere.
            np.testing.assert_allclose(found[(layer.name, name)], expected, atol=0.07)


def zero_types(model: bytes) -> dict[str, int]:
    """Tensor to the type of the zero point that it was quantised or dequantised with."""
    graph = onnx.load_from_string(model).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    return {
        node.output[0]: types[node.input[2]]
        for node in graph.node
        if node.op_type.endswith("QuantizeLinear") or node.op_type == "DequantizeLinear"
    }


def test_a_tapped_int8_pair_is_computed_in_uint8_as_without_the_tap(tmp_path: Path) -> None:
    b = Builder(opset=13)
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", qdq_net(b, "int8")))
    by_name = {layer.name: layer for layer in layers}
    untouched = graph.proto.SerializeToString()
    types = zero_types(instrument(graph, [(by_name["block"], ("max",))]).model_bytes)
    # Only the tapped pair: ORT changes the others itself, while each has a single reader.
    assert list(types.values()).count(TensorProto.UINT8) == 2
    assert types[by_name["block"].tensor] == TensorProto.UINT8
    # The ReLU has two readers, so ORT leaves it as it is, tapped or not.
    types = zero_types(instrument(graph, [(by_name["relu"], ("max",))]).model_bytes)
    assert TensorProto.UINT8 not in types.values()
    assert graph.proto.SerializeToString() == untouched


def qlinear_net(b: Builder) -> str:
    """The same in quantised operators: no float tensor between input and output."""

    def scale(value: float, zero: int, dtype: str = "uint8") -> list[str]:
        return [b.constant(value), b.constant(zero, dtype)]

    x = b.add("QuantizeLinear", b.input("x", "n", 3, 8, 8), *scale(0.03, 128))
    with b.module("conv"):
        w = b.constant(b.random.integers(-90, 90, (5, 3, 3, 3)), "int8", "conv.weight")
        x = b.add("QLinearConv", x, *scale(0.03, 128), w, *scale(0.02, 0, "int8"), *scale(0.05, 0))
    with b.module("pool"):
        x = b.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.add("Flatten", x)
    with b.module("fc"):
        w = b.constant(b.random.integers(-90, 90, (45, 4)), "int8", "fc.weight")
        x = b.add("QLinearMatMul", x, *scale(0.05, 0), w, *scale(0.02, 0, "int8"), *scale(0.1, 128))
    return b.add("DequantizeLinear", x, *scale(0.1, 128))


def test_quantised_operators(tmp_path: Path) -> None:
    b = Builder(opset=13)
    graph, shapes, layers = layers_of(b.save(tmp_path / "net.onnx", qlinear_net(b)))
    by_name = {layer.name: layer for layer in layers}
    assert [layer.name for layer in layers if layer.default] == ["conv", "pool.flatten", "fc"]
    assert [by_name[n].signed for n in ("conv", "fc")] == [False, True]
    assert survey(graph, shapes).untapped == ()
    values = feed(graph, 16, seed=4)
    plain = session(str(graph.path), fast=True).run(None, values)[0]
    wanted = [(layer, stored_reductions(layer)[0]) for layer in layers]
    found = taps(graph, wanted, values)
    np.testing.assert_array_equal(found[("fc", "none")], plain)
    exact = tensors(graph, values)[by_name["conv"].tensor].astype(np.float32) * 0.05
    np.testing.assert_allclose(found[("conv", "max")], exact.max((2, 3)), atol=1e-5)
    np.testing.assert_allclose(found[("conv", "relu_mean")], exact.mean((2, 3)), atol=1e-5)
    assert exact.max() > 0


@pytest.mark.parametrize(
    ("dtype", "zero", "signed"),
    [("uint8", 0, False), ("uint8", 3, True), ("int8", 0, True), ("int8", -128, False)],
)
def test_the_sign_of_dequantised_values(
    tmp_path: Path, dtype: str, zero: int, *, signed: bool
) -> None:
    b = Builder(opset=13)
    x = b.input("x", "n", 4)
    with b.module("fc"):
        x = pair(b, b.linear(x, 4, 3), 0.1, zero, dtype)
    with b.module("last"):
        x = b.linear(x, 3, 2)
    _, _, layers = layers_of(b.save(tmp_path / "net.onnx", x))
    fc = next(layer for layer in layers if layer.name == "fc")
    assert fc.signed == signed
