"""The reducer alone: no window, no file."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from viewer_desk import Layer

from inspector.viewer.model import actions as act
from inspector.viewer.model.catalog import Catalog, make_catalog
from inspector.viewer.model.moves import HISTORY
from inspector.viewer.model.reducer import reduce, start
from inspector.viewer.model.state import QUANTITIES, State


def catalog(recordings: int = 3) -> Catalog:
    layers = (Layer("conv1", 10, "conv", ("relu_mean", "max")), Layer("dense", 50),
              Layer("a:b", 4), Layer("out", 7, "logits"))  # fmt: skip
    names = [f"set {number}" for number in range(recordings)]
    images = [10 - number for number in range(recordings)]
    classes = [["cat", "dog", "cow"][: 3 - number % 3] for number in range(recordings)]
    return make_catalog(names, ["net"] * recordings, [layers] * recordings, images, classes)


CATALOG = catalog()


def at(unit: int, layer: str = "dense", **options: object) -> State:
    return start(CATALOG, layer=layer, unit=unit, lead=0, **options)  # type: ignore[arg-type]


def after(state: State, *actions: act.Action) -> State:
    for action in actions:
        state = reduce(state, action, CATALOG)
    return state


def test_starts_at_the_last_layer_before_the_logits() -> None:
    assert start(CATALOG, lead=0).here.layer == "a:b"
    assert start(catalog(0)).here.layer == ""


def test_units_wrap_around_both_ends() -> None:
    assert after(at(49), act.StepUnit(1)).here.unit == 0
    assert after(at(0), act.StepUnit(-1)).here.unit == 49
    assert after(at(0), act.StepUnit(-101)).here.unit == 49


def test_stepping_follows_the_list_when_it_is_sorted() -> None:
    order = np.arange(50)[::-1]
    assert reduce(at(7), act.StepUnit(1), CATALOG, order).here.unit == 6
    assert reduce(at(0), act.StepUnit(1), CATALOG, order).here.unit == 49


def test_layers_wrap_and_remember_their_unit() -> None:
    state = after(at(7), act.StepLayer(1), act.StepLayer(-1))
    assert (state.here.layer, state.here.unit) == ("dense", 7)
    assert after(at(7, "out"), act.StepLayer(1)).here.layer == "conv1"


def test_a_wrong_number_says_which_are_right() -> None:
    state = after(at(7), act.Submit("50"))
    assert state.here.unit == 7
    assert state.message is not None
    assert not state.message.good
    assert "between 0 and 49" in state.message.text
    assert after(state, act.Submit("49")).message is None


def test_addresses() -> None:
    assert after(at(7), act.Submit("conv1:3")).here.unit == 3
    assert after(at(7), act.Submit("a:b:2")).here == at(2, "a:b").here
    assert after(at(7), act.Submit("a:b")).here.layer == "a:b"
    assert after(at(7), act.Submit("CONV")).here.layer == "conv1"
    assert after(at(7), act.Submit(" #12 ")).here.unit == 12
    for wrong in ("", "nowhere", "nowhere:3", "conv1:x", "-1", "conv1:10", "²"):
        state = after(at(7), act.Submit(wrong))
        assert state.here == at(7).here, wrong
        assert state.message is not None


def test_typed_digits_grow_until_enter() -> None:
    state = after(at(7), act.Type("1"), act.Type("9"), act.Erase(), act.Type("2"))
    assert state.typed == "12"
    state = after(state, act.Enter())
    assert (state.here.unit, state.typed) == (12, "")
    assert after(at(7), act.Type("3"), act.Escape(), act.Enter()).here.unit == 7


def test_without_a_lead_each_recording_goes_its_own_way() -> None:
    state = after(at(7), act.ToggleLead(0), act.Focus(2), act.StepUnit(1))
    assert [place.unit for place in state.places] == [7, 7, 8]
    assert state.place(2).unit == 8
    led = after(state, act.ToggleLead(2))
    assert [led.place(number).unit for number in range(3)] == [8, 8, 8]
    assert led.lead == 2


def test_one_normalizer_at_most_and_again_clears_it() -> None:
    state = after(at(7), act.ToggleNormalizer(1), act.ToggleNormalizer(2))
    assert state.normalizer == 2
    state = after(state, act.SetQuantity("ratio"))
    assert state.quantity == "ratio"
    state = after(state, act.ToggleNormalizer(2))
    assert (state.normalizer, state.quantity) == (None, "maximum")
    assert after(state, act.SetQuantity("ratio")).quantity == "maximum"


def test_going_back_and_forward_and_cutting_the_future() -> None:
    state = after(at(0), act.Go(1), act.Go(2), act.Go(3), act.Back(), act.Back())
    assert state.here.unit == 1
    assert after(state, act.Forward()).here.unit == 2
    branched = after(state, act.Go(9))
    assert branched.future == ()
    assert after(branched, act.Back()).here.unit == 1
    assert after(at(0), act.Back()).here.unit == 0


def test_history_has_an_end() -> None:
    state = at(0)
    for unit in range(HISTORY + 50):
        state = after(state, act.Go(unit % 50 or 1), act.Go(0))
    assert len(state.past) == HISTORY


def test_a_new_unit_begins_with_its_first_image() -> None:
    state = at(0).scrolled("images", 500).scrolled("units", 40)
    state = after(state, act.StepUnit(1))
    assert state.scroll("images") == 0
    assert state.scroll("units") == 40


def test_zoom_stays_within_its_steps() -> None:
    assert after(at(0), *[act.Zoom(1)] * 30).scale == 3.0
    assert after(at(0), *[act.Zoom(-1)] * 30).scale == 0.75
    assert after(at(0), act.Zoom(1), act.Zoom(0)).scale == 1.0
    assert after(at(0), *[act.ZoomPictures(-1)] * 30).picture == 40


ANY_ACTION = st.one_of(
    st.builds(act.Go, st.integers(-3, 60), st.sampled_from(["", "conv1", "dense", "nope"])),
    st.builds(act.GoLayer, st.sampled_from(["conv1", "out", "nope"])),
    st.builds(act.StepUnit, st.integers(-200, 200)),
    st.builds(act.StepLayer, st.integers(-9, 9)),
    st.builds(act.Submit, st.text(max_size=8)),
    st.builds(act.Submit, st.from_regex(r"(conv1|dense|a:b|):?-?\d{0,3}", fullmatch=True)),
    st.builds(act.OpenImage, st.integers(-1, 5), st.integers(-1, 12)),
    st.builds(act.OpenCategory, st.integers(-1, 5), st.integers(-1, 4)),
    st.builds(act.OpenUnit, st.integers(-1, 5), st.integers(-1, 60)),
    st.builds(act.SetView, st.sampled_from(["unit", "image", "category", "nope"])),
    st.builds(act.Focus, st.integers(-1, 5)),
    st.builds(act.ToggleLead, st.integers(-1, 5)),
    st.builds(act.ToggleNormalizer, st.integers(-1, 5)),
    st.builds(act.SetQuantity, st.sampled_from([*QUANTITIES, "nonsense"])),
    st.builds(act.SetReduction, st.sampled_from(["", "max", "mean"])),
    st.builds(act.Zoom, st.integers(-3, 3)),
    st.builds(act.ZoomPictures, st.integers(-3, 3)),
    st.builds(act.Scroll, st.sampled_from(["units", "images"]), st.floats(-1e9, 1e9)),
    st.builds(act.Type, st.sampled_from(list("0123456789"))),
    st.builds(act.OpenMenu, st.sampled_from(["reduction", "quantity"])),
    st.sampled_from(
        [act.Back(), act.Forward(), act.Enter(), act.Erase(), act.Escape(), act.ToggleSort(),
         act.ToggleTheme(), act.ToggleHelp(), act.FocusSearch(), act.Say("hello"), act.Quit()]
    ),
)  # fmt: skip


@given(st.lists(ANY_ACTION, max_size=60), st.integers(0, 4))
def test_no_sequence_of_actions_leaves_what_exists(
    actions: list[act.Action], recordings: int
) -> None:
    known = catalog(recordings)
    state = start(known, lead=0 if recordings else None)
    for action in actions:
        state = reduce(state, action, known)
        assert len(state.places) == recordings
        for number in range(recordings):
            place = state.place(number)
            layer = known.layer(place.layer)
            assert layer is not None
            assert 0 <= place.unit < layer.units
            if place.view == "image" and (state.lead is None or state.lead == number):
                assert 0 <= place.image < known.images[number]
        assert state.lead is None or 0 <= state.lead < recordings
        assert state.normalizer is None or 0 <= state.normalizer < recordings
        assert 0 <= state.focus < max(1, recordings)
        assert state.quantity != "ratio" or state.normalizer is not None
        if state.quantity in ("spurious", "novelty"):
            assert state.lead is not None
        assert all(offset >= 0 for offset in state.scrolls.values())
        if state.lead is not None:
            assert len(set(state.places)) == 1


@given(st.lists(ANY_ACTION, max_size=30))
def test_back_undoes_a_move(actions: list[act.Action]) -> None:
    state = start(CATALOG, lead=0)
    for action in actions:
        before = state
        state = reduce(state, action, CATALOG)
        moved = len(state.past) == len(before.past) + 1 and not isinstance(action, act.Forward)
        if moved:
            assert reduce(state, act.Back(), CATALOG).places == before.places
