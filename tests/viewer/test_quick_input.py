"""Input faster than the frames: nothing between two events but the window's own loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]


@pytest.fixture
def d(driver: Make, folder: Path) -> Any:
    """Four cards in a large window, whose frames are slow."""
    names = ("sharp", "dull", "third", "photos")
    paths = [folder / f"{name}.msgpack" for name in names]
    return driver(paths, unit="dense:0", size=(1280, 800))


def test_a_chord_whose_modifier_is_let_go_first(d: Any) -> None:
    d.xdotool("keydown", "ctrl")
    d.frames(2)
    d.xdotool("keydown", "k", "keyup", "ctrl", "keyup", "k")
    d.frames(4)
    assert d.app.screen.boxes.typing == "search"


def test_a_held_key_stays_the_chord_that_it_was(d: Any) -> None:
    d.at_once("keydown ctrl", "keydown c", "keyup ctrl", "sleep 0.7", "keyup c")
    assert d.app.state.here.view == "unit"
    assert d.app.state.message.text == "copied dense:0"


def test_a_modifier_let_go_is_forgotten(d: Any) -> None:
    d.at_once("key ctrl+c")
    d.at_once("key n")
    assert d.app.state.normalizer == 0


@pytest.mark.parametrize("attempt", range(2))
def test_typing_right_after_the_chord(d: Any, attempt: int) -> None:
    d.at_once(
        "key ctrl+k",
        "type --delay 25 conv1:3",
        "key Return",
        done=lambda: d.here[0] == "conv1" or d.app.state.message is not None,
    )
    assert d.here == ("conv1", 3)
    assert (d.app.state.here.view, d.app.state.normalizer) == ("unit", None)


def test_chord_and_letters_in_one_breath_are_no_commands(d: Any) -> None:
    d.at_once("key --delay 0 ctrl+k type --delay 0 ncln")
    assert (d.app.state.here.view, d.app.state.normalizer) == ("unit", None)
    assert (d.app.state.lead, d.app.screen.boxes.typing) == (0, "search")


def test_quitting(d: Any) -> None:
    closed = []
    for _ in range(3):
        d.xdotool("keydown", "ctrl")
        d.frames(1)
        d.xdotool("keydown", "q", "keyup", "ctrl", "keyup", "q")
        d.frames(2)
        closed.append(d.app.closing)
        d.app.closing = False
        d.frames(2)
    assert closed == [True] * 3


def test_a_click_counts_where_it_was_made(d: Any) -> None:
    at = {unit: d.place(f"unit.{unit}") for unit in (2, 9, 5)}
    for unit, rect in at.items():
        d.at_once(f"mousemove {rect.x + 30:.0f} {rect.y + 10:.0f} click 1")
        assert d.here == ("dense", unit)


def test_move_click_move_click(d: Any) -> None:
    first, second = d.place("card.1.normalizer"), d.place("unit.7")
    words = [f"mousemove {rect.x + 12:.0f} {rect.y + 10:.0f} click 1" for rect in (first, second)]
    d.at_once(" ".join([*words, "mousemove 5 5"]))
    assert (d.app.state.normalizer, d.here) == (1, ("dense", 7))


def test_a_drag_ends_where_the_button_was_let_go(d: Any) -> None:
    strip = d.place("drag.units")
    x, y = strip.x + strip.w / 2, strip.y + 10
    d.at_once(
        f"mousemove {x:.0f} {y:.0f} mousedown 1",
        f"mousemove {x:.0f} {y + 400:.0f} mouseup 1 mousemove 5 5",
    )
    rows = d.app.screen.regions["units"].rows
    assert d.app.state.scroll("units") == rows.limit > 0
