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


def chord(code: int) -> str:
    """The pressed key with the modifiers held: `Ctrl+K`; "" for keys without a name."""
    name = NAMES.get(code)
    if name is None:
        return ""
    held = [
        word
        for word, keys in (
            ("Ctrl", (dpg.mvKey_LControl, dpg.mvKey_RControl)),
            ("Alt", (dpg.mvKey_LAlt, dpg.mvKey_RAlt)),
        )
        if any(dpg.is_key_down(key) for key in keys)
    ]
    if name == "/" and any(dpg.is_key_down(k) for k in (dpg.mvKey_LShift, dpg.mvKey_RShift)):
        name = "?"
    return "+".join([*held, name])
