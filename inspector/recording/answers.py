"""Images that a classifier gave no answer to."""

from __future__ import annotations

import numpy as np

from inspector.recording.recording import Recording


def unanswered(recording: Recording) -> int:
    """Count the images that were read but have no prediction: an output was not finite.

    They are counted apart and belong to no accuracy. 0 for a model without a classifier.
    """
    if not recording.header.output:
        return 0
    return int((np.asarray(recording.predictions) < 0).sum()) - len(recording.skipped)
