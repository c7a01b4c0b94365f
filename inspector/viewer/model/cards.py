"""What one recording's card shows, whatever the view."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from inspector.viewer.model.category_data import CategoryData
from inspector.viewer.model.histogram import Histogram
from inspector.viewer.model.image_data import ImageData
from inspector.viewer.model.score_data import UnitScores
from inspector.viewer.model.state import Place
from inspector.viewer.model.unit_data import TopImage, UnitData


@dataclass(frozen=True)
class Problem:
    """Why a card shows no activity."""

    title: str
    text: str
    serious: bool = True


@dataclass(frozen=True)
class Ratio:
    """A maximum divided by the Normalizer's, or the reason why there is none.

    `brief` is the reason in two or three words.
    """

    value: float = float("nan")
    reason: str = ""
    divisor: float = float("nan")
    name: str = ""
    brief: str = ""


@dataclass(frozen=True)
class UnitRow:
    """A unit in the Image or Category view: what it did, and its own top images."""

    unit: int
    value: float
    divisor: float
    top: tuple[TopImage, ...]

    @property
    def shown(self) -> float:
        """The value, as a share of the Normalizer's maximum if there is one."""
        return self.value if math.isnan(self.divisor) else self.value / self.divisor


@dataclass(frozen=True)
class CardView:
    """One recording in one view.

    Of `data`, `image` and `category` the one that belongs to the view is set, unless it is still
    being read or there is a `problem`. `follows` names the Lead when this card shows the units
    that the Lead chose.
    """

    number: int
    name: str
    subtitle: str
    subtitle_tip: tuple[str, ...]
    warning: str
    warning_tip: str
    place: Place
    leads: bool
    normalizes: bool
    focused: bool
    problem: Problem | None = None
    data: UnitData | None = None
    ratio: Ratio = field(default_factory=Ratio)
    histogram: Histogram | None = None
    plot_top: float = 0.0
    categories_top: float = 0.0
    native: int = 0
    """Longest side of the first thumbnail in pixels; 0 while unknown."""
    classes: tuple[str, ...] = ()
    generation: int = 0
    scored: bool = False
    """Whether there is a line for scores (a Lead, and something to compare with it)."""
    scores: UnitScores | None = None
    linked: bool = False
    """Whether there is a Lead, so that images scroll together."""

    image: ImageData | None = None
    category: CategoryData | None = None
    rows: tuple[UnitRow, ...] = ()
    rows_title: str = ""
    rows_note: str = ""
    rows_top: float = 0.0
    """The value of a full bar, the same for all recordings."""
    follows: str = ""

    @property
    def loading(self) -> bool:
        """Whether something of it is still being read."""
        if self.problem is not None:
            return False
        if self.place.view == "unit":
            return self.data is None or (self.histogram is None and self.data.active > 0)
        return self.image is None and self.category is None

    def category_name(self, number: int) -> str:
        """A category's name."""
        if number < 0:
            return ""
        return self.classes[number] if number < len(self.classes) else f"category {number}"
