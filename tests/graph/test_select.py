"""Choosing layers by names and globs."""

from __future__ import annotations

import pytest

from inspector.graph import Layer, LayerNotFoundError, select_layers


def layer(name: str, tensor: str, *aliases: str, default: bool = False) -> Layer:
    return Layer(name, tensor, "vector", 3, (3,), 1, "Relu", "activation", False, default, aliases)


LAYERS = (
    layer("conv1", "relu_1", "conv1.act", default=True),
    layer("layer1.0.relu#1", "relu_2", default=True),
    layer("layer1.0", "add_3", "layer1", "layer1.0.relu#2"),
    layer("weird[0]", "/a/b:0"),
    layer("fc", "gemm_4", default=True),
)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("default", ["conv1", "layer1.0.relu#1", "fc"]),
        ("all", ["conv1", "layer1.0.relu#1", "layer1.0", "weird[0]", "fc"]),
        ("fc,conv1", ["conv1", "fc"]),
        ("layer1*", ["layer1.0.relu#1", "layer1.0"]),
        ("layer1", ["layer1.0"]),
        ("*.act", ["conv1"]),
        ("relu_?", ["conv1", "layer1.0.relu#1"]),
        ("/a/b:0", ["weird[0]"]),
        ("weird[0]", ["weird[0]"]),
        ("default, layer1.0", ["conv1", "layer1.0.relu#1", "layer1.0", "fc"]),
        (["fc", "fc"], ["fc"]),
    ],
)
def test_selection(patterns: str | list[str], expected: list[str]) -> None:
    assert [item.name for item in select_layers(LAYERS, patterns)] == expected


@pytest.mark.parametrize(
    ("pattern", "near"),
    [("conv", "conv1"), ("layer1.1", "layer1"), ("fcc", "fc"), ("RELU*", "relu"), ("zzz", "conv1")],
)
def test_what_matches_nothing_shows_the_nearest_names(pattern: str, near: str) -> None:
    with pytest.raises(
        LayerNotFoundError, match=f"no layer matches '.*nearest: .*{near}"
    ) as caught:
        select_layers(LAYERS, [pattern])
    assert "\n" not in str(caught.value)


def test_a_model_without_layers() -> None:
    with pytest.raises(LayerNotFoundError, match="no layers that can be recorded"):
        select_layers((), ["default"])
    with pytest.raises(LayerNotFoundError, match="no default layers"):
        select_layers(LAYERS[2:4], ["default"])
