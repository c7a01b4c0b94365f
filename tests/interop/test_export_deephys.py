"""What goes out to Deephys: under its own exporter's rules, with refusals that say what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import deephys
import numpy as np
import pytest
from recordings import CONV, LOGITS, SIGNED, expected, picture, recording

from inspector.interop import (
    DeephysOptions,
    NotExportableError,
    TargetExistsError,
    UnwritableFileError,
    export_deephys,
    import_deephys,
)
from inspector.recording import open_recording


def export(source: Path | str, target: Path, **options: Any) -> tuple[Any, dict, dict]:
    with open_recording(source) as opened:
        done = export_deephys(opened, target, DeephysOptions(**options))
    model, test = (cbor2.loads(path.read_bytes()) for path in done.files)
    check_with_the_real_exporter(model, test)
    return done, model, test


def check_with_the_real_exporter(model: dict, test: dict) -> None:
    """Give what the files say to Deephys' own checks, and compare what it makes of it."""
    layers = {layer["layerID"]: len(layer["neurons"]) for layer in model["layers"]}
    its_model = deephys.model(model["name"], layers, model["classification_layer"])
    dtype = {"float32": ">f4", "float64": ">f8"}[test["dtype"]]
    rows = [image["activations"]["activations"] for image in test["images"]]
    activity = {
        name: np.stack([np.frombuffer(row[place], dtype) for row in rows])
        for place, name in enumerate(layers)
    }
    pixels = np.array([[[list(r) for r in c] for c in image["data"]] for image in test["images"]])
    its_test = deephys.dataset_activity(
        test["name"], test["classes"], activity, its_model, pixels / 255,
        [image["categoryID"] for image in test["images"]], test["dtype"],
    )  # fmt: skip
    for image, its in zip(test["images"], its_test.images, strict=True):
        assert list(image) == [
            "imageID", "categoryID", "category", "data", "features", "activations",
        ]  # fmt: skip
        assert (image["imageID"], image["category"]) == (its.imageID, its.category)
        assert image["data"] == its.data
        assert image["activations"]["activations"] == its.activations.activations
        features = image["features"]
        assert features is None or all(
            isinstance(text, str) for pair in features.items() for text in pair
        )
    assert list(test) == ["name", "dtype", "classes", "images"]


