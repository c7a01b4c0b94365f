"""Making a model file anew with other outputs, its weights untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from inspector.graph.index import GraphIndex

# Opset and format given to a model that names no default opset (pure ai.onnx.ml graphs).
FALLBACK_OPSET = 13
FALLBACK_IR = 7
# From this format on initializers need not be repeated as inputs.
INITIALIZERS_APART = 4


def opset_of(proto: ModelProto) -> int:
    """Version of the default operator set; :data:`FALLBACK_OPSET` where none is named."""
    for item in proto.opset_import:
        if item.domain in ("", "ai.onnx"):
            return int(item.version)
    return FALLBACK_OPSET


def rebuild(
    index: GraphIndex,
    outputs: Sequence[ValueInfoProto],
    nodes: Sequence[NodeProto] = (),
    initializers: Sequence[TensorProto] = (),
    replaced: Mapping[int, NodeProto] | None = None,
) -> bytes:
    """Serialise the model with `nodes` added and only what `outputs` need kept.

    Nodes of the model are exchanged for others by their numbers with `replaced`.

    References to external weights are kept as they are; nothing is read from them.
    """
    source = index.proto
    needed = _needed(index, [value.name for value in outputs], nodes)
    model = ModelProto()
    model.ir_version = max(source.ir_version, INITIALIZERS_APART)
    model.producer_name = source.producer_name
    model.opset_import.extend(source.opset_import)
    if not any(item.domain in ("", "ai.onnx") for item in source.opset_import):
        model.opset_import.add(domain="", version=FALLBACK_OPSET)
        model.ir_version = max(model.ir_version, FALLBACK_IR)
    graph, old = model.graph, source.graph
    graph.name = old.name or "graph"
    graph.node.extend(
        (replaced or {}).get(number, node)
        for number, node in enumerate(index.nodes)
        if any(name in needed for name in node.output)
    )
    graph.node.extend(nodes)
    graph.initializer.extend(t for t in old.initializer if t.name in needed)
    graph.initializer.extend(initializers)
    graph.sparse_initializer.extend(t for t in old.sparse_initializer if t.values.name in needed)
    weights = index.initializers.keys() | {t.values.name for t in old.sparse_initializer}
    # An input stays even when nothing reads it any more, so that feeding does not change. An
    # initializer that is repeated as an input could be fed, and would not be folded.
    graph.input.extend(v for v in old.input if v.name not in weights)
    graph.output.extend(outputs)
    graph.quantization_annotation.extend(old.quantization_annotation)
    data: bytes = model.SerializeToString()
    return data


def _needed(index: GraphIndex, outputs: Iterable[str], nodes: Iterable[NodeProto]) -> set[str]:
    added = {name for node in nodes for name in node.output}
    stack = [name for name in outputs if name not in added]
    stack += [name for node in nodes for name in node.input if name and name not in added]
    needed: set[str] = set()
    while stack:
        name = stack.pop()
        if name in needed:
            continue
        needed.add(name)
        maker = index.producer.get(name)
        if maker is not None:
            stack.extend(index.reads[maker])
            stack.extend(out for out in index.nodes[maker].output if out)
    return needed
