from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.stimuli import (
    PRESETS,
    ModelInput,
    Preprocess,
    PreprocessError,
    Preprocessor,
    choose_preprocess,
    open_preprocess,
    thumbnail,
)

FLOAT = np.dtype(np.float32)
NCHW = ModelInput(FLOAT, (3, 4, 4))
NHWC = ModelInput(FLOAT, (4, 4, 3))
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (4, 4, 3), np.uint8)


def test_unit_is_one_division_and_follows_the_layout():
    made = Preprocessor(PRESETS["unit"], NCHW)(IMAGE)
    assert (made == (IMAGE.astype(np.float32) / np.float32(255)).transpose(2, 0, 1)).all()
    assert made.dtype == np.float32
    assert (Preprocessor(PRESETS["unit"], NHWC)(IMAGE) == made.transpose(1, 2, 0)).all()


def test_signed_raw_mean_and_std():
    assert Preprocessor(PRESETS["signed"], NHWC)(IMAGE) == pytest.approx(
        IMAGE / 127.5 - 1, abs=1e-6
    )
    assert (Preprocessor(PRESETS["raw"], NHWC)(IMAGE) == IMAGE).all()
    steps = Preprocess("unit", mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    expected = (IMAGE / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.25, 2.0]
    assert Preprocessor(steps, NHWC)(IMAGE) == pytest.approx(expected, abs=1e-5)


def test_a_uint8_model_gets_pixels():
    made = Preprocessor(PRESETS["raw"], ModelInput(np.dtype(np.uint8), (4, 4, 3)))(IMAGE)
    assert made.dtype == np.uint8
    assert (made == IMAGE).all()


def test_grey_becomes_colour_and_colour_grey():
    grey = IMAGE[:, :, 0]
    made = Preprocessor(PRESETS["raw"], NCHW)(grey)
    assert (made == grey).all()
    luma = Preprocessor(PRESETS["raw"], ModelInput(FLOAT, (1, 4, 4)))(IMAGE)
    assert luma[0] == pytest.approx(IMAGE @ [0.299, 0.587, 0.114], abs=0.501)
    assert (luma == np.rint(luma)).all()


def test_channel_first_arrays_and_floats():
    floats = RANDOM.random((3, 6, 6))
    made = Preprocessor(PRESETS["unit"], ModelInput(FLOAT, (3, 6, 6)))(floats)
    assert made == pytest.approx(floats, abs=1e-6)


def test_open_sizes_take_the_image_and_fixed_ones_resize():
    wide = RANDOM.integers(0, 256, (6, 10, 3), np.uint8)
    open_input = ModelInput(FLOAT, (3, None, None))
    assert Preprocessor(PRESETS["unit"], open_input)(wide).shape == (3, 6, 10)
    assert Preprocessor(PRESETS["unit"], NCHW)(wide).shape == (3, 4, 4)
    steps = Preprocess("unit", short_side=4, crop=4)
    assert Preprocessor(steps, NCHW)(wide).shape == (3, 4, 4)


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    made = Preprocessor(PRESETS["unit"], NCHW)(stripes)
    assert made == pytest.approx(0.5, abs=0.01)


def test_none_hands_arrays_over_unchanged_or_not_at_all():
    array = RANDOM.random((3, 4, 4)).astype(np.float32)
    assert Preprocessor(PRESETS["none"], NCHW)(array) is array
    with pytest.raises(PreprocessError, match=r"float64.*float32"):
        Preprocessor(PRESETS["none"], NCHW)(array.astype(np.float64))
    with pytest.raises(PreprocessError, match=r"\[3, 4, 5\]"):
        Preprocessor(PRESETS["none"], NCHW)(np.zeros((3, 4, 5), np.float32))


@pytest.mark.parametrize(
    ("shape", "reason"), [((10,), "no image"), ((7, 4, 4), "channels"), ((2, 3, 4, 4), "no image")]
)
def test_inputs_that_no_image_fits(shape, reason):
    with pytest.raises(PreprocessError, match=reason):
        Preprocessor(PRESETS["unit"], ModelInput(FLOAT, shape))


@pytest.mark.parametrize(
    "array",
    [np.full((4, 4, 3), 2.0), np.full((4, 4, 3), np.nan), np.zeros((6, 6, 5)), np.zeros((0, 4, 3))],
)
def test_what_is_no_picture_is_refused(array):
    with pytest.raises(PreprocessError):
        Preprocessor(PRESETS["unit"], NCHW)(array)


def test_too_small_for_the_crop():
    with pytest.raises(PreprocessError, match="smaller than the crop"):
        Preprocessor(Preprocess("unit", crop=8), ModelInput(FLOAT, (3, 8, 8)))(IMAGE)


def test_files_and_presets(tmp_path):
    path = tmp_path / "steps.json"
    path.write_text(json.dumps({"scale": "signed", "crop": 4, "mean": [0.5]}))
    assert open_preprocess(str(path)) == Preprocess("signed", crop=4, mean=(0.5,))
    assert open_preprocess("imagenet").crop == 224
    path.write_text("[")
    with pytest.raises(PreprocessError, match="JSON"):
        open_preprocess(str(path))
    with pytest.raises(PreprocessError, match="neither a preset"):
        open_preprocess("imagent")


@pytest.mark.parametrize(
    "steps",
    [
        {"scale": "huge"},
        {"crop": 0},
        {"crop": 2.5},
        {"mean": [1, 2]},
        {"std": [0, 1, 1]},
        {"colour": 1},
        {"mean": [float("nan")]},
        {"mean": 0.5},
        {"mean": ["x"]},
        {"crop": True},
        {"crop": [1, 2, 3]},
        {"size": 4},
        {"size": [4, 0]},
        {"size": [4, 4], "short_side": 4},
        {"resample": "magic"},
        {"resample": 3},
        {"order": ["rgb"]},
    ],
)
def test_steps_that_make_no_sense(steps):
    with pytest.raises(PreprocessError):
        Preprocess.from_dict(steps)


@given(
    st.builds(
        Preprocess,
        st.sampled_from(["none", "unit", "signed", "raw"]),
        st.none() | st.integers(1, 500),
        st.none() | st.integers(1, 500),
        st.none() | st.tuples(*[st.floats(-3, 3)] * 3),
    )
)
def test_the_plain_form_round_trips(steps):
    assert Preprocess.from_dict(json.loads(json.dumps(steps.as_dict()))) == steps


def test_the_choice_and_its_reason():
    fits = np.zeros((3, 4, 4), np.float32)
    assert choose_preprocess("raw", {}, NCHW, fits, True)[0].scale == "raw"
    kept = {"inspector.preprocess": '{"scale": "signed"}'}
    assert choose_preprocess(None, kept, NCHW, IMAGE, False)[0].scale == "signed"
    assert choose_preprocess(None, {}, NCHW, fits, True)[0].scale == "none"
    assert choose_preprocess(None, {}, NCHW, IMAGE, True)[0].scale == "unit"
    with pytest.raises(PreprocessError, match="metadata"):
        choose_preprocess(None, {"inspector.preprocess": "oops"}, NCHW, IMAGE, False)


@pytest.mark.parametrize(
    ("stimulus", "shape"),
    [
        (np.zeros((40, 20, 3), np.uint8), (16, 8, 3)),
        (np.zeros((8, 8), np.uint8), (8, 8, 3)),
        (np.zeros((3, 30, 60), np.float32), (8, 16, 3)),
        (np.zeros((1000, 2, 3), np.uint8), (16, 1, 3)),
        (np.zeros(12, np.float32), (0, 0, 3)),
        (np.zeros((5, 6, 6), np.float32), (0, 0, 3)),
    ],
)
def test_thumbnails(stimulus, shape):
    made = thumbnail(stimulus, 16)
    assert made.shape == shape
    assert made.dtype == np.uint8


def test_thumbnails_of_any_numbers_are_stretched():
    odd = np.array([[-5.0, 5.0], [np.nan, 0.0]], np.float32)
    assert thumbnail(odd, 8)[:, :, 0].tolist() == [[0, 255], [128, 128]]


def test_channel_order_and_mean_by_name_of_the_channel():
    steps = Preprocess("raw", mean=(1.0, 2.0, 3.0), order="bgr")
    made = Preprocessor(steps, NCHW)(IMAGE)
    assert (made == (IMAGE - np.array([1.0, 2.0, 3.0]))[:, :, ::-1].transpose(2, 0, 1)).all()
    floats = IMAGE.astype(np.float32) / 255
    assert Preprocessor(steps, NHWC)(floats) == pytest.approx(made.transpose(1, 2, 0), abs=1e-3)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "none"])
