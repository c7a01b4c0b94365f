"""Key codes of the toolkit as the names that the table of bindings uses."""

from __future__ import annotations

import string

import dearpygui.dearpygui as dpg


def _names() -> dict[int, str]:
    wanted = {
        "Left": "Left", "Right": "Right", "Up": "Up", "Down": "Down", "Return": "Enter",
        "NumPadEnter": "Enter", "Escape": "Escape", "Tab": "Tab", "Back": "Backspace",
        "Home": "Home", "End": "End", "F1": "F1", "Slash": "/", "Minus": "-", "Add": "=",
        "Subtract": "-",
    }  # fmt: skip
    wanted |= {letter: letter for letter in string.ascii_uppercase}
    for digit in string.digits:
        wanted[digit] = digit
        wanted[f"NumPad{digit}"] = digit
    # Dear PyGui 2.3.1 reports these keys under codes that none of its constants has; they follow
    # the neighbours named here in ImGui's list.
    names = {
        int(dpg.mvKey_Slash) + 2: "=",
        int(dpg.mvKey_Down) + 1: "PageUp",
        int(dpg.mvKey_Down) + 2: "PageDown",
    }
    for constant, name in wanted.items():
        code = getattr(dpg, f"mvKey_{constant}", None)
        if code is not None:
            names[int(code)] = name
    return names


NAMES = _names()


_MODIFIERS = {
    "Ctrl": (dpg.mvKey_LControl, dpg.mvKey_RControl),
    "Alt": (dpg.mvKey_LAlt, dpg.mvKey_RAlt),
    "Shift": (dpg.mvKey_LShift, dpg.mvKey_RShift),
}


class Keyboard:
    """Which modifiers a key was pressed with, whatever has been let go since.

    Presses are told one frame late and without their modifiers. The toolkit takes in at most one
    change of a key per frame, so a modifier that was down when a key was pressed is down at the
    end of that frame or was at the end of the one before.
    """

    def __init__(self) -> None:
        self._before: set[str] = set()
        self._chords: dict[int, str] = {}

    def held(self, modifier: str) -> bool:
        """Whether "Ctrl", "Alt" or "Shift" was down during the frame just told about."""
        return modifier in self._before or _down(modifier)

    def pressed(self, code: int) -> str:
        """The chord of a pressed (or repeating) key: `Ctrl+K`; "" for keys without a name."""
        known = self._chords.get(code)
        if known is not None:
            # It repeats: letting Ctrl go while C is still down does not make it another key.
            return known
        name = NAMES.get(code)
        if name is None:
            return ""
        held = [word for word in ("Ctrl", "Alt") if self.held(word)]
        if name == "/" and self.held("Shift"):
            name = "?"
        self._chords[code] = "+".join([*held, name])
        return self._chords[code]

    def end(self) -> None:
        """All presses of a frame have been told: remember what is down at its end."""
        self._before = {word for word in _MODIFIERS if _down(word)}
        self._chords = {code: c for code, c in self._chords.items() if dpg.is_key_down(code)}


def _down(modifier: str) -> bool:
    return any(dpg.is_key_down(key) for key in _MODIFIERS[modifier])
