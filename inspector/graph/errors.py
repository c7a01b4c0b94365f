"""Errors of the graph package, one class per cause."""

from __future__ import annotations

from inspector.errors import InspectorError


class GraphError(InspectorError):
    """The root of everything that can be wrong with a model file or a request about it."""


class ModelMissingError(GraphError):
    """There is no file at the given path."""


class NotAModelError(GraphError):
    """The file is something else than an ONNX model; the message says what."""


class TruncatedModelError(GraphError):
    """The file begins as an ONNX model and then breaks off or is damaged."""


class InvalidModelError(GraphError):
    """The file is an ONNX model that breaks ONNX's own rules."""


class UnsupportedModelError(GraphError):
    """A valid model that uses something Inspector or the installed onnx does not know."""


class ExternalDataError(GraphError):
    """Weights kept in other files are missing, or lie where they must not."""


class UnknownOutputError(GraphError):
    """The named output is not one of the model's, or cannot be read as a classification."""


class LayerNotFoundError(GraphError):
    """A name or pattern matches no layer."""


class ReductionError(GraphError):
    """The reduction is unknown, or does not fit the layer."""


class AxisError(GraphError):
    """The unit axis asked for is not an axis of the layer."""
