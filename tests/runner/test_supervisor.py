from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import time

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from inspector.runner import ModelRunError, WorkerDiedError
from inspector.runner.frames import FrameError, read_frame, write_frame
from inspector.runner.supervisor import Supervisor

IMAGES = np.zeros((2, 3, 8, 8), np.float32)


@given(
    arrays(
        st.sampled_from([np.float32, np.float16, np.uint8, np.int64, np.bool_]),
        array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_frames_round_trip(array):
    stream = io.BytesIO()
    write_frame(stream, {"do": "run", "täxt": "x"}, {"a": array, "b": np.arange(3)})
    stream.seek(0)
    head, read = read_frame(stream)
    assert head == {"do": "run", "täxt": "x"}
    assert read["a"].dtype == array.dtype
    assert read["a"].shape == array.shape
    assert np.array_equal(read["a"], array, equal_nan=array.dtype.kind == "f")
    assert read["b"].tolist() == [0, 1, 2]


@given(st.binary(max_size=64))
def test_bytes_that_are_no_frame(content):
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(struct.pack("<Q", len(content)) + content))
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(b"\xff" * 8 + content))


def test_objects_are_no_numbers():
    head = msgpack.packb({"arrays": [["a", "|O8", [1]]]})
    stream = io.BytesIO(struct.pack("<Q", len(head)) + head + bytes(8))
    with pytest.raises(FrameError, match="array"):
        read_frame(stream)


def test_batches_come_back_in_order(tiny_model):
    with Supervisor() as worker:
        worker.open(tiny_model.read_bytes())
        for value in (0.0, 1.0, 2.0):
            worker.submit({"images": IMAGES + np.float32(value)}, ["logits"])
        first, second, third = (worker.result()["logits"] for _ in range(3))
    assert not np.allclose(first, second)
    assert not np.allclose(second, third)


def test_a_killed_worker_becomes_one_line(tiny_model):
    with Supervisor() as worker:
        worker.open(tiny_model.read_bytes())
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(WorkerDiedError, match="SIGKILL") as caught:
            worker.shapes({"images": IMAGES})
    assert "\n" not in str(caught.value)


def test_a_hung_worker_is_stopped(tiny_model):
    with Supervisor() as worker:
        worker._patience = 0.5
        os.kill(worker._process.pid, signal.SIGSTOP)
        with pytest.raises(WorkerDiedError, match=r"did not answer for 0\.5 s"):
            worker.open(tiny_model.read_bytes())


def test_an_input_that_does_not_fit_is_the_models_error(tiny_model):
    with Supervisor() as worker:
        worker.open(tiny_model.read_bytes())
        worker.submit({"images": IMAGES[:, :2]}, ["logits"])
        with pytest.raises(ModelRunError, match="ONNX Runtime could not run"):
            worker.result()
        worker.submit({"images": IMAGES}, ["logits"])
        assert worker.result()["logits"].shape == (2, 3)


def test_the_worker_ends_with_its_supervisor(tiny_model):
    worker = Supervisor()
    pid = worker._process.pid
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_worker_ends_when_its_input_does():
    worker = Supervisor()
    worker._process.stdin.close()
    for _ in range(200):
        if worker._process.poll() is not None:
            break
        time.sleep(0.05)
    assert worker._process.poll() == 0
    worker.close()


def test_modules_of_the_current_folder_are_not_loaded(tiny_model, tmp_path, monkeypatch):
    (tmp_path / "onnxruntime.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    with Supervisor() as worker:
        assert worker.open(tiny_model.read_bytes()) == "cpu"


def test_a_busy_worker_dies_with_its_parent(tmp_path):
    """The parent is killed while the model runs a loop of many seconds."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Cos", ["state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["turns", "yes", "x"], ["y"], body=body)],
        "slow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [
            numpy_helper.from_array(np.array(10**9), "turns"),
            numpy_helper.from_array(np.array(True), "yes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "slow.onnx")
    program = (
        "import sys, numpy as np\n"
        "from inspector.runner.supervisor import Supervisor\n"
        "worker = Supervisor()\n"
        "worker.open(open(sys.argv[1], 'rb').read())\n"
        "print(worker._process.pid, flush=True)\n"
        "worker.shapes({'x': np.zeros((2, 4), np.float32)})\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "slow.onnx")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        os.kill(pid, 0)
        parent.kill()
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the worker outlived its parent")
