"""The default layers of six well-known architectures and the paper's net, written down."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_architectures as nets
from run_models import layers_of
from tiny_models import DYNAMO, PLAIN, TENSORFLOW, TORCHSCRIPT, Builder

from inspector.graph import Layer, find_output


def defaults(tmp_path: Path, b: Builder, *outputs: str) -> list[Layer]:
    _, _, layers = layers_of(b.save(tmp_path / "net.onnx", *outputs))
    names = [layer.name for layer in layers]
    assert len(set(names)) == len(names)
    return [layer for layer in layers if layer.default]


def names(layers: list[Layer]) -> list[str]:
    return [layer.name for layer in layers]


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_paper_net(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    logits, output = nets.paper_net(b)
    path = b.save(tmp_path / "net.onnx", output)
    graph, shapes, layers = layers_of(path)
    by_name = {layer.name: layer for layer in layers}
    # The linear layer's module ends in its ReLU: its name stands for the rectified tensor.
    assert [layer.name for layer in layers if layer.default] == [
        "conv1",
        "conv2",
        "linear1",
        "linear2",
    ]
    linear1 = by_name["linear1"]
    assert (linear1.kind, linear1.units, linear1.op, linear1.signed) == (
        "vector",
        50,
        "Relu",
        False,
    )
    assert by_name["conv1"].shape == (10, 12, 12)
    assert by_name["conv2"].op == "Relu"
    assert (by_name["linear2"].kind, by_name["linear2"].tensor) == ("logits", logits)
    found = find_output(graph, shapes)
    assert found is not None
    assert (found.tensor, found.logits, found.kind, found.classes) == (output, logits, "logits", 10)


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_resnet18_has_17_relus_the_pooled_vector_and_the_logits(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    found = defaults(tmp_path, b, nets.resnet18(b))
    blocks = [f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)]
    # One ReLU module is called twice in a block; its second call is the block's output.
    inner = [[f"{block}.relu#1", block] for block in blocks]
    assert names(found) == ["relu", *[n for pair in inner for n in pair], "avgpool", "fc"]
    assert all(not layer.signed for layer in found[:-1])
    assert [layer.kind for layer in found[-3:]] == ["conv", "vector", "logits"]


def test_resnet18_without_names_has_the_same_layers(tmp_path: Path) -> None:
    named, plain = Builder(DYNAMO), Builder(PLAIN)
    first = defaults(tmp_path, named, nets.resnet18(named))
    second = defaults(tmp_path, plain, nets.resnet18(plain))
    assert [(x.units, x.kind, x.op) for x in first] == [(x.units, x.kind, x.op) for x in second]
    # With no scopes the weights' names and the operators make readable ones.
    assert names(second)[:3] == ["conv1.relu", "layer1.0.conv1.relu", "layer1.0.conv2.relu"]


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
@pytest.mark.parametrize("opset", [13, 20])
def test_vit_tiny_has_gelus_block_outputs_the_class_token_and_the_logits(
    tmp_path: Path, style: str, opset: int
) -> None:
    b = Builder(style, opset=opset)
    found = defaults(tmp_path, b, nets.vit(b))
    expected = [n for k in range(12) for n in (f"layers.{k}.mlp.act", f"layers.{k}")]
    # The sum after the attention is inside a block; it can be asked for by name.
    assert names(found) == [*expected, "norm.cls", "head"]
    assert {layer.op for layer in found[:-2:2]} == {"Gelu"}
    assert all(layer.kind == "tokens" and layer.class_token for layer in found[:-2])
    assert all(layer.prefix_tokens == 1 for layer in found[:-2])


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_cvt13_has_gelus_block_outputs_the_mean_and_the_logits(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    found = defaults(tmp_path, b, nets.cvt13(b))
    blocks = [f"stages.{s}.layers.{k}" for s, depth in enumerate((1, 2, 10)) for k in range(depth)]
    expected = [n for block in blocks for n in (f"{block}.intermediate", block)]
    assert names(found) == [*expected, "layernorm.mean", "classifier"]
    assert [layer.class_token for layer in found[:-2]] == [False] * 6 + [True] * 20


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_efficientnet_lite0_has_relu6s_and_linear_block_outputs(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    found = defaults(tmp_path, b, nets.efficientnet_lite0(b))
    expected = ["_relu#1", "_blocks.0._relu", "_blocks.0"]
    for k in range(1, 16):
        # A block ends in a linear projection, summed with its input or not.
        expected += [f"_blocks.{k}._relu#1", f"_blocks.{k}._relu#2", f"_blocks.{k}"]
    assert names(found) == [*expected, "_relu#2", "_avg_pooling", "_fc"]
    assert sum(layer.role == "add" for layer in found) == 9


@pytest.mark.parametrize("style", [DYNAMO, TORCHSCRIPT])
def test_densenet121_has_its_relus_and_no_concatenations(tmp_path: Path, style: str) -> None:
    b = Builder(style)
    found = defaults(tmp_path, b, nets.densenet121(b))
    expected = ["features.relu0"]
    for block, layers in enumerate((6, 12, 24, 16), 1):
        for k in range(1, layers + 1):
            # What a layer adds reaches the next one's first ReLU through the concatenation.
            path = f"features.denseblock{block}.denselayer{k}"
            expected += [f"{path}.relu1", f"{path}.relu2"]
        if block < 4:
            expected.append(f"features.transition{block}.relu")
    assert names(found) == [
        *expected,
        "features.norm5.relu",
        "features.norm5.mean",
        "classifier",
    ]


def test_keras_net_channels_last(tmp_path: Path) -> None:
    b = Builder(TENSORFLOW, opset=18)
    _, output = nets.keras_net(b)
    found = defaults(tmp_path, b, output)
    assert names(found) == ["conv2d", "conv2d_1", "dense", "dense_1.logits"]
    assert [(x.kind, x.units, x.shape, x.axis) for x in found[:2]] == [
        ("conv", 4, (16, 16, 4), 3),
        ("conv", 5, (16, 16, 5), 3),
    ]
    assert [x.kind for x in found[2:]] == ["vector", "logits"]
