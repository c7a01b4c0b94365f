"""Pure functions on arrays: nothing here reads a file or knows a recording."""

from inspector.analysis.probabilities import NO_PREDICTION, predictions, probabilities
from inspector.analysis.scores import (
    FEWEST_CATEGORIES,
    chance_level,
    normalised,
    novelty_scores,
    spurious_scores,
    tuning_correlation,
)
from inspector.analysis.tuning import CategorySums

__all__ = [
    "FEWEST_CATEGORIES",
    "NO_PREDICTION",
    "CategorySums",
    "chance_level",
    "normalised",
    "novelty_scores",
    "predictions",
    "probabilities",
    "spurious_scores",
    "tuning_correlation",
]
