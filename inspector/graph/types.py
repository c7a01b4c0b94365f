"""Element types of a model's tensors, inferred without touching its weights."""

from __future__ import annotations

import onnx
from onnx import ModelProto, TensorProto

# Shape inference reads the values of small constants (axes, target shapes) and no others.
KEPT_BYTES = 1024


def without_weights(proto: ModelProto) -> ModelProto:
    """A copy whose large initializers became typed inputs: a few kB of any model."""
    light = ModelProto()
    light.ir_version = max(proto.ir_version, 4)
    light.opset_import.extend(proto.opset_import)
    graph, source = light.graph, proto.graph
    graph.name = source.name or "graph"
    graph.node.extend(source.node)
    graph.output.extend(source.output)
    declared: set[str] = set()
    for tensor in source.initializer:
        declared.add(tensor.name)
        small = tensor.data_location != TensorProto.EXTERNAL and tensor.ByteSize() <= KEPT_BYTES
        if small:
            graph.initializer.append(tensor)
        else:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    graph.input.extend(value for value in source.input if value.name not in declared)
    return light


def element_types(proto: ModelProto) -> dict[str, int]:
    """Tensor to ONNX element type; what inference cannot tell is left out."""
    types: dict[str, int] = {t.name: t.data_type for t in proto.graph.initializer}
    values = [*proto.graph.input, *proto.graph.value_info, *proto.graph.output]
    try:
        inferred = onnx.shape_inference.infer_shapes(without_weights(proto)).graph
        values += [*inferred.value_info, *inferred.output]
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        # A model that inference cannot digest still runs; unknown types are cast when tapped.
        pass
    for value in values:
        if value.type.HasField("tensor_type") and value.type.tensor_type.elem_type:
            types[value.name] = value.type.tensor_type.elem_type
    return types
