"""InD against OOD: what recordings of one model say about its units."""

from inspector.comparison.errors import (
    ComparisonError,
    DifferentModelsError,
    DifferentOptionsError,
    NoCommonCategoriesError,
    NoCommonLayersError,
    SameNameError,
    SignedLayerError,
    UnfinishedRecordingError,
)
from inspector.comparison.scores import (
    FEW_IMAGES,
    LayerScores,
    OodScores,
    Scores,
    compare_scores,
)
from inspector.comparison.tuning import LayerTuning, layer_tuning, score_reduction

__all__ = [
    "FEW_IMAGES",
    "ComparisonError",
    "DifferentModelsError",
    "DifferentOptionsError",
    "LayerScores",
    "LayerTuning",
    "NoCommonCategoriesError",
    "NoCommonLayersError",
    "OodScores",
    "SameNameError",
    "Scores",
    "SignedLayerError",
    "UnfinishedRecordingError",
    "compare_scores",
    "layer_tuning",
    "score_reduction",
]
