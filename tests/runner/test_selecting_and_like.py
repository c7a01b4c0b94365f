from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import inspector
from inspector.recording import QueryError
from inspector.runner import OptionError, RecordOptions, record
from inspector.runner.like import options_like
from inspector.runner.selecting import selected
from inspector.stimuli import ArrayDataset, Preprocess, TableOptions, open_data


@pytest.fixture
def photos(tmp_path):
    rows = ["path,label,camera,heat"]
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), np.full((8, 8, 3), number, np.uint8))
        rows.append(f"{number:02d}.png,{'cow' if number % 2 else 'bee'},c{number % 3},{number / 2}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    return open_data(tmp_path, TableOptions(table=tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ('camera == "c1"', [1, 4, 7, 10]),
        ('camera == "c1" and heat >= 3', [7, 10]),
        ('label == "cow" and not (camera in ("c0", "c1"))', [5, 11]),
        ('path ~ "*1.png"', [1, 11]),
        ("image < 2", [0, 1]),
    ],
)
def test_rows_that_match_are_kept(photos, expression, numbers):
    part = selected(photos, expression)
    assert [int(part.read(place)[0, 0, 0]) for place in range(len(part))] == numbers
    assert part.columns["heat"].tolist() == [number / 2 for number in numbers]


def test_all_none_and_what_is_not_known_yet(photos):
    assert selected(photos, "heat >= 0") is photos
    with pytest.raises(OptionError, match="matches none of the 12 images"):
        selected(photos, "heat > 100")
    with pytest.raises(QueryError, match="camera"):
        selected(photos, 'camra == "c1"')
    for expression in ("right", "skipped", "prediction == 1", "confidence > 0.5", "relu1:3 > 0"):
        with pytest.raises(QueryError, match="known only once"):
            selected(photos, expression)


def test_labels_that_are_numbers_go_by_the_models_classes():
    data = ArrayDataset("x", np.zeros((4, 3, 3), np.uint8), np.array([0, 1, 1, -1]))
    assert len(selected(data, 'label == "bee"', ("ant", "bee"))) == 2
    assert len(selected(data, "label == 0")) == 1
    assert len(selected(data, "label == none")) == 1


def test_a_recording_like_another(tiny_model, make_data, tmp_path):
    path, _, _ = make_data(count=10)
    first = RecordOptions(
        layers="*relu*", reduce=("max",), thumb=16, classes=("x", "y", "z"), preprocess="unit"
    )
    record(tiny_model, path, tmp_path / "a.msgpack", first)
    with inspector.open(tmp_path / "a.msgpack") as made:
        options = options_like(RecordOptions(), made.header)
        layers = [layer.name for layer in made.layers]
    assert options.classes == ("x", "y", "z")
    assert list(options.layers) == layers
    assert options.reduce == ("max",)
    assert options.thumb == 16
    assert options.preprocess == Preprocess("unit")
    named = options_like(RecordOptions(preprocess="raw", thumb=8), made.header)
    assert (named.preprocess, named.thumb) == ("raw", 8)


def test_a_table_is_recorded_with_its_columns(tiny_model, photos, tmp_path):
    rec = inspector.record(
        tiny_model,
        tmp_path,
        tmp_path / "a.msgpack",
        table=tmp_path / "t.csv",
        group_col="camera",
        where='camera != "c2"',
        limit="first:6",
    )
    assert len(rec) == 6
    assert rec.labels.tolist() == [1, 2, 2, 1, 1, 2]
    assert list(rec.columns["camera"]) == ["c0", "c1", "c0", "c1", "c0", "c1"]
    assert rec.columns["heat"].tolist() == [0, 0.5, 1.5, 2, 3, 3.5]
    assert rec.header.options["group"] == "camera"
    assert rec.paths[2] == "03.png"
    part = inspector.open(f"{tmp_path / 'a.msgpack'}::heat > 1")
    assert len(part) == 4


def test_a_file_beside_the_model_prepares_the_images(tiny_model, photos, tmp_path):
    steps = {"scale": "signed", "mean": [0.5], "std": [0.5]}
    (tmp_path / "tiny.preprocess.json").write_text(json.dumps(steps))
    result = record(tiny_model, photos, tmp_path / "a.msgpack")
    assert "from tiny.preprocess.json beside the model" in result.preprocess
    with inspector.open(tmp_path / "a.msgpack") as made:
        assert made.header.options["preprocess"]["scale"] == "signed"


def test_hints_name_the_likely_cause(tiny_model, tmp_path):
    blank = ArrayDataset("blank", np.zeros((30, 8, 8, 3), np.uint8), np.arange(30) % 3)
    result = record(tiny_model, blank, tmp_path / "a.msgpack")
    assert any("look at the data" in hint for hint in result.hints)
    assert any("same answer" in hint and "guessed" in hint for hint in result.hints)


def test_the_command_takes_them_all(tiny_model, photos, tmp_path, inspector_command):
    first = inspector_command(
        "record", tiny_model, tmp_path, "-o", tmp_path / "a.msgpack", "--table",
        tmp_path / "t.csv", "--label-col", "label", "--path-col", "path", "--group-col", "camera",
        "--where", "heat < 4", "--layers", "*relu*", "--thumb", "4", "--json",
    )  # fmt: skip
    assert first.code == 0, first.err
    assert json.loads(first.out)["images"] == 8
    second = inspector_command(
        "record", tiny_model, tmp_path, "-o", tmp_path / "b.msgpack", "--like",
        tmp_path / "a.msgpack", "--table", tmp_path / "t.csv",
    )  # fmt: skip
    assert second.code == 0, second.err
    assert "as in the other recording" in second.err
    with (
        inspector.open(tmp_path / "a.msgpack") as one,
        inspector.open(tmp_path / "b.msgpack") as other,
    ):
        assert one.layers == other.layers
        assert other.header.thumbnail == {"px": 4}
    wrong = inspector_command(
        "record", tiny_model, tmp_path, "-o", tmp_path / "c.msgpack", "--table",
        tmp_path / "t.csv", "--where", 'camra == "c1"',
    )  # fmt: skip
    assert "camera" in wrong.error_line
