"""Which output names the categories, and how its values are to be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from run_models import probe
from tiny_models import Builder

from inspector.graph import Output, UnknownOutputError, find_layers, find_output, load_graph


def found(tmp_path: Path, b: Builder, *outputs: str, name: str | None = None) -> Output | None:
    graph = load_graph(b.save(tmp_path / "net.onnx", *outputs))
    return find_output(graph, probe(graph), name)


def classifier(units: int = 5, **options: int) -> tuple[Builder, str]:
    b = Builder(**options)
    x = b.input("x", "n", 4)
    with b.module("fc"):
        return b, b.linear(x, 4, units)


@pytest.mark.parametrize(
    ("op", "kind", "stripped"),
    [
        ("Softmax", "logits", True),
        ("LogSoftmax", "logits", True),
        ("Sigmoid", "sigmoid", False),
        ("Identity", "logits", True),
    ],
)
def test_kinds(tmp_path: Path, op: str, kind: str, *, stripped: bool) -> None:
    b, x = classifier()
    y = b.add(op, x)
    output = found(tmp_path, b, y)
    assert output == Output(y, x if stripped else y, kind, 5)


@pytest.mark.parametrize("opset", [7, 11, 13, 20])
def test_softmax_at_every_opset(tmp_path: Path, opset: int) -> None:
    b, x = classifier(opset=opset, ir=8)
    y = b.add("Softmax", x, axis=1)
    assert found(tmp_path, b, y) == Output(y, x, "logits", 5)


def test_scores_of_a_linear_model_that_are_made_to_add_up_to_one(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 4)
    names = b.add(
        "LinearClassifier",
        x,
        outputs=2,
        domain="ai.onnx.ml",
        coefficients=b.random.standard_normal(12).tolist(),
        intercepts=[0.0] * 3,
        classlabels_ints=[0, 1, 2],
        post_transform="LOGISTIC",
    )
    y = b.add("Normalizer", names[1], domain="ai.onnx.ml", norm="L1")
    assert found(tmp_path, b, y) == Output(y, y, "softmax", 3)


def test_raw_logits(tmp_path: Path) -> None:
    b, x = classifier()
    assert found(tmp_path, b, x) == Output(x, x, "logits", 5)


def test_one_sigmoid(tmp_path: Path) -> None:
    b, x = classifier(1)
    y = b.add("Sigmoid", x)
    assert found(tmp_path, b, y) == Output(y, y, "sigmoid", 1)


def test_softmax_behind_a_cast_and_before_an_identity(tmp_path: Path) -> None:
    b, x = classifier()
    y = b.add("Softmax", b.add("Cast", x, to=1), axis=-1)
    z = b.add("Identity", y)
    assert found(tmp_path, b, z) == Output(z, x, "logits", 5)


def test_a_classifier_that_ends_in_a_pooled_map(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 3, 8, 8)
    with b.module("classifier"):
        x = b.add("Relu", b.conv(x, 3, 7))
    x = b.add("GlobalAveragePool", x)
    flat = b.add("Flatten", x)
    y = b.add("Softmax", flat, axis=-1)
    output = found(tmp_path, b, y)
    assert output is not None
    assert (output.kind, output.classes) == ("logits", 7)
    graph = load_graph(tmp_path / "net.onnx")
    layers = find_layers(graph, probe(graph))
    logits = [layer for layer in layers if layer.kind == "logits"]
    assert [layer.tensor for layer in logits] == [output.logits]


def test_written_out_softmax(tmp_path: Path) -> None:
    b, x = classifier(opset=17)
    e = b.add("Exp", b.add("Sub", x, b.add("ReduceMax", x, axes=[1])))
    y = b.add("Div", e, b.add("ReduceSum", e, b.constant([1], "int64")))
    assert found(tmp_path, b, y) == Output(y, x, "logits", 5)


def test_the_output_behind_a_softmax_wins(tmp_path: Path) -> None:
    b, x = classifier()
    y = b.add("Softmax", x, axis=-1)
    with b.module("other"):
        other = b.linear("x", 4, 9)
    assert found(tmp_path, b, other, y) == Output(y, x, "logits", 5)
    assert found(tmp_path, b, other, y, name=other) == Output(other, other, "logits", 9)


def test_the_named_output_is_the_logits_layer(tmp_path: Path) -> None:
    b, x = classifier()
    with b.module("other"):
        other = b.linear("x", 4, 9)
    graph = load_graph(b.save(tmp_path / "net.onnx", b.add("Softmax", x, axis=-1), other))
    shapes = probe(graph)
    for name, layer in ((None, "fc"), (other, "other")):
        found = find_layers(graph, shapes, output=name)
        assert [i.name for i in found if i.kind == "logits"] == [layer]


def test_what_does_not_grow_with_the_batch_is_no_layer(tmp_path: Path) -> None:
    b, x = classifier()
    total = b.add("ReduceSum", x, b.constant([0], "int64"), keepdims=1)
    with b.module("second"):
        y = b.linear(total, 5, 3)
    graph = load_graph(b.save(tmp_path / "net.onnx", x, y))
    assert [layer.name for layer in find_layers(graph, probe(graph))] == ["fc"]


def test_features_masks_and_boxes_are_no_classification(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 3, 8, 8)
    with b.module("conv"):
        x = b.conv(x, 3, 4)
    mask = b.add("Softmax", x, axis=1)
    feature = b.add("Tanh", b.add("Flatten", b.add("GlobalAveragePool", x)))
    path = b.save(tmp_path / "net.onnx", mask, feature)
    graph = load_graph(path)
    shapes = probe(graph)
    assert find_output(graph, shapes) is None
    layers = find_layers(graph, shapes)
    assert [layer.kind for layer in layers if layer.default] == ["vector"]
    with pytest.raises(UnknownOutputError, match="no single value per category"):
        find_output(graph, shapes, mask)
    # Asked for by name, a vector is taken at the user's word.
    named = find_output(graph, shapes, feature)
    assert named is not None
    assert named.classes == 4


def test_an_unknown_output_lists_the_known_ones(tmp_path: Path) -> None:
    b, x = classifier()
    with pytest.raises(UnknownOutputError, match=f"no output 'nope'; it has {x}"):
        found(tmp_path, b, x, name="nope")


def test_scikit_learn_style_outputs(tmp_path: Path) -> None:
    b = Builder(opset=15, ir=8)
    b.input("x", None, 4)
    node = helper.make_node(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        classlabels_ints=[0, 1, 2],
        coefficients=[0.1 * k for k in range(12)],
        intercepts=[0.0, 0.1, 0.2],
        multi_class=1,
        post_transform="SOFTMAX",
    )
    b.nodes.append(node)
    b.domains["ai.onnx.ml"] = 1
    zipmap = helper.make_node(
        "ZipMap", ["scores"], ["table"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]
    )
    b.nodes.append(zipmap)
    model = b.model("scores")
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [None])
    )
    key = helper.make_map_type_proto(
        onnx.TensorProto.INT64, helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [])
    )
    model.graph.output.append(helper.make_value_info("table", helper.make_sequence_type_proto(key)))
    onnx.save(model, tmp_path / "net.onnx")
    graph = load_graph(tmp_path / "net.onnx")
    shapes = probe(graph)
    assert find_output(graph, shapes) == Output("table", "scores", "softmax", 3)
    assert [layer.kind for layer in find_layers(graph, shapes)] == ["logits"]
    assert np.prod(shapes["scores"][0]) == 6
