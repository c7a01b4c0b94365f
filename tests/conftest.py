"""Tiny models and data that many tests share, built in code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

CLASSES = ("ant", "bee", "cow")


def conv_net(
    *,
    batch: int | str = "batch",
    side: int | str = 8,
    channels: int = 3,
    seed: int = 0,
    softmax: bool = False,
    classes: tuple[str, ...] | None = CLASSES,
) -> onnx.ModelProto:
    """Conv(channels→4) → Relu → global average → Gemm(4→3), with seeded weights."""
    random = np.random.default_rng(seed)
    weights = {
        "w1": random.normal(size=(4, channels, 3, 3)),
        "b1": random.normal(size=4) * 0.1,
        "w2": random.normal(size=(3, 4)),
        "b2": random.normal(size=3),
    }
    nodes = [
        helper.make_node("Conv", ["images", "w1", "b1"], ["conv"], name="/conv1/Conv"),
        helper.make_node("Relu", ["conv"], ["relu"], name="/relu1/Relu"),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"], name="/pool/GlobalAveragePool"),
        helper.make_node("Flatten", ["pool"], ["flat"], name="/flatten/Flatten"),
        helper.make_node("Gemm", ["flat", "w2", "b2"], ["logits"], transB=1, name="/fc/Gemm"),
    ]
    last = "logits"
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["chances"], name="/softmax"))
        last = "chances"
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, channels, side, side])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if classes is not None:
        helper.set_model_props(model, {"classes": json.dumps(list(classes))})
    return model


def bomb(elements_from_data: bool) -> onnx.ModelProto:
    """The tiny net, and 2^36 floats: at once, or only for a batch with a pixel above 1.5."""
    model = conv_net()
    graph = model.graph
    constants = {
        "limit": np.array(1.5, np.float32),
        "huge": np.array(2**36),
        "one": np.array(1),
        "axis": np.array([0]),
    }
    graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in constants.items())
    if elements_from_data:
        nodes = [
            helper.make_node("ReduceMax", ["images"], ["top"], keepdims=0),
            helper.make_node("Greater", ["top", "limit"], ["much"]),
            helper.make_node("Where", ["much", "huge", "one"], ["count"]),
        ]
    else:
        nodes = [helper.make_node("Identity", ["huge"], ["count"])]
    nodes += [
        helper.make_node("Unsqueeze", ["count", "axis"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["logits", "sum"], ["out"]),
    ]
    graph.node.extend(nodes)
    graph.output[0].name = "out"
    return model


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    onnx.save(conv_net(), path)
    return path


@pytest.fixture
def make_model(tmp_path: Path):
    def make(name: str = "made", **changes: object) -> Path:
        path = tmp_path / f"{name}.onnx"
        onnx.save(conv_net(**changes), path)
        return path

    return make


@pytest.fixture
def make_bomb(tmp_path: Path):
    def make(*, elements_from_data: bool) -> Path:
        path = tmp_path / "bomb.onnx"
        onnx.save(bomb(elements_from_data), path)
        return path

    return make


@pytest.fixture
def make_data(tmp_path: Path):
    """Write float images [n, 3, 8, 8] and labels as `.npz`, and return path, images, labels."""

    def make(name: str = "data", count: int = 20, seed: int = 1, shift: float = 0.0):
        random = np.random.default_rng(seed)
        images = np.clip(random.random((count, 3, 8, 8)) + shift, 0, 1).astype(np.float32)
        labels = np.arange(count) % 3
        path = tmp_path / f"{name}.npz"
        np.savez(path, images=images, labels=labels)
        return path, images, labels

    return make


@dataclass
class Run:
    code: int
    out: str
    err: str

    @property
    def error_line(self) -> str:
        """The one line that an error ends with; anything like a traceback fails the test."""
        assert self.code == 1, (self.code, self.err)
        assert "Traceback" not in self.err
        last = self.err.strip().splitlines()[-1]
        assert last.startswith("inspector: "), self.err
        return last


def run_inspector(*arguments: object, timeout: float = 120, **environment: str) -> Run:
    changed = {**os.environ, "COLUMNS": "200", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "inspector", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={name: value for name, value in changed.items() if value != "UNSET"},
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def inspector_command():
    """Run the real program in a process of its own."""
    return run_inspector


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The demo, run once for all tests that look at what it made: its folder and its output."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return folder, run_inspector("demo", "--out", folder, "--no-view", timeout=400)
