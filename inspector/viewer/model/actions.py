"""Everything a user can do, as data. Callbacks only make these; the reducer alone acts on them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Something asked for by mouse, keyboard or command line."""


@dataclass(frozen=True)
class Go(Action):
    """Show a unit: of the layer now shown when `layer` is empty."""

    unit: int
    layer: str = ""


@dataclass(frozen=True)
class GoLayer(Action):
    """Show a layer, at the unit last looked at there."""

    layer: str


@dataclass(frozen=True)
class SetView(Action):
    """Look at units, images or categories."""

    view: str


@dataclass(frozen=True)
class OpenImage(Action):
    """Show an image of a recording; in a follower this drops the Lead."""

    recording: int
    image: int


@dataclass(frozen=True)
class OpenCategory(Action):
    """Show a category of a recording; in a follower this drops the Lead."""

    recording: int
    category: int


@dataclass(frozen=True)
class OpenUnit(Action):
    """Show a unit, led by the recording in which its name was clicked."""

    recording: int
    unit: int


@dataclass(frozen=True)
class StepUnit(Action):
    """Move along the list of units (images, categories: what the view is of), around its ends."""

    by: int


@dataclass(frozen=True)
class StepLayer(Action):
    """Move along the list of layers, around its ends."""

    by: int


@dataclass(frozen=True)
class Submit(Action):
    """Go to what was typed: a number, a layer, or `layer:unit`."""

    text: str


@dataclass(frozen=True)
class Back(Action):
    """To the place looked at before."""


@dataclass(frozen=True)
class Forward(Action):
    """To the place left by going back."""


@dataclass(frozen=True)
class Focus(Action):
    """Make a recording the one that keys mean; -1 = the next one."""

    recording: int


@dataclass(frozen=True)
class ToggleLead(Action):
    """Make a recording (-1: the one in focus) the Lead, or let each go its own way."""

    recording: int


@dataclass(frozen=True)
class ToggleNormalizer(Action):
    """Divide by the maxima of this recording (-1: the one in focus), or by nothing."""

    recording: int


@dataclass(frozen=True)
class SetReduction(Action):
    """Show another way in which positions became one number."""

    reduction: str


@dataclass(frozen=True)
class SetQuantity(Action):
    """What the bars in the list of units mean."""

    quantity: str


@dataclass(frozen=True)
class ToggleSort(Action):
    """List units by their number or by the bar."""


@dataclass(frozen=True)
class ToggleTheme(Action):
    """Light or dark."""


@dataclass(frozen=True)
class Zoom(Action):
    """Make everything larger or smaller; 0 = back to 1."""

    steps: int


@dataclass(frozen=True)
class ZoomPictures(Action):
    """Make the small pictures larger or smaller; 0 = back to the usual size."""

    steps: int


@dataclass(frozen=True)
class Scroll(Action):
    """Move the contents of a region to an offset (pixels, already within its limits)."""

    region: str
    offset: float


@dataclass(frozen=True)
class Type(Action):
    """A digit typed with no box in focus; a number grows until Enter."""

    character: str


@dataclass(frozen=True)
class Erase(Action):
    """Take back the last typed digit."""


@dataclass(frozen=True)
class Enter(Action):
    """Go to the typed number."""


@dataclass(frozen=True)
class Escape(Action):
    """Close what is open: help, a menu, a typed number, a message."""


@dataclass(frozen=True)
class OpenMenu(Action):
    """Open a menu by name, or close it when it is open."""

    menu: str


@dataclass(frozen=True)
class ToggleHelp(Action):
    """The page of keys."""


@dataclass(frozen=True)
class FocusSearch(Action):
    """Put the cursor into the box for going anywhere."""


@dataclass(frozen=True)
class Say(Action):
    """Show a message."""

    text: str
    good: bool = True


@dataclass(frozen=True)
class SaveView(Action):
    """Write a picture of the window."""


@dataclass(frozen=True)
class CopyAddress(Action):
    """Put the address of what is shown (`layer:unit`) on the clipboard."""


@dataclass(frozen=True)
class Quit(Action):
    """Close the window."""
