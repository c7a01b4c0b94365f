"""Loading: sound models, and one clear line for each thing that is wrong."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from run_models import probe
from tiny_models import PLAIN, Builder

from inspector.errors import InspectorError
from inspector.graph import (
    ExternalDataError,
    InvalidModelError,
    ModelMissingError,
    NotAModelError,
    TruncatedModelError,
    UnsupportedModelError,
    expose_all,
    find_layers,
    load_graph,
)
from inspector.graph.external import SMALL_BYTES


def small(b: Builder | None = None, units: int = 3) -> tuple[Builder, str]:
    b = b or Builder()
    x = b.input("x", "batch", 4)
    with b.module("fc"):
        return b, b.add("Relu", b.linear(x, 4, units))


def test_what_a_graph_tells(tmp_path: Path) -> None:
    b, out = small()
    model = b.model(out)
    model.metadata_props.add(key="classes", value='["cat", "dog", "owl"]')
    onnx.save(model, tmp_path / "net.v2.onnx")
    graph = load_graph(str(tmp_path / "net.v2.onnx"))
    assert (graph.name, graph.opset, graph.ir_version) == ("net.v2", 20, 10)
    assert graph.inputs[0].name == "x"
    assert graph.inputs[0].dtype == "float32"
    assert graph.inputs[0].shape == (None, 4)
    assert graph.classes == ("cat", "dog", "owl")
    assert len(graph.sha256) == 64


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("names", "{0: 'person', 1: 'car'}", ("person", "car")),
        ("id2label", '{"1": "b", "0": "a"}', ("a", "b")),
        ("labels", "cat, dog", ("cat", "dog")),
        ("class_names", "cat\ndog\n", ("cat", "dog")),
        ("id2label", '{"1": "b", "7": "a"}', ()),
        ("classes", "7", ()),
        ("author", '["a", "b"]', ()),
    ],
)
def test_category_names_in_the_metadata(
    tmp_path: Path, key: str, value: str, expected: tuple[str, ...]
) -> None:
    b, out = small()
    model = b.model(out)
    model.metadata_props.add(key=key, value=value)
    onnx.save(model, tmp_path / "net.onnx")
    assert load_graph(tmp_path / "net.onnx").classes == expected


def test_initializers_repeated_as_inputs_are_not_fed(tmp_path: Path) -> None:
    b = Builder(ir=3, opset=7)
    b.input("x", 1, 4)
    weight = b.weight(4, 3)
    model = b.model(b.add("MatMul", "x", weight))
    model.graph.input.append(helper.make_tensor_value_info(weight, TensorProto.FLOAT, [4, 3]))
    onnx.save(model, tmp_path / "net.onnx")
    graph = load_graph(tmp_path / "net.onnx")
    assert [(item.name, item.batch) for item in graph.inputs] == [("x", 1)]
    assert (graph.ir_version, graph.opset) == (3, 7)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"\xff\xd8\xff\xe0 JFIF", "JPEG"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x00\x00\x00\x1cTFL3\x00", "TensorFlow Lite"),
        (b"\x80\x02\x8a\nl\xfc\x9cF", "pickle"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b'{"model": 1}', "JSON"),
        (b"hello world, this is no model\n", "'hello world"),
        (b'\x10\x00\x00\x00\x00\x00\x00\x00{"a":[1,2,3]}   ', "safetensors"),
        (b"\xde\xad\xbe\xef" * 20, "begin with"),
        (b"\x08\x0a", "has no graph"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "thing.onnx"
    path.write_bytes(data)
    with pytest.raises(NotAModelError, match=r"thing\.onnx is not an ONNX model") as caught:
        load_graph(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pytorch_checkpoint(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02")
    (tmp_path / "net.pt").write_bytes(buffer.getvalue())
    with pytest.raises(NotAModelError, match="PyTorch checkpoint: export it"):
        load_graph(tmp_path / "net.pt")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="does not exist"):
        load_graph(tmp_path / "no.onnx")
    with pytest.raises(ModelMissingError, match="is a folder"):
        load_graph(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_truncated(tmp_path: Path, share: float) -> None:
    b, out = small()
    data = b.model(out).SerializeToString()
    (tmp_path / "cut.onnx").write_bytes(data[: max(int(len(data) * share), 3)])
    with pytest.raises((TruncatedModelError, NotAModelError), match=r"cut\.onnx"):
        load_graph(tmp_path / "cut.onnx")


def test_a_truncated_model_is_called_one(tmp_path: Path) -> None:
    b, out = small()
    data = b.model(out).SerializeToString()
    (tmp_path / "cut.onnx").write_bytes(data[:-20])
    with pytest.raises(TruncatedModelError, match="breaks off or is damaged"):
        load_graph(tmp_path / "cut.onnx")


def test_invalid_graph(tmp_path: Path) -> None:
    b, _ = small()
    b.add("Relu", "nobody_makes_this", out="y")
    b.save(tmp_path / "net.onnx", "y")
    with pytest.raises(InvalidModelError, match="nobody_makes_this") as caught:
        load_graph(tmp_path / "net.onnx")
    assert "\n" not in str(caught.value)


def test_unknown_operator_in_the_standard_domain(tmp_path: Path) -> None:
    b = Builder()
    b.input("x", "batch", 4)
    b.save(tmp_path / "net.onnx", b.add("Frobnicate", "x"))
    with pytest.raises(UnsupportedModelError, match="Frobnicate"):
        load_graph(tmp_path / "net.onnx")


def test_inputs_that_are_no_tensors(tmp_path: Path) -> None:
    model = Builder()
    model.input("x", "batch", 4)
    proto = model.model(model.add("Relu", "x"))
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
    value = helper.make_value_info("list", helper.make_sequence_type_proto(tensor))
    proto.graph.input.append(value)
    onnx.save(proto, tmp_path / "net.onnx")
    with pytest.raises(UnsupportedModelError, match="'list', a sequence_type"):
        load_graph(tmp_path / "net.onnx")


def external(folder: Path, location: str = "weights.bin", units: int = 3) -> Path:
    b, out = small(units=units)
    model = b.model(out)
    onnx.save(
        model,
        folder / "net.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="weights.bin",
        size_threshold=0,
    )
    if location != "weights.bin":
        model = onnx.load(folder / "net.onnx", load_external_data=False)
        for tensor in model.graph.initializer:
            for item in tensor.external_data:
                if item.key == "location":
                    item.value = location
        onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def test_external_weights_stay_outside(tmp_path: Path) -> None:
    graph = load_graph(external(tmp_path, units=SMALL_BYTES))
    assert all(not t.raw_data and t.external_data for t in graph.proto.graph.initializer)
    assert graph.weight_files == ("weights.bin",)
    exposed = onnx.load_from_string(expose_all(graph).model_bytes)
    assert all(not t.raw_data for t in exposed.graph.initializer)
    assert [layer.name for layer in find_layers(graph, probe(graph))]


def test_external_values_that_shape_a_graph_are_known(tmp_path: Path) -> None:
    b = Builder(PLAIN, opset=18)
    x = b.add("Relu", b.conv(b.input("x", "n", 3, 8, 8), 3, 6))
    bounds = [b.constant([value], "int64") for value in (1, 7, 3)]
    x = b.add("Conv", b.add("Slice", x, *bounds), b.weight(4, 6, 3, 3))
    x = b.add("Clip", x, b.constant(0), b.constant(6))
    x = b.add("Reshape", x, b.constant([0, 4, -1], "int64"))
    x = b.add("ReduceMean", x, b.constant([2], "int64"), keepdims=0)
    model = b.model(b.linear(x, 4, 5))
    found = []
    for name, is_external in (("inside", False), ("outside", True)):
        path = tmp_path / f"{name}.onnx"
        onnx.save(
            model, path, save_as_external_data=is_external, location="w.bin", size_threshold=0
        )
        graph = load_graph(path)
        found.append(find_layers(graph, probe(graph)))
    # The rectified bound, a small float, is known as well: the Clip is not signed.
    assert found[0] == found[1]
    assert [layer.signed for layer in found[1]] == [False, False, False, False, True]


def misplaced(folder: Path, key: str, value: str) -> Path:
    path = external(folder)
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        next(entry for entry in tensor.external_data if entry.key == key).value = value
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("key", "value"), [("offset", "-3"), ("offset", "x"), ("length", "1e9")])
def test_external_values_at_no_place_are_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ExternalDataError) as caught:
        load_graph(misplaced(tmp_path, key, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("key", "value"), [("offset", "1000000"), ("length", "5")])
def test_external_values_beyond_their_file_are_not_taken_in(
    tmp_path: Path, key: str, value: str
) -> None:
    graph = load_graph(misplaced(tmp_path, key, value))
    assert all(tensor.external_data for tensor in graph.proto.graph.initializer)


def test_missing_external_weights(tmp_path: Path) -> None:
    path = external(tmp_path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ExternalDataError, match=r"weights\.bin.*not there") as caught:
        load_graph(path)
    assert "\n" not in str(caught.value)


def test_external_weights_outside_the_folder_are_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = external(inner)
    (inner / "weights.bin").replace(tmp_path / "weights.bin")
    for location in ("../weights.bin", str(tmp_path / "weights.bin")):
        external(inner, location)
        (inner / "weights.bin").unlink()
        with pytest.raises(ExternalDataError):
            load_graph(path)
    external(inner)
    (inner / "weights.bin").unlink()
    (inner / "weights.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(ExternalDataError, match="refused"):
        load_graph(path)


def test_an_output_without_a_shape_is_no_fault(tmp_path: Path) -> None:
    b, out = small()
    model = b.model(out)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "net.onnx")
    assert load_graph(tmp_path / "net.onnx").opset == 20


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    b = Builder()
    b.input("x", "batch", 4)
    product = b.add("MatMul", "x", b.weight(4, 3))
    out = b.add("Rectify", product, domain="own")
    model = b.model(out)
    node = helper.make_node("Relu", ["a"], ["b"])
    ids = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("own", "Rectify", ["a"], ["b"], [node], ids))
    onnx.save(model, tmp_path / "net.onnx")
    graph = load_graph(tmp_path / "net.onnx")
    assert [node.op_type for node in graph.proto.graph.node] == ["MatMul", "Relu"]
    found = find_layers(graph, probe(graph))
    assert [(layer.op, layer.default) for layer in found] == [("Relu", True)]


def test_every_error_is_an_inspector_error() -> None:
    for kind in (ModelMissingError, NotAModelError, TruncatedModelError, ExternalDataError):
        assert issubclass(kind, InspectorError)


def test_uint8_and_float16_inputs(tmp_path: Path) -> None:
    b = Builder()
    b.input("pixels", None, 8, 8, 3, dtype=TensorProto.UINT8)
    b.input("half", None, 3, dtype=TensorProto.FLOAT16)
    b.save(tmp_path / "net.onnx", b.add("Cast", "pixels", to=TensorProto.FLOAT), rank=4)
    graph = load_graph(tmp_path / "net.onnx")
    assert [(i.dtype, i.shape) for i in graph.inputs] == [
        ("uint8", (None, 8, 8, 3)),
        ("float16", (None, 3)),
    ]
    assert np.dtype(graph.inputs[0].dtype) == np.uint8