def test_everything_of_a_recording(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack", skip=(3,))
    done, model, test = export(source, tmp_path / "out")
    assert done.files == (tmp_path / "out.model", tmp_path / "out.test")
    assert done.images == 9
    assert done.messages == ("1 skipped images are left out",)
    assert [layer["layerID"] for layer in model["layers"]] == ["conv1", "logits"]
    assert model["classification_layer"] == "logits"
    assert test["classes"] == ["cat", "dog", "bird", "=cow"]
    kept = [number for number in range(10) if number != 3]
    assert [image["imageID"] for image in test["images"]] == list(range(9))
    for number, image in zip(kept, test["images"], strict=True):
        assert image["categoryID"] == number % 3
        channels = np.array([[list(row) for row in channel] for channel in image["data"]])
        assert np.array_equal(channels.transpose(1, 2, 0), picture(number))
        stored = np.frombuffer(image["activations"]["activations"][0], ">f4")
        assert np.array_equal(stored, expected(CONV, "relu_mean", np.array([number]))[0])
        assert image["features"]["path"] == f"cat/{number}.png"
        assert image["features"]["camera"] == ("c7", "c8")[number % 2]
        assert ("lux" in image["features"]) == (number != 1)
        assert image["features"]["burst"] == str(number // 2)


def test_there_and_back(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack")
    done, _, _ = export(source, tmp_path / "out", layers=("conv1",), reduction="max")
    (back,) = import_deephys(done.files[0], [done.files[1]], tmp_path)
    with open_recording(source) as before, open_recording(back.path) as after:
        assert after.name == before.name
        assert after.classes == before.classes
        assert after.labels.tolist() == before.labels.tolist()
        assert list(after.paths) == list(before.paths)
        assert list(after.columns["camera"]) == list(before.columns["camera"])
        assert np.array_equal(after.activity("conv1")[:], before.activity("conv1", "max")[:])
        assert np.array_equal(after.logits[:], before.logits[:])
        for number in range(10):
            assert np.array_equal(after.thumbnail(number), before.thumbnail(number))


def test_a_part_of_a_recording(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack")
    _, _, test = export(f'{source}::camera == "c8"', tmp_path / "out")
    assert [image["features"]["path"] for image in test["images"]] == [
        f"cat/{number}.png" for number in range(1, 10, 2)
    ]


def refused(source: Path, folder: Path, **options: Any) -> str:
    with open_recording(source) as opened, pytest.raises(NotExportableError) as caught:
        export_deephys(opened, folder / "out", DeephysOptions(**options))
    assert not [each for each in folder.iterdir() if each.suffix != ".msgpack"]
    return str(caught.value)


def test_unlabelled_images(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack", unlabelled=(0, 9), skip=(9,))
    line = refused(source, tmp_path)
    assert "1 of 9 images" in line
    assert "--drop-unlabelled" in line
    done, _, test = export(source, tmp_path / "out", drop_unlabelled=True)
    assert done.images == len(test["images"]) == 8
    assert "1 images without ground truth are left out" in done.messages
    every = recording(tmp_path / "none.msgpack", unlabelled=tuple(range(10)))
    (tmp_path / "none").mkdir()
    assert "no images" in refused(every, tmp_path / "none", drop_unlabelled=True)


def test_negative_activity(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack", layers=(SIGNED, LOGITS))
    line = refused(source, tmp_path)
    assert "'linear1'" in line
    assert "--rectify" in line
    _, _, test = export(source, tmp_path / "out", rectify=True)
    values = expected(SIGNED, "none", np.arange(10))
    for number, image in enumerate(test["images"]):
        stored = np.frombuffer(image["activations"]["activations"][0], ">f4")
        assert np.array_equal(stored, np.maximum(values[number], 0))


def test_not_finite_activity_goes_out_as_it_is(tmp_path: Path) -> None:
    values = np.ones((10, 3))
    values[2] = [np.nan, np.inf, 0]
    source = recording(tmp_path / "tiny.msgpack", values={"conv1": values})
    _, _, test = export(source, tmp_path / "out", rectify=True)
    stored = np.frombuffer(test["images"][2]["activations"]["activations"][0], ">f4")
    assert np.array_equal(stored, [np.nan, np.inf, 0], equal_nan=True)


def test_images_of_several_sizes(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack", sizes=((4, 4), (8, 4), (1, 30)))
    line = refused(source, tmp_path)
    assert "4 × 8 px" in line
    assert "--size" in line
    _, _, test = export(source, tmp_path / "out", size=4)
    pixels = np.array([[[list(r) for r in c] for c in image["data"]] for image in test["images"]])
    assert pixels.shape == (10, 3, 4, 4)
    assert np.array_equal(pixels[0].transpose(1, 2, 0), picture(0, ((4, 4),)))
    tall = picture(1, ((8, 4),)).astype(float).reshape(4, 2, 2, 2, 3).mean((1, 3))
    assert np.array_equal(pixels[1][:, :, 1:3].transpose(1, 2, 0), np.floor(tall))
    assert not pixels[1][:, :, [0, 3]].any()
    assert not pixels[2][:, [0, 2, 3]].any() or not pixels[2][:, [0, 1, 3]].any()


def test_a_white_image_stays_white_at_every_size(tmp_path: Path) -> None:
    from inspector.interop.pixels import boxed

    white = np.full((7, 7, 3), 255, np.uint8)
    for size in range(1, 40):
        assert (boxed(white, size) == 255).all(), size


def test_an_image_without_thumbnail(tmp_path: Path) -> None:
    source = recording(tmp_path / "tiny.msgpack", sizes=((3, 3), (0, 0)))
    assert "--thumb" in refused(source, tmp_path)
    assert "image 1" in refused(source, tmp_path, size=4)


def test_names_are_cut_and_stay_different(tmp_path: Path) -> None:
    long = "backbone.stages.2.blocks.11.{}.mlp.activation.output"
    layers = tuple(replace(CONV, name=long.format(n), tensor=str(n)) for n in range(3))
    source = recording(
        tmp_path / "tiny.msgpack", layers=(*layers, LOGITS), name="n" * 60,
        model={"name": "m" * 41, "sha256": "", "file": ""},
    )  # fmt: skip
    done, model, test = export(source, tmp_path / "out")
    assert len(test["name"]) == len(model["name"]) == 40
    names = [layer["layerID"] for layer in model["layers"]]
    assert len(set(names)) == 4
    assert max(map(len, names)) == 30
    assert len(done.messages) == 5
    assert all("is cut to" in message for message in done.messages)


def test_recordings_that_deephys_has_no_room_for(tmp_path: Path) -> None:
    none = recording(tmp_path / "a.msgpack", output={})
    assert "--output" in refused(none, tmp_path)
    few = recording(tmp_path / "b.msgpack", classes=("cat", "dog", "bird"))
    assert "3 classes; limit 4" in refused(few, tmp_path)
    sigmoid = recording(tmp_path / "c.msgpack", output={"layer": "logits", "kind": "sigmoid"})
    assert "sigmoid" in refused(sigmoid, tmp_path)


def test_classes_without_names_and_probabilities(tmp_path: Path) -> None:
    chances = np.tile([0.5, 0.25, 0.25, 0], (10, 1))
    source = recording(
        tmp_path / "a.msgpack", classes=(), output={"layer": "logits", "kind": "softmax"},
        values={"logits": chances},
    )  # fmt: skip
    done, _, test = export(source, tmp_path / "out")
    assert test["classes"] == ["0", "1", "2", "3"]
    assert len(done.messages) == 2
    stored = np.frombuffer(test["images"][0]["activations"]["activations"][1], ">f4")
    power = np.exp(stored.astype(float))
    assert np.allclose(power / power.sum(), chances[0], atol=1e-7)


def test_folders_and_files_that_are_there(tmp_path: Path) -> None:
    first = recording(tmp_path / "a.msgpack", name="../In D:1")
    second = recording(tmp_path / "b.msgpack", name="OOD")
    done, _, _ = export(first, f"{tmp_path}/new/")  # type: ignore[arg-type]
    assert done.files == (tmp_path / "new" / "net.model", tmp_path / "new" / "_In D_1.test")
    # The same model belongs to both.
    export(second, tmp_path / "new")
    assert len(list((tmp_path / "new").iterdir())) == 3
    with open_recording(second) as opened:
        with pytest.raises(TargetExistsError, match="--overwrite"):
            export_deephys(opened, tmp_path / "new")
        (tmp_path / "new" / "net.model").write_bytes(b"another")
        (tmp_path / "new" / "OOD.test").unlink()
        with pytest.raises(TargetExistsError, match=r"net\.model"):
            export_deephys(opened, tmp_path / "new")
        assert not (tmp_path / "new" / "OOD.test").exists()
        with pytest.raises(UnwritableFileError, match="folder"):
            export_deephys(opened, tmp_path / "no" / "out")
    export(second, tmp_path / "new", overwrite=True)


def test_names_of_odd_bytes(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack", paths="\udcff{}", camera=("\udce4", ""))
    _, _, test = export(source, tmp_path / "out")
    assert test["images"][0]["features"]["path"] == "\ufffd0"
    assert test["images"][0]["features"]["camera"] == "\ufffd"
    assert "camera" not in test["images"][1]["features"]
