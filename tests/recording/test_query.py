from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_recordings import header, write

from inspector.recording import QueryError, RecordingError, open_recording
from inspector.recording.query_syntax import parse

N = 40


@pytest.fixture(scope="module")
def rec(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("query") / "a.msgpack", header(images=N, chunk=8))
    with open_recording(path) as recording:
        yield recording


def expectations(rec):
    numbers = np.arange(N)
    unit = rec.unit("linear1", 2)
    labels, predictions = rec.labels, rec.predictions
    camera = np.asarray(rec.columns["camera"])
    asked = (labels >= 0) & (predictions >= 0)
    return {
        'camera == "c1"': camera == "c1",
        "camera != 'c1'": camera != "c1",
        'camera in ("c0", "c2")': camera != "c1",
        'camera not in ("c0", "c2")': camera == "c1",
        'not camera == "c1"': camera != "c1",
        "lux > 3": numbers * 0.5 > 3,
        "3 < lux <= 7.5": (numbers * 0.5 > 3) & (numbers * 0.5 <= 7.5),
        "lux in 3..7.5": (numbers * 0.5 >= 3) & (numbers * 0.5 <= 7.5),
        "burst not in 3..5": ~((numbers // 2 >= 3) & (numbers // 2 <= 5)),
        "image in 10..19 and image != 12": (numbers >= 10) & (numbers <= 19) & (numbers != 12),
        "linear1:2 > 0.3": unit > 0.3,
        "linear1:2@mean > 0.3": unit > 0.3,
        "conv1:1@max > linear1:2": rec.unit("conv1", 1, "max") > unit,
        "`conv1`:1 > .5": rec.unit("conv1", 1) > 0.5,
        "/fc1/Gemm:2 > 3e-1": unit > 0.3,
        "features.0:0 > -1": rec.unit("conv1", 0) > -1,
        'label == "dog"': labels == 1,
        'label != "dog"': labels != 1,
        "label == 1": labels == 1,
        'label in ("cat", "dog")': (labels == 0) | (labels == 1),
        "label == none": labels == -1,
        "label != none": labels != -1,
        "label < 1": labels == 0,
        'label ~ "d?g"': labels == 1,
        'label contains "O"': labels == 1,
        'prediction !~ "*o*"': predictions != 1,
        "label == prediction": labels == predictions,
        "right": asked & (labels == predictions),
        "wrong": asked & (labels != predictions),
        "wrong or right": asked,
        "skipped": numbers % 7 == 3,
        "confidence >= 0.5": numbers % 7 != 3,
        "confidence == none": numbers % 7 == 3,
        'path ~ "*cat/1?.png"': (numbers >= 10) & (numbers < 20),
        'path contains "Ä"': numbers % 3 != 0,
        "columns.lux < 1": numbers < 2,
        'camera == "c1" and lux > 3 or image == 0': (camera == "c1") & (numbers > 6)
        | (numbers == 0),
        'camera == "c1" and (lux > 3 or image == 0)': (camera == "c1") & (numbers > 6),
        "camera == none": np.zeros(N, bool),
        "1 < 2": np.ones(N, bool),
        "lux in 3..3": numbers == 6,
    }


def test_every_form(rec):
    for expression, expected in expectations(rec).items():
        mask = rec.select(expression)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, expected, err_msg=expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "character 1: expected a value, found the end"),
        ("lux >", "character 6: expected a value, found the end"),
        ("lux > )", "character 7: expected a value, found '[)]'"),
        ("(lux > 1", "character 9: expected '[)]'"),
        ("lux > 1 lux", "character 9: expected 'and', 'or' or the end"),
        ("lux = 1", "character 5"),
        ("lux > 'a", "character 7"),
        ("$", "character 1"),
        ("lux", "'lux' is not true or false"),
        ("lux > 'a'", "a number cannot be compared with text"),
        ("camera > 1", "text cannot be compared with a number"),
        ("camra == 'c1'", "no column 'camra'; there is camera"),
        ("label == 'cow'", "no class 'cow'"),
        ("linear2:1 > 0", "no such layer .*'linear2'; there is linear1"),
        ("linear1:9 > 0", "unit number 9, limit 0 to 4"),
        ("linear1:x > 0", "expected the number of a unit"),
        ("linear1:1@cls > 0", "not recorded under that reduction 'cls'"),
        ("lux in 1", "expected '..'"),
        ("lux in (1", "expected ',' or '[)]'"),
        ("lux ~ 1", "quoted text"),
        ("lux ~ 'a'", "'lux' is not text"),
        ("right == 1", "stands alone"),
        ("lux < none", "== or != only"),
        ("1 == none", "compared with a column"),
        ("not " * 70 + "right", "nested too deep"),
        ("(" * 70 + "right" + ")" * 70, "nested too deep"),
        ("x" * 10001, "too long"),
        ("lux > 1 and\x00", "character 12"),
        ("5", "a comparison"),
        ("label=3", "character 6: expected a comparison, found '=3'; to compare, write =="),
        ("camera == 'c1", "character 11: expected the quote ' to be closed, found .*'c1"),
        ('camera == "c1', 'character 11: expected the quote " to be closed'),
        ("`lux > 3", "character 1: expected the quote ` to be closed"),
        ("camera == c1", "character 11: there is no column 'c1'; text stands in quotes: \"c1\""),
        ("camera in ('c0', c1)", "character 18: .*'c1'; text stands in quotes: \"c1\"; there is"),
        ("label == dog", "no column 'dog'; text stands in quotes: \"dog\""),
        ("camra == c1", "no column 'camra'; there is camera"),
        ("confidence in 3..1", "character 15: the range 3..1 is empty; .* first: 1..3"),
        ("camera not in 'c2'..'c1'", "character 15: the range 'c2'..'c1' is empty"),
        ("columns.label == 1", "no column 'label'; 'label' alone is built in; there is camera"),
        ("columns.lox == 1", "no column 'lox'; there is lux"),
    ],
)
def test_a_bad_filter_says_where(rec, expression, words):
    with pytest.raises(QueryError, match=words) as caught:
        rec.select(expression)
    assert "\n" not in str(caught.value)


@given(st.text(st.sampled_from("ab1.:@'\"`()<>=!~, \\é") | st.characters(), max_size=40))
def test_any_text_parses_or_is_refused(text):
    with suppress(QueryError):
        parse(text)


@given(
    st.lists(
        st.sampled_from(
            ["lux", "camera", "linear1:1", "label", "right", "3", "'c1'", "none", "and", "or",
             "not", "in", "(", ")", ",", "..", "<", "==", "~", "contains", "path"]
        ),
        max_size=9,
    )
)  # fmt: skip
def test_any_tokens_give_a_mask_or_the_error(rec, words):
    with suppress(RecordingError):
        assert rec.select(" ".join(words)).shape == (N,)


def test_nothing_is_evaluated(rec):
    for text in ("__import__('os').system('x') == 1", "lux.__class__ == 1", "f'{1}' == camera"):
        with pytest.raises(QueryError):
            rec.select(text)
