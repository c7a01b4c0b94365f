"""The unit axis of every tensor, by provenance.

A Conv makes units on axis 1, a product with a weight or a LayerNormalization on the last axis;
from there the axis is carried along: unchanged through elementwise operators and pools, permuted
by Transpose, through Reshape by size. It is never guessed from a shape, so NHWC graphs, token
sequences and one- or three-dimensional maps need no cases of their own. A Reshape may split the
axis (attention heads, channel shuffle): then a tensor has several unit axes until another one
joins them again.
"""

from __future__ import annotations

from collections.abc import Mapping

from inspector.graph import operators as ops
from inspector.graph.index import GraphIndex, attribute
from inspector.graph.model import Shapes

Axes = tuple[int, ...]


def unit_axes(index: GraphIndex, shapes: Shapes) -> dict[str, Axes]:
    """Tensor to its unit axes (mostly one); tensors without any are left out."""
    return _Provenance(index, shapes).run()


def carry_through_reshape(before: tuple[int, ...], after: tuple[int, ...], axes: Axes) -> Axes:
    """Where unit axes come to lie when `before` is reshaped to `after`; () when they are lost.

    Dimensions are matched in groups of equal size, left to right. A group that splits the axis
    gives several axes; one that merges unit axes with others gives the merged axis, whose units
    are then finer (a flattened map has a unit per channel and position).
    """
    result: list[int] = []
    for left, right in _groups(before, after):
        inside = [axis for axis in left if axis in axes]
        if not inside:
            continue
        large_left = [axis for axis in left if before[axis] != 1]
        large_right = [axis for axis in right if after[axis] != 1]
        if not large_right:
            # A unit axis of size one stays on the first place that can stand for it.
            result.extend(right[:1])
        elif all(axis in axes for axis in large_left) or len(large_right) == 1:
            result.extend(large_right)
        else:
            return ()
    return tuple(result)


def _groups(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) or j < len(after):
        left, right = [], []
        product_left = product_right = 1
        if i < len(before):
            left.append(i)
            product_left = before[i]
            i += 1
        if j < len(after):
            right.append(j)
            product_right = after[j]
            j += 1
        while product_left != product_right:
            if product_left < product_right and i < len(before):
                left.append(i)
                product_left *= before[i]
                i += 1
            elif j < len(after):
                right.append(j)
                product_right *= after[j]
                j += 1
            else:
                left.extend(range(i, len(before)))
                i = len(before)
                break
        groups.append((left, right))
    return groups


