"""Weights that lie in files beside the model: which files, and what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from onnx import AttributeProto, GraphProto, ModelProto, TensorProto

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
