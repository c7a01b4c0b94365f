"""The Unit view in a real window, driven by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.viewer.model import actions as act
from inspector.viewer.model.state import QUANTITIES, VIEWS

Make = Callable[..., Any]


def test_arrow_keys_step_through_units_and_layers(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    d.key("Right")
    assert d.here == ("dense", 1)
    d.key("Left", "Left")
    assert d.here == ("dense", 29)
    d.key("Down")
    assert d.here == ("logits", 0)
    d.key("Up")
    assert d.here == ("dense", 29)


def test_clicks_choose_unit_and_layer(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    d.click("unit.2")
    assert d.here == ("dense", 2)
    d.click("layer.conv1")
    assert d.here[0] == "conv1"


def test_a_typed_number_goes_there_and_a_wrong_one_says_why(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    d.key("1", "2", "Return")
    assert d.here == ("dense", 12)
    d.key("9", "9", "Return")
    assert d.here == ("dense", 12)
    assert "between 0 and 29" in d.app.state.message.text


def test_search_box_goes_anywhere(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    d.key("ctrl+k")
    d.type("conv1:3")
    d.key("Return")
    assert d.here == ("conv1", 3)


def test_arrow_keys_in_a_text_box_move_its_cursor_only(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:4")
    d.key("ctrl+k")
    d.type("1")
    d.key("Left", "Down")
    assert d.here == ("dense", 4)


def test_lead_off_lets_recordings_go_their_own_way(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:1")
    d.click("card.0.lead")
    assert d.app.state.lead is None
    d.click("card.1.name")
    d.key("Right")
    assert [place.unit for place in d.app.state.places] == [1, 2]
    d.click("card.1.lead")
    assert [place.unit for place in d.app.state.places] == [2, 2]


def test_normalizer_reads_100_percent_of_itself(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:1")
    d.click("card.0.normalizer")
    d.settle()
    cards = d.app.view.cards(d.app.state)
    assert cards[0].ratio.value == 1
    assert cards[1].ratio.value == pytest.approx(cards[1].data.maximum / cards[0].data.maximum)
    d.click("card.0.normalizer")
    assert d.app.state.normalizer is None


def test_wheel_scrolls_all_images_under_a_lead(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    before = d.pixels()
    rect = d.place("images.0")
    d.move(rect.x + 40, rect.y + 40)
    d.wheel(2)
    d.move(5, 5)
    assert d.app.state.scroll("images") > 0
    changed = np.abs(d.pixels() - before).max(axis=2) > 0.05
    for number in (0, 1):
        rect = d.place(f"images.{number}")
        part = changed[int(rect.y) : int(rect.bottom), int(rect.x) : int(rect.right)]
        assert part.mean() > 0.02


def test_scroll_bar_can_be_dragged(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    strip = d.place("drag.units")
    d.move(strip.x + strip.w / 2, strip.y + 10)
    d.xdotool("mousedown", 1)
    d.frames()
    d.move(strip.x + strip.w / 2, strip.y + 60)
    d.xdotool("mouseup", 1)
    d.frames()
    assert d.app.state.scroll("units") > 0


def test_a_picture_under_the_mouse_is_shown_large(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    before = d.pixels()
    first = d.app.view.cards(d.app.state)[0].data.top[0]
    d.hover(f"card.0.image.{first.image}")
    d.settle()
    d.frames(30)
    after = d.pixels()
    blue = np.array([90, 200, 255]) / 255

    def pixels_like(shot: np.ndarray) -> int:
        return int((np.abs(shot - blue).max(axis=2) < 0.02).sum())

    assert pixels_like(after) > pixels_like(before) + 1000


def test_menus_help_and_theme(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="conv1:0")
    d.click("menu.reduction")
    assert d.app.state.menu == "reduction"
    d.click("entry.maximum")
    assert (d.app.state.reduction, d.app.state.menu) == ("max", "")
    d.key("F1")
    assert d.app.state.help
    d.key("Escape")
    assert not d.app.state.help
    dark = d.pixels().mean()
    d.key("t")
    assert d.app.state.theme == "light"
    assert d.pixels().mean() > dark + 0.4


def test_back_and_forward(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:0")
    d.key("Right", "Right", "alt+Left")
    assert d.here == ("dense", 1)
    d.click("forward")
    assert d.here == ("dense", 2)


def test_bad_files_cost_only_their_panel(driver: Make, folder: Path) -> None:
    names = ("sharp", "broken", "unfinished", "other")
    d = driver([folder / f"{name}.msgpack" for name in names], unit="conv1:1", size=(1280, 800))
    cards = d.app.view.cards(d.app.state)
    assert cards[0].data is not None
    assert cards[1].problem.serious
    assert "Unfinished: 64 of 120" in cards[2].warning
    assert cards[2].data.images == 64
    assert "conv1 is not in this recording" in cards[3].problem.title
    d.key("Down", "Right")
    assert d.app.view.cards(d.app.state)[3].data is not None


def test_a_growing_file_is_followed(driver: Make, tmp_path: Path) -> None:
    from viewer_recordings import write_recording

    path = write_recording(tmp_path / "growing.msgpack", "Growing", stop_after=1)
    d = driver([path])
    assert d.app.view.cards(d.app.state)[0].data.images == 32
    whole = write_recording(tmp_path / "whole.msgpack", "Growing").read_bytes()
    with path.open("r+b") as file:
        file.seek(0, 2)
        file.write(whole[file.tell() :])
    d.until(lambda: d.app.sources[0].generation > 0)
    d.settle()
    assert d.app.view.cards(d.app.state)[0].data.images == 120


def test_window_title_and_closing(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:7")
    assert d.app._title == "dense:7 – Sharp, Dull – Inspector"
    d.key("ctrl+q")
    assert d.app.closing


def test_an_image_a_category_and_a_unit_lead_to_each_other(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:2", size=(1280, 800))
    first = d.app.view.cards(d.app.state)[0].data.top[0]
    d.click(f"card.0.image.{first.image}")
    assert (d.app.state.here.view, d.app.state.here.image) == ("image", first.image)
    d.click("card.0.label")
    assert d.app.state.here.view == "category"
    assert d.app.state.here.category == first.label
    unit = d.app.view.cards(d.app.state)[1].rows[0].unit
    d.click(f"card.1.unit.{unit}")
    assert d.here == ("dense", unit)
    assert d.app.state.lead == 1
    d.key("alt+Left", "alt+Left", "alt+Left")
    assert d.here == ("dense", 2)
    d.click("view.image")
    d.key("Right")
    assert d.app.state.here.image == 1


def test_categories_are_found_by_name(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:2")
    d.key("ctrl+k")
    d.type("Three")
    d.key("Return")
    assert (d.app.state.here.view, d.app.state.here.category) == ("category", 3)


def test_a_file_cut_under_the_viewer_costs_only_its_panel(driver: Make, tmp_path: Path) -> None:
    from viewer_recordings import write_recording

    paths = [write_recording(tmp_path / f"{n}.msgpack", n, seed=n == "b") for n in ("a", "b")]
    d = driver(paths, unit="dense:1")
    with paths[1].open("r+b") as file:
        file.truncate(2000)
    d.key("1", "5", "Return")
    d.settle()
    cards = d.app.view.cards(d.app.state)
    assert cards[0].data.unit == 15
    assert "cannot be read" in cards[1].problem.title


def test_keys_that_zoom_page_and_move_the_focus(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:5")
    d.key("Next", "Prior", "Prior")
    assert d.here == ("dense", 25)
    d.key("f")
    assert (d.app.state.focus, d.app.screen.boxes.typing) == (1, "")
    d.key("l")
    assert d.app.state.lead == 1
    before = d.app.state.picture
    d.key("equal")
    assert d.app.state.picture > before
    d.key("ctrl+equal")
    assert d.app.state.scale > 1
    d.key("ctrl+0", "question")
    assert d.app.state.scale == 1
    assert d.app.state.help


def test_a_suggestion_can_be_clicked(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:5")
    d.key("slash")
    d.type("thr")
    d.click("entry.three")
    assert (d.app.state.here.view, d.app.state.here.category) == ("category", 3)


def test_enter_takes_the_first_suggestion(driver: Make, pair: list[Path]) -> None:
    d = driver(pair, unit="dense:5")
    d.key("slash")
    d.type("fou")
    d.key("Return")
    assert (d.app.state.here.view, d.app.state.here.category) == ("category", 4)


def test_a_random_walk_leaves_no_error(driver: Make, folder: Path) -> None:
    """The fixture checks that no callback raised; every frame draws what the state says."""
    names = ("sharp", "other", "broken", "empty", "plain")
    d = driver([folder / f"{name}.msgpack" for name in names])
    random = np.random.default_rng(0)

    def number(most: int) -> int:
        return int(random.integers(most))

    makers: list[Callable[[], act.Action]] = [
        lambda: act.StepUnit(number(21) - 10),
        lambda: act.StepLayer(number(3) - 1),
        lambda: act.SetView(VIEWS[number(3)]),
        lambda: act.ToggleLead(number(5)),
        lambda: act.ToggleNormalizer(number(5)),
        lambda: act.Focus(number(5)),
        lambda: act.OpenImage(number(5), number(150)),
        lambda: act.OpenCategory(number(5), number(7)),
        lambda: act.OpenUnit(number(5), number(40)),
        lambda: act.SetQuantity(QUANTITIES[number(6)]),
        lambda: act.SetReduction(("", "max", "mean", "relu_mean")[number(4)]),
        lambda: act.Scroll(("images", "units", "cards", "layers")[number(4)], number(900)),
        lambda: act.Zoom(number(3) - 1),
        lambda: act.OpenMenu(("reduction", "quantity")[number(2)]),
        act.ToggleSort, act.Back, act.Forward, act.ToggleTheme, act.ToggleHelp, act.Escape,
    ]  # fmt: skip
    for _ in range(120):
        d.app.actions.append(makers[number(len(makers))]())
        d.frames(1)
    d.settle()
    assert len(list(d.app.screen.drawings())) >= 10
