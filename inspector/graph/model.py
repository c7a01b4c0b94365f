"""A loaded model: its graph, what it takes, and an index over its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from onnx import ModelProto

from inspector.graph.external import model_digest
from inspector.graph.index import GraphIndex

Shapes = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""Tensor name to its shape at batch 2 and at batch 3 (equal where the batch is fixed)."""


@dataclass(frozen=True)
class GraphInput:
    """One thing the model must be fed.

    Attributes
    ----------
    name
        Its name in the graph.
    dtype
        Name of the numpy dtype (``float32``, ``uint8``, …; ``object`` for text).
    shape
        Batch first; None where the model leaves a dimension open.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def batch(self) -> int | None:
        """The fixed batch, or None where it is open."""
        return self.shape[0] if self.shape else None


@dataclass(frozen=True, eq=False)
class Graph:
    """A checked model. Its external weights stay in their files and are only read to be hashed.

    Attributes
    ----------
    path
        The model file.
    name
        The file's name without its ending.
    file_sha256
        Of the model file alone.
    weight_files
        Locations of its external weights, relative to the model's folder.
    proto
        The model, local functions inlined and small external values taken in. Not to be changed.
    inputs
        What has to be fed; initializers that are repeated as inputs are left out.
    opset
        Version of the default operator set.
    ir_version
        Version of the file format.
    metadata
        The model's own key-value pairs.
    classes
        Category names by id that the model itself carries; () when it has none.
    """

    path: Path
    name: str
    file_sha256: str
    weight_files: tuple[str, ...]
    proto: ModelProto = field(repr=False)
    inputs: tuple[GraphInput, ...]
    opset: int
    ir_version: int
    metadata: Mapping[str, str]
    classes: tuple[str, ...]

    @cached_property
    def sha256(self) -> str:
        """Identity of the model: its file and, where there are any, its external weights."""
        folder = Path(self.path).resolve().parent
        return model_digest(self.file_sha256, folder, self.weight_files)

    @cached_property
    def index(self) -> GraphIndex:
        """Producers, readers, constants and live tensors, made on first use."""
        return GraphIndex(self.proto)
