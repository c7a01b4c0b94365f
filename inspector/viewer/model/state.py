"""What the viewer shows, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

VIEWS = ("unit", "image", "category")
QUANTITIES = ("maximum", "mean", "zeros", "ratio", "spurious", "novelty")
SCALES = (0.75, 0.85, 1.0, 1.15, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
PICTURE_SIZES = (40, 52, 64, 80, 100, 128, 160)
USUAL_PICTURE = 80


@dataclass(frozen=True)
class Place:
    """Where one recording is looked at."""

    layer: str = ""
    unit: int = 0
    view: str = "unit"
    image: int = 0
    category: int = 0


@dataclass(frozen=True)
class Message:
    """What the status bar says until the next action."""

    text: str
    good: bool = True


@dataclass(frozen=True)
class State:
    """The whole view.

    `places` holds one place per recording. With a Lead all recordings show the Lead's place;
    without one each shows its own and the keyboard moves the recording in focus. `past` and
    `future` are the places left by going on and by going back.
    """

    places: tuple[Place, ...] = ()
    focus: int = 0
    lead: int | None = None
    normalizer: int | None = None
    reduction: str = ""
    quantity: str = "maximum"
    sorted: bool = False
    theme: str = "dark"
    scale: float = 1.0
    picture: int = USUAL_PICTURE
    scrolls: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    last_units: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    menu: str = ""
    help: bool = False
    typed: str = ""
    message: Message | None = None
    searching: int = 0
    past: tuple[tuple[Place, ...], ...] = ()
    future: tuple[tuple[Place, ...], ...] = ()

    @property
    def active(self) -> int:
        """The recording that navigation moves: the Lead, or else the one in focus."""
        return self.focus if self.lead is None else self.lead

    def place(self, recording: int) -> Place:
        """Where a recording is looked at: where the Lead is, if there is one."""
        return self.places[recording if self.lead is None else self.lead]

    @property
    def here(self) -> Place:
        """The place that navigation moves."""
        return self.places[self.active] if self.places else Place()

    def scroll(self, region: str) -> float:
        """How far a region is scrolled, in pixels."""
        return self.scrolls.get(region, 0.0)

    def scrolled(self, region: str, offset: float) -> State:
        """The state with a region scrolled to `offset`."""
        return replace(self, scrolls=MappingProxyType({**self.scrolls, region: offset}))
