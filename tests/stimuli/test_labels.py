from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.stimuli import LabelError, labels_as_outputs, match_names, open_data
from inspector.stimuli.labels import imagenet_synsets

IMAGENET = tuple(", ".join(words) for _, words in imagenet_synsets().values())
SHORT = tuple(words[0] for _, words in imagenet_synsets().values())


def test_the_synsets_are_the_usual_thousand():
    synsets = imagenet_synsets()
    assert len(synsets) == 1000
    assert list(synsets) == sorted(synsets)
    assert synsets["n01440764"] == (0, ("tench", "Tinca tinca"))
    assert synsets["n02504458"][0] == 386
    assert synsets["n15075141"][0] == 999


@pytest.mark.parametrize("classes", [(), tuple(map(str, range(1000))), IMAGENET, SHORT])
def test_synsets_find_their_outputs(classes):
    names = list(imagenet_synsets())
    matched = match_names(names, classes, 1000)
    assert matched.unmatched == ()
    assert [matched.outputs[name] for name in names] == list(range(1000))


def test_synsets_with_a_background_class_and_in_a_small_model():
    assert match_names(["n01440764"], (), 1001).outputs == {"n01440764": 1}
    assert match_names(["n01440764"], ("background", *SHORT), 1001).outputs == {"n01440764": 1}
    assert match_names(["n01440764"], ("dog", "tench"), 2).outputs == {"n01440764": 1}
    assert match_names(["n01440764"], ("dog", "cat"), 2).unmatched == ("n01440764",)
    assert match_names(["n01440764"], (), 10).unmatched == ("n01440764",)
    assert match_names(["n99999999"], (), 1000).unmatched == ("n99999999",)


def test_synsets_that_are_the_classes_themselves():
    classes = ("n02504458", "n01440764")
    assert match_names(["n01440764"], classes, 2).outputs == {"n01440764": 1}


def test_case_and_separators_but_no_more():
    classes = ("Great White-Shark", "golden_retriever", "tabby, tabby cat", "cat")
    matched = match_names(
        ["great_white_shark", "Golden Retriever", "tabby cat", "Cat", "dog", "shark"], classes, 4
    )
    assert matched.outputs == {
        "great_white_shark": 0,
        "Golden Retriever": 1,
        "tabby cat": 2,
        "Cat": 3,
    }
    assert matched.unmatched == ("dog", "shark")


def test_what_could_be_two_outputs_is_none():
    assert match_names(["crane"], ("crane, bird", "crane, machine"), 2).unmatched == ("crane",)
    assert match_names(["a"], ("a", "a"), 2).unmatched == ("a",)
    assert match_names(["A"], ("a", "A"), 2).outputs == {"A": 1}


def test_numbers_are_outputs_only_where_no_name_fits():
    assert match_names(["3", "10"], (), 11).outputs == {"3": 3, "10": 10}
    assert match_names(["7", "3"], ("3", "7"), 2).outputs == {"7": 1, "3": 0}
    assert match_names(["1", "cat"], ("dog", "cat"), 2).unmatched == ("1",)
    assert match_names(["2"], ("dog", "cat"), 2).unmatched == ("2",)
    assert match_names(["01"], ("dog", "cat"), 2).unmatched == ("01",)


@given(
    st.lists(st.text(max_size=8), max_size=8, unique=True),
    st.lists(st.text(max_size=8), max_size=8),
)
def test_every_name_is_matched_to_an_output_or_listed(names, classes):
    matched = match_names(names, classes, len(classes))
    assert sorted([*matched.outputs, *matched.unmatched]) == sorted(names)
    assert all(0 <= number < len(classes) for number in matched.outputs.values())
    for name in names:
        if classes.count(name) == 1:
            assert matched.outputs[name] == classes.index(name)


def test_a_folder_with_fewer_synsets_shifts_nothing(tmp_path):
    for name in ("n02504458", "n01443537"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.zeros((2, 2, 3), np.uint8))
    assert labels_as_outputs(open_data(tmp_path), IMAGENET, 1000).tolist() == [1, 386]
    with pytest.raises(LabelError, match="2 of 2 category names"):
        labels_as_outputs(open_data(tmp_path), ("dog", "cat"), 2)
