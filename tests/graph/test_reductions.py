"""What is stored for which request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.graph import REDUCTIONS, Layer, ReductionError, stored_reductions

CONV = Layer("c", "t", "conv", 4, (4, 3, 3), 1, "Relu", "activation", signed=False, default=True)
SIGNED = replace(CONV, signed=True, op="Gelu")
TOKENS = replace(SIGNED, kind="tokens", shape=(5, 4), axis=2, class_token=True, prefix_tokens=1)
VECTOR = replace(CONV, kind="vector", shape=(4,))
LOGITS = replace(VECTOR, kind="logits", signed=True)


@pytest.mark.parametrize(
    ("layer", "asked", "stored", "same"),
    [
        (CONV, ("default",), ("relu_mean", "max"), {"mean": "relu_mean"}),
        (SIGNED, ("default",), ("relu_mean", "max", "mean"), {}),
        (TOKENS, ("default",), ("relu_mean", "max", "mean"), {}),
        (VECTOR, ("default",), ("none",), {"mean": "none", "max": "none", "relu_mean": "none"}),
        (LOGITS, ("default",), ("none",), {"mean": "none", "max": "none"}),
        (CONV, ("mean",), ("relu_mean",), {"mean": "relu_mean"}),
        (CONV, ("mean", "relu_mean", "max"), ("relu_mean", "max"), {"mean": "relu_mean"}),
        (SIGNED, ("mean",), ("mean",), {}),
        (TOKENS, ("cls", "last", "cls"), ("cls", "last"), {}),
        # What does not fit one layer is left out where something else does.
        (CONV, ("cls", "max"), ("max",), {}),
        (VECTOR, ("cls",), ("none",), {"mean": "none", "max": "none", "relu_mean": "none"}),
    ],
)
def test_stored(
    layer: Layer, asked: tuple[str, ...], stored: tuple[str, ...], same: dict[str, str]
) -> None:
    assert stored_reductions(layer, asked) == (stored, same)


@pytest.mark.parametrize(
    ("layer", "asked", "words"),
    [
        (CONV, ("none",), "9 positions a unit"),
        (CONV, ("cls",), "has no tokens"),
        (replace(TOKENS, class_token=False), ("cls",), "has no class token"),
        (CONV, ("median",), "unknown reduction 'median'"),
        (CONV, (), "no reduction asked"),
    ],
)
def test_misfits(layer: Layer, asked: tuple[str, ...], words: str) -> None:
    with pytest.raises(ReductionError, match=words):
        stored_reductions(layer, asked)


@given(
    layer=st.sampled_from([CONV, SIGNED, TOKENS, VECTOR, LOGITS]),
    asked=st.lists(st.sampled_from([*REDUCTIONS, "default"]), min_size=1),
)
def test_every_fitting_request_can_be_answered(layer: Layer, asked: list[str]) -> None:
    try:
        stored, same = stored_reductions(layer, asked)
    except ReductionError:
        return
    assert stored
    assert len(set(stored)) == len(stored)
    assert set(same.values()) <= set(stored)
    for name in asked:
        if name in ("mean", "max") or (name == "relu_mean" and layer.kind in ("conv", "tokens")):
            assert name in stored or name in same
