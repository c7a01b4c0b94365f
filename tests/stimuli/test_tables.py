from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.stimuli import (
    DataNotFoundError,
    LinkError,
    TableError,
    TableOptions,
    column_kind,
    labels_as_outputs,
    limited,
    open_data,
)
from inspector.stimuli.columns import categories, typed_column
from inspector.stimuli.tables import read_table


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.png", "b.png", "c.png", "sub/d.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((4, 4, 3), number * 10, np.uint8))
    return folder


def table(tmp_path, text, name="t.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return TableOptions(table=path, **options)


def test_a_table_gives_order_labels_and_columns(tmp_path, photos):
    options = table(
        tmp_path,
        "\ufefffile_name;label;camera;heat;note\n"
        'b.png;dog;7;1.5;"semi; colon"\n./a.png;cat;12;;"two\nlines"\nsub/d.png;;7;-2;\n',
        group_col="camera",
    )
    data = open_data(photos, options)
    assert [data.path(i) for i in range(3)] == ["b.png", "a.png", "sub/d.png"]
    assert data.read(0)[0, 0, 0] == 10
    assert labels_as_outputs(data, ("dog", "cat"), 2).tolist() == [0, 1, -1]
    assert {name: column_kind(values) for name, values in data.columns.items()} == {
        "camera": "int",
        "heat": "float",
        "note": "text",
    }
    assert data.columns["camera"].tolist() == [7, 12, 7]
    assert np.isnan(data.columns["heat"][1])
    assert data.columns["note"] == ["semi; colon", "two\nlines", ""]
    assert data.group_column == "camera"
    part = limited(data, "first:2")
    assert part.columns["note"] == ["semi; colon", "two\nlines"]
    assert part.columns["camera"].tolist() == [7, 12]
    assert part.group_column == "camera"


def test_json_lines_with_gaps_and_nesting(tmp_path, photos):
    rows = [
        {"path": "a.png", "class": 3, "box": [1, 2], "ok": True},
        {"path": "b.png", "class": None, "extra": "x\ud800"},
    ]
    options = table(tmp_path, "\n\n".join(json.dumps(row) for row in rows) + "\n", "t.jsonl")
    data = open_data(photos, options)
    assert labels_as_outputs(data, (), 10).tolist() == [3, -1]
    assert data.columns["box"] == ["[1, 2]", ""]
    assert data.columns["ok"].tolist()[0] == 1
    assert data.columns["extra"] == ["", "x?"]


def test_names_without_an_ending_find_their_file(tmp_path, photos):
    options = table(tmp_path, "id,y\na,cat\nsub/d,dog\n", path_col="id", label_col="y")
    data = open_data(photos, options)
    assert [data.path(i) for i in range(2)] == ["a.png", "sub/d.png"]


def test_a_glob_takes_its_rows_only(tmp_path, photos):
    options = table(tmp_path, "path,label\na.png,x\nsub/d.png,y\ngone.png,z\n")
    data = open_data(f"{photos}/*.png", options)
    assert [data.path(i) for i in range(len(data))] == ["a.png"]
    with pytest.raises(TableError, match="lists none of them"):
        open_data(f"{photos}/c*.png", options)


def test_missing_files_are_listed(tmp_path, photos):
    listed = "\n".join(f"n{i}.png,x" for i in range(9))
    options = table(tmp_path, f"path,label\na.png,x\n{listed}\n")
    with pytest.raises(TableError, match=r"9 of 10 files are missing.*'n0.png'.*and 4 more"):
        open_data(photos, options)


@pytest.mark.parametrize("path", ["../secret.png", "sub/../../secret.png", "/etc/passwd"])
def test_paths_never_leave_the_folder(tmp_path, photos, path):
    cv2.imwrite(str(tmp_path / "secret.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises((LinkError, TableError)) as error:
        open_data(photos, table(tmp_path, f"path\n{path}\n"))
    assert "lead out of the folder" in str(error.value) or "missing" in str(error.value)
    if "passwd" not in path:
        kept = open_data(photos, table(tmp_path, f"path\n{path}\n", follow_links=True))
        assert len(kept) == 1


def test_absolute_paths_inside_are_made_relative(tmp_path, photos):
    data = open_data(photos, table(tmp_path, f"path\n{photos.resolve()}/a.png\n"))
    assert data.path(0) == "a.png"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("", {}, "no rows"),
        ("path,label\n", {}, "no rows"),
        ("x,y\na.png,1\n", {}, "--path-col"),
        ("path,label\na.png,1,2\n", {}, "line 2 has 3 cells"),
        ("path,path\na.png,1\n", {}, "'path' twice"),
        ("path,\na.png,1\n", {}, "without a name"),
        ("path\na.png\na.png\n", {}, "lists 'a.png' twice"),
        ('path,label\na.png,"open\n', {}, "is no CSV"),
        ("path\na.png\n", {"label_col": "kind"}, r"no column 'kind' for --label-col"),
        ("path\na.png\n", {"group_col": "kind"}, r"no column 'kind' for --group-col"),
        ("path\na.png\n", {"path_col": "kind"}, r"no column 'kind' for --path-col"),
        ("path,label\na.png," + "x" * 200_000 + "\n", {}, "field larger"),
    ],
)
def test_wrong_tables_say_where(tmp_path, photos, text, options, reason):
    with pytest.raises(TableError, match=reason) as error:
        open_data(photos, table(tmp_path, text, **options))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{\n", "line 1 is no JSON"), ("[1]\n", "line 1 holds list"), ("[" * 99_999, "no JSON")],
)
def test_wrong_json_lines_say_where(tmp_path, text, reason):
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(TableError, match=reason):
        read_table(tmp_path / "t.jsonl")


def test_bytes_that_are_no_text_and_tables_that_are_not_there(tmp_path, photos):
    (tmp_path / "t.csv").write_bytes(b"path,label\n\xff\xfe,1\n")
    with pytest.raises(TableError, match="UTF-8"):
        open_data(photos, TableOptions(table=tmp_path / "t.csv"))
    with pytest.raises(TableError, match="No such file"):
        open_data(photos, TableOptions(table=tmp_path / "no.csv"))


def test_columns_without_a_table_and_tables_without_a_folder(tmp_path, photos):
    with pytest.raises(TableError, match="--label-col kind"):
        open_data(photos, TableOptions(label_col="kind"))
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 3)))
    with pytest.raises(DataNotFoundError, match="--table describes image files"):
        open_data(tmp_path / "a.npy", table(tmp_path, "path\na.png\n"))


@given(st.lists(st.integers(-(10**17), 10**17) | st.floats() | st.text(max_size=5), max_size=20))
def test_columns_keep_what_they_are_given(values):
    column = typed_column(values)
    assert len(column) == len(values)
    if column_kind(column) == "text":
        for given_value, kept in zip(values, column, strict=True):
            if isinstance(given_value, str):
                assert kept == given_value
    else:
        for given_value, kept in zip(values, column, strict=True):
            number = float(given_value) if given_value != "" else np.nan
            assert kept == pytest.approx(number, nan_ok=True)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_of_any_size_survive(values):
    column = typed_column([str(value) for value in values])
    if all(abs(value) < 10**17 for value in values):
        assert column.tolist() == values


def test_leading_zeros_are_names():
    assert typed_column(["007", "012"]) == ["007", "012"]
    assert typed_column(["0", "10", "0.5"]).tolist() == [0, 10, 0.5]


def test_labels_without_ground_truth():
    names, labels = categories(["b", "", None, float("nan"), -1, "a", 3, 3.0])
    assert names == ("3", "a", "b")
    assert labels.tolist() == [2, -1, -1, -1, -1, 1, 0, 0]
