"""Why recordings cannot be compared."""

from __future__ import annotations

from inspector.errors import InspectorError


class ComparisonError(InspectorError):
    """Root of the errors of comparing recordings."""


class DifferentModelsError(ComparisonError):
    """The recordings were made with different models."""


class UnfinishedRecordingError(ComparisonError):
    """A recording was broken off: its figures would look like those of a whole one."""


class DifferentOptionsError(ComparisonError):
    """The recordings were made in ways whose values mean different things."""


class SameNameError(ComparisonError):
    """Two recordings carry one name, so their results could not be told apart."""


class NoCommonLayersError(ComparisonError):
    """No layer stands in all recordings."""


class NoCommonCategoriesError(ComparisonError):
    """No category has labelled images in both recordings."""


class SignedLayerError(ComparisonError):
    """The layer was recorded in a way that the scores are not defined for."""
