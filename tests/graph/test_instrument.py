"""Instrumented models against numpy on the untouched model's tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_architectures as nets
from onnx import TensorProto, helper, numpy_helper
from run_models import feed, layers_of, reduced, session, taps, tensors
from tiny_models import DYNAMO, PLAIN, TORCHSCRIPT, Builder

from inspector.graph import (
    Graph,
    Layer,
    ReductionError,
    instrument,
    stored_reductions,
)


def compare(
    graph: Graph,
    layers: tuple[Layer, ...],
    batch: int = 4,
    tokens: str = "patch",
    tolerance: float = 1e-5,
) -> int:
    """Every layer under every reduction that fits it; returns how many were compared."""
    wanted = []
    for layer in layers:
        names = ("none",) if layer.positions == 1 else ("relu_mean", "max", "mean")
        names += ("cls",) if layer.class_token else ()
        names += ("last",) if layer.kind == "tokens" else ()
        wanted.append((layer, names))
    values = feed(graph, batch, seed=5)
    plain = tensors(graph, values)
    found = taps(graph, wanted, values, tokens=tokens)
    by_name = {layer.name: layer for layer in layers}
    for (name, reduction), value in found.items():
        layer = by_name[name]
        expected = reduced(layer, plain[layer.tensor], reduction, tokens)
        assert value.dtype == np.float32
        assert value.shape == (batch, layer.units)
        scale = max(float(np.abs(expected).max()), 1e-6)
        np.testing.assert_allclose(value, expected, atol=tolerance * scale, err_msg=name)
    return len(found)


@pytest.mark.parametrize("tokens", ["patch", "all"])
@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT, PLAIN])
def test_paper_net_and_transformer(tmp_path: Path, style: str, tokens: str) -> None:
    b = Builder(style)
    _, out = nets.paper_net(b)
    graph, _, layers = layers_of(b.save(tmp_path / "cnn.onnx", out))
    assert compare(graph, layers, tokens=tokens) > 10
    for opset in (13, 20):
        b = Builder(style, opset=opset)
        out = nets.vit(b, depth=2)
        graph, _, layers = layers_of(b.save(tmp_path / "vit.onnx", out))
        assert compare(graph, layers, tokens=tokens) > 50


def test_channels_last(tmp_path: Path) -> None:
    b = Builder(opset=18)
    _, out = nets.keras_net(b)
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", out))
    assert compare(graph, layers) > 8


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("opset", [7, 9, 11, 13, 18, 20])
def test_maps_of_one_to_three_dimensions(tmp_path: Path, dims: int, opset: int) -> None:
    b = Builder(opset=opset, ir=3 if opset == 7 else 8)
    x = b.input("x", "n", 2, *[6] * dims)
    with b.module("conv"):
        x = b.add("Conv", x, b.weight(5, 2, *[3] * dims))
    with b.module("act"):
        x = b.add("LeakyRelu", x)
    x = b.add("GlobalMaxPool", x)
    model = b.model(b.add("Flatten", x))
    if opset == 7:
        for tensor in model.graph.initializer:
            info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            model.graph.input.append(info)
    onnx.save(model, tmp_path / "net.onnx")
    graph, _, layers = layers_of(tmp_path / "net.onnx")
    kinds = {layer.name: (layer.kind, layer.units, layer.axis) for layer in layers}
    assert kinds["act"] == ("conv", 5, 1)
    assert compare(graph, layers) >= 7


@pytest.mark.parametrize("opset", [9, 13, 20])
def test_class_token_at_older_opsets(tmp_path: Path, opset: int) -> None:
    b = Builder(opset=opset, ir=4)
    x = b.input("x", "n", 5, 4)
    with b.module("embed"):
        x = b.tokens_linear(x, 4, 6)
    x = nets.class_token(b, x, 6)
    with b.module("fc"):
        x = b.add("Tanh", b.tokens_linear(x, 6, 3))
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", x, rank=3))
    fc = next(layer for layer in layers if layer.name == "fc")
    assert (fc.kind, fc.class_token, fc.prefix_tokens, fc.shape) == ("tokens", True, 1, (6, 3))
    assert compare(graph, (fc,)) == 5


def test_registers_precede_the_patches_too(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 9, 4)
    with b.module("embed"):
        x = b.tokens_linear(x, 4, 6)
    batch = b.add("Shape", x, start=0, end=1)
    extra = []
    for count in (1, 4):
        shape = b.add("Concat", batch, b.constant([count, 6], "int64"), axis=0)
        extra.append(b.add("Expand", b.weight(1, count, 6, name="token"), shape))
    x = b.add("Concat", *extra, x, axis=1)
    with b.module("fc"):
        x = b.add("Relu", b.tokens_linear(x, 6, 3))
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", x, rank=3))
    fc = next(layer for layer in layers if layer.name == "fc")
    assert (fc.prefix_tokens, fc.class_token) == (5, True)
    assert compare(graph, (fc,)) == 5


def test_float16_is_pooled_in_float32(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 2, 40, 40, dtype=TensorProto.FLOAT16)
    weight = b.constant(b.random.standard_normal((3, 2, 3, 3)), np.float16, "conv.weight")
    with b.module("conv"):
        x = b.add("Relu", b.add("Conv", x, weight))
    # Far above what float16 holds once 1,444 positions are added up.
    x = b.add("Mul", x, b.constant(200.0, np.float16))
    with b.module("scaled"):
        x = b.add("Relu", x)
    path = b.save(tmp_path / "net.onnx", x, dtype=TensorProto.FLOAT16, rank=4)
    graph, _, layers = layers_of(path)
    assert graph.inputs[0].dtype == "float16"
    assert compare(graph, layers, tolerance=2e-3) >= 4


def test_a_fixed_batch(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", 2, 3, 8, 8)
    with b.module("conv"):
        x = b.add("Relu", b.conv(x, 3, 4))
    x = b.add("Reshape", x, b.constant([2, 256], "int64"))
    with b.module("fc"):
        x = b.linear(x, 256, 5)
    graph, shapes, layers = layers_of(b.save(tmp_path / "net.onnx", x))
    assert all(two == three for two, three in shapes.values())
    assert compare(graph, layers, batch=2) >= 5
    assert [layer.name for layer in layers if layer.default] == ["conv", "conv.reshape", "fc"]


def test_only_what_the_taps_need_is_left(tmp_path: Path) -> None:
    b = Builder()
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", nets.resnet18(b)))
    first = next(layer for layer in layers if layer.name == "relu")
    made = instrument(graph, [(first, stored_reductions(first)[0])])
    model = onnx.load_from_string(made.model_bytes)
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node][:2] == ["Conv", "Relu"]
    assert len(model.graph.initializer) == 2
    assert [(layer, name) for layer, name, _ in made.outputs] == [
        ("relu", "relu_mean"),
        ("relu", "max"),
    ]
    # The file's own graph is as it was.
    assert len(graph.proto.graph.node) > 40
    assert len(graph.proto.graph.output) == 1


def test_taps_change_no_output(tmp_path: Path) -> None:
    b = Builder()
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", nets.resnet18(b)))
    values = feed(graph, 4, seed=3)
    plain = session(str(graph.path), fast=True).run(None, values)[0]
    wanted = [(layer, stored_reductions(layer)[0]) for layer in layers if layer.default]
    found = taps(graph, wanted, values)
    np.testing.assert_allclose(found[("fc", "none")], plain, atol=1e-5 * np.abs(plain).max())
    assert np.abs(plain[0] - plain[1]).max() > 1e-3


def test_several_inputs_and_an_unused_one(tmp_path: Path) -> None:
    b = Builder()
    x, y = b.input("x", "n", 4), b.input("y", "n", 4)
    with b.module("left"):
        left = b.add("Relu", b.linear(x, 4, 3))
    with b.module("right"):
        right = b.add("Relu", b.linear(y, 4, 3))
    path = b.save(tmp_path / "net.onnx", b.add("Mul", left, right))
    graph, _, layers = layers_of(path)
    assert compare(graph, layers) >= 2
    # Asking for one branch alone leaves the other input in place: feeding does not change.
    only = [layer for layer in layers if layer.name == "left"]
    assert compare(graph, tuple(only)) == 1


def test_shared_names_do_not_clash(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("inspector/Relu_1", "n", 4)
    x = b.add("Relu", b.linear(x, 4, 3), out="inspector/Identity_2")
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", x))
    assert compare(graph, layers) >= 1


def test_reductions_that_do_not_fit(tmp_path: Path) -> None:
    b = Builder()
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", nets.vit(b, depth=1)))
    tokens = next(layer for layer in layers if layer.kind == "tokens")
    for name, words in (("none", "positions a unit"), ("median", "unknown reduction 'median'")):
        with pytest.raises(ReductionError, match=words):
            instrument(graph, [(tokens, (name,))])
    with pytest.raises(ReductionError, match="unknown tokens 'some'"):
        instrument(graph, [], tokens="some")


def test_values_captured_by_a_body_are_kept(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 4)
    with b.module("fc"):
        y = b.add("Relu", b.linear(x, 4, 3))
    bodies = {}
    for name, op in (("then_branch", "Exp"), ("else_branch", "Neg")):
        out = f"{name}_out"
        bodies[name] = helper.make_graph(
            [helper.make_node(op, [y], [out])],
            name,
            [],
            [helper.make_tensor_value_info(out, TensorProto.FLOAT, [None, 3])],
        )
    z = b.add("If", b.constant(True, np.bool_), **bodies)
    with b.module("last"):
        z = b.add("Relu", b.linear(z, 3, 2))
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", z))
    assert {"fc", "last"} <= {layer.name for layer in layers}
    assert compare(graph, layers) >= 2


def test_constants_are_shared_not_edited(tmp_path: Path) -> None:
    b = Builder()
    graph, _, layers = layers_of(b.save(tmp_path / "net.onnx", nets.vit(b, depth=1)))
    before = [numpy_helper.to_array(t).copy() for t in graph.proto.graph.initializer]
    compare(graph, layers)
    for array, tensor in zip(before, graph.proto.graph.initializer, strict=True):
        np.testing.assert_array_equal(array, numpy_helper.to_array(tensor))
