"""Which tensor is the output of which module.

A module's output is the last tensor made inside its scope and used outside it. A module that is
called twice (one ReLU for a whole block) has one output a call: the calls are told apart because
nothing inside the module joins them, and because they consist of the same operators.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex
from inspector.graph.scopes import Path

# A module around all linear operators but the last is a backbone from this many on.
BACKBONE = 3


@dataclass(frozen=True)
class Module:
    """A module of the exporter's tree.

    Attributes
    ----------
    path
        As ``named_modules()`` gives it.
    outputs
        Its output tensors, one a call.
    container
        Whether it only holds other modules: a numbered list of composed ones, a module that
        holds nothing but such a list, or a wrapper around all of the model or all but its head.
    whole
        Whether every linear operator of the model lies inside: a wrapper around the model.
    nodes
        Numbers of the live nodes made inside it.
    """

    path: str
    outputs: tuple[str, ...]
    container: bool
    whole: bool
    nodes: frozenset[int]

    def names(self) -> list[tuple[str, str]]:
        """(name, tensor) pairs: the path, or ``path#1``, ``path#2`` for several calls."""
        if len(self.outputs) == 1:
            return [(self.path, self.outputs[0])]
        return [(f"{self.path}#{k}", tensor) for k, tensor in enumerate(self.outputs, 1)]


def find_modules(index: GraphIndex, scopes: list[Path]) -> dict[str, Module]:
    """Every module path that made a live tensor, outer ones before inner ones."""
    inside: dict[str, list[int]] = defaultdict(list)
    children: dict[str, set[str]] = defaultdict(set)
    busy: set[str] = set()
    for number, path in enumerate(scopes):
        if not any(name in index.live for name in index.nodes[number].output):
            continue
        for outer, inner in pairwise(path):
            children[outer].add(inner)
        for name in path:
            inside[name].append(number)
        if path and index.classes[number] != ops.MOVE:
            busy.add(path[-1])
    linear = {number for number, kind in enumerate(index.classes) if kind == ops.LINEAR}

    def is_list(name: str) -> bool:
        if name in busy:
            return False
        held = children.get(name, set())
        numbered = [child for child in held if child.rpartition(".")[2].isdigit()]
        if numbered:
            return all(children.get(child) for child in numbered)
        return len(held) == 1 and is_list(next(iter(held)))

    body = linear - {max(linear, default=-1)}
    modules = {}
    for name, numbers in inside.items():
        whole = name in children and linear.issubset(numbers)
        backbone = name in children and len(body) >= BACKBONE and body.issubset(numbers)
        modules[name] = Module(
            path=name,
            outputs=tuple(_outputs(index, numbers)),
            container=whole or backbone or is_list(name),
            whole=whole,
            nodes=frozenset(numbers),
        )
    return modules


def _outputs(index: GraphIndex, numbers: list[int]) -> list[str]:
    """The last outside-used tensor, or that of each call."""
    last: list[str] = []
    contents: list[Counter[str]] = []
    for part in _parts(index, numbers):
        tensor = _last_used(index, part)
        if tensor:
            last.append(tensor)
            contents.append(Counter(index.nodes[number].op_type for number in part))
    if len(last) > 1 and any(content != contents[0] for content in contents):
        # Parts of one call that meet outside: the module's output is the last of them.
        return [max(last, key=lambda name: index.producer[name])]
    return last


def _parts(index: GraphIndex, numbers: list[int]) -> list[list[int]]:
    """The nodes in groups that live tensors connect, in order."""
    parent = {number: number for number in numbers}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for number in numbers:
        for name in index.reads[number]:
            maker = index.producer.get(name)
            if maker is not None and maker in parent and name in index.live:
                parent[root(number)] = root(maker)
    parts: dict[int, list[int]] = {}
    for number in numbers:
        parts.setdefault(root(number), []).append(number)
    return list(parts.values())


def _last_used(index: GraphIndex, part: list[int]) -> str:
    inside, outputs, last = set(part), set(index.outputs), ""
    for number in part:
        for name in index.nodes[number].output:
            if name not in index.live:
                continue
            readers = index.readers.get(name, [])
            if name in outputs or any(reader not in inside for reader in readers):
                last = name
    return last
