"""How far a recording is, for whoever draws the bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A moment of a recording.

    Attributes
    ----------
    done, total : int
        Images.
    seconds : float
        Since the first image of this run.
    fresh : int
        Images done in this run; less than `done` after a resume.
    """

    done: int
    total: int
    seconds: float
    fresh: int

    @property
    def rate(self) -> float:
        """Images a second in this run; 0 before the first."""
        return self.fresh / self.seconds if self.seconds > 0 else 0.0


OnProgress = Callable[[Progress], None]
