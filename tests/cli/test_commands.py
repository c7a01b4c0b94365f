"""The program as a user meets it: real processes, their output and their exit codes."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest


@pytest.fixture
def recorded(inspector_command, tiny_model, make_data, tmp_path):
    files = []
    for name, seed in (("ind", 1), ("ood", 2)):
        data, _, _ = make_data(name, 60, seed)
        files.append(tmp_path / f"{name}.msgpack")
        done = inspector_command("record", tiny_model, data, "-o", files[-1], "--json")
        assert done.code == 0, done.err
        closing = json.loads(done.out)
        assert closing["images"] == 60
        assert closing["skipped"] == 0
        assert closing["batch"] == 32
        assert closing["provider"] == "cpu"
        assert closing["rate"] > 0
        assert 0 <= closing["accuracy"] <= 1
    return files


def test_layers_as_json_and_as_a_table(inspector_command, tiny_model):
    done = inspector_command("layers", tiny_model, "--json")
    assert done.code == 0
    layers = json.loads(done.out)
    assert all(layer["default"] for layer in layers)
    assert {"name", "tensor", "kind", "units", "shape", "default"} <= set(layers[0])
    every = json.loads(inspector_command("layers", tiny_model, "--all", "--json").out)
    assert len(every) > len(layers)
    table = inspector_command("layers", tiny_model)
    assert all(layer["name"] in table.out for layer in layers)


def test_info_and_scores(inspector_command, recorded, tmp_path):
    info = json.loads(inspector_command("info", recorded[0], "--json").out)
    assert info["name"] == "ind"
    assert info["finished"] is True
    assert info["images"] == 60
    assert info["bytes"] == recorded[0].stat().st_size
    both = json.loads(inspector_command("info", *recorded, "--json").out)
    assert [each["name"] for each in both] == ["ind", "ood"]
    assert "finished" in inspector_command("info", recorded[0]).out

    table = tmp_path / "scores.csv"
    done = inspector_command(
        "scores", "--ind", recorded[0], "--ood", recorded[1], "--json", "--csv", table
    )
    assert done.code == 0, done.err
    scores = json.loads(done.out)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == sum(len(layer["unit"]) for layer in scores["layers"].values())
    first = scores["layers"][rows[0]["layer"]]["ood"]["ood"]
    assert float(rows[0]["novelty"]) == pytest.approx(first["novelty"][0])
    shown = inspector_command("scores", "--ind", recorded[0], "--ood", recorded[1], "--top", 2)
    assert "median" in shown.out
    assert shown.code == 0


def test_bad_input_is_one_line_with_exit_code_1(inspector_command, tiny_model, make_data, tmp_path):
    data, _, _ = make_data()
    out = tmp_path / "out.msgpack"
    (tmp_path / "text.onnx").write_text("I am a poem")
    (tmp_path / "half.onnx").write_bytes(tiny_model.read_bytes()[:200])
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "shape.npz", images=np.zeros((3, 5, 5, 5, 5), np.float32))
    np.savez(tmp_path / "labels.npz", images=np.zeros((3, 8, 8, 3), np.uint8), labels=[0, 1, 12])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"nothing")
    cases = [
        (("layers", tmp_path / "text.onnx"), "text.onnx"),
        (("layers", tmp_path / "half.onnx"), "half.onnx"),
        (("layers", tmp_path / "none.onnx"), "none.onnx"),
        (("record", tmp_path / "text.onnx", data, "-o", out), "text.onnx"),
        (("record", tiny_model, tmp_path / "none", "-o", out), "no such file"),
        (("record", tiny_model, tmp_path / "empty", "-o", out), "no images"),
        (("record", tiny_model, tmp_path / "shape.npz", "-o", out), "--preprocess none"),
        (("record", tiny_model, tmp_path / "labels.npz", "-o", out), "label 12"),
        (("record", tiny_model, tmp_path / "broken", "-o", out), "a.png"),
        (("record", tiny_model, data, "-o", tmp_path / "no" / "x"), "folder"),
        (("record", tiny_model, data, "-o", out, "--layers", "fx"), "fc"),
        (("record", tiny_model, data, "-o", out, "--classes", tmp_path / "x"), "--classes"),
        (("info", tiny_model), "tiny.onnx"),
        (("scores", "--ind", data, "--ood", data), "data.npz"),
    ]
    for arguments, part in cases:
        line = inspector_command(*arguments).error_line
        assert part in line, line
        assert not out.exists(), arguments


def test_wrong_use_is_exit_code_2(inspector_command, tiny_model):
    assert inspector_command("record", tiny_model).code == 2
    assert inspector_command("fly").code == 2
    assert inspector_command("scores", "--ind", "a", "--ood", "b", "--by", "luck").code == 2


def test_verbose_shows_the_traceback_wherever_it_stands(inspector_command, tmp_path):
    done = inspector_command("layers", tmp_path / "none.onnx", "-v")
    assert done.code == 1
    assert "Traceback" in done.err


def test_an_existing_target_is_refused(inspector_command, recorded, tiny_model, tmp_path):
    before = recorded[0].read_bytes()
    line = inspector_command(
        "record", tiny_model, tmp_path / "ood.npz", "-o", recorded[0]
    ).error_line
    assert "--resume" in line
    assert "--overwrite" in line
    assert recorded[0].read_bytes() == before


def test_a_broken_image_among_good_ones(inspector_command, tiny_model, tmp_path):
    import cv2

    (tmp_path / "photos" / "ant").mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(
            str(tmp_path / "photos" / "ant" / f"{number}.png"), np.full((9, 9, 3), number * 90)
        )
    picture = tmp_path / "photos" / "ant" / "1.png"
    whole = bytearray(picture.read_bytes())
    whole[len(whole) // 2] ^= 0xFF  # libpng has much to say about that
    picture.write_bytes(whole)
    out = tmp_path / "out.msgpack"
    done = inspector_command("record", tiny_model, tmp_path / "photos", "-o", out)
    line = done.error_line
    assert "libpng" not in done.err
    assert "preprocessing" in done.err
    assert "1 of 3 images could not be read" in line
    assert "1.png" in line
    info = json.loads(inspector_command("info", out, "--json").out)
    assert info["finished"] is True
    assert list(info["skipped"]) == ["1"]


def test_no_display_is_one_line(inspector_command, recorded):
    done = inspector_command("view", recorded[0], DISPLAY="UNSET", WAYLAND_DISPLAY="UNSET")
    line = done.error_line
    assert "display" in line
    assert "--screenshot" in line


def test_every_command_has_help_with_an_example():
    from typer.testing import CliRunner

    from inspector.cli.main import app

    run = CliRunner(env={"COLUMNS": "200"})
    listed = run.invoke(app, ["--help"]).output
    names = [command.name for command in app.registered_commands]
    assert {"layers", "record", "info", "scores", "view", "demo", "doctor", "verify"} <= set(names)
    for name in names:
        assert f" {name} " in listed
        done = run.invoke(app, [name, "--help"])
        assert done.exit_code == 0
        assert f"inspector {name}" in done.output.split("Example:")[1]


def test_doctor(inspector_command):
    done = inspector_command("doctor", "--json")
    report = json.loads(done.out)
    assert report["packages"]["onnxruntime"]
    assert "CPUExecutionProvider" in report["providers"]
    assert done.code == (1 if report["problems"] else 0)


def test_a_missing_library_is_named(inspector_command, tmp_path):
    # What Python says on a machine without libGL, raised by a package of OpenCV's name.
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file', name='cv2')"
    )
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    done = inspector_command("doctor", PYTHONPATH=str(tmp_path))
    assert done.code == 1
    assert "apt-get install libgl1" in done.out


def test_the_demo_reproduces_the_paper(inspector_command, demo):
    out, done = demo
    assert done.code == 0, done.err
    assert "accuracy" in done.out
    assert "25%" in done.out
    cnn = out / "coloured_mnist_cnn"
    oods = [cnn / f"{name}.msgpack" for name in ("permuted", "arbitrary", "drifted")]
    arguments = [part for ood in oods for part in ("--ood", ood)]
    scores = json.loads(
        inspector_command(
            "scores", "--ind", cnn / "colored.msgpack", *arguments, "--layer", "linear1", "--json"
        ).out
    )
    layer = scores["layers"]["linear1"]
    assert len(layer["unit"]) == 50
    median = {
        (name, kind): float(np.nanmedian(np.array(result[kind], float)))
        for name, result in layer["ood"].items()
        for kind in ("spurious", "novelty")
    }
    assert median["drifted", "spurious"] < 0.15
    assert median["permuted", "spurious"] > 0.5
    assert median["arbitrary", "spurious"] > 0.5
    assert 0.05 < median["drifted", "novelty"] < 0.35
    highest = {name: max(filter(None, r["novelty"])) for name, r in layer["ood"].items()}
    assert max(highest, key=highest.get) == "arbitrary"

    accuracy = json.loads(inspector_command("info", cnn / "colored.msgpack", "--json").out)
    assert accuracy["accuracy"] > 0.98
    again = inspector_command("demo", "--out", out, DISPLAY="UNSET", WAYLAND_DISPLAY="UNSET")
    assert again.code == 0
    assert again.err.count("recorded already") == 8
    assert "no display: DISPLAY is not set" in again.err
    assert "xvfb-run" in again.err
    if shutil.which("xvfb-run"):
        assert (out / "view.png").stat().st_size > 10_000


def test_unfinished_recordings_are_not_scored(inspector_command, recorded, tmp_path):
    cut = tmp_path / "cut.msgpack"
    cut.write_bytes(recorded[0].read_bytes()[:-40])
    line = inspector_command("scores", "--ind", cut, "--ood", recorded[1]).error_line
    assert "60 of 60 images" in line
    assert "--resume" in line


def test_only_recordings_are_overwritten(inspector_command, tiny_model, make_data, tmp_path):
    data, _, _ = make_data()
    notes = tmp_path / "demo" / "coloured_mnist_cnn" / "colored.msgpack"
    notes.parent.mkdir(parents=True)
    notes.write_text("my own notes")
    for target in (tiny_model, data):
        before = target.read_bytes()
        line = inspector_command("record", tiny_model, data, "-o", target, "--overwrite").error_line
        assert "not a recording" in line
        assert target.read_bytes() == before
    assert (
        "not a recording"
        in inspector_command(
            "record", tiny_model, data, "-o", "/dev/null", "--overwrite"
        ).error_line
    )
    assert (
        "not a recording"
        in inspector_command("demo", "--out", tmp_path / "demo", "--no-view").error_line
    )
    assert notes.read_text() == "my own notes"


def test_answers_that_are_missing_are_counted_apart(inspector_command, tiny_model, tmp_path):
    images = np.random.default_rng(0).random((12, 3, 8, 8)).astype(np.float32)
    images[4:7] = np.nan
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.arange(12) % 3)
        done = inspector_command(
            "record", tiny_model, tmp_path / f"{name}.npz", "-o", tmp_path / f"{name}.msgpack"
        )
        assert "3 without an answer" in done.err
    info = inspector_command("info", tmp_path / "a.msgpack", "--json")
    assert json.loads(info.out)["unanswered"] == 3
    done = inspector_command(
        "scores", "--ind", tmp_path / "a.msgpack", "--ood", tmp_path / "b.msgpack", "--json"
    )
    assert any("3 of 12 images" in warning for warning in json.loads(done.out)["warnings"])
    assert "3 of 12 images" in done.err


def test_names_are_not_broken_in_a_pipe(inspector_command, make_model, tmp_path):
    long = "a_layer_whose_name_is_longer_than_any_terminal_is_wide_" * 3
    import onnx

    model = onnx.load(make_model())
    for node in model.graph.node:
        node.input[:] = [long if name == "relu" else name for name in node.input]
        node.output[:] = [long if name == "relu" else name for name in node.output]
    onnx.save(model, tmp_path / "long.onnx")
    done = inspector_command("layers", tmp_path / "long.onnx", "--all", COLUMNS="UNSET")
    names = [
        layer["name"]
        for layer in json.loads(
            inspector_command("layers", tmp_path / "long.onnx", "--all", "--json").out
        )
    ]
    assert all(name in done.out for name in names)


@pytest.mark.parametrize("package", ["onnxruntime", "msgpack", "cv2"])
def test_a_missing_package_is_named(inspector_command, tiny_model, make_data, tmp_path, package):
    data, _, _ = make_data()
    stub = tmp_path / "stub"
    stub.mkdir()
    (stub / f"{package}.py").write_text(
        f'raise ModuleNotFoundError("No module named {package}", name="{package}")'
    )
    # A size of its own makes OpenCV needed for the thumbnail.
    line = inspector_command(
        "record", tiny_model, data, "-o", tmp_path / "a", "--thumb", 4, PYTHONPATH=str(stub)
    ).error_line
    assert "pip install" in line


def test_a_dead_display_is_a_problem(inspector_command):
    done = inspector_command("doctor", DISPLAY=":987")
    assert done.code == 1
    assert "does not answer" in done.out
