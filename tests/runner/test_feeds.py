from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import inspector
from inspector.runner import ModelInputError, OptionError


@pytest.fixture
def two_inputs(tiny_model, tmp_path):
    """The tiny net with its logits multiplied by a second input [batch, 1]."""
    model = onnx.load(tiny_model)
    model.graph.input.append(helper.make_tensor_value_info("gain", TensorProto.FLOAT, ["batch", 1]))
    model.graph.node.append(helper.make_node("Mul", ["logits", "gain"], ["scaled"]))
    model.graph.output[0].name = "scaled"
    path = tmp_path / "two.onnx"
    onnx.save(model, path)
    return path


def run_alone(path, images, gain):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images, "gain": gain})[0]


@pytest.mark.parametrize("each", [False, True])
def test_a_row_for_all_or_a_row_each(two_inputs, make_data, tmp_path, each):
    data, images, _ = make_data(count=20)
    gain = np.linspace(1, 3, 20, dtype=np.float32)[:, None]
    np.save(tmp_path / "gain.npy", gain if each else gain[3])
    feeds = (("gain", str(tmp_path / "gain.npy")),)
    rec = inspector.record(two_inputs, data, tmp_path / "a", feeds=feeds, batch=8, chunk=8)
    expected = run_alone(two_inputs, images, gain if each else np.repeat(gain[3:4], 20, 0))
    assert rec.predictions.tolist() == expected.argmax(1).tolist()
    if each:
        half = inspector.record(
            two_inputs, data, tmp_path / "b", feeds=feeds, batch=8, chunk=8, part="2/3"
        )
        assert (half.logits[:] == rec.logits[8:16]).all()


def test_what_is_missing_or_wrong_is_named(two_inputs, make_data, tmp_path):
    data, _, _ = make_data(count=20)
    with pytest.raises(ModelInputError, match=r"2 are left \(images .*gain.*--feed"):
        inspector.record(two_inputs, data, tmp_path / "a")
    wrong = {
        "rows": (np.zeros((3, 1), np.float32), "one for each of the 20"),
        "type": (np.zeros((1, 1)), "float64"),
        "objects": (np.array([None]), "np.save"),
    }
    for name, (array, reason) in wrong.items():
        np.save(tmp_path / f"{name}.npy", array)
        with pytest.raises(OptionError, match=reason):
            inspector.record(
                two_inputs, data, tmp_path / "a", feeds=(("gain", str(tmp_path / f"{name}.npy")),)
            )
    with pytest.raises(OptionError, match="no such input"):
        inspector.record(two_inputs, data, tmp_path / "a", feeds=(("gian", "x.npy"),))


def test_layers_of_such_a_model(two_inputs, inspector_command, tmp_path):
    np.save(tmp_path / "gain.npy", np.ones((1, 1), np.float32))
    done = inspector_command("layers", two_inputs, "--feed", f"gain={tmp_path / 'gain.npy'}")
    assert done.code == 0, done.err
    assert "--feed" in inspector_command("layers", two_inputs).error_line
