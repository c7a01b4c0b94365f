"""What the Image and Category views say, against a plain computation on the recorded arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from viewer_recordings import CLASSES, CONV, DENSE, activity

from inspector.comparison import compare_scores
from inspector.recording import Recording, open_recording
from inspector.viewer.dpg.show import first_state
from inspector.viewer.model import actions as act
from inspector.viewer.model.category_data import read_category
from inspector.viewer.model.image_data import read_image
from inspector.viewer.model.reducer import reduce, start
from inspector.viewer.model.sources import catalog_of, open_sources
from inspector.viewer.model.unit_data import read_layer, read_unit
from inspector.viewer.model.views import Views
from inspector.viewer.model.work import Failure, Store, Workers


@pytest.fixture
def sharp(folder: Path) -> Iterator[Recording]:
    with open_recording(folder / "sharp.msgpack") as recording:
        yield recording


LABELS = np.arange(120) % 5
PREDICTIONS = np.where(np.arange(120) % 6 == 0, (LABELS + 1) % 5, LABELS)


def test_unit_against_numpy(sharp: Recording) -> None:
    values = activity(120, CONV, 1, 1.0)[:, 2].astype(np.float64)
    data = read_unit(sharp, "conv1", 2, "max")
    assert data.maximum == values.max()
    assert data.mean == pytest.approx(values.mean(), rel=1e-12)
    assert data.spread == pytest.approx(values.std(), rel=1e-12)
    assert data.zeros == (values == 0).mean()
    assert [top.image for top in data.top[:3]] == np.argsort(-values, kind="stable")[:3].tolist()
    means = [values[c == LABELS].mean() for c in range(5)]
    assert [c.category for c in data.categories] == np.argsort(means)[::-1].tolist()
    assert data.categories[0].mean == pytest.approx(max(means), rel=1e-12)
    assert data.categories[0].name == CLASSES[int(np.argmax(means))]


def test_silent_categories_are_no_top_categories(tmp_path: Path) -> None:
    from viewer_recordings import write_recording

    with open_recording(write_recording(tmp_path / "sparse.msgpack", "Sparse", images=7)) as few:
        for unit in range(30):
            data = read_unit(few, "dense", unit)
            assert all(mean.mean != 0 for mean in data.categories)


def test_the_mean_of_active_images_leaves_zeros_out(sharp: Recording) -> None:
    values = activity(120, DENSE, 0, 1.0)[:, 2].astype(np.float64)
    assert read_unit(sharp, "dense", 2).mean_active == pytest.approx(values[values > 0].mean())
    assert math.isnan(read_unit(sharp, "dense", 3).mean_active)


def test_a_ratio_that_does_not_exist_says_why_on_the_card(desk: Any) -> None:
    from test_panels import draw, style

    from inspector.viewer.model.geometry import Rect

    d = desk("sharp")
    for actions, words in (
        ((act.Go(2),), "no Normalizer"),
        ((act.ToggleNormalizer(0), act.Go(3)), "divisor ≤ 0"),
        ((act.Go(4),), "divisor NaN"),
    ):
        drawing = draw(d.do(*actions)[0], Rect(0, 0, 320, 800), style())
        assert words in " ".join(text.text for text in drawing.texts)


def test_the_plot_names_its_axes_and_marks_the_mean_of_what_it_shows(desk: Any) -> None:
    from test_panels import draw, style

    from inspector.viewer.model.geometry import Rect

    card = desk("sharp").do(act.Go(2, "conv1"))[0]
    texts = [text.text for text in draw(card, Rect(0, 0, 320, 900), style()).texts]
    for words in ("% of images", "rectified mean activity", "mean without zeros"):
        assert words in texts


def test_zero_nan_and_infinite_are_left_out(sharp: Recording) -> None:
    silent, broken, partly = (read_unit(sharp, "dense", unit) for unit in (3, 4, 5))
    assert silent.top == ()
    assert silent.zeros == 1
    assert broken.finite == 0
    assert math.isnan(broken.maximum)
    assert broken.categories == ()
    assert all(math.isfinite(top.value) and top.value > 0 for top in partly.top)
    assert partly.finite == np.isfinite(activity(120, DENSE, 0, 1.0)[:, 5]).sum()


def test_reductions_fall_back_with_a_note(sharp: Recording) -> None:
    assert read_unit(sharp, "conv1", 0, "").reduction == "relu_mean"
    assert read_unit(sharp, "conv1", 0, "mean").reduction == "relu_mean"
    assert read_unit(sharp, "conv1", 0, "mean").note == ""
    assert read_unit(sharp, "dense", 0, "max").note == ""
    other = read_unit(sharp, "conv1", 0, "cls")
    assert other.reduction == "relu_mean"
    assert "class token is not recorded here" in other.note


def test_image_against_numpy(sharp: Recording) -> None:
    row = activity(120, DENSE, 0, 1.0)[21]
    data = read_image(sharp, "dense", 21)
    good = np.where(np.isfinite(row) & (row != 0), row, -np.inf)
    order = [unit for unit in np.argsort(-good, kind="stable") if good[unit] > -np.inf][:25]
    assert data.units.tolist() == order
    assert (data.label_name, data.path, data.wrong) == ("one", "0021.png", False)
    assert read_image(sharp, "dense", 12).wrong
    assert sum(answer.probability for answer in data.answers) == pytest.approx(1)
    assert read_image(sharp, "", 21).units.tolist() == []


def test_category_against_numpy(sharp: Recording) -> None:
    data = read_category(sharp, read_layer(sharp, "dense"), 2)
    assert (data.images, data.name) == (24, "two")
    assert data.recall == ((PREDICTIONS == 2) & (LABELS == 2)).sum() / 24
    missed = np.flatnonzero((LABELS == 2) & (PREDICTIONS != 2))
    assert [top.image for top in data.missed.images] == missed.tolist()
    assert data.missed.others == ((3, "three", len(missed)),)
    claimed = np.flatnonzero((LABELS != 2) & (PREDICTIONS == 2))
    assert data.claimed.count == len(claimed)
    values = activity(120, DENSE, 0, 1.0).astype(np.float64)
    means = np.array([values[LABELS == 2, u][np.isfinite(values[LABELS == 2, u])].mean()
                      if np.isfinite(values[LABELS == 2, u]).any() else 0
                      for u in range(30)])  # fmt: skip
    assert data.units.tolist() == np.argsort(-means, kind="stable")[: len(data.units)].tolist()
    assert data.means == pytest.approx(means[data.units], rel=1e-9)


def test_category_without_labels(folder: Path) -> None:
    with open_recording(folder / "plain.msgpack") as recording:
        data = read_category(recording, None, 0)
    assert data.images == 0
    assert math.isnan(data.recall)
    assert data.missed.count == data.claimed.count == 0


def test_followers_show_the_leads_units_with_their_own_maxima(desk: Any) -> None:
    cards = desk("sharp", "dull").do(act.OpenImage(0, 21))
    assert cards[0].follows == ""
    assert cards[1].follows == "Sharp"
    units = [row.unit for row in cards[0].rows]
    assert [row.unit for row in cards[1].rows] == units
    own = activity(120, DENSE, 5, 0.6)
    for row in cards[1].rows:
        column = own[:, row.unit]
        assert row.value == column[np.isfinite(column)].max()
    assert cards[0].rows_top == cards[1].rows_top


def test_opening_an_image_of_a_follower_drops_the_lead(desk: Any) -> None:
    d = desk("sharp", "dull")
    cards = d.do(act.OpenImage(1, 5))
    assert d.state.lead is None
    assert [card.place.view for card in cards] == ["unit", "image"]
    cards = d.do(act.OpenCategory(1, 3))
    assert cards[1].category.name == "three"


def test_a_units_name_moves_the_lead(desk: Any) -> None:
    d = desk("sharp", "dull")
    d.do(act.OpenImage(0, 5), act.OpenUnit(1, 9))
    assert d.state.lead == 1
    assert (d.state.here.view, d.state.here.unit) == ("unit", 9)


def test_normalizer_divides_rows_and_reads_100_percent_of_itself(desk: Any) -> None:
    d = desk("sharp", "dull")
    cards = d.do(act.ToggleNormalizer(1), act.OpenImage(0, 21))
    assert all(row.shown == pytest.approx(1) for row in cards[1].rows)
    cards = d.do(act.SetView("unit"), act.Go(3))
    assert "nothing to divide by" in cards[0].ratio.reason
    cards = d.do(act.Go(4))
    assert "no finite activity" in cards[0].ratio.reason
    cards = d.do(act.Go(2), act.SetQuantity("ratio"))
    listed = d.views.units(d.state)
    assert listed.values[2] == pytest.approx(cards[0].ratio.value)
    assert math.isnan(listed.values[3])


def test_other_nets_say_what_they_lack(desk: Any) -> None:
    d = desk("sharp", "other", "broken", "empty")
    cards = d.do(act.Go(20))
    assert "has no unit 20 here" in cards[1].problem.title
    assert "cannot be opened" in cards[2].problem.title
    assert cards[3].problem.title == "No image yet"
    cards = d.do(act.GoLayer("conv1"), act.SetView("category"))
    assert cards[1].rows == ()
    cards = d.do(act.SetView("image"))
    assert "conv1 is not in this recording" in cards[1].problem.title


def test_sorted_list_steps_by_value(desk: Any) -> None:
    d = desk("sharp")
    d.do(act.ToggleSort())
    order = d.views.units(d.state).order
    values = d.views.units(d.state).values
    finite = values[order][~np.isnan(values[order])]
    assert (np.diff(finite) <= 0).all()
    assert np.isnan(values[order[-1]])


def test_cards_stay_while_new_ones_are_read(folder: Path) -> None:
    now = [0.0]
    sources = open_sources([folder / "sharp.msgpack"])
    catalog, store = catalog_of(sources), Store()
    views = Views(sources, catalog, store, clock=lambda: now[0])
    state = start(catalog, lead=0, layer="dense", unit=1)
    for _ in range(4):
        store.begin()
        views.cards(state)
        for key, make in store.wishes.items():
            store.put(key, make())
    store.begin()
    state = reduce(state, act.Go(20), catalog)
    assert views.cards(state)[0].place.unit == 1
    assert views.loading
    now[0] = 1.0
    assert views.cards(state)[0].data is None
    sources[0].close()


def test_workers_take_the_first_wish_and_forget_withdrawn_ones() -> None:
    import threading

    begun, go = threading.Event(), threading.Event()
    made: list[str] = []

    def slow() -> str:
        begun.set()
        go.wait(10)
        return "slow"

    def note(name: str) -> Any:
        def make() -> str:
            made.append(name)
            return name

        return make

    def fail() -> None:
        raise ValueError("broken")

    workers = Workers(1)
    try:
        workers.wish({("slow",): slow, ("old",): note("old")})
        assert begun.wait(10)
        workers.wish({("new",): note("new"), ("bad",): fail})
        go.set()
        results: dict[Any, Any] = {}
        while len(results) < 3:
            results |= workers.take()
        assert made == ["new"]
        assert results[("slow",)] == "slow"
        assert isinstance(results[("bad",)], Failure)
        assert workers.idle
    finally:
        workers.close()
    assert not any(t.name.startswith("inspector-viewer") for t in threading.enumerate())


def test_store_forgets_the_least_recently_used() -> None:
    store = Store(room=3 * 5000)
    for number in range(3):
        store.put((number,), np.zeros(500, np.float64))
    assert store.get((0,), lambda: None) is not None
    store.put((3,), np.zeros(500, np.float64))
    store.begin()
    assert store.get((1,), lambda: None) is None
    assert list(store.wishes) == [(1,)]
    assert store.get((0,), lambda: None) is not None


def test_scores_are_those_of_the_comparison(desk: Any, folder: Path) -> None:
    d = desk("sharp", "dull", "third")
    cards = d.do(act.Go(7))
    with (
        open_recording(folder / "sharp.msgpack") as ind,
        open_recording(folder / "third.msgpack") as ood,
    ):
        expected = compare_scores(ind, ood, layer="dense")["dense"].ood["Third"]
    assert cards[0].scores is None
    assert cards[2].scores.spurious == expected.spurious[7]
    assert cards[2].scores.novelty == expected.novelty[7]
    assert cards[2].scores.against == "Sharp"
    d.do(act.Focus(2), act.SetQuantity("novelty"))
    listed = d.views.units(d.state)
    assert listed.recording == 2
    assert np.array_equal(listed.values, expected.novelty, equal_nan=True)
    assert d.do(act.Go(3))[2].scores.spurious is None
    d.do(act.ToggleLead(0))
    assert d.state.quantity == "maximum"
    assert all(card.scores is None for card in d.do())


def test_what_cannot_be_scored_says_why(desk: Any) -> None:
    cards = desk("sharp", "plain").do(act.Go(7))
    assert "share no category" in cards[1].scores.reason


def test_first_state_of_the_options(folder: Path) -> None:
    sources = open_sources([folder / "sharp.msgpack", folder / "dull.msgpack"])
    try:
        state = first_state(sources, image="Dull:7", unit="dense:3", lead="dull")
        assert (state.here.view, state.here.image, state.here.unit) == ("image", 7, 3)
        assert state.lead == 1
        assert first_state(sources, category="two").here.category == 2
        assert first_state(sources, image="Dull:7").lead is None
    finally:
        for source in sources:
            source.close()
