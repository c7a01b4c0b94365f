"""The output that names the categories, and how its values are to be read."""

from __future__ import annotations

from inspector.graph import operators as ops
from inspector.graph.errors import UnknownOutputError
from inspector.graph.index import GraphIndex, attribute
from inspector.graph.layer import Output
from inspector.graph.model import Graph, Shapes

_PASSED = frozenset({"Identity", "Cast", "Dropout", "ZipMap", "CastLike", "CastMap"})
_RESHAPES = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
_SIGMOIDS = frozenset({"Sigmoid", "HardSigmoid"})


def find_output(graph: Graph, shapes: Shapes, name: str | None = None) -> Output | None:
    """Find the classification output, or read the named one as such.

    Parameters
    ----------
    graph
        The model.
    shapes
        Concrete shapes, as :func:`find_layers` takes them.
    name
        One of the model's outputs; None to look for it: an output behind a softmax, log-softmax
        or sigmoid, or one value per category straight from a linear operator.

    Returns
    -------
    Output or None
        None when no output reads as a classification (features, masks, boxes).

    Raises
    ------
    UnknownOutputError
        No output of that name, or it does not have one value per category.
    """
    index = graph.index
    if name is not None:
        if name not in index.outputs:
            raise UnknownOutputError(
                f"{graph.path.name} has no output {name!r}; it has {', '.join(index.outputs)}"
            )
        found = _read(index, shapes, name)
        if found is None:
            raise UnknownOutputError(
                f"output {name!r} of {graph.path.name} has no single value per category "
                f"(shape {_shape_text(shapes, name)}): name another, or record without one"
            )
        return found[1]
    readings = [r for r in (_read(index, shapes, out) for out in index.outputs) if r]
    sure = [r for r in readings if r[0]]
    return max(sure, key=lambda reading: reading[0])[1] if sure else None


def _shape_text(shapes: Shapes, name: str) -> str:
    pair = shapes.get(name)
    return "unknown" if pair is None else "×".join(map(str, pair[0]))


def _read(index: GraphIndex, shapes: Shapes, name: str) -> tuple[int, Output] | None:
    """How sure it is (2 by a softmax or the like, 1 by a linear operator, 0 not) and what."""
    tensor, kind, table = name, "", ""
    while True:
        node = index.node_of(tensor)
        if node is None or not ops.is_known(node) or not node.input:
            break
        source = node.input[0]
        written_out = "" if kind else _softmax_operand(index, tensor)
        if written_out and _classes(shapes, written_out) > 1:
            kind, tensor = "logits", written_out
        elif node.op_type in ("Softmax", "LogSoftmax") and not kind:
            if _classes(shapes, source) < 2 or not _over_classes(index, shapes, tensor):
                break
            kind, tensor = "logits", source
        elif node.op_type in _SIGMOIDS and not kind:
            # One probability a category by itself: what is shown and stored is that probability.
            kind = "sigmoid"
            break
        elif (
            (node.op_type in _PASSED or node.op_type in _RESHAPES)
            and source in index.live
            and (tensor not in shapes or _same(shapes, source, tensor))
        ):
            # scikit-learn's converters put a table of probabilities behind them.
            table = source if node.op_type == "ZipMap" else table
            tensor = source
        else:
            break
    classes = _classes(shapes, tensor)
    tabular = _tabular(index, tensor)
    if tabular:
        kind = tabular
    elif not kind and _normalised_scores(index, tensor):
        kind = "softmax"
    elif table and not kind:
        tensor, kind, classes = table, "softmax", _classes(shapes, table)
    if classes < (1 if kind == "sigmoid" else 2):
        return None
    sure = 2 if kind else int(_is_linear(index, tensor))
    return sure, Output(name, tensor, kind or "logits", classes)


def _softmax_operand(index: GraphIndex, tensor: str) -> str:
    """What a softmax of parts works on: exp(z) / sum(exp(z)), z = x or x − max(x)."""
    node = index.node_of(tensor)
    if node is None or node.op_type != "Div":
        return ""
    exponential, total = index.node_of(node.input[0]), index.node_of(node.input[1])
    if exponential is None or exponential.op_type != "Exp" or total is None:
        return ""
    if total.op_type != "ReduceSum" or total.input[0] != node.input[0]:
        return ""
    shifted = index.node_of(exponential.input[0])
    if shifted is not None and shifted.op_type == "Sub":
        highest = index.node_of(shifted.input[1])
        if highest is not None and highest.op_type == "ReduceMax":
            return str(shifted.input[0])
    return str(exponential.input[0])


def _classes(shapes: Shapes, tensor: str) -> int:
    """Size of the only dimension behind the batch that is not one; 0 if there is no such."""
    pair = shapes.get(tensor)
    if pair is None or len(pair[0]) < 2:
        return 0
    large = [size for size in pair[0][1:] if size != 1]
    return 1 if not large else large[0] if len(large) == 1 else 0


def _same(shapes: Shapes, before: str, after: str) -> bool:
    return _classes(shapes, before) == _classes(shapes, after) > 0


def _over_classes(index: GraphIndex, shapes: Shapes, tensor: str) -> bool:
    node = index.node_of(tensor)
    assert node is not None
    shape = shapes[node.input[0]][0]
    opset = next((o.version for o in index.proto.opset_import if o.domain in ("", "ai.onnx")), 13)
    axis = int(attribute(node, "axis", -1 if opset >= 13 else 1)) % len(shape)
    if opset < 13:
        # Everything from the axis on is one distribution.
        return axis <= max(i for i, size in enumerate(shape) if size != 1 or i == 1)
    return shape[axis] == max(shape[1:])


def _tabular(index: GraphIndex, tensor: str) -> str:
    node = index.node_of(tensor)
    if node is None or node.op_type not in ops.TABULAR_MODELS or len(node.output) < 2:
        return ""
    if tensor != node.output[1]:
        return ""
    transform = attribute(node, "post_transform", b"NONE")
    text = transform.decode() if isinstance(transform, bytes) else str(transform)
    if text == "LOGISTIC":
        return "sigmoid"
    if node.op_type == "LinearClassifier" and text == "NONE":
        return "logits"
    return "softmax"


def _normalised_scores(index: GraphIndex, tensor: str) -> bool:
    """Whether scikit-learn's converter made a linear model's scores add up to one."""
    node = index.node_of(tensor)
    if node is None or node.op_type != "Normalizer" or attribute(node, "norm", b"MAX") != b"L1":
        return False
    before = index.node_of(node.input[0])
    return before is not None and before.op_type in ops.TABULAR_MODELS


def _is_linear(index: GraphIndex, tensor: str) -> bool:
    """Whether the values come from a linear operator with no activation in between."""
    seen = 0
    while seen < len(index.nodes):
        seen += 1
        node = index.node_of(tensor)
        if node is None:
            return False
        kind = index.class_of(tensor)
        if kind == ops.LINEAR:
            return True
        passes = kind in (ops.MOVE, ops.POOL, ops.REDUCE) or (
            kind == ops.ELEMENT and node.op_type not in ops.ACTIVATIONS
        )
        live = index.live_inputs(index.producer[tensor])
        if not passes or not live:
            return False
        tensor = live[0]
    return False
