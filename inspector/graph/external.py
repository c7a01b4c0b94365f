"""Weights that lie in files beside the model: which files, what identifies them, the small ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper

SMALL_BYTES = 4096
"""Up to here external values are taken into the graph: axes, indices, bounds, scales."""

_BLOCK = 1 << 22


def external_files(proto: ModelProto) -> tuple[str, ...]:
    """Locations of all external weights, relative to the model's folder, sorted."""
    found = {
        entry.value
        for tensor in _tensors(proto.graph)
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return tuple(sorted(found))


def model_digest(file_sha256: str, folder: Path, files: tuple[str, ...]) -> str:
    """Identify a model by its file and all its weights.

    Parameters
    ----------
    file_sha256 : str
        Of the `.onnx` file; the whole identity of a model without external weights.
    folder : Path
        Where the external files lie.
    files : tuple of str
        Their names, as :func:`external_files` gives them.

    Returns
    -------
    str
        Hex SHA-256. Retrained weights beside an unchanged graph make another model.

    Raises
    ------
    OSError
        When a file cannot be read.
    """
    if not files:
        return file_sha256
    whole = hashlib.sha256(file_sha256.encode())
    for name in files:
        weights = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while block := file.read(_BLOCK):
                weights.update(block)
        whole.update(f"{name}\0{weights.hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def embed_small(proto: ModelProto, folder: Path) -> None:
    """Read external values of at most :data:`SMALL_BYTES` into the model itself.

    What shapes a graph (axes, slice bounds, target shapes) must be known to understand it, and
    ONNX Runtime cannot infer shapes from external ones either. Weights stay where they are.

    Parameters
    ----------
    proto : ModelProto
        A model that the checker has passed by its path; it is changed.
    folder : Path
        Where the external files lie.

    Raises
    ------
    OSError
        When a file cannot be read.
    ValueError
        When a place in a file is no number.
    """
    for tensor in _tensors(proto.graph):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        size = _bytes(tensor)
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = (folder / entries.get("location", "")).resolve()
        # A key given twice may be read differently by the checker, so it is left to the runtime.
        plain = len(entries) == len(tensor.external_data) and path.is_relative_to(folder.resolve())
        if size is None or not 0 <= size <= SMALL_BYTES or not plain:
            continue
        if int(entries.get("length", size)) != size:
            continue
        with path.open("rb") as file:
            file.seek(int(entries.get("offset", 0)))
            data = file.read(size)
        if len(data) < size:
            # What is wrong with the file is ONNX Runtime's to say.
            continue
        tensor.raw_data = data
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")


def _bytes(tensor: TensorProto) -> int | None:
    """Size of the values; None for types that are packed or of no fixed size."""
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError):
        return None
    # Types of ml_dtypes have no numpy kind; the four-bit ones among them are packed.
    if dtype.kind not in "biufc":
        return None
    size: int = math.prod(tensor.dims) * dtype.itemsize
    return size


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            elif attribute.type == AttributeProto.TENSORS:
                yield from attribute.tensors
            elif attribute.type == AttributeProto.GRAPH:
                yield from _tensors(attribute.g)
            elif attribute.type == AttributeProto.GRAPHS:
                for inner in attribute.graphs:
                    yield from _tensors(inner)
