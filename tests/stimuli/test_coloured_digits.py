from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InspectorError
from inspector.stimuli.coloured_digits import (
    COLOURINGS,
    DIGIT_CLASSES,
    FOREGROUND_THRESHOLD,
    Colouring,
    UnknownColouringError,
    colour_digits,
    held_out_digits,
)
from inspector.stimuli.errors import ArrayFormatError, LabelError

TEN = np.arange(10)


def one_pixel_digits(grey: int) -> np.ndarray:
    return np.full((10, 1, 1), grey, dtype=np.uint8)


def test_the_four_sets_come_in_order_ind_first() -> None:
    assert list(COLOURINGS) == ["colored", "permuted", "arbitrary", "drifted"]
    titles = [colouring.title for colouring in COLOURINGS.values()]
    assert titles == ["Colored", "Permuted", "Arbitrary", "Drifted"]
    assert all(name == colouring.name for name, colouring in COLOURINGS.items())
    assert DIGIT_CLASSES == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_five_hundred_digits_of_each_class_are_packaged() -> None:
    images, labels = held_out_digits()
    assert images.shape == (5000, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32
    assert np.bincount(labels).tolist() == [500] * 10
    assert images.min() == 0
    assert images.max() == 255
    assert len({image.tobytes() for image in images}) == 5000


def test_no_digit_is_without_ink() -> None:
    images, _ = held_out_digits()
    assert (images >= FOREGROUND_THRESHOLD).any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("name", "digit", "rgb"),
    [
        ("colored", 0, (0.137, 1, 0.712)),
        ("colored", 9, (0.401, 0.792, 1)),
        ("permuted", 0, (1, 0.390, 0.084)),
        ("permuted", 3, (0.137, 1, 0.712)),
        ("permuted", 9, (1, 0.235, 0.218)),
        ("arbitrary", 2, (0.189, 1, 0.066)),
        ("arbitrary", 9, (0.868, 0.982, 1)),
        ("drifted", 0, (0, 0.7273, 0.4393)),
        ("drifted", 2, (0.7273, 0.1173, 0)),
    ],
)
def test_colours_are_the_papers(name: str, digit: int, rgb: tuple[float, ...]) -> None:
    painted = colour_digits(one_pixel_digits(255), TEN, name)
    assert np.abs(painted[digit, 0, 0] / 255 - np.array(rgb)).max() <= 0.5 / 255 + 1e-9


def test_permuted_gives_each_ind_colour_to_exactly_one_other_class() -> None:
    ind, permuted = COLOURINGS["colored"].colours, COLOURINGS["permuted"].colours
    assert sorted(ind) == sorted(permuted)
    assert all(a != b for a, b in zip(ind, permuted, strict=True))


@pytest.mark.parametrize(("grey", "ink"), [(0, False), (79, False), (80, True), (255, True)])
def test_ink_is_a_raw_value_of_80_or_more(grey: int, ink: bool) -> None:
    painted = colour_digits(one_pixel_digits(grey), TEN, "colored")
    assert painted.dtype == np.uint8
    assert painted.any(axis=(1, 2, 3)).tolist() == [ink] * 10


def test_colour_is_flat() -> None:
    images, labels = held_out_digits()
    painted = colour_digits(images[::100], labels[::100], "arbitrary")
    for digit, image in zip(images[::100], painted, strict=True):
        assert len(np.unique(image[digit >= FOREGROUND_THRESHOLD], axis=0)) == 1
        assert not image[digit < FOREGROUND_THRESHOLD].any()


@given(st.integers(0, 20), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_shape_follows_the_digits(count: int, height: int, width: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, height, width), dtype=np.uint8)
    labels = generator.integers(0, 10, count)
    painted = colour_digits(images, labels, "drifted")
    assert painted.shape == (count, height, width, 3)
    assert painted.dtype == np.uint8


def test_own_colours_are_taken() -> None:
    white = Colouring("white", "White", ((1.0, 1.0, 1.0),) * 10)
    assert (colour_digits(one_pixel_digits(200), TEN, white) == 255).all()


def test_unknown_colouring_names_the_known_ones() -> None:
    with pytest.raises(UnknownColouringError, match=r"'colourd'.*colored, permuted"):
        colour_digits(one_pixel_digits(255), TEN, "colourd")


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 4), np.uint8), np.zeros(2, int), "uint8"),
        (np.zeros((2, 4, 4), np.float32), np.zeros(2, int), "float32"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(3, int), "2 digits"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, float), "whole-number"),
        (np.zeros((2, 4, 4), np.uint8), np.array([0, 10]), "label 10"),
        (np.zeros((2, 4, 4), np.uint8), np.array([-1, 3]), "label -1"),
    ],
)
def test_what_is_no_digit_is_refused(images: np.ndarray, labels: np.ndarray, words: str) -> None:
    with pytest.raises((ArrayFormatError, LabelError), match=words) as refused:
        colour_digits(images, labels, "colored")
    assert isinstance(refused.value, InspectorError)
    assert "\n" not in str(refused.value)
