"""Models as graphs: load and check them, find their layers, tap and pool what is to be recorded.

The only package that imports onnx. It never runs a model: concrete shapes are handed in.
"""

from __future__ import annotations

from inspector.graph.errors import (
    AxisError,
    ExternalDataError,
    GraphError,
    InvalidModelError,
    LayerNotFoundError,
    ModelMissingError,
    NotAModelError,
    ReductionError,
    TruncatedModelError,
    UnknownOutputError,
    UnsupportedModelError,
)
from inspector.graph.expose import Exposed, expose_all
from inspector.graph.instrument import Instrumented, instrument
from inspector.graph.layer import Layer, Output
from inspector.graph.layers import find_layers
from inspector.graph.loading import load_graph
from inspector.graph.model import Graph, GraphInput, Shapes
from inspector.graph.output import find_output
from inspector.graph.reductions import REDUCTIONS, stored_reductions
from inspector.graph.select import select_layers
from inspector.graph.survey import Folded, Survey, Untapped, survey

__all__ = [
    "REDUCTIONS",
    "AxisError",
    "Exposed",
    "ExternalDataError",
    "Folded",
    "Graph",
    "GraphError",
    "GraphInput",
    "Instrumented",
    "InvalidModelError",
    "Layer",
    "LayerNotFoundError",
    "ModelMissingError",
    "NotAModelError",
    "Output",
    "ReductionError",
    "Shapes",
    "Survey",
    "TruncatedModelError",
    "UnknownOutputError",
    "UnsupportedModelError",
    "Untapped",
    "expose_all",
    "find_layers",
    "find_output",
    "instrument",
    "load_graph",
    "select_layers",
    "stored_reductions",
    "survey",
]
