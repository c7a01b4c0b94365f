"""Run a model over stimuli into a recording, in one supervised worker process."""

from inspector.runner.errors import (
    ImageSkippedError,
    ModelInputError,
    ModelMemoryError,
    ModelRunError,
    NothingReadableError,
    OptionError,
    ProviderError,
    RunnerError,
    WorkerDiedError,
)
from inspector.runner.model import Model, load_model
from inspector.runner.options import RecordOptions
from inspector.runner.progress import OnProgress, Progress
from inspector.runner.record import RecordResult, record

__all__ = [
    "ImageSkippedError",
    "Model",
    "ModelInputError",
    "ModelMemoryError",
    "ModelRunError",
    "NothingReadableError",
    "OnProgress",
    "OptionError",
    "Progress",
    "ProviderError",
    "RecordOptions",
    "RecordResult",
    "RunnerError",
    "WorkerDiedError",
    "load_model",
    "record",
]
