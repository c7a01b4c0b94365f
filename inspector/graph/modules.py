"""Which tensor is the output of which module.

A module's output is the last tensor made inside its scope and used outside it. A module that is
called twice (one ReLU for a whole block) has one output a call: the calls are told apart because
nothing inside the module joins them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex
from inspector.graph.scopes import Path


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
        Whether it only holds other modules that are themselves composed: it computes nothing.
    nodes
        Numbers of the live nodes made inside it.
    """

    path: str
    outputs: tuple[str, ...]
    container: bool
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
    modules = {}
    for name, numbers in inside.items():
        composed = any(children.get(child) for child in children.get(name, ()))
        modules[name] = Module(
            path=name,
            outputs=tuple(_outputs(index, numbers)),
            container=composed and name not in busy,
            nodes=frozenset(numbers),
        )
    return modules


def _outputs(index: GraphIndex, numbers: list[int]) -> list[str]:
    """The last outside-used tensor of each connected part, in order."""
    inside = set(numbers)
    parent = {number: number for number in numbers}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for number in numbers:
        for name in index.reads[number]:
            maker = index.producer.get(name)
            if maker in inside and maker is not None and name in index.live:
                parent[root(number)] = root(maker)
    outputs = set(index.outputs)
    last: dict[int, str] = {}
    for number in numbers:
        for name in index.nodes[number].output:
            if name not in index.live:
                continue
            readers = index.readers.get(name, [])
            if name in outputs or any(reader not in inside for reader in readers):
                last[root(number)] = name
    return list(last.values())
