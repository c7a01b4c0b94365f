"""Recordings as CSV and NPZ, read back by the csv module and by numpy alone."""

from __future__ import annotations

import csv
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recordings import CONV, LOGITS, SIGNED, expected, recording

from inspector.interop import TargetExistsError, export_csv, export_npz
from inspector.recording import UnknownLayerError, UnknownReductionError, open_recording, tag


def table(source: Path | str, target: Path, **options: Any) -> list[dict[str, str]]:
    with open_recording(source) as opened:
        export_csv(opened, target, **options)
    with target.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def arrays(source: Path | str, target: Path, **options: Any) -> dict[str, np.ndarray]:
    with open_recording(source) as opened:
        export_npz(opened, target, **options)
    with np.load(target, allow_pickle=False) as loaded:
        return dict(loaded)


def test_a_table(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack", skip=(3,), unlabelled=(5,))
    rows = table(source, tmp_path / "a.csv")
    assert list(rows[0]) == [
        "image", "path", "label", "prediction", "confidence", "camera", "lux", "burst", "skipped",
    ]  # fmt: skip
    assert [row["image"] for row in rows] == [str(number) for number in range(10)]
    assert [row["label"] for row in rows[:6]] == ["cat", "dog", "bird", "cat", "dog", ""]
    assert rows[7]["prediction"] == "'=cow"
    assert (rows[3]["prediction"], rows[3]["confidence"]) == ("", "")
    assert rows[3]["skipped"] == "'=broken"
    assert rows[0]["confidence"] == "0.25"
    assert [row["lux"] for row in rows[:4]] == ["0.0", "", "1.0", "1.5"]
    assert rows[9]["burst"] == "4"


def test_a_table_with_a_layer(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack", layers=(CONV, SIGNED, LOGITS), skip=(3,))
    for layer, reduce, used in (
        ("conv1", None, "relu_mean"),
        ("conv1", "max", "max"),
        ("conv1", "mean", "relu_mean"),
        ("linear1", None, "none"),
        ("/fc1/Gemm", "max", "none"),
    ):
        target = tmp_path / f"{layer[1:4]}{reduce}.csv"
        rows = table(source, target, layer=layer, reduction=reduce)
        kind = CONV if layer == "conv1" else SIGNED
        values = expected(kind, used, np.arange(10))
        for number, row in enumerate(rows):
            cells = [row[f"{kind.name}:{unit}"] for unit in range(kind.units)]
            if number == 3:
                assert cells == [""] * kind.units
            else:
                assert np.array_equal(np.array(cells, np.float32), values[number])
    with open_recording(source) as opened:
        with pytest.raises(UnknownLayerError, match="conv1"):
            export_csv(opened, tmp_path / "no.csv", layer="conv2")
        with pytest.raises(UnknownReductionError):
            export_csv(opened, tmp_path / "no.csv", layer="conv1", reduction="cls")
    assert not (tmp_path / "no.csv").exists()


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_text_is_taken_for_a_formula(tmp_path: Path, start: str) -> None:
    source = recording(tmp_path / "a.msgpack", camera=(start, "a=b"), paths=start + "{}")
    rows = table(source, tmp_path / "a.csv")
    assert rows[0]["camera"] == "'" + start
    assert rows[1]["camera"] == "a=b"
    assert rows[0]["path"] == f"'{start}0"


def test_columns_of_taken_names_and_odd_text(tmp_path: Path) -> None:
    with open_recording(recording(tmp_path / "a.msgpack", camera=('a,"b"\n', "ä\udcff"))) as opened:
        export_csv(opened, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["camera"] for row in rows[:2]] == ['a,"b"\n', "ä\udcff"]
    tagged = recording(tmp_path / "b.msgpack")
    (tmp_path / "t.csv").write_text("path,label\ncat/0.png,7\n", encoding="utf-8")
    tag(tagged, tmp_path / "t.csv")
    rows = table(tagged, tmp_path / "b.csv")
    assert rows[0]["label"] == "cat"
    assert float(rows[0]["columns.label"]) == 7


def test_a_part_keeps_the_numbers_of_the_whole(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack")
    rows = table(f'{source}::camera == "c8"', tmp_path / "a.csv", layer="conv1")
    assert [row["image"] for row in rows] == ["1", "3", "5", "7", "9"]
    loaded = arrays(f'{source}::camera == "c8"', tmp_path / "a.npz")
    assert loaded["images"].tolist() == [1, 3, 5, 7, 9]
    assert np.array_equal(loaded["activity/conv1/max"], expected(CONV, "max", np.arange(1, 10, 2)))


def test_arrays(tmp_path: Path) -> None:
    source = recording(
        tmp_path / "a.msgpack", skip=(3,), unlabelled=(5,), camera=("c7", "ä\udcff" * 9)
    )
    loaded = arrays(source, tmp_path / "a.npz")
    with open_recording(source) as opened:
        assert str(loaded["name"]) == "tiny"
        assert str(loaded["model"]) == "net"
        assert tuple(loaded["classes"]) == opened.classes
        assert np.array_equal(loaded["labels"], opened.labels)
        assert np.array_equal(loaded["predictions"], opened.predictions)
        assert np.array_equal(loaded["confidences"], opened.confidences, equal_nan=True)
        assert list(loaded["paths"]) == list(opened.paths)
        assert list(loaded["columns/camera"]) == list(opened.columns["camera"])
        assert np.array_equal(loaded["columns/lux"], opened.columns["lux"], equal_nan=True)
        assert loaded["columns/burst"].dtype == np.int64
        assert loaded["skipped"][3] == "=broken"
        for name in ("activity/conv1/relu_mean", "activity/conv1/max", "activity/logits/none"):
            _, layer, reduction = name.split("/")
            assert loaded[name].dtype == np.float32
            values = opened.activity(layer, reduction)[:]
            assert np.array_equal(loaded[name], values, equal_nan=True)


def test_arrays_of_one_layer(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack")
    for options, names in (
        ({"layers": ["conv1"]}, ["activity/conv1/relu_mean", "activity/conv1/max"]),
        ({"layers": ["conv1"], "reduction": "mean"}, ["activity/conv1/relu_mean"]),
        ({"reduction": "max"}, ["activity/conv1/max", "activity/logits/none"]),
    ):
        loaded = arrays(source, tmp_path / "a.npz", overwrite=True, **options)
        assert [name for name in loaded if name.startswith("activity/")] == names


def test_the_same_recording_makes_the_same_file(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack")
    arrays(source, tmp_path / "a.npz")
    arrays(source, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_is_there_is_kept_unless_told(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack")
    for export, name in ((export_csv, "a.csv"), (export_npz, "a.npz")):
        target = tmp_path / name
        target.write_text("mine")
        with open_recording(source) as opened:
            with pytest.raises(TargetExistsError, match="--overwrite"):
                export(opened, target)
            assert target.read_text() == "mine"
            export(opened, target, overwrite=True)
        assert target.read_bytes() != b"mine"
    assert not list(tmp_path.glob(".*"))


def test_a_recording_of_nothing(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack", images=0, classes=())
    assert table(source, tmp_path / "a.csv", layer="conv1") == []
    loaded = arrays(source, tmp_path / "a.npz")
    assert loaded["activity/conv1/max"].shape == (0, 3)
    assert loaded["paths"].shape == loaded["classes"].shape == (0,)


@pytest.mark.parametrize("export", [export_csv, export_npz])
def test_memory_does_not_grow_with_the_images(tmp_path: Path, export: Any) -> None:
    wide = tuple(replace(layer, units=64, shape=(64,)) for layer in (CONV, LOGITS))
    peaks = []
    for count in (512, 2048):
        source = recording(
            tmp_path / f"{count}.msgpack", images=count, chunk=256, layers=wide, classes=(),
            sizes=((1, 1),), columns={},
        )  # fmt: skip
        options = {"layer": "conv1"} if export is export_csv else {}
        with open_recording(source) as opened:
            tracemalloc.start()
            export(opened, tmp_path / f"{count}.out", **options)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert (tmp_path / "2048.out").stat().st_size > 1 << 20
    assert peaks[1] < peaks[0] + (256 << 10)


@pytest.mark.parametrize("export", [table, arrays])
def test_no_export_replaces_a_recording(tmp_path: Path, export: Any) -> None:
    path = recording(tmp_path / "a.msgpack")
    before = Path(path).read_bytes()
    with pytest.raises(TargetExistsError, match="no export replaces"):
        export(path, path, overwrite=True)
    assert path.read_bytes() == before