class _Provenance:
    def __init__(self, index: GraphIndex, shapes: Shapes) -> None:
        self.index = index
        self.shape: Mapping[str, tuple[int, ...]] = {
            name: tuple(pair[0]) for name, pair in shapes.items()
        }
        self.axes: dict[str, Axes] = {}

    def run(self) -> dict[str, Axes]:
        for number, node in enumerate(self.index.nodes):
            for output in node.output:
                shape = self.shape.get(output)
                if output in self.index.live and shape:
                    axes = self._axes(number, output, len(shape))
                    if axes and all(0 <= axis < len(shape) for axis in axes):
                        # In the order of the units: a channel shuffle swaps two of them.
                        self.axes[output] = tuple(dict.fromkeys(axes))
        return self.axes

    def _axes(self, number: int, output: str, rank: int) -> Axes:
        node, kind = self.index.nodes[number], self.index.classes[number]
        live = self.index.live_inputs(number)
        if kind in (ops.LINEAR, ops.MIX):
            return self._product(number, rank)
        if not live:
            return ()
        first = live[0]
        if node.op_type == "BatchNormalization":
            return (1,) if rank > 1 else ()
        if kind == ops.ELEMENT:
            return self._joined(live, rank)
        if kind == ops.NORM:
            return self._norm(number, first, rank)
        if kind == ops.REDUCE:
            return self._reduce(number, first, rank)
        if kind == ops.CONCAT:
            known = [self.axes[name] for name in live if name in self.axes]
            return known[0] if known else ()
        if kind in (ops.POOL, ops.SOFTMAX):
            return self.axes.get(first, ())
        if kind == ops.MOVE:
            return self._move(number, first, output)
        if kind == ops.SELECT:
            return self._select(number, first, rank)
        return ()

    def _product(self, number: int, rank: int) -> Axes:
        node, op = self.index.nodes[number], self.index.nodes[number].op_type
        if op in ops.CONVOLUTIONS:
            return (1,)
        if op == "Einsum":
            return self._einsum(number)
        if op in ops.ATTENTION and rank == 4:
            return (1, 3)
        if op in ("MatMul", "FusedMatMul", "MatMulInteger", "TransposeMatMul") and rank > 1:
            left, right = node.input[0], node.input[1]
            if left not in self.index.live:
                # Weights on the left make the rows the units.
                return (rank - 2,)
            if right in self.index.live:
                return self._mix(left, right, rank)
        return (rank - 1,)

    def _mix(self, left: str, right: str, rank: int) -> Axes:
        """Two live operands: units pass where neither the product nor the mixing consumes them."""
        for name, kept, summed in ((right, rank - 1, rank - 2), (left, rank - 2, rank - 1)):
            shift = rank - len(self.shape.get(name, ()))
            axes = {axis + shift for axis in self.axes.get(name, ())}
            if kept in axes and summed not in axes:
                return tuple(sorted(axes))
        return ()

    def _einsum(self, number: int) -> Axes:
        node = self.index.nodes[number]
        equation = attribute(node, "equation", b"")
        text = equation.decode() if isinstance(equation, bytes) else str(equation)
        terms, _, result = text.replace(" ", "").partition("->")
        operands = terms.split(",")
        if "..." in text or not result or len(operands) != len(node.input):
            return ()
        live = "".join(
            t for t, name in zip(operands, node.input, strict=True) if name in self.index.live
        )
        new = [axis for axis, letter in enumerate(result) if letter not in live]
        if new:
            return tuple(new)
        for term, name in zip(operands, node.input, strict=True):
            letters = [term[axis] for axis in self.axes.get(name, ())]
            if letters and all(letter in result for letter in letters):
                return tuple(result.index(letter) for letter in letters)
        return ()

    def _joined(self, live: list[str], rank: int) -> Axes:
        """Aligned from the right, as broadcasting does."""
        found: list[Axes] = []
        for name in live:
            axes = self.axes.get(name)
            shape = self.shape.get(name)
            if axes and shape is not None:
                found.append(tuple(axis + rank - len(shape) for axis in axes))
        if not found:
            return ()
        # Where two disagree (a mixer's token product added to its stream) the stream is the one
        # that normalisations and weights read: the last axis of a sequence.
        if rank == 3 and (rank - 1,) in found:
            return (rank - 1,)
        return found[0]

    def _norm(self, number: int, first: str, rank: int) -> Axes:
        op = self.index.nodes[number].op_type
        if op in ("InstanceNormalization", "GroupNormalization", "LRN"):
            return (1,)
        known = self.axes.get(first, ())
        if op in ("LpNormalization", "MeanVarianceNormalization"):
            return known
        axis = attribute(self.index.nodes[number], "axis", -1) % rank
        if axis == rank - 1 or not known:
            return (rank - 1,)
        return known

    def _reduce(self, number: int, first: str, rank: int) -> Axes:
        axes = self.axes.get(first, ())
        shape = self.shape.get(first, ())
        if not axes:
            return ()
        listed = self.index.ints(number, "axes", 1)
        reduced = {axis % len(shape) for axis in listed} if listed else set(range(len(shape)))
        if reduced.intersection(axes):
            return ()
        if rank == len(shape):
            return axes
        return tuple(axis - sum(other < axis for other in reduced) for axis in axes)

    def _move(self, number: int, first: str, output: str) -> Axes:
        node = self.index.nodes[number]
        axes = self.axes.get(first, ())
        before, after = self.shape.get(first), self.shape[output]
        if not axes or before is None:
            return ()
        if node.op_type == "Transpose":
            order = list(attribute(node, "perm", range(len(before))[::-1]))
            return tuple(order.index(axis) for axis in axes)
        if node.op_type in ("Squeeze", "Unsqueeze"):
            listed = self.index.ints(number, "axes", 1)
            if node.op_type == "Unsqueeze" and listed is not None:
                added = {axis % len(after) for axis in listed}
                kept = [axis for axis in range(len(after)) if axis not in added]
                return tuple(kept[axis] for axis in axes)
            if node.op_type == "Squeeze":
                gone = (
                    {axis % len(before) for axis in listed}
                    if listed is not None
                    else {axis for axis, size in enumerate(before) if size == 1}
                )
                kept = [axis for axis in range(len(before)) if axis not in gone]
                return tuple(kept.index(axis) for axis in axes if axis in kept)
        if before == after:
            return axes
        return carry_through_reshape(before, after, axes)

    def _select(self, number: int, first: str, rank: int) -> Axes:
        node = self.index.nodes[number]
        if node.op_type == "Gather":
            return self._gather(number, rank)
        axes = self.axes.get(first, ())
        shape = self.shape.get(first, ())
        if node.op_type in ("DepthToSpace", "SpaceToDepth"):
            return (1,)
        return tuple(axis + rank - len(shape) for axis in axes) if shape else ()

    def _gather(self, number: int, rank: int) -> Axes:
        node = self.index.nodes[number]
        source = node.input[0]
        if source not in self.index.live:
            # Rows of a table picked by the input: an embedding.
            return (rank - 1,)
        shape = self.shape.get(source, ())
        axes = self.axes.get(source, ())
        if not shape or not axes:
            return ()
        axis = attribute(node, "axis", 0) % len(shape)
        added = rank - len(shape) + 1
        if axis in axes and added == 0:
            return ()
        return tuple(a if a <= axis else a + added - 1 for a in axes)
