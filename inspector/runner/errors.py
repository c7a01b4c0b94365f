"""What can go wrong while a model runs."""

from __future__ import annotations

from inspector.errors import InspectorError


class RunnerError(InspectorError):
    """Root of the errors of running a model."""


class WorkerDiedError(RunnerError):
    """The process that ran ONNX Runtime crashed, was killed, or stopped answering."""


class ModelRunError(RunnerError):
    """ONNX Runtime refused the model or failed while it ran."""


class ModelMemoryError(ModelRunError):
    """The model asked for more memory than the limit."""


class ModelInputError(RunnerError):
    """The model's inputs are of a kind that stimuli cannot be handed to."""


class ProviderError(RunnerError):
    """The execution provider asked for is not there."""


class NothingReadableError(RunnerError):
    """Not one of the stimuli could be read."""


class ImageSkippedError(RunnerError):
    """A stimulus could not be read and `strict` forbids to leave it out."""


class OptionError(RunnerError):
    """An option has a value that makes no sense."""
