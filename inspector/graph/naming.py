"""Names of layers: the user's own where the file has them, readable ones where it has not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex
from inspector.graph.modules import Module
from inspector.graph.scopes import Path
from inspector.graph.values import Value

_WEIGHT = re.compile(
    r"([._/](weight|weights|kernel|w|W|weight_quantized|ReadVariableOp.*)|_w)(_\d+)?(:0)?$"
)
# What exporters make up: a number, perhaps behind a letter or a filler.
_MADE_UP = re.compile(
    r"^(\d+|[A-Za-z]\d*|onnx::\w+|(val|var|tensor|node|out|output|getitem|view|tmp|input)_?\d*)$"
)


def module_names(modules: dict[str, Module]) -> dict[str, list[tuple[str, bool]]]:
    """Tensor to the modules whose output it is, outermost first, and which only contain."""
    names: dict[str, list[tuple[str, bool]]] = {}
    for module in modules.values():
        for name, tensor in module.names():
            names.setdefault(tensor, []).append((name, module.container))
    return names


def shown_name(names: list[tuple[str, bool]]) -> str:
    """The outermost one that is no mere container; the innermost if all are.

    Of equally deep ones the first: the module that made the value, not one that handed it on.
    """
    ordered = sorted(names, key=lambda item: item[0].count(".") + item[0].count("/"))
    for name, container in ordered:
        if not container:
            return name
    return ordered[-1][0]


def fallback_name(
    index: GraphIndex,
    scopes: list[Path],
    value: Value,
    word: str,
    named: Callable[[Value], str],
    whole: Container[str] = (),
) -> str:
    """A name for a value that is no module's output.

    Inside a module ``module.operator``; else the tensor's own name if someone chose it; else what
    it was made from (the module, or the nearest linear operator's weight) and the operator; else
    the operator.

    Parameters
    ----------
    word
        The operator, in lower case.
    named
        Gives the module name of a value, or "".
    whole
        Modules that wrap the whole model: to lie inside one says nothing.
    """
    scope = scopes[value.maker]
    if scope and scope[-1] not in whole:
        return f"{scope[-1]}.{word}"
    tensor = value.tensors[0].removesuffix(":0").removesuffix("_output_0").strip("/")
    chosen = not _MADE_UP.match(tensor)
    if chosen and not any(scopes):
        return tensor
    base = _origin(index, value, named)
    if not base:
        return tensor if chosen else word
    return base if index.classes[value.maker] == ops.LINEAR else f"{base}.{word}"


def _origin(index: GraphIndex, value: Value, named: Callable[[Value], str]) -> str:
    """The nearest name behind a value: of a module, or of a linear operator's weight."""
    while value.maker >= 0:
        name = named(value)
        if name:
            return name
        if index.classes[value.maker] == ops.LINEAR:
            for weight in index.initial(index.nodes[value.maker].input[1:]):
                if _WEIGHT.search(weight):
                    return _WEIGHT.sub("", weight)
        if not value.sources:
            return ""
        value = max(value.sources, key=lambda source: source.maker)
    return ""


def make_unique(names: Iterable[str]) -> list[str]:
    """Number repeated names ``name#1``, ``name#2`` in their order, all of them."""
    listed = list(names)
    count = Counter(listed)
    taken = {name for name, times in count.items() if times == 1}
    seen: Counter[str] = Counter()
    result = []
    for name in listed:
        if count[name] == 1:
            result.append(name)
            continue
        while True:
            seen[name] += 1
            numbered = f"{name}#{seen[name]}"
            if numbered not in taken:
                break
        taken.add(numbered)
        result.append(numbered)
    return result