def test_bytes_get_the_formula_to_the_last_bit(name):
    steps = PRESETS[name]
    side = steps.crop or 40
    picture = RANDOM.integers(0, 256, (side, side, 3), np.uint8)
    # The same steps without resizing.
    plain = Preprocess(steps.scale, mean=steps.mean, std=steps.std, size=(side, side))
    made = Preprocessor(plain, ModelInput(FLOAT, (side, side, 3)))(picture)
    values = picture.astype(np.float32)
    if steps.scale != "raw":
        values = values / np.float32(255)
    if steps.scale == "signed":
        values = values * np.float32(2) + np.float32(-1)
    if steps.mean is not None:
        values = (values - np.float32(steps.mean)) / np.float32(steps.std)
    assert (made == values).all()


def test_the_family_of_efficientnet_lite():
    sides = [PRESETS[f"efficientnet-lite{n}"].crop for n in range(5)]
    assert sides == [224, 240, 260, 280, 300]
    lite = Preprocessor(PRESETS["efficientnet-lite0"], ModelInput(FLOAT, (3, 224, 224)))
    made = lite(np.full((300, 400, 3), 255, np.uint8))
    assert (made == 1.0).all()


@pytest.mark.parametrize(
    ("centre", "starts"), [("floor", [0, 0, 1, 1, 2, 2]), ("round", [0, 0, 1, 2, 2, 2])]
)
def test_where_odd_margins_begin(centre, starts):
    for margin, start in enumerate(starts):
        row = np.arange(4 + margin, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
        steps = Preprocess("raw", crop=4, centre=centre)
        assert Preprocessor(steps, NHWC)(row)[0, 0, 0] == start


def test_squashing_and_oblong_crops():
    picture = RANDOM.integers(0, 256, (30, 50, 3), np.uint8)
    steps = Preprocess("unit", size=(10, 12), crop=(8, 6))
    assert Preprocessor(steps, ModelInput(FLOAT, (3, 8, 6)))(picture).shape == (3, 8, 6)


def test_three_means_for_a_grey_model_are_refused_at_once():
    with pytest.raises(PreprocessError, match="three channels"):
        Preprocessor(PRESETS["imagenet"], ModelInput(FLOAT, (1, 224, 224)))


def test_a_recording_holds_every_choice():
    assert PRESETS["none"].as_dict() == {"scale": "none"}
    plain = PRESETS["clip"].as_dict()
    assert plain["resample"] == "bicubic"
    assert set(plain) == {
        "scale", "short_side", "crop", "mean", "std", "resample", "centre", "order",
    }  # fmt: skip


def test_a_model_of_integers_gets_pixels_and_no_fractions():
    takes = ModelInput(np.dtype(np.uint8), (3, 6, 6))
    image = RANDOM.integers(0, 256, (6, 6, 3), np.uint8)
    steps, reason = choose_preprocess(None, {}, takes, image, False)
    assert "integers" in reason
    assert (Preprocessor(steps, takes)(image) == image.transpose(2, 0, 1)).all()
    with pytest.raises(PreprocessError, match="raw"):
        Preprocessor(PRESETS["unit"], takes)
