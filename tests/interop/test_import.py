"""Deephys' files written by hand: old ones, odd ones, and those that must be refused."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from deephys_files import CLASSES, MODEL, arrays, dataset, exported, image, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import InspectorError
from inspector.interop import (
    BrokenFileError,
    TargetExistsError,
    UnreadableFileError,
    UnwritableFileError,
    import_deephys,
    read_model,
)
from inspector.interop.cbor import ARRAY, MAP, head_of
from inspector.recording import open_recording


def imported(folder: Path, test: Any, model: Any = None, **options: Any):
    model_file, test_file = written(folder, test, model)
    (done,) = import_deephys(model_file, [test_file], folder / "out", **options)
    return done


def refusal(folder: Path, test: Any, model: Any = None) -> str:
    with pytest.raises(BrokenFileError) as caught:
        imported(folder, test, model)
    assert not (folder / "out").exists()
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_old_files_are_read_with_a_warning(tmp_path: Path) -> None:
    images = [image(number, features=...) for number in (0, 1, 4)]
    test = dataset(*images, dtype=..., classes=..., suffix="_v1")
    done = imported(tmp_path, test, MODEL | {"suffix": None})
    text = " ".join(done.warnings)
    assert "dtype" in text
    assert "'_v1'" in text
    assert "classes are taken from its images" in text
    with open_recording(done.path) as recording:
        assert recording.classes == ("ant", "bee", "2")
        assert recording.labels.tolist() == [0, 1, 1]
        assert recording.columns["imageID"].tolist() == [0, 1, 4]
        assert recording.row("pool", 2).tolist() == [4, 5, 6, 7]


def test_a_model_without_a_named_classification_layer(tmp_path: Path) -> None:
    layers = [MODEL["layers"][0], {"layerID": "classification", "neurons": [{}] * 3}]
    done = imported(tmp_path, dataset(), {"name": "net", "layers": layers})
    with open_recording(done.path) as recording:
        assert recording.header.output == {"layer": "classification", "kind": "logits"}
    model = {"name": "net", "layers": MODEL["layers"]}
    line = refusal_in(tmp_path / "other", dataset(), model)
    assert "'classification'" in line
    assert "--classification" in line
    done = imported(tmp_path / "other", dataset(), model, classification="fc")
    with open_recording(done.path) as recording:
        assert recording.header.output["layer"] == "fc"
    with pytest.raises(BrokenFileError, match="another classification layer"):
        imported(tmp_path, dataset(), classification="pool")


def refusal_in(folder: Path, test: Any, model: Any = None) -> str:
    folder.mkdir()
    return refusal(folder, test, model)


def test_features_become_columns_and_paths(tmp_path: Path) -> None:
    features = [{"camera": "c7", "path": "a/1.png"}, None, {"weather": "fög\n"}, {}]
    done = imported(
        tmp_path, dataset(*(image(n, features=each) for n, each in enumerate(features)))
    )
    with open_recording(done.path) as recording:
        assert dict(recording.header.columns) == {"camera": "text", "weather": "text"}
        assert list(recording.columns["camera"]) == ["c7", "", "", ""]
        assert list(recording.columns["weather"]) == ["", "", "fög\n", ""]
        assert list(recording.paths) == ["a/1.png", "", "", ""]


def test_unlabelled_and_not_finite(tmp_path: Path) -> None:
    images = [
        image(0, categoryID=-1, category=CLASSES[-1]),
        image(
            1,
            activations={
                "activations": [
                    np.array([np.nan, np.inf, 1, 2], ">f4").tobytes(),
                    np.array([np.nan, 0, 0], ">f4").tobytes(),
                ]
            },
        ),
    ]
    done = imported(tmp_path, dataset(*images))
    assert "1 images have category -1" in " ".join(done.warnings)
    assert done.accuracy != done.accuracy
    with open_recording(done.path) as recording:
        assert recording.labels.tolist() == [-1, 1]
        assert recording.predictions.tolist() == [2, -1]
        assert np.isnan(recording.confidences[1])
        assert np.array_equal(recording.row("pool", 1), [np.nan, np.inf, 1, 2], equal_nan=True)


def test_float64_beyond_float32_is_said(tmp_path: Path) -> None:
    values = [np.array([1e300, 1, 2, 3], ">f8"), np.zeros(3, ">f8")]
    activations = {"activations": [each.tobytes() for each in values]}
    done = imported(tmp_path, dataset(image(0, activations=activations), dtype="float64"))
    assert "1 values are too large for float32" in " ".join(done.warnings)
    with open_recording(done.path) as recording:
        assert recording.row("pool", 0).tolist() == [np.inf, 1, 2, 3]


def test_negative_activity_makes_the_layer_signed_in_every_recording(tmp_path: Path) -> None:
    values = [np.array([-1, 1, 2, 3], ">f4"), np.zeros(3, ">f4")]
    activations = {"activations": [each.tobytes() for each in values]}
    written(tmp_path, dataset(image(0, activations=activations)), name="A")
    model, _ = written(tmp_path, dataset(), name="B")
    tests = [tmp_path / "A.test", tmp_path / "B.test"]
    for done in import_deephys(model, tests, tmp_path):
        with open_recording(done.path) as recording:
            assert recording.layer("pool").signed
            assert "relu_mean" not in recording.layer("pool").same


def indefinite(value: Any) -> bytes:
    """Encode maps and arrays without their lengths, as other writers of CBOR do."""
    if isinstance(value, dict):
        inner = b"".join(cbor2.dumps(key) + indefinite(item) for key, item in value.items())
        return b"\xbf" + inner + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(indefinite, value)) + b"\xff"
    return cbor2.dumps(value)


def test_other_encodings_of_the_same(tmp_path: Path) -> None:
    usual = imported(tmp_path, dataset()).path.read_bytes()
    # Rows whose lengths are written longer than need be, and keys in another order.
    long_rows = [
        b"\x83" + b"".join(b"\x82" + (b"\x58\x02" + bytes([n, n])) + (b"\x59\x00\x02" +
        bytes([n + 1, n + 1])) for _ in range(3)) for n in range(4)
    ]  # fmt: skip
    parts = []
    for number in range(4):
        plain = image(number)
        del plain["data"]
        keys = [cbor2.dumps(key) + cbor2.dumps(plain[key]) for key in reversed(plain)]
        parts.append(head_of(MAP, 6) + b"".join(keys) + cbor2.dumps("data") + long_rows[number])
    head = dataset(images=...)
    del head["images"]
    odd = head_of(MAP, 4) + cbor2.dumps(head)[1:] + cbor2.dumps("images") + head_of(ARRAY, 4)
    (tmp_path / "odd").mkdir()
    done = imported(tmp_path / "odd", odd + b"".join(parts))
    assert done.path.read_bytes() == usual
    # Rows say how many they are, as their array is looked at before it is read.
    body = indefinite(dataset(*(image(n, data=None) for n in range(4))))
    for number in range(4):
        body = body.replace(b"ddata\xf6", b"ddata" + long_rows[number], 1)
    (tmp_path / "open").mkdir()
    layers = [{"layerID": each["layerID"], "neurons": each["neurons"]} for each in MODEL["layers"]]
    model = MODEL | {"layers": layers}
    written(tmp_path / "open", body, indefinite(model))
    read = read_model(tmp_path / "open" / "net.model")
    assert dict(read.layers) == {"pool": 4, "fc": 3}
    (tmp_path / "open" / "net.model").write_bytes(cbor2.dumps(MODEL))
    (done,) = import_deephys(
        tmp_path / "open" / "net.model", [tmp_path / "open" / "Set.test"], tmp_path / "open"
    )
    assert done.path.read_bytes() == usual


REFUSED = {
    "an unknown key": (dataset(extra=1), "'extra'"),
    "a key stands twice": (
        b"\xa3" + cbor2.dumps("name") + cbor2.dumps("a") + cbor2.dumps("name"),
        "twice",
    ),
    "an unknown key of an image": (dataset(image(0, more=1)), "'more'"),
    "a missing key": (dataset(image(0, data=...)), "'data'"),
    "no images": ({"name": "a", "dtype": "float32", "classes": CLASSES}, "no images"),
    "an empty list of images": (dataset(images=...) | {"images": []}, "no images"),
    "no name": (dataset(name=...), "name"),
    "a dtype": (dataset(dtype="float16"), "'float16'"),
    "too few classes": (dataset(classes=["a", "b"]), "found 2; limit 3"),
    "a category beyond": (dataset(image(0, categoryID=3)), "found 3; limit -1 to 2"),
    "a category below": (dataset(image(0, categoryID=-2)), "found -2"),
    "another name": (dataset(image(0, category="cow")), "'cow'; limit 'ant'"),
    "names that differ": (
        dataset(image(0), image(3, category="emu"), classes=...),
        "two names",
    ),
    "a label that is no number": (dataset(image(0, categoryID=1.0)), "whole number"),
    "two channels": (
        dataset(image(0, data=[[b"ab"]] * 2)),
        "three channels, red, green and blue at byte 102 (found 2",
    ),
    "four channels": (dataset(image(0, data=[[b"ab"]] * 4)), "found 4; limit 3"),
    "unequal rows": (dataset(image(0, data=[[b"ab", b"abc"]] * 3)), "found 3 bytes; limit 2"),
    "unequal channels": (dataset(image(0, data=[[b"ab"], [b"ab"], [b"ab"] * 2])), "limit 1"),
    "unequal images": (dataset(image(0), image(1, side=3)), "limit 2"),
    "no pixels": (dataset(image(0, data=[[], [], []])), "no pixels"),
    "rows of no pixels": (dataset(image(0, data=[[b""]] * 3)), "no pixels"),
    "a layer too few": (
        dataset(image(0, activations={"activations": [bytes(16)]})),
        "found 1 layers; limit 2",
    ),
    "a layer too many": (
        dataset(image(0, activations={"activations": [bytes(16), bytes(12), b""]})),
        "found 3; limit 2",
    ),
    "activity too short": (
        dataset(image(0, activations={"activations": [bytes(15), bytes(12)]})),
        "'pool' has another length",
    ),
    "float64 under the name of float32": (
        dataset(image(0, activations={"activations": [bytes(32), bytes(24)]})),
        "found 32 bytes; limit 16 bytes",
    ),
    "features that are no text": (dataset(image(0, features={"a": 1})), "must be text"),
    "features nested deep": (
        cbor2.dumps(dataset(image(0, features={"a": "DEEP"}))).replace(
            cbor2.dumps("DEEP"), b"\x81" * 100_000 + b"\x00"
        ),
        "must be text at byte 128 (found an array",
    ),
    "a tag": (dataset(name=cbor2.CBORTag(35, "(a+)+$")), "must be text at byte 8 (found a tag"),
    "a number for the name": (dataset(name=5), "must be text"),
    "null for the classes": (dataset(classes=None), "must be an array at byte 33 (found null"),
    "keys after the images": (dataset() | {"suffix": ""}, "'suffix' after them"),
    "bytes after the end": (cbor2.dumps(dataset()) + b"PK", "2 bytes more"),
    "a list for the whole": ([1, 2], "must be a map"),
    "an empty file": (b"", "0 bytes left"),
    "text that is not UTF-8": (
        cbor2.dumps(dataset(name="QQ")).replace(b"bQQ", b"b\xff\xfe"),
        "UTF-8",
    ),
    "a reserved head": (b"\xa1\x7c\x00\x00", "not CBOR"),
    "features of megabytes": (dataset(image(0, features={"a": "x" * (1 << 17)})), "too long"),
    "features beyond counting": (
        dataset(*(image(n, features={f"f{n}-{k}": "" for k in range(100)}) for n in range(4))),
        "too many different features",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    test, part = REFUSED[case]
    line = refusal(tmp_path, test)
    assert part in line, line
    assert "Set.test" in line


REFUSED_MODELS = {
    "an unknown key": (MODEL | {"weights": 1}, "'weights'"),
    "no layers": (MODEL | {"layers": []}, "no layers"),
    "no name": ({key: MODEL[key] for key in ("layers", "classification_layer")}, "no name"),
    "a classification layer that is not there": (MODEL | {"classification_layer": "x"}, "'x'"),
    "a layer twice": (MODEL | {"layers": MODEL["layers"][:1] * 2}, "one name"),
    "a layer without units": (
        MODEL | {"layers": [{"layerID": "a", "neurons": []}]},
        "at least one",
    ),
    "neurons with something in them": (
        MODEL | {"layers": [{"layerID": "a", "neurons": [{"b": 1}]}]},
        "empty map",
    ),
    "more neurons than the file has bytes": (
        cbor2.dumps(MODEL).replace(b"gneurons\x84", b"gneurons\x9b" + b"\x00" * 3 + b"\xff" * 5),
        "too many entries",
    ),
}


@pytest.mark.parametrize("case", REFUSED_MODELS)
def test_refused_models(tmp_path: Path, case: str) -> None:
    model, part = REFUSED_MODELS[case]
    line = refusal(tmp_path, dataset(), model)
    assert part in line, line
    assert "net.model" in line


@pytest.mark.parametrize("huge", [1 << 20, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 64) - 1])
def test_a_huge_length_in_any_place_costs_no_memory(tmp_path: Path, huge: int) -> None:
    whole = cbor2.dumps(dataset(image(0, features={"k": "v"})))
    model, test = written(tmp_path, whole)
    places = [at for at in range(len(whole)) if whole[at] >> 5 in (2, 3, 4, 5)]
    tracemalloc.start()
    try:
        for at in places:
            test.write_bytes(whole[:at] + head_of(whole[at] >> 5, huge) + whole[at + 1 :])
            with pytest.raises(InspectorError):
                import_deephys(model, [test], tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "out").exists()


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    model, test = written(tmp_path, dataset(image(0), image(1)))
    for path in (model, test):
        whole = path.read_bytes()
        for size in range(len(whole)):
            path.write_bytes(whole[:size])
            with pytest.raises(BrokenFileError):
                import_deephys(model, [test], tmp_path / "out")
        path.write_bytes(whole)
    assert not (tmp_path / "out").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9)), min_size=1, max_size=4),
    which=st.integers(0, 1),
)
def test_damaged_files_raise_only_our_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, bytes]], which: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    paths = written(folder, dataset(image(0, features={"k": "v"}), image(1)))
    data = paths[which].read_bytes()
    for place, new in changes:
        at = int(place * len(data))
        data = data[:at] + new + data[at + len(new) :]
    paths[which].write_bytes(data)
    message = ""
    try:
        import_deephys(paths[0], [paths[1]], folder / "out")
    except InspectorError as error:
        message = str(error)
    assert "\n" not in message
    assert (folder / "out").exists() == (not message)


def test_nothing_is_written_when_one_of_several_is_broken(tmp_path: Path) -> None:
    written(tmp_path, dataset(), name="good")
    model, bad = written(tmp_path, dataset(image(0, more=1)), name="bad")
    with pytest.raises(BrokenFileError, match=r"bad\.test"):
        import_deephys(model, [tmp_path / "good.test", bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_kept_unless_told(tmp_path: Path) -> None:
    model, test = written(tmp_path, dataset())
    target = tmp_path / "Set.msgpack"
    target.write_text("mine")
    with pytest.raises(TargetExistsError, match="--overwrite"):
        import_deephys(model, [test], tmp_path)
    assert target.read_text() == "mine"
    import_deephys(model, [test], tmp_path, overwrite=True)
    with open_recording(target) as recording:
        assert recording.images == 4
    assert {each.name for each in tmp_path.iterdir()} == {"net.model", "Set.test", "Set.msgpack"}


def test_two_files_of_one_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        model, _ = written(tmp_path / folder, dataset())
    tests = [tmp_path / "a" / "Set.test", tmp_path / "b" / "Set.test"]
    with pytest.raises(TargetExistsError, match=r"Set\.msgpack"):
        import_deephys(model, tests, tmp_path / "out")


def test_places_that_are_no_files(tmp_path: Path) -> None:
    model, test = written(tmp_path, dataset())
    with pytest.raises(UnreadableFileError, match="No such file"):
        import_deephys(model, [tmp_path / "none.test"], tmp_path / "out")
    with pytest.raises(UnreadableFileError, match="not a file"):
        import_deephys(tmp_path, [test], tmp_path / "out")
    with pytest.raises(UnwritableFileError):
        import_deephys(model, [test], test)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    peaks = {}
    for name, count in (("few", 1100), ("many", 2200)):
        folder = tmp_path / name
        data = arrays(4, 24, 24)
        test = exported(folder, data)
        whole = cbor2.loads(test.read_bytes())
        body = b"".join(map(cbor2.dumps, whole["images"])) * (count // 4)
        head = {key: whole[key] for key in ("name", "dtype", "classes")}
        start = head_of(MAP, 4) + cbor2.dumps(head)[1:] + cbor2.dumps("images")
        test.write_bytes(start + head_of(ARRAY, count // 4 * 4) + body)
        tracemalloc.start()
        (done,) = import_deephys(folder / "net.model", [test], folder)
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert done.images == count // 4 * 4
        with open_recording(done.path) as recording:
            assert recording.finished
            last = recording.images - 1
            expected = (data["images"][3] * 255).astype(np.uint8).transpose(1, 2, 0)
            assert np.array_equal(recording.thumbnail(last), expected)
    # Twice the file: at most a byte more for each byte of columns, none for pixels.
    assert peaks["many"] < peaks["few"] * 1.05 + (1 << 20)
