from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from inspector.analysis import predictions, probabilities

floats = st.floats(-1e4, 1e4, width=32)


@given(arrays(np.float32, (3, 5), elements=floats))
def test_logits_equal_scipys_softmax(z):
    assert probabilities(z, "logits") == pytest.approx(softmax(z.astype(float), axis=1), abs=1e-12)


def test_huge_logits_do_not_overflow():
    assert probabilities(np.array([[3e38, 0, -3e38]], np.float32), "logits") == pytest.approx(
        np.array([[1.0, 0, 0]])
    )


def test_log_softmax_is_exponentiated_and_minus_infinity_is_zero():
    made = probabilities(np.array([[np.log(0.25), np.log(0.75), -np.inf]]), "log_softmax")
    assert made == pytest.approx(np.array([[0.25, 0.75, 0]]))


def test_probabilities_stay_as_they_are():
    given = np.array([[0.2, 0.3, 0.5]])
    assert probabilities(given, "softmax") == pytest.approx(given)


def test_one_sigmoid_becomes_two_classes():
    assert probabilities(np.array([[0.2]]), "sigmoid") == pytest.approx(np.array([[0.8, 0.2]]))


def test_one_logit_belongs_to_a_sigmoid():
    p = float(expit(1.5))
    assert probabilities(np.array([[1.5]]), "logits") == pytest.approx(np.array([[1 - p, p]]))


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="choose logits"):
        probabilities(np.ones((1, 2)), "magic")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_have_no_prediction(bad):
    chances = probabilities(np.array([[1, bad], [0, 1.0]]), "logits")
    best, confidence = predictions(chances)
    assert best.tolist() == [-1, 1]
    assert np.isnan(confidence[0])
    assert confidence[1] == pytest.approx(expit(1.0))


def test_ties_go_to_the_lowest_number():
    best, confidence = predictions(np.array([[0.25, 0.25, 0.25, 0.25]]))
    assert best.tolist() == [0]
    assert confidence.tolist() == [0.25]


def test_no_images_and_no_classes():
    assert probabilities(np.zeros((0, 3)), "logits").shape == (0, 3)
    assert predictions(np.zeros((2, 0)))[0].tolist() == [-1, -1]
