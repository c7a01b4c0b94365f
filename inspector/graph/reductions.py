"""How positions or tokens become one number per unit, and which reductions are worth storing."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.graph.errors import ReductionError
from inspector.graph.layer import Layer

REDUCTIONS = ("relu_mean", "max", "mean", "cls", "last", "none")
"""``relu_mean``: mean of max(·, 0), the paper's; ``max``; ``mean``; ``cls``: the class token;
``last``: the last token; ``none``: the value itself, of layers without positions."""


def stored_reductions(
    layer: Layer, asked: Sequence[str] = ("default",)
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Which reductions of a layer have to be stored so that the asked ones can be given.

    Parameters
    ----------
    layer
        The layer.
    asked
        Names out of :data:`REDUCTIONS`, or ``default``: `relu_mean` and `max`, and `mean` too
        where the layer can be negative.

    Returns
    -------
    stored, same
        What to store, in order, and other names for equal values: ``{"mean": "relu_mean"}`` for
        a layer that is never negative. A vector is stored as it is (``none``).

    Raises
    ------
    ReductionError
        An unknown name, or none of the asked ones fits the layer.
    """
    wanted: list[str] = []
    for name in asked:
        if name == "default":
            wanted += ["relu_mean", "max", *(["mean"] if layer.signed else [])]
        elif name in REDUCTIONS:
            wanted.append(name)
        else:
            raise ReductionError(
                f"unknown reduction {name!r}: choose from {', '.join(REDUCTIONS)} or default"
            )
    if layer.kind in ("vector", "logits"):
        # max(·, 0) of a signed vector is the reader's to take; the plain value holds both.
        same = {"mean": "none", "max": "none"}
        if not layer.signed:
            same["relu_mean"] = "none"
        return ("none",), same
    fitting = [name for name in dict.fromkeys(wanted) if _fits(layer, name)]
    if not fitting:
        raise ReductionError(_misfit(layer, wanted))
    if layer.signed:
        return tuple(fitting), {}
    same = {}
    stored: list[str] = []
    for name in fitting:
        kept = "relu_mean" if name == "mean" else name
        if kept not in stored:
            stored.append(kept)
    if "relu_mean" in stored:
        same["mean"] = "relu_mean"
    return tuple(stored), same


def _fits(layer: Layer, name: str) -> bool:
    if name == "cls":
        return layer.kind == "tokens" and layer.class_token
    if name == "last":
        return layer.kind == "tokens"
    return name != "none"


def _misfit(layer: Layer, wanted: Sequence[str]) -> str:
    size = "×".join(map(str, layer.shape))
    if "none" in wanted:
        return (
            f"layer {layer.name} has {layer.positions:,} positions a unit ({size}), so the "
            "reduction none does not fit: choose mean, relu_mean or max"
        )
    if not wanted:
        return f"no reduction asked for layer {layer.name}: choose mean, relu_mean or max"
    lack = "no class token" if layer.kind == "tokens" else "no tokens"
    return (
        f"layer {layer.name} ({layer.kind}, {size}) has {lack}, so the reduction "
        f"{wanted[0]} does not fit: choose mean, relu_mean or max"
    )
