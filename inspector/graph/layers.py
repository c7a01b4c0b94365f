"""Finding a model's layers: the tensors with units that are worth recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onnx import TensorProto

from inspector.graph import operators as ops
from inspector.graph.axes import unit_axes
from inspector.graph.errors import AxisError
from inspector.graph.index import GraphIndex
from inspector.graph.layer import Layer, Output
from inspector.graph.model import Graph, Shapes
from inspector.graph.modules import Module, find_modules
from inspector.graph.naming import fallback_name, make_unique, module_names, shown_name
from inspector.graph.output import find_output
from inspector.graph.regions import ACTIVATION, SUM, Regions
from inspector.graph.scopes import scope_paths
from inspector.graph.signs import never_negative
from inspector.graph.values import FLOATS, Value, Values

# More leading tokens than this are a second sequence, not class or register tokens.
MOST_PREFIX_TOKENS = 16
# Shorter than the operators' own names, where those are clumsy.
_WORDS = {
    "GlobalAveragePool": "mean",
    "GlobalMaxPool": "max",
    "ReduceMean": "mean",
    "ReduceMax": "max",
    "LayerNormalization": "norm",
    "BatchNormalization": "norm",
}


def find_layers(
    graph: Graph,
    shapes: Shapes,
    axes: Mapping[str, int] | None = None,
    *,
    output: str | None = None,
) -> tuple[Layer, ...]:
    """All layers of a model, in the order in which they are computed.

    Parameters
    ----------
    graph
        The model.
    shapes
        Tensor to its shape at batch 2 and at batch 3, as one run of :func:`expose_all` gives
        them; equal where the batch is fixed.
    axes
        Unit axes to use in place of those found, by layer name or tensor (``--axis``); the
        batch is axis 0, and negative numbers count from the end.
    output
        The classification output, as :func:`find_output` takes it; None to look for it.

    Returns
    -------
    tuple of Layer
        Names are unique, and the same every time for the same file. `default` marks the outputs
        of activations and of blocks, what the last linear operator reads, and the logits.

    Raises
    ------
    AxisError
        `axes` names no layer or tensor, or an axis that it does not have.
    UnknownOutputError
        `output` is none of the model's, or no classification.
    """
    return LayerSearch(graph, shapes, axes, output).layers()


class LayerSearch:
    """One search: the parts of the rule, put together."""

    def __init__(
        self,
        graph: Graph,
        shapes: Shapes,
        axes: Mapping[str, int] | None = None,
        output: str | None = None,
    ) -> None:
        self.graph, self.shapes, self.index = graph, shapes, graph.index
        self.axes = unit_axes(self.index, shapes)
        self.output: Output | None = find_output(graph, shapes, output)
        if self.output and len(self.axes.get(self.output.logits, ())) != 1:
            # One value a category is its own evidence, whatever operator made it.
            shape = shapes[self.output.logits][0]
            axis = max(range(1, len(shape)), key=lambda a: shape[a])
            self.axes[self.output.logits] = (axis,)
        self.values = Values(self.index, shapes, self.axes)
        self.regions = Regions(self.index, self.values, shapes)
        self.scopes, self.merged = scope_paths(self.index)
        self.modules: dict[str, Module] = find_modules(self.index, self.scopes)
        self.names = module_names(self.modules)
        self._whole = {m.path for m in self.modules.values() if m.whole}
        self.nonnegative = never_negative(self.index)
        self.prefixes = prefix_tokens(self.index, shapes, self.axes)
        self._quantized = any(
            node.op_type == "QuantizeLinear" and node.input[0] in self.index.live
            for node in self.index.nodes
        )
        # A batch that is fixed shows in shapes that never differ.
        self._fixed = all(two == three for two, three in shapes.values())
        self._asked: set[str] = set()
        for name, axis in (axes or {}).items():
            self._set_axis(name, axis)

    def layers(self) -> tuple[Layer, ...]:
        """The layers, named."""
        logits = self.values.of.get(self.output.logits) if self.output else None
        feature = self._feature(logits)
        chosen: list[tuple[Value, str]] = []
        for value in self.values.all:
            if value.maker < 0:
                continue
            wanted = (
                value in self.regions.candidates
                or value in (logits, feature)
                or not self._asked.isdisjoint(value.tensors)
                or any(name in self.names for name in value.tensors)
            )
            tensor = self.tap(value) if wanted else None
            if tensor is not None:
                chosen.append((value, tensor))
        names = make_unique(self.name(value) for value, _ in chosen)
        return tuple(
            self._layer(value, tensor, name, logits, feature)
            for (value, tensor), name in zip(chosen, names, strict=True)
        )

    def _set_axis(self, name: str, axis: int) -> None:
        """Take the user's word for a layer's unit axis."""
        tensor = name if name in self.values.of else ""
        if not tensor:
            tensor = next((x.tensor for x in self.layers() if name in (x.name, *x.aliases)), "")
        if not tensor or tensor not in self.shapes:
            raise AxisError(f"--axis names {name!r}, which is no layer or tensor of the model")
        shape = self.shapes[tensor][0]
        if not axis % max(len(shape), 1) > 0 or not -len(shape) <= axis < len(shape):
            raise AxisError(
                f"--axis {name}={axis}: the tensor has the axes 1 to {len(shape) - 1} behind its "
                f"batch ({'×'.join(map(str, shape))})"
            )
        self.axes[tensor] = (axis % len(shape),)
        self._asked.add(tensor)

    def tap(self, value: Value) -> str | None:
        """The tensor to tap for a value: float, batch first, one unit axis; None if none is."""
        asked = [name for name in value.tensors if name in self._asked]
        if asked:
            return asked[0]
        logits = self.output.logits if self.output else ""
        if logits in value.tensors and self.axes.get(logits):
            return logits
        tensors = [name for name in value.tensors if self.reason(name) == ""]
        if self._quantized:
            # What ORT computes in int8 must stay as it is: only results that were already
            # dequantised, or that no QuantizeLinear follows, may be looked at.
            dequantized = [t for t in tensors if self._op(t) == "DequantizeLinear"]
            if dequantized:
                return dequantized[0]
            tensors = [t for t in tensors if not (self._is_float(t) and self._quantizes(t))]
        return tensors[0] if tensors else None

    def reason(self, tensor: str) -> str:
        """Why a tensor cannot be tapped; "" when it can."""
        pair = self.shapes.get(tensor)
        if pair is None:
            return "its shape is not known"
        if not self._is_float(tensor) and tensor not in self.index.scales:
            return "its values are no floats"
        axes = self.axes.get(tensor, ())
        if len(axes) != 1:
            return "it has no unit axis" if not axes else "its units lie on several axes"
        if axes[0] == 0 or not self._batch_first(*pair):
            return "its first axis is not the batch"
        if not all(pair[0]):
            return "it is empty"
        return ""

    def _batch_first(self, two: tuple[int, ...], three: tuple[int, ...]) -> bool:
        if not two:
            return False
        if not self._fixed:
            return (two[0], three[0]) == (2, 3) and two[1:] == three[1:]
        batches = {item.batch for item in self.graph.inputs}
        return two == three and (two[0] in batches or None in batches)

    def _is_float(self, tensor: str) -> bool:
        return self.index.types.get(tensor, TensorProto.FLOAT) in FLOATS

    def _op(self, tensor: str) -> str:
        node = self.index.node_of(tensor)
        return "" if node is None else node.op_type

    def _quantizes(self, tensor: str) -> bool:
        """Whether a QuantizeLinear follows behind elementwise operators alone."""
        stack, seen = [tensor], set()
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            for reader in self.index.readers.get(name, ()):
                node = self.index.nodes[reader]
                if node.op_type == "QuantizeLinear":
                    return True
                if self.index.classes[reader] in (ops.ELEMENT, ops.MOVE, ops.POOL, ops.CONCAT):
                    stack.extend(node.output)
        return False

    def _feature(self, logits: Value | None) -> Value | None:
        """What the last linear operator reads."""
        value = logits
        for _ in range(len(self.values.all)):
            if value is None or value.maker < 0 or not value.sources:
                return None
            if value.kind == ops.LINEAR:
                return value.sources[0]
            if value.kind not in (ops.ELEMENT, ops.MOVE, ops.POOL, ops.REDUCE):
                return None
            value = value.sources[0]
        return None

    def _module_names(self, value: Value) -> list[tuple[str, bool]]:
        return [item for name in value.tensors for item in self.names.get(name, ())]

    def name(self, value: Value) -> str:
        """The value's name, before repeated ones are numbered."""
        name = self._module_name(value)
        if name:
            return name
        op = self.regions.role(value)[1]
        word = _WORDS.get(op, op.lower())
        if self._is_class_token(value):
            word = "cls"
        elif self.output is not None and self.output.logits in value.tensors:
            word = "logits"
        return fallback_name(self.index, self.scopes, value, word, self._module_name, self._whole)

    def _module_name(self, value: Value) -> str:
        names = self._module_names(value)
        return shown_name(names) if names else ""

    def _is_class_token(self, value: Value) -> bool:
        """Whether a single token was picked out of a sequence that has leading ones."""
        if value.kind != ops.SELECT or len(value.sources) != 1:
            return False
        before = self.shapes.get(value.sources[0].tensors[0], ((),))[0]
        after = self.shapes.get(value.tensors[-1], ((),))[0]
        size = 1
        for length in after[1:]:
            size *= length
        return len(before) == 3 and before[1] in self.prefixes and size == before[2]

    def _layer(
        self, value: Value, tensor: str, name: str, logits: Value | None, feature: Value | None
    ) -> Layer:
        axis = self.axes[tensor][0]
        shape = self.shapes[tensor][0]
        units = shape[axis]
        positions = 1
        for size in shape[1:]:
            positions *= size
        positions //= units
        if value is logits:
            kind = "logits"
        elif positions == 1:
            kind = "vector"
        elif len(shape) == 3 and axis == 2:
            kind = "tokens"
        else:
            kind = "conv"
        role, op = self.regions.role(value)
        role = ACTIVATION if self._is_rectified(value, role) else role
        prefix = self.prefixes.get(shape[1], 0) if kind == "tokens" else 0
        modules = [other for other, _ in self._module_names(value) if other != name]
        aliases = _unique([*modules, *(t for t in value.tensors if t != tensor)], name)
        return Layer(
            name=name,
            tensor=tensor,
            kind=kind,
            units=units,
            shape=tuple(shape[1:]),
            axis=axis,
            op=op,
            role=role,
            signed=tensor not in self.nonnegative,
            default=value in (logits, feature) or self._is_default(value, role),
            aliases=aliases,
            class_token=prefix > 0,
            prefix_tokens=prefix,
        )

    def _is_default(self, value: Value, role: str) -> bool:
        if value not in self.regions.candidates or value in self.regions.gates:
            return False
        if role == ACTIVATION or self._is_rectified(value, role):
            return True
        owners = [name.split("#")[0] for name, _ in self._module_names(value)]
        if role == SUM and (owners or not self.scopes[value.maker]):
            # Where modules are known a block's output is one; else every residual sum stands.
            return True
        if role in (ops.LINEAR, ops.NORM) and self._goes_on(value):
            return any(self._is_block(self.modules[name], value) for name in owners)
        return False

    def _is_rectified(self, value: Value, role: str) -> bool:
        """Whether a ReLU went into the quantisation, which clips at zero."""
        return role in (ops.LINEAR, SUM) and any(
            name in self.index.scales and name in self.nonnegative for name in value.tensors
        )

    def _goes_on(self, value: Value) -> bool:
        """Whether something computes with the value itself: no branch of a Concat or a sum."""
        return any(
            self.index.classes[reader] not in (ops.CONCAT, ops.ELEMENT) for reader in value.readers
        )

    def _is_block(self, module: Module, besides: Value) -> bool:
        """Whether an activation of its own lies inside, and it is no list of blocks."""
        if module.container:
            return False
        for number in module.nodes:
            made = self.values.of.get(self.index.nodes[number].output[0])
            if made is not None and made is not besides and made in self.regions.candidates:
                role = self.regions.role(made)[0]
                if role == ACTIVATION or self._is_rectified(made, role):
                    return True
        return False


def prefix_tokens(
    index: GraphIndex, shapes: Shapes, axes: dict[str, tuple[int, ...]]
) -> dict[int, int]:
    """Sequence length to the number of tokens that are set before the patches.

    A class token shows in the graph as a Concat along the token axis whose last input is by far
    the longest.
    """
    found: dict[int, int] = {}
    for number, node in enumerate(index.nodes):
        if index.classes[number] != ops.CONCAT or not node.output:
            continue
        pair = shapes.get(node.output[0])
        last = shapes.get(node.input[-1])
        if pair is None or last is None or len(pair[0]) != 3:
            continue
        if axes.get(node.output[0]) != (2,) or len(last[0]) != 3:
            continue
        extra = pair[0][1] - last[0][1]
        if 0 < extra <= min(MOST_PREFIX_TOKENS, last[0][1] - 1):
            found[pair[0][1]] = extra
    return found


def _unique(names: Iterable[str], besides: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name != besides)
