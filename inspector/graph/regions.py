"""Regions: what a chain of elementwise operators makes of its sources.

A candidate for a layer is a value that something other than an elementwise operator reads, or
that leaves the model. What it *is* (an activation, a residual sum, …) follows from the chain of
elementwise operators behind it. Decomposed GELU, swish and hard-swish, and a LayerNormalization
written out, need no patterns this way.
"""

from __future__ import annotations

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex
from inspector.graph.model import Shapes
from inspector.graph.values import Value, Values

ACTIVATION = "activation"
SUM = "add"
PRODUCT = "product"
INPUT = "input"

_STRONG = frozenset(
    {
        ops.LINEAR,
        ops.MIX,
        ops.NORM,
        ops.POOL,
        ops.REDUCE,
        ops.CONCAT,
        ops.SELECT,
        ops.UNKNOWN,
        ops.CONTROL,
        ops.SOFTMAX,
        ops.MOVE,
    }
)


class Regions:
    """Candidates and their roles.

    Attributes
    ----------
    candidates
        Values that are read by something other than an elementwise chain.
    gates
        Values that only scale others: a squeeze-and-excitation branch up to its product.
    """

    def __init__(self, index: GraphIndex, values: Values, shapes: Shapes) -> None:
        self.index, self.values, self.shapes = index, values, shapes
        self._statistics = self._find_statistics()
        self._roles: dict[Value, tuple[str, str]] = {}
        self._sources: dict[Value, frozenset[Value]] = {}
        self.candidates: set[Value] = {v for v in values.all if self._is_read(v)}
        self.candidates |= self._normalised()
        # An activation that only a residual sum reads is still an activation's output.
        self.candidates |= {
            value
            for value in values.all
            if value.kind == ops.ELEMENT
            and value not in self.candidates
            and self.role(value)[0] == ACTIVATION
            and any(self._joins(reader) for reader in value.readers)
        }
        self._roles.clear()
        self._sources.clear()
        self.gates = self._find_gates()

    def role(self, value: Value) -> tuple[str, str]:
        """What a value is, and the operator that says so: ("activation", "Gelu")."""
        if value not in self._roles:
            self._roles[value] = self._role(value)
        return self._roles[value]

    def sources(self, value: Value) -> frozenset[Value]:
        """The values that the elementwise chain behind `value` starts from."""
        if value not in self._sources:
            self._sources[value] = self._behind(value)
        return self._sources[value]

    def is_statistic(self, value: Value) -> bool:
        """Whether it is a mean, variance or the like over the units: part of a normalisation."""
        return value in self._statistics

    def _find_statistics(self) -> set[Value]:
        found: set[Value] = set()
        axes = self.values.axes
        for value in self.values.all:
            if value.kind == ops.REDUCE:
                lost = not any(name in axes for name in value.tensors)
                if lost and any(name in axes for s in value.sources for name in s.tensors):
                    found.add(value)
            elif (
                value.kind == ops.ELEMENT
                and value.sources
                and all(source in found for source in value.sources)
            ):
                found.add(value)
        return found

    def _find_gates(self) -> set[Value]:
        found: set[Value] = set()
        made = {v.maker: v for v in self.values.all if v.maker >= 0}
        scaled: dict[Value, set[Value]] = {}
        for value in self.values.all:
            if value.kind == ops.ELEMENT:
                kept = self._operands(value)
                scaled[value] = {
                    s for s in value.sources if s not in kept and not self.is_statistic(s)
                }
        for value in reversed(self.values.all):
            results = [made[reader] for reader in value.readers if reader in made]
            if (
                results
                and not value.is_output
                and all(result in found or value in scaled.get(result, ()) for result in results)
            ):
                found.add(value)
        return found

    def _is_read(self, value: Value) -> bool:
        if value.is_output:
            return True
        if value.maker >= 0 and self.index.nodes[value.maker].op_type == "Pad":
            # Zeros around a map that is a candidate itself.
            return False
        for reader in value.readers:
            if self.index.classes[reader] not in _STRONG:
                continue
            made = self.values.of.get(self.index.nodes[reader].output[0])
            if made is not None and not self.is_statistic(made):
                return True
        return False

    def _normalised(self) -> set[Value]:
        """What a written-out normalisation reads: statistics of it, and not of their results."""
        inside: set[Value] = set()
        found: set[Value] = set()
        for value in self.values.all:
            if (
                value.kind == ops.ELEMENT
                and value not in self.candidates
                and any(self.is_statistic(s) or s in inside for s in value.sources)
            ):
                inside.add(value)
            if value in inside or value.maker < 0 or self.is_statistic(value):
                continue
            made = [self.values.of.get(self.index.nodes[r].output[0]) for r in value.readers]
            if any(
                result is not None and result.kind == ops.REDUCE and self.is_statistic(result)
                for result in made
            ):
                found.add(value)
        return found

    def _operands(self, value: Value) -> list[Value]:
        """What a maker works on: without statistics and without gates that broadcast."""
        operands = [s for s in value.sources if not self.is_statistic(s)]
        if len(operands) > 1 and self.index.nodes[value.maker].op_type in ("Mul", "QLinearMul"):
            sizes = [self._size(s) for s in operands]
            operands = [s for s, size in zip(operands, sizes, strict=True) if size == max(sizes)]
        return operands

    def _size(self, value: Value) -> int:
        shape = self.shapes.get(value.tensors[0], ((), ()))[0]
        size = 1
        for length in shape:
            size *= length
        return size

    def _is_inner(self, value: Value) -> bool:
        return value.kind == ops.ELEMENT and value not in self.candidates

    def _behind(self, value: Value) -> frozenset[Value]:
        if value.kind != ops.ELEMENT:
            return frozenset({value})
        found: set[Value] = set()
        for operand in self._operands(value):
            found |= self.sources(operand) if self._is_inner(operand) else {operand}
        return frozenset(found)

    def _sides(self, value: Value) -> list[frozenset[Value]]:
        return [
            self.sources(operand) if self._is_inner(operand) else frozenset({operand})
            for operand in self._operands(value)
        ]

    def _is_join(self, value: Value) -> bool:
        """Whether two independent streams meet: not so in x · sigmoid(x)."""
        sides = self._sides(value)
        return len(sides) > 1 and any(side != sides[0] for side in sides)

    def _joins(self, number: int) -> bool:
        made = self.values.of.get(self.index.nodes[number].output[0])
        return (
            made is not None
            and made.kind == ops.ELEMENT
            and self.index.nodes[number].op_type in ops.SUMS
            and self._is_join(made)
        )

    def _role(self, value: Value) -> tuple[str, str]:
        if value.maker < 0:
            return INPUT, "Input"
        op = self.index.nodes[value.maker].op_type
        if value.kind != ops.ELEMENT:
            return value.kind, op
        operands = self._operands(value)
        roles = [self.role(o) for o in operands if self._is_inner(o)]
        active = [role for role in roles if role[0] == ACTIVATION]
        if op in ops.ACTIVATIONS:
            return ACTIVATION, op
        if len(operands) < len(value.sources) and any(self.is_statistic(s) for s in value.sources):
            return ops.NORM, "LayerNormalization"
        if self._is_join(value):
            if op in ops.SUMS:
                return SUM, "Add"
            return (ACTIVATION, "Mul") if active else (PRODUCT, op)
        if len(operands) < len(value.sources):
            return PRODUCT, op
        if active:
            return ACTIVATION, _whole_activation(op, active[0][1], len(operands))
        if roles:
            return roles[0]
        if operands:
            role, name = self.role(operands[0])
            # What follows a candidate without an activation of its own is an affine map of it.
            return (ops.LINEAR if role == ACTIVATION else role), (
                name if role in (ops.LINEAR, ops.NORM) else op
            )
        return ops.UNKNOWN, op


def _whole_activation(op: str, inner: str, operands: int) -> str:
    """The name of an activation of which `inner` is a part: x · sigmoid(x) is a swish."""
    if inner == "Erf":
        return "Gelu"
    if op in ("Mul", "QLinearMul") and operands > 1:
        return {
            "Sigmoid": "Swish",
            "QLinearSigmoid": "Swish",
            "HardSigmoid": "HardSwish",
            "Clip": "HardSwish",
            "Softplus": "Mish",
            "Tanh": "Gelu",
        }.get(inner, inner)
    return inner
