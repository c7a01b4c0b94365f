"""The unit axis by provenance, and what has none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from run_models import feed, layers_of, probe, reduced, taps, tensors
from tiny_models import Builder

from inspector.graph import AxisError, find_layers, load_graph, survey
from inspector.graph.axes import carry_through_reshape


@pytest.mark.parametrize(
    ("before", "after", "axes", "expected"),
    [
        ((2, 8, 4, 4), (2, 8, 16), (1,), (1,)),
        ((2, 8, 4, 4), (2, 128), (1,), (1,)),
        ((2, 4, 4, 8), (2, 128), (3,), (1,)),
        ((2, 8, 1, 1), (2, 8), (1,), (1,)),
        ((2, 8), (2, 8, 1, 1), (1,), (1,)),
        ((2, 7, 8), (14, 8), (2,), (1,)),
        ((14, 8), (2, 7, 8), (1,), (2,)),
        ((2, 7, 8), (2, 7, 2, 4), (2,), (2, 3)),
        ((2, 7, 2, 4), (2, 7, 8), (2, 3), (2,)),
        ((2, 8, 4, 4), (2, 2, 4, 4, 4), (1,), (1, 2)),
        # Positions and units mixed into several axes: nothing can be said.
        ((2, 8, 3), (2, 4, 6), (1,), ()),
    ],
)
def test_through_reshape(
    before: tuple[int, ...],
    after: tuple[int, ...],
    axes: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    assert carry_through_reshape(before, after, axes) == expected


@given(
    shape=st.lists(st.integers(2, 5), min_size=2, max_size=5),
    cut=st.integers(1, 4),
    axis=st.integers(0, 4),
)
def test_splitting_off_and_joining_again_changes_nothing(
    shape: list[int], cut: int, axis: int
) -> None:
    axis %= len(shape)
    cut %= len(shape)
    before = tuple(shape)
    joined = (*before[:cut], int(__import__("math").prod(before[cut:])))
    middle = carry_through_reshape(before, joined, (axis,))
    assert len(middle) == 1
    assert middle[0] == min(axis, cut)


def build(tmp_path: Path, b: Builder, *outputs: str, rank: int = 2):  # type: ignore[no-untyped-def]
    graph, shapes, layers = layers_of(b.save(tmp_path / "net.onnx", *outputs, rank=rank))
    return graph, shapes, {layer.name: layer for layer in layers}


def test_weights_on_the_left_make_rows_the_units(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 4, 7)
    with b.module("mixing"):
        x = b.add("Relu", b.add("MatMul", b.weight(5, 4), x))
    _, _, layers = build(tmp_path, b, x, rank=3)
    assert (layers["mixing"].axis, layers["mixing"].units) == (1, 5)


@pytest.mark.parametrize(
    ("equation", "weights", "axis"),
    [("ntd,de->nte", (6, 4), 2), ("ntd,ed->nte", (4, 6), 2), ("ntd,ed->net", (4, 6), 1)],
)
def test_einsum_with_a_constant(
    tmp_path: Path, equation: str, weights: tuple[int, int], axis: int
) -> None:
    b = Builder()
    x = b.input("x", "n", 5, 6)
    with b.module("fc"):
        x = b.add("Relu", b.add("Einsum", x, b.weight(*weights), equation=equation))
    _, _, layers = build(tmp_path, b, x, rank=3)
    assert (layers["fc"].axis, layers["fc"].units) == (axis, 4)


def test_embeddings(tmp_path: Path) -> None:
    b = Builder()
    ids = b.input("ids", "n", 5, dtype=TensorProto.INT64)
    with b.module("embed"):
        x = b.add("Gather", b.weight(50, 6), ids)
    with b.module("fc"):
        x = b.add("Relu", b.tokens_linear(x, 6, 4))
    _, _, layers = build(tmp_path, b, x, rank=3)
    assert (layers["embed"].kind, layers["embed"].units) == ("tokens", 6)
    assert (layers["fc"].kind, layers["fc"].units) == ("tokens", 4)


def test_channel_shuffle_is_another_layer(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 3, 4, 4)
    with b.module("conv"):
        x = b.add("Relu", b.conv(x, 3, 6))
    with b.module("shuffle"):
        y = b.add("Reshape", x, b.constant([0, 2, 3, 4, 4], "int64"))
        y = b.add("Transpose", y, perm=[0, 2, 1, 3, 4])
        y = b.add("Reshape", y, b.constant([0, 6, 4, 4], "int64"))
    with b.module("next"):
        y = b.conv(y, 6, 2)
    _, _, layers = build(tmp_path, b, y, rank=4)
    assert layers["conv"].tensor == x
    assert layers["shuffle"].units == 6
    assert layers["shuffle"].tensor not in layers["conv"].aliases


def test_sequence_first_and_scores_cannot_be_tapped(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 5, 6)
    x = b.add("Transpose", x, perm=[1, 0, 2])
    with b.module("fc"):
        x = b.add("Relu", b.tokens_linear(x, 6, 4))
    with b.module("scores"):
        scores = b.add("MatMul", x, b.add("Transpose", x, perm=[0, 2, 1]))
        scores = b.add("Softmax", scores, axis=-1)
        x = b.add("MatMul", scores, x)
    graph, shapes, layers = build(tmp_path, b, x, rank=3)
    assert layers == {}
    reasons = {item.reason for item in survey(graph, shapes).untapped}
    assert reasons == {"its first axis is not the batch", "it has no unit axis"}


def test_bodies_and_unknown_operators_are_listed_with_the_reason(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 4)
    with b.module("fc"):
        x = b.add("Relu", b.linear(x, 4, 3))
    bodies = {}
    for name in ("then_branch", "else_branch"):
        bodies[name] = helper.make_graph(
            [helper.make_node("Exp", [x], [name])],
            name,
            [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3])],
        )
    y = b.add("If", b.constant(True, "bool"), **bodies)
    graph, shapes, layers = build(tmp_path, b, b.add("Relu", b.add("MatMul", y, b.weight(3, 2))))
    assert "fc" in layers
    reasons = [item.reason for item in survey(graph, shapes).untapped]
    assert "2 operators lie inside the body of If" in reasons


def test_the_user_may_say_which_axis(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 3, 5, 6)
    with b.module("conv"):
        x = b.add("Relu", b.conv(x, 3, 4))
    graph = load_graph(b.save(tmp_path / "net.onnx", x, rank=4))
    shapes = probe(graph)
    for name in ("conv", x):
        for axis in (3, -1):
            (layer,) = (i for i in find_layers(graph, shapes, {name: axis}) if i.name == "conv")
            assert (layer.axis, layer.units, layer.kind) == (3, 6, "conv")
    values = feed(graph, 2)
    found = taps(graph, [(layer, ("mean",))], values)[("conv", "mean")]
    expected = reduced(layer, tensors(graph, values)[layer.tensor], "mean")
    assert abs(found - expected).max() < 1e-5


def test_an_axis_for_what_has_none(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", "n", 5, 6)
    y = b.add("Tanh", b.add("MatMul", x, b.add("Transpose", x, perm=[0, 2, 1])))
    graph = load_graph(b.save(tmp_path / "net.onnx", y, rank=3))
    shapes = probe(graph)
    assert find_layers(graph, shapes) == ()
    (layer,) = find_layers(graph, shapes, {y: 2})
    assert (layer.units, layer.shape, layer.kind) == (5, (5, 5), "tokens")
    for name, axis, words in (
        (y, 0, "axes 1 to 2"),
        (y, 3, "axes 1 to 2"),
        (y, -3, "axes 1 to 2"),
        ("nobody", 1, "no layer or tensor"),
    ):
        with pytest.raises(AxisError, match=words):
            find_layers(graph, shapes, {name: axis})
