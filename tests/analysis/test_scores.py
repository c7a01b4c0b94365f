from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from inspector.analysis import (
    chance_level,
    normalised,
    novelty_scores,
    spurious_scores,
    tuning_correlation,
)


def tunings(categories: int):
    # Few distinct values, so that ties and constant tunings occur often.
    values = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.0 + 1e-12, 3.0])
    return arrays(np.float64, (4, categories), elements=values)


@given(ind=tunings(6), ood=tunings(6))
def test_correlation_equals_scipy(ind, ood):
    rho = tuning_correlation(ind, ood)
    for unit in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.ConstantInputWarning)
            expected = stats.spearmanr(ind[unit], ood[unit]).statistic
        assert rho[unit] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(ind=tunings(5))
def test_same_tuning_scores_zero_unless_constant(ind):
    score = spurious_scores(tuning_correlation(ind, ind * 7 + 1))
    constant = (ind == ind[:, :1]).all(axis=1)
    assert np.isnan(score[constant]).all()
    assert score[~constant] == pytest.approx(0, abs=1e-12)


def test_inverted_tuning_scores_low_and_its_rho_says_so():
    ind = np.array([[1.0, 2, 3, 4]])
    rho = tuning_correlation(ind, -ind)
    assert rho == pytest.approx(-1)
    assert spurious_scores(rho) == pytest.approx(0)


@pytest.mark.parametrize("categories", [0, 1, 2])
def test_too_few_categories_have_no_spurious_score(categories):
    assert np.isnan(tuning_correlation(np.ones((3, categories)), np.ones((3, categories)))).all()


def test_a_nan_category_undefines_only_its_unit():
    ind = np.array([[1.0, 2, np.nan], [1, 2, 3]])
    rho = tuning_correlation(ind, np.array([[1.0, 2, 3], [1, 2, 3]]))
    assert np.isnan(rho[0])
    assert rho[1] == 1


def test_novelty_takes_maxima_at_different_categories_and_is_not_clipped():
    ind = np.array([[0.9, 0.1], [0.2, 0.1]])
    ood = np.array([[0.0, 0.3], [0.1, 1.5]])
    assert novelty_scores(ind, ood) == pytest.approx([0.6, -1.3])


def test_novelty_without_categories_is_nan():
    assert np.isnan(novelty_scores(np.ones((2, 0)), np.ones((2, 0)))).all()


def test_silent_units_have_no_tuning():
    made = normalised(np.array([[1.0, 2], [1, 2], [1, 2]]), np.array([2.0, 0.0, -1.0]))
    assert made[0] == pytest.approx([0.5, 1])
    assert np.isnan(made[1:]).all()


@pytest.mark.parametrize(
    ("categories", "level"), [(3, 0.50), (10, 0.76), (182, 0.95), (1000, 0.98)]
)
def test_chance_level_is_the_published_one(categories, level):
    assert chance_level(categories) == pytest.approx(level, abs=0.006)


@pytest.mark.parametrize("categories", [3, 5, 9, 12])
def test_chance_level_equals_a_simulation(categories):
    random = np.random.default_rng(5)
    a, b = random.random((2, 20_000, categories))
    simulated = np.median(spurious_scores(tuning_correlation(a, b)))
    assert chance_level(categories) == pytest.approx(simulated, abs=0.02)


def test_chance_level_is_undefined_below_three():
    assert np.isnan(chance_level(2))
