"""Numbers, ticks, lists, grids, catalogues, keys and texts: small pure things."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from viewer_desk import Layer

from inspector.viewer.dpg.font_files import read_metrics
from inspector.viewer.model import actions as act
from inspector.viewer.model.bindings import BINDINGS, action_for, groups, hints
from inspector.viewer.model.catalog import make_catalog
from inspector.viewer.model.goto import suggestions
from inspector.viewer.model.histogram import count_values, shared_range
from inspector.viewer.model.numbers import exact, percent, plural, tick, ticks, value
from inspector.viewer.model.palette import DARK, LIGHT, Colour
from inspector.viewer.model.thumbnails import tile_from_image
from inspector.viewer.model.virtual import SHARP, Rows, fitted_grid


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (11.5234, "11.52"), (-3.14159, "-3.14"), (0.5, "0.50"), (0.0421, "0.042"),
        (123.456, "123.5"), (1234.5, "1,234"), (4.2e7, "4.2e+07"), (3.2e-6, "3.2e-06"),
        (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞"),
    ],
)  # fmt: skip
def test_values(number: float, text: str) -> None:
    assert value(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (0.032, "3.2 %"), (1.0, "100 %"), (1.374, "137 %"), (0.5, "50.0 %"),
        (0.6, "60.0 %"),
        (0.0001, "<0.1 %"), (math.nan, "–"), (math.inf, "∞"), (-0.5, "-50.0 %"),
    ],
)  # fmt: skip
def test_percentages(share: float, text: str) -> None:
    assert percent(share) == text


def test_exact_and_plural() -> None:
    assert np.float32(exact(float(np.float32(0.1)))) == np.float32(0.1)
    assert plural(1, "image") == "1 image"
    assert plural(48210, "image") == "48,210 images"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_ticks_are_few_and_inside(low: float, span: float, about: int) -> None:
    marks = ticks(low, low + span, about)
    assert len(marks) <= 3 * about
    slack = span * 1e-6 + 1e-9
    assert all(low - slack <= mark <= low + span + slack for mark in marks)
    assert marks == sorted(marks)


def test_ticks_of_nothing() -> None:
    assert ticks(3, 3) == [3]
    assert ticks(math.nan, 1) == []
    assert tick(0.25, 0.25) == "0.2" or tick(0.25, 0.05) == "0.25"


@given(st.integers(0, 10**9), st.floats(1, 2000), st.floats(0, 1))
def test_a_billion_rows(count: int, height: float, part: float) -> None:
    rows = Rows(count, 26, height)
    offset = rows.clamped(part * rows.limit)
    seen = rows.visible(offset)
    assert len(seen) <= height / 26 + 2
    for row in seen:
        assert -26 < rows.top(row, offset) < height
    if count:
        row = int(part * (count - 1))
        offset = rows.revealing(row, offset)
        assert 0 <= offset <= rows.limit
        if height >= 26:
            assert rows.top(row, offset) >= -1e-6
            assert rows.top(row, offset) + 26 <= height + 1e-6


def test_scroll_handle() -> None:
    rows = Rows(1000, 20, 200)
    assert rows.thumb(0) == (0.0, 24.0)
    assert rows.thumb(rows.limit) == (176.0, 24.0)
    assert Rows(5, 20, 200).thumb(0) is None


@given(st.integers(60, 3000), st.integers(30, 200), st.sampled_from([0, 1, 8, 28, 32, 40, 64, 224]))
def test_grids_fill_their_width(width: int, target: int, native: int) -> None:
    grid = fitted_grid(100, width, 500, target=target, native=native, gap=8, caption=20)
    assert grid.columns * grid.cell + 8 * (grid.columns - 1) <= width
    assert grid.cell >= 8
    assert grid.rows.count * grid.columns >= 100


def test_small_pictures_get_cells_of_whole_multiples() -> None:
    grid = fitted_grid(100, 280, 500, target=80, native=28, gap=8, caption=20)
    assert grid.cell - grid.cell // 28 * 28 <= 0.1 * grid.cell


def test_small_images_are_repeated_whole() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 3)).astype(np.uint8)
    tile = tile_from_image(image, 84, 0)
    assert tile.shape == (84, 84, 4)
    assert tile.dtype == np.float32
    assert np.array_equal(np.round(tile[1::3, 1::3, :3] * 255).astype(np.uint8), image)
    assert np.array_equal(tile[0::3, 2::3], tile[1::3, 1::3])
    assert (tile[..., 3] == 1).all()


def test_a_plain_background_is_continued_and_another_left_clear() -> None:
    digit = np.zeros((28, 28, 3), np.uint8)
    digit[10:18, 10:18] = 255
    assert tile_from_image(digit, 66, 6)[1, 33].tolist() == [0, 0, 0, 1]
    photo = np.random.default_rng(0).integers(0, 256, (30, 60, 3)).astype(np.uint8)
    tile = tile_from_image(photo, 66, 6)
    assert not tile[:16].any()
    assert tile[33, 33, 3] == 1


@pytest.mark.parametrize(
    "shape", [(28, 28, 3), (28, 28), (64, 64, 3), (200, 30, 3), (3, 300, 3), (1, 1, 3), (41, 41)]
)
@pytest.mark.parametrize("cell", [8, 57, 96, 224])
def test_tiles_of_any_image(shape: tuple[int, ...], cell: int) -> None:
    tile = tile_from_image(np.full(shape, 200, np.uint8), cell, 6)
    assert tile.shape == (cell, cell, 4)
    assert tile.flags.c_contiguous
    assert 0 <= tile.min() <= tile.max() <= 1
    assert tile[0, 0, 3] < 0.5
    assert tile[cell // 2, cell // 2] == pytest.approx([200 / 255] * 3 + [1], abs=0.01)


def test_no_image_is_a_clear_tile() -> None:
    assert not tile_from_image(np.zeros((0, 0, 3), np.uint8), 50, 6).any()
    assert SHARP < 64


def test_histogram_counts_zeros_apart_and_leaves_out_what_is_not_finite() -> None:
    values = np.array([0, 0, 0, 1, 2, 4, np.nan, np.inf, -np.inf], np.float32)
    histogram = count_values(values, 0, 4, bins=4)
    assert histogram.counts.tolist() == [0, 1, 1, 1]
    assert (histogram.zeros, histogram.finite) == (3, 6)
    assert histogram.shares.sum() == pytest.approx(0.5)
    assert histogram.edges(1) == (1, 2)


def test_histogram_of_nothing() -> None:
    histogram = count_values(np.zeros(0, np.float32), 0, 1)
    assert histogram.shares.sum() == 0


@given(st.lists(st.tuples(st.floats(), st.floats())))
def test_shared_range_holds_zero_and_is_never_empty(extents: list[tuple[float, float]]) -> None:
    low, high = shared_range(extents)
    assert low <= 0
    assert low < high or high > 1e300
    assert math.isfinite(low)
    assert math.isfinite(high)


def test_every_key_is_listed_once() -> None:
    keys = [binding.key for binding in BINDINGS]
    assert len(keys) == len(set(keys))
    assert action_for("Ctrl+K") == act.FocusSearch()
    assert action_for("7") == act.Type("7")
    assert action_for("Ctrl+Alt+F9") is None
    listed = {binding.action for binding in BINDINGS if binding.group}
    for binding in BINDINGS:
        same_kind = any(type(action) is type(binding.action) for action in listed)
        assert same_kind, f"{binding.key} is on no page"
    assert sum(len(entries) for entries in groups().values()) >= 15
    assert all(key and word for key, word in hints())


def luminance(colour: Colour) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_text_can_be_read_on_every_background(palette: object) -> None:
    for back in (palette.window, palette.panel, palette.card, palette.hover):
        assert contrast(palette.text, back) >= 7
        assert contrast(palette.dim, back) >= 4.5
        assert contrast(palette.bad, back) >= 4.5
        for colour in palette.recordings:
            assert contrast(colour, back) >= 3
    assert contrast(palette.text, palette.selected) >= 7
    assert contrast(palette.on_accent, palette.accent) >= 4.5


def test_text_is_cut_and_broken_to_fit() -> None:
    regular, bold = read_metrics()
    assert regular.width("wider", 16) > regular.width("wide", 16)
    assert bold.width("text", 16) > regular.width("text", 16)
    fitted = regular.fitted("a very long name of a layer", 16, 80)
    assert fitted.endswith("…")
    assert regular.width(fitted, 16) <= 80
    assert regular.fitted("short", 16, 80) == "short"
    end = regular.fitted_end("/model/layer4/layer4.1/conv2", 16, 120)
    assert end.startswith("…")
    assert end.endswith("conv2")
    assert regular.width(end, 16) <= 120
    for sign in "←→↑↓–…×·✓∞":
        assert regular.has(sign), sign


@given(st.text(max_size=200), st.integers(20, 300))
def test_broken_lines_fit(text: str, room: int) -> None:
    regular, _ = read_metrics()
    for line in regular.wrapped(text, 14, room):
        assert regular.width(line, 14) <= room or len(line) == 1


def test_suggestions() -> None:
    layers = [Layer("conv1", 10), Layer("dense", 50)]
    catalog = make_catalog(["a"], ["net"], [layers], [9], [["cat", "dog", "cone"]])
    assert suggestions("con", 0, catalog) == [
        ("conv1", act.GoLayer("conv1")),
        ("cone", act.OpenCategory(0, 2)),
    ]
    assert suggestions("12", 0, catalog) == []
    assert suggestions("", 0, catalog) == []
