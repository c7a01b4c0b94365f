from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.stimuli import diagnose, input_range

RANDOM = np.random.default_rng(0)
CLASSES = tuple("abcdefghij")
LABELS = RANDOM.integers(0, 10, 500)
NORMAL = input_range(RANDOM.normal(size=(4, 3, 8, 8)).astype(np.float32))


def kinds(labels, predictions, inputs=NORMAL, **options):
    hints = diagnose(labels, predictions, CLASSES, inputs, **options)
    assert all("\n" not in hint.text for hint in hints)
    return [hint.kind for hint in hints]


def test_a_good_model_gets_no_hints():
    answers = np.where(RANDOM.random(500) < 0.8, LABELS, RANDOM.integers(0, 10, 500))
    assert kinds(LABELS, answers) == []
    weak = np.where(RANDOM.random(500) < 0.15, LABELS, RANDOM.integers(0, 10, 500))
    assert kinds(LABELS, weak) == []


def test_chance_and_constant_answers():
    assert kinds(LABELS, RANDOM.permutation(LABELS)) == ["chance"]
    assert kinds(LABELS, np.full(500, 3)) == ["constant", "chance"]
    assert kinds(np.full(500, -1), np.full(500, 3)) == ["constant"]
    (hint,) = diagnose(np.full(500, -1), np.full(500, 3), CLASSES)
    assert "100% of the 500 images get the same answer, 'd'" in hint.text
    (guess,) = diagnose(np.full(500, -1), np.full(500, 3), CLASSES, guessed=True)
    assert "guessed" in guess.text


def test_a_set_of_one_category_may_get_one_answer():
    assert kinds(np.full(500, 3), np.full(500, 3)) == []


def test_shifted_and_shuffled_classes_are_told_from_noise():
    (hint,) = diagnose(LABELS, LABELS + 1, CLASSES, NORMAL)
    assert hint.kind == "order"
    assert "1 output after the label" in hint.text
    other = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
    noisy = np.where(RANDOM.random(500) < 0.8, other[LABELS], RANDOM.integers(0, 10, 500))
    # Two of ten keep their place, so that accuracy is above nothing, but not by much.
    shuffled = other.copy()
    shuffled[[1, 8]] = [8, 1]
    noisy = np.where(RANDOM.random(500) < 0.8, shuffled[LABELS], RANDOM.integers(0, 10, 500))
    assert kinds(LABELS, noisy) == ["order"]


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        (RANDOM.integers(0, 256, (4, 3, 8, 8)).astype(np.float32), "range"),
        ((RANDOM.random((4, 3, 8, 8)) / 255).astype(np.float32), "range"),
        (RANDOM.integers(0, 2, (4, 3, 8, 8)).astype(np.uint8), "range"),
        (np.full((4, 3, 8, 8), np.nan, np.float32), "nonfinite"),
        (np.zeros((4, 3, 8, 8), np.float32), "blank"),
        (np.repeat(RANDOM.random((1, 3, 8, 8)), 4, axis=0), "blank"),
    ],
)
def test_inputs_that_look_wrong(inputs, kind):
    assert kinds(LABELS, LABELS, input_range(inputs)) == [kind]


@pytest.mark.parametrize(
    "inputs",
    [
        RANDOM.random((4, 3, 8, 8)).astype(np.float32),
        (RANDOM.random((4, 3, 8, 8)) * 2 - 1).astype(np.float16),
        RANDOM.integers(0, 256, (4, 3, 8, 8)).astype(np.uint8),
        RANDOM.random((1, 3, 8, 8)),
    ],
)
def test_usual_inputs_are_fine(inputs):
    assert kinds(LABELS, LABELS, input_range(inputs)) == []


@given(st.lists(st.tuples(st.integers(-1, 12), st.integers(-1, 12)), max_size=60))
def test_any_answers_give_lines_or_nothing(pairs):
    labels = np.array([pair[0] for pair in pairs], np.int32)
    predictions = np.array([pair[1] for pair in pairs], np.int32)
    kinds(labels, predictions)
    kinds(labels, predictions, input_range(np.zeros((0, 3, 4, 4), np.float32)))


def test_few_images_say_too_little():
    assert kinds(LABELS[:10], (LABELS[:10] + 3) % 10) == []
