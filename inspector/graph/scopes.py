"""Where in the user's own module tree each node was made.

Three exporters write it, each in its way: PyTorch's current one into node metadata, its
TorchScript one into node names (``/layer4/layer4.1/relu/Relu``), TensorFlow's into node names
without the leading slash (``StatefulPartitionedCall/model/conv1/Relu``).
"""

from __future__ import annotations

import ast
import re
from collections import Counter

from onnx import NodeProto

from inspector.graph import operators
from inspector.graph.index import GraphIndex

_METADATA = "pkg.torch.onnx.name_scopes"
_MERGED_WEIGHT = re.compile(r"onnx::Conv(Transpose)?_\d+$")
_CALL = re.compile(r"(.*[^\d_.])_\d+$")
_ADDED = re.compile(r"__\d+$")
_AGAIN = re.compile(r"_\d+$")
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_NO_MODULE = "_empty_nn_module_stack"

Path = tuple[str, ...]
"""Module paths around a node, outermost first: ("layer4", "layer4.1", "layer4.1.relu")."""


def scope_paths(index: GraphIndex) -> tuple[list[Path], dict[int, list[str]]]:
    """For each node the modules around it, () where nothing is known.

    Returns
    -------
    paths, merged
        `merged` names, for a convolution into which a BatchNorm was folded, the module that is
        no longer there by itself.
    """
    found = [_from_metadata(node) for node in index.nodes]
    if any(found):
        return [path or () for path in found], {}
    if sum(node.name.startswith("/") for node in index.nodes) > len(index.nodes) / 4:
        paths = _join_calls(index, [_from_torchscript(node.name) for node in index.nodes])
        merged: dict[int, list[str]] = {}
        for number, node in enumerate(index.nodes):
            # The exporter makes up a name for the merged weight, and what the node computes is
            # no longer the output of the convolution's own module.
            made_up = node.op_type in _CONVOLUTIONS and _MERGED_WEIGHT.match(node.input[1])
            if made_up and paths[number]:
                merged[number] = [paths[number][-1]]
        gone = {name for names in merged.values() for name in names}
        paths = [tuple(name for name in path if name not in gone) for path in paths]
        return paths, merged
    if sum("/" in node.name.strip("/") for node in index.nodes) > len(index.nodes) / 4:
        return _from_tensorflow([_tensorflow_name(index, node) for node in index.nodes]), {}
    return [() for _ in index.nodes], {}


def _from_metadata(node: NodeProto) -> Path | None:
    for item in node.metadata_props:
        if item.key == _METADATA:
            try:
                names = ast.literal_eval(item.value)
            except (ValueError, SyntaxError):
                return None
            # The last entry is the operator's own name, the first one the model itself.
            return tuple(str(n) for n in names[:-1] if n and not str(n).startswith(_NO_MODULE))
    return None


def _from_torchscript(name: str) -> Path:
    if not name.startswith("/"):
        return ()
    paths: list[str] = []
    prefix: list[str] = []
    for part in name.strip("/").split("/")[:-1]:
        # A child of a container repeats it: layer4/layer4.1 is layer4.1.
        if prefix and part.startswith(prefix[-1] + "."):
            prefix[-1] = part
        else:
            prefix.append(part)
        paths.append(".".join(prefix))
    return tuple(paths)


def _join_calls(index: GraphIndex, paths: list[Path]) -> list[Path]:
    """Read ``relu_1`` beside ``relu`` as the second call of one module.

    So this exporter writes it. A module of that very name would look the same, unless it has
    weights: then it is one.
    """
    known = {name for path in paths for name in path}
    renamed: dict[str, str] = {}
    for name in known:
        call = _CALL.match(name)
        if call is None or call[1] not in known:
            continue
        if not any(weight.startswith(name + ".") for weight in index.initializers):
            renamed[name] = call[1]
    return [tuple(_rename(name, renamed) for name in path) for path in paths]


def _rename(name: str, renamed: dict[str, str]) -> str:
    """Rename a path whose own or outer parts were renamed."""
    if name in renamed:
        return renamed[name]
    for old, new in renamed.items():
        if name.startswith(old + "."):
            return new + name[len(old) :]
    return name


def _tensorflow_name(index: GraphIndex, node: NodeProto) -> str:
    """A node's name; "" for the changes of layout that tf2onnx adds.

    They are named after a neighbour (``net/norm/add__25``) and lie outside its module. A
    convolution that took up a bias or a normalisation gets a new name (``Conv__19``): it computes
    what that module did, and the last of its weights is named after it.
    """
    if _ADDED.search(node.name):
        if node.op_type in operators.LAYOUT:
            return ""
        if "/" not in node.name:
            weights = [name for name in node.input if name in index.constants and "/" in name]
            return weights[-1] if weights else ""
    return node.name


def _from_tensorflow(names: list[str]) -> list[Path]:
    parts = [name.split("/")[:-1] for name in names]
    # What every scoped node shares ("StatefulPartitionedCall/model") says nothing.
    scoped = [p for p in parts if p]
    shared = 0
    while scoped and all(len(p) > shared + 1 for p in scoped):
        (_, count), *_ = Counter(p[shared] for p in scoped).most_common(1)
        if count < len(scoped):
            break
        shared += 1
    suffix = _call_suffix([p[: shared + 1] for p in scoped])
    paths = []
    for part in parts:
        inner = part[shared:]
        inner[:1] = [name.removesuffix(suffix) for name in inner[:1]]
        paths.append(tuple("/".join(inner[:end]) for end in range(1, len(inner) + 1)))
    return paths


def _call_suffix(starts: list[list[str]]) -> str:
    """What Keras adds to the model and all of its layers when it is called again: "_1".

    `starts` are the shared scopes (the model's) with the layer's behind them; the suffix counts
    only when the model and every layer bear the same.
    """
    found = _AGAIN.search(starts[0][-2]) if starts and len(starts[0]) > 1 else None
    if found is None or not all(start[-1].endswith(found[0]) for start in starts):
        return ""
    return found[0]
