from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.stimuli import RESAMPLES, resample
from inspector.stimuli.resample import scaled_sides

# SHA-256 heads of what Pillow 13.0 makes of pattern(source), resized to the target.
SIZES = (((97, 131), (32, 40)), ((64, 48), (30, 48)), ((50, 40), (75, 93)), ((33, 200), (224, 7)))
PILLOW = {
    "bilinear": ("5d43c27a5295add2", "7ab2f01a3a41f3db", "9b5b321e501de7c3", "41a40725613055be"),
    "bicubic": ("a8b2b17fc3d9f94f", "177f17c5543fbc4f", "6a70239be94881eb", "112d1975a98b8236"),
    "lanczos": ("36ba6484d9daa9f8", "0606781399ef4013", "64791c822eaca6c3", "701824fd1e39b80d"),
    "box": ("be0619f173674368", "bd5bcac0353c48d3", "424b0510db6881e5", "58079c9bff1007fb"),
    "hamming": ("bc4386cec72f7f01", "a9a61e1e9bcf0ed8", "f2e409cd0b805804", "61b255b9ca5c2618"),
    "nearest": ("ca7e2d244f79b41f", "b23cb908122dd704", "2d9e468d2f04784e", "9671c1e1c957377e"),
}


def pattern(height: int, width: int) -> np.ndarray:
    r, c, k = np.ogrid[:height, :width, :3]
    checks = (r // 5 + c // 7) % 2 * 120
    return ((r * r * 7 + c * c * 13 + r * c * 3 + k * 89 + checks) % 256).astype(np.uint8)


@pytest.mark.parametrize("how", RESAMPLES)
def test_every_byte_is_pillows(how):
    for (source, target), expected in zip(SIZES, PILLOW[how], strict=True):
        made = resample(pattern(*source), *target, how)
        assert hashlib.sha256(made.tobytes()).hexdigest()[:16] == expected, (source, target)


def test_the_hash_of_another_filter_differs():
    hashes = [each for row in PILLOW.values() for each in row]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("how", RESAMPLES)
@pytest.mark.parametrize("channels", [1, 3])
def test_floats_keep_their_range_of_a_flat_picture(how, channels):
    flat = np.full((17, 23, channels), 0.25, np.float32)
    made = resample(flat, 5, 40, how)
    assert made.shape == (5, 40, channels)
    assert made == pytest.approx(0.25, abs=1e-6)


def test_bytes_of_one_channel_and_no_change():
    picture = pattern(20, 30)
    grey = resample(picture[:, :, :1], 7, 9, "bicubic")
    assert (grey == resample(picture, 7, 9, "bicubic")[:, :, :1]).all()
    assert resample(picture, 20, 30, "bicubic") is picture


@settings(max_examples=40)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([how for how in RESAMPLES if how != "nearest"]),
)
def test_floats_and_bytes_agree_and_extremes_never_wrap(height, width, high, wide, how):
    picture = (pattern(height, width) // 128 * 255).astype(np.uint8)
    whole = resample(picture, high, wide, how).astype(float)
    real = resample(picture.astype(np.float32), high, wide, how)
    # Bytes are cut off at 0 and 255 after each pass, where cubic filters overshoot.
    if how in ("bilinear", "box", "hamming"):
        assert np.abs(whole - real).max() <= 1.01
    assert whole.shape == (high, wide, 3)
    assert whole.mean() == pytest.approx(np.clip(real, 0, 255).mean(), abs=26)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_the_short_side_is_exact_and_the_long_one_cut(height, width, short):
    high, wide = scaled_sides(height, width, short)
    assert min(high, wide) == short
    long_side = short * max(height, width) / min(height, width)
    assert max(high, wide) == max(short, math.floor(long_side))
