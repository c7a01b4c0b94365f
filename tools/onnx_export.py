"""Export a PyTorch module to one self-contained ONNX file that keeps its module names.

Inspector shows layers under the names of ``model.named_modules()``; the exporter writes them into
each node's metadata. All else it writes there (stack traces with the paths of the machine at hand)
is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

OPSET = 20
KEPT_METADATA = frozenset(
    {"namespace", "pkg.torch.onnx.class_hierarchy", "pkg.torch.onnx.name_scopes"}
)


def export(
    model: torch.nn.Module,
    example: torch.Tensor,
    path: Path,
    *,
    output_name: str,
    classes: Sequence[str],
    preprocess: Mapping[str, Any],
) -> None:
    """Write ``model`` in evaluation mode to ``path``.

    Parameters
    ----------
    model
        Takes one tensor and returns one.
    example
        An input of at least two images; the batch is dynamic in the file.
    path
        The ``.onnx`` file; weights are inside.
    output_name
        Name of the output; the input is called ``images``.
    classes
        Names of the outputs by index, kept in the metadata property ``classes``.
    preprocess
        How raw pixels become the input, kept as ``inspector.preprocess``.
    """
    model.eval()
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=["images"],
        output_names=[output_name],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    _keep_only_names(proto.graph)
    proto.doc_string = ""
    onnx.helper.set_model_props(
        proto,
        {"classes": json.dumps(list(classes)), "inspector.preprocess": json.dumps(preprocess)},
    )
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def worst_difference(model: torch.nn.Module, path: Path, images: torch.Tensor) -> float:
    """Return the largest absolute difference between PyTorch's outputs and ONNX Runtime's."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    model.eval()
    with torch.no_grad():
        expected = model(images).numpy()
    (actual,) = session.run(None, {"images": images.numpy()})
    return float(np.abs(actual - expected).max())


def _keep_only_names(graph: onnx.GraphProto) -> None:
    graph.doc_string = ""
    holders = [graph, *graph.node, *graph.initializer, *graph.value_info]
    for holder in [*holders, *graph.input, *graph.output]:
        if isinstance(holder, onnx.NodeProto):
            holder.doc_string = ""
        kept = [(p.key, p.value) for p in holder.metadata_props if p.key in KEPT_METADATA]
        del holder.metadata_props[:]
        for key, value in kept:
            holder.metadata_props.add(key=key, value=value)
