"""The keys, in one table: the dispatch, the page of keys and the status bar are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewer.model import actions as act


@dataclass(frozen=True)
class Binding:
    """One key or chord: `key` as `Ctrl+K`, what it does, and the words for it.

    `short` is what the status bar says ("" = only on the page of keys); `shown` the key as
    written there. A binding with an empty `group` is another key for something already listed.
    """

    key: str
    action: act.Action
    text: str
    group: str
    short: str = ""
    shown: str = ""


BINDINGS: tuple[Binding, ...] = (
    Binding(
        "Right", act.StepUnit(1), "previous or next unit, image or category", "Units", "unit", "← →"
    ),
    Binding("Left", act.StepUnit(-1), "previous unit", ""),
    Binding("Down", act.StepLayer(1), "previous or next layer", "Units", "layer", "↑ ↓"),
    Binding("Up", act.StepLayer(-1), "previous layer", ""),
    Binding("PageDown", act.StepUnit(10), "ten units back or on", "Units", "", "PgUp PgDn"),
    Binding("PageUp", act.StepUnit(-10), "ten units back", ""),
    Binding("Enter", act.Enter(), "go to the number typed", "Units", "go to unit", "0–9 Enter"),
    Binding("Backspace", act.Erase(), "take back a digit", "Units"),
    Binding("Ctrl+K", act.FocusSearch(), "go to any layer or unit", "Going", "go to", "Ctrl+K"),
    Binding("/", act.FocusSearch(), "go to any layer or unit", ""),
    Binding("Alt+Left", act.Back(), "back", "Going", "back", "Alt ←"),
    Binding("Alt+Right", act.Forward(), "forward", "Going", "", "Alt →"),
    Binding("Ctrl+C", act.CopyAddress(), "copy the address of this unit", "Going"),
    Binding("U", act.SetView("unit"), "look at a unit", "Views"),
    Binding("I", act.SetView("image"), "look at an image", "Views"),
    Binding("C", act.SetView("category"), "look at a category", "Views"),
    Binding("L", act.ToggleLead(-1), "Lead: all recordings follow the one in focus", "Compare"),
    Binding("N", act.ToggleNormalizer(-1), "Normalizer: divide by its maxima", "Compare"),
    Binding("F", act.Focus(-1), "next recording into focus", "Compare"),
    Binding("R", act.OpenMenu("reduction"), "choose the reduction", "Compare"),
    Binding("S", act.ToggleSort(), "list units by number or by value", "Compare"),
    Binding("T", act.ToggleTheme(), "light or dark colours", "Window"),
    Binding("Ctrl+=", act.Zoom(1), "everything larger or smaller", "Window", "", "Ctrl + −"),
    Binding("Ctrl+-", act.Zoom(-1), "everything smaller", ""),
    Binding("Ctrl+0", act.Zoom(0), "usual size", "Window"),
    Binding("=", act.ZoomPictures(1), "pictures larger or smaller", "Window", "", "+ −"),
    Binding("-", act.ZoomPictures(-1), "pictures smaller", ""),
    Binding("Ctrl+S", act.SaveView(), "save the window as PNG", "Window"),
    Binding("F1", act.ToggleHelp(), "this page", "Window", "all keys", "?"),
    Binding("?", act.ToggleHelp(), "this page", ""),
    Binding("Escape", act.Escape(), "close what is open", "Window", "", "Esc"),
    Binding("Ctrl+Q", act.Quit(), "close the window", "Window"),
)

_BY_KEY = {binding.key: binding.action for binding in BINDINGS}


def action_for(key: str) -> act.Action | None:
    """What a key or chord does; digits type a number."""
    if len(key) == 1 and key.isascii() and key.isdigit():
        return act.Type(key)
    return _BY_KEY.get(key)


def groups() -> dict[str, list[tuple[str, str]]]:
    """(keys, what they do) by group, for the page of keys."""
    out: dict[str, list[tuple[str, str]]] = {}
    for binding in BINDINGS:
        if binding.group:
            out.setdefault(binding.group, []).append((binding.shown or binding.key, binding.text))
    return out


def hints() -> list[tuple[str, str]]:
    """(keys, word) for the status bar."""
    return [(b.shown or b.key, b.short) for b in BINDINGS if b.short]
