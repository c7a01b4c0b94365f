"""Names: modules, calls, wrappers, folded parts, and graphs that have none."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_architectures as nets
from run_models import layers_of
from tiny_models import DYNAMO, PLAIN, TENSORFLOW, TORCHSCRIPT, Builder

from inspector.graph import Layer, find_layers, load_graph, select_layers, survey
from inspector.graph.naming import make_unique


def layers(tmp_path: Path, b: Builder, *outputs: str, rank: int = 2) -> dict[str, Layer]:
    _, _, found = layers_of(b.save(tmp_path / "net.onnx", *outputs, rank=rank))
    return {layer.name: layer for layer in found}


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_a_module_called_twice_and_a_module_in_two_parts(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    x = b.input("x", "n", 4)
    with b.module("fc"):
        x = b.linear(x, 4, 4)
    with b.module("act"):
        x = b.add("Relu", x)
    with b.module("fc2"):
        x = b.linear(x, 4, 4)
    with b.module("act"):
        x = b.add("Relu", x)
    with b.module("heads"):
        # Two outputs of one call: the module's is the last.
        y = b.add("Tanh", b.linear(x, 4, 3))
        z = b.add("Sigmoid", b.add("Exp", b.linear(x, 4, 2)))
    found = layers(tmp_path, b, y, z)
    assert {"fc", "fc2", "act#1", "act#2", "heads"} <= set(found)
    assert found["heads"].units == 2
    assert found["act#2"].op == "Relu"


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_functional_activations_are_named_by_what_they_rectify(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    x = b.input("x", "n", 4)
    with b.module("net"):
        with b.module("fc"):
            x = b.linear(x, 4, 4)
        x = b.add("Relu", x)
        with b.module("fc2"):
            x = b.linear(x, 4, 3)
    found = layers(tmp_path, b, b.add("Tanh", x))
    # "net" wraps everything, so to lie inside it says nothing.
    assert [name for name, layer in found.items() if layer.default] == [
        "net.fc.relu",
        "net.fc2.tanh",
    ]
    assert not found["net.fc"].default


def test_every_name_of_a_layer_finds_it(tmp_path: Path) -> None:
    b = Builder()
    _, output = nets.paper_net(b)
    found = layers(tmp_path, b, output)
    layer = found["linear1"]
    for name in ("linear1", "linear1.1", layer.tensor, "lin*1"):
        assert select_layers(tuple(found.values()), [name])[-1].name == "linear1"


def test_names_are_stable(tmp_path: Path) -> None:
    b = Builder()
    graph, shapes, first = layers_of(b.save(tmp_path / "net.onnx", nets.cvt13(b)))
    assert find_layers(load_graph(graph.path), shapes) == first


def test_tensors_that_someone_named(tmp_path: Path) -> None:
    b = Builder(PLAIN)
    x = b.input("x", "n", 4)
    x = b.add("Relu", b.linear(x, 4, 5), out="hidden")
    found = layers(tmp_path, b, b.add("Relu", b.linear(x, 5, 3)))
    assert [layer.name for layer in found.values() if layer.default] == ["hidden", "relu"]


def test_keras_names(tmp_path: Path) -> None:
    b = Builder(TENSORFLOW, opset=18)
    _, output = nets.keras_net(b)
    found = layers(tmp_path, b, output)
    assert {"conv2d", "conv2d_1", "dense"} <= set(found)
    assert all("StatefulPartitionedCall" not in name for name in found)


def test_tf2onnx_of_a_model_that_keras_calls_again(tmp_path: Path) -> None:
    b = Builder(PLAIN, opset=18)
    x = b.input("image", None, 8, 8, 3)

    def add(op: str, name: str, *inputs: str, **attributes: object) -> str:
        out = b.add(op, *inputs, out=f"{name}:0", **attributes)
        b.nodes[-1].name = name
        return str(out)

    x = add("Transpose", "net_1/norm0_1/mul_1__25", x, perm=[0, 3, 1, 2])
    x = add("Conv", "net_1/norm0_1/mul_1", x, b.weight(4, 3, 3, 3))
    x = add("Relu", "net_1/relu0_1/Relu", x)
    # A convolution and the bias of its normalisation that became one.
    names = ("net_1/conv1_1/convolution/merged_input:0", "net_1/norm1_1/batchnorm/sub:0")
    weight, bias = b.weight(4, 4, 3, 3), b.weight(4)
    for tensor in b.weights:
        tensor.name = dict(zip((weight, bias), names, strict=True)).get(tensor.name, tensor.name)
    x = add("Conv", "Conv__19", x, *names)
    x = add("Relu", "net_1/relu1_1/Relu", x)
    # Named after the normalisation, though it only turns what the ReLU made.
    x = add("Transpose", "net_1/norm0_1/mul_1__35", x, perm=[0, 2, 3, 1])
    x = add("ReduceMean", "net_1/pool_1/Mean", x, b.constant([1, 2], "int64"), keepdims=0)
    x = add("MatMul", "net_1/head_1/MatMul", x, b.weight(4, 5))
    x = add("Softmax", "net_1/head_1/Softmax", x)
    found = layers(tmp_path, b, x)
    assert list(found) == ["norm0", "relu0", "norm1", "relu1", "pool", "head.logits", "head"]
    assert "norm0" not in found["relu1"].aliases


def test_a_suffix_that_only_layers_bear_is_theirs(tmp_path: Path) -> None:
    b = Builder(TENSORFLOW, opset=18)
    x = b.input("x", None, 4)
    for name in ("dense_1", "head_1"):
        with b.module(name):
            x = b.add("Tanh", b.add("MatMul", x, b.weight(4, 4)))
    assert {"dense_1", "head_1"} <= set(layers(tmp_path, b, x))


def test_a_batch_norm_folded_by_the_older_exporter(tmp_path: Path) -> None:
    b = Builder(TORCHSCRIPT)
    x = b.input("x", "n", 3, 8, 8)
    with b.module("stem"):
        with b.module("conv"):
            with b.module("padding"):
                x = b.add("Pad", x, b.constant([0, 0, 1, 1, 0, 0, 1, 1], "int64"))
            w = b.constant(b.random.standard_normal((4, 3, 3, 3)), name="onnx::Conv_17")
            x = b.add("Conv", x, w)
        with b.module("act"):
            x = b.add("Relu", x)
    with b.module("next"):
        x = b.conv(x, 4, 2)
    graph, shapes, _ = layers_of(b.save(tmp_path / "net.onnx", x, rank=4))
    found = survey(graph, shapes)
    # What the Conv computes now is the BatchNorm's output: "stem.conv" names nothing any more.
    assert [layer.name for layer in found.layers] == ["stem", "next"]
    assert found.layers[0].aliases == ("stem.act",)


def test_a_convolution_folded_by_the_newer_exporter(tmp_path: Path) -> None:
    b = Builder(DYNAMO)
    x = b.input("x", "n", 3, 8, 8)
    w = b.constant(b.random.standard_normal((4, 3, 3, 3)), name="stem.conv.weight")
    with b.module("stem"):
        with b.module("bn"):
            x = b.add("Conv", x, w)
        with b.module("act"):
            x = b.add("Relu", x)
    with b.module("next"):
        x = b.conv(x, 4, 2)
    graph, shapes, _ = layers_of(b.save(tmp_path / "net.onnx", x, rank=4))
    found = survey(graph, shapes)
    assert [layer.name for layer in found.layers] == ["stem.bn", "stem", "next"]
    assert [(item.name, item.into) for item in found.folded] == [("stem.conv", "stem.bn")]


def squeeze_excite(b: Builder) -> str:
    x = b.input("x", "n", 3, 8, 8)
    with b.module("conv"):
        x = b.conv(x, 3, 6)
    with b.module("act"):
        x = b.add("Mul", x, b.add("Sigmoid", x))
    with b.module("se"):
        y = b.add("GlobalAveragePool", x)
        with b.module("reduce"):
            y = b.conv(y, 6, 2, 1)
        with b.module("relu"):
            y = b.add("Relu", y)
        with b.module("expand"):
            y = b.conv(y, 2, 6, 1)
        x = b.add("Mul", x, b.add("Sigmoid", y))
    with b.module("project"):
        return b.conv(x, 6, 4, 1)


def test_gates_are_no_default_layers(tmp_path: Path) -> None:
    b = Builder()
    found = layers(tmp_path, b, squeeze_excite(b), rank=4)
    assert [name for name, layer in found.items() if layer.default] == ["act"]
    assert found["act"].op == "Swish"
    assert {"se", "se.relu"} <= set(found)


def test_a_block_that_ends_in_a_normalisation(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 5, 8)
    for number in range(2):
        with b.module(f"layer.{number}"):
            with b.module("intermediate"):
                y = nets.gelu(b, b.tokens_linear(x, 8, 8))
            with b.module("output"):
                with b.module("dense"):
                    y = b.tokens_linear(y, 8, 8)
                with b.module("norm"):
                    x = b.layer_norm(b.add("Add", x, y), 8)
    with b.module("last"):
        x = b.tokens_linear(x, 8, 2)
    found = layers(tmp_path, b, x, rank=3)
    assert [name for name, layer in found.items() if layer.default] == [
        "layer.0.intermediate",
        "layer.0",
        "layer.1.intermediate",
        "layer.1",
    ]


def test_an_activation_that_only_a_sum_reads(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 3, 8, 8)
    with b.module("stem"):
        x = b.conv(x, 3, 4)
    with b.module("block"):
        with b.module("conv"):
            y = b.conv(x, 4, 4)
        with b.module("act"):
            y = b.add("LeakyRelu", y)
        x = b.add("Add", x, y)
    with b.module("next"):
        x = b.conv(x, 4, 2)
    found = layers(tmp_path, b, x, rank=4)
    assert [name for name, layer in found.items() if layer.default] == ["block.act", "block"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b"], ["a#1", "a#2", "b"]),
        (["a", "a#1", "a"], ["a#2", "a#1", "a#3"]),
        ([], []),
    ],
)
def test_unique(names: list[str], expected: list[str]) -> None:
    assert make_unique(names) == expected
