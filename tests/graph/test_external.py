from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inspector.graph import load_graph


def save(path, weights, *, external):
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path, save_as_external_data=external, location="w.bin", size_threshold=0)


@pytest.fixture
def weights():
    return np.arange(12, dtype=np.float32).reshape(4, 3)


def test_other_external_weights_make_another_model(tmp_path, weights):
    path = tmp_path / "net.onnx"
    save(path, weights, external=True)
    before = load_graph(path)
    assert load_graph(path).sha256 == before.sha256
    (tmp_path / "w.bin").write_bytes((weights * 5).tobytes())
    after = load_graph(path)
    assert after.file_sha256 == before.file_sha256
    assert after.sha256 != before.sha256


def test_a_model_in_one_file_is_identified_by_it(tmp_path, weights):
    import hashlib

    path = tmp_path / "net.onnx"
    save(path, weights, external=False)
    assert load_graph(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
