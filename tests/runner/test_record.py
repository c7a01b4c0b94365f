from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort
import pytest

import inspector
from inspector.runner import (
    ImageSkippedError,
    ModelMemoryError,
    ModelRunError,
    NothingReadableError,
    OptionError,
    RecordOptions,
    load_model,
    record,
)
from inspector.stimuli import LabelError, PreprocessError


def run_untouched(path, images, **feeds):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images, **feeds})[0]


def layer_maps(path, images, tensor):
    """The maps of one tensor, by ONNX Runtime alone."""
    import onnx

    model = onnx.load(path)
    model.graph.output.append(onnx.ValueInfoProto(name=tensor))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([tensor], {"images": images})[0]


def test_activity_equals_onnx_runtime_alone(tiny_model, make_data, tmp_path):
    data, images, labels = make_data(count=45)
    rec = inspector.record(tiny_model, data, tmp_path / "a.msgpack", preprocess="none")
    maps = layer_maps(tiny_model, images, "relu")
    conv = next(layer for layer in rec.layers if layer.kind == "conv")
    assert rec.activity(conv.name, "relu_mean")[:] == pytest.approx(maps.mean((2, 3)), abs=1e-5)
    assert rec.activity(conv.name, "max")[:] == pytest.approx(maps.max((2, 3)), abs=1e-5)
    assert rec.activity(conv.name, "mean")[:] == pytest.approx(maps.mean((2, 3)), abs=1e-5)
    logits = run_untouched(tiny_model, images)
    assert rec.logits[:] == pytest.approx(logits, abs=1e-5)
    assert rec.predictions.tolist() == logits.argmax(1).tolist()
    assert rec.labels.tolist() == labels.tolist()
    assert rec.accuracy == pytest.approx((logits.argmax(1) == labels).mean())
    powers = np.exp(logits.astype(float))
    chances = powers / powers.sum(1, keepdims=True)
    assert rec.confidences == pytest.approx(chances.max(1), abs=1e-5)
    assert rec.finished
    assert rec.classes == ("ant", "bee", "cow")


def test_a_softmax_output_shows_the_same_probabilities(make_model, make_data, tmp_path):
    data, images, _ = make_data()
    rec = inspector.record(make_model(softmax=True), data, tmp_path / "a.msgpack")
    chances = run_untouched(make_model(softmax=True), images)
    assert rec.confidences == pytest.approx(chances.max(1), abs=1e-5)


@pytest.mark.parametrize("batch", [1, 7])
def test_a_fixed_batch_is_filled_up(make_model, make_data, tmp_path, batch):
    data, _, _ = make_data(count=20)
    dynamic = inspector.record(make_model("dynamic"), data, tmp_path / "a.msgpack")
    fixed = inspector.record(make_model("fixed", batch=batch), data, tmp_path / "b.msgpack")
    assert fixed.header.batch == batch
    assert fixed.logits[:] == pytest.approx(dynamic.logits[:], abs=1e-5)
    with pytest.raises(OptionError, match=f"fixed at {batch}"):
        inspector.record(make_model("fixed"[:5], batch=batch), data, tmp_path / "c", batch=3)


def test_open_sizes_take_those_of_the_data(make_model, make_data, tmp_path):
    data, images, _ = make_data()
    rec = inspector.record(make_model(side="side"), data, tmp_path / "a.msgpack")
    assert rec.logits[:] == pytest.approx(run_untouched(make_model(), images), abs=1e-5)


def test_same_input_same_bytes(tiny_model, make_data, tmp_path):
    data, _, _ = make_data(count=50)
    for name in ("a", "b"):
        inspector.record(tiny_model, data, tmp_path / name, chunk=32)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_recording_broken_off_is_resumed_to_the_same_bytes(tiny_model, make_data, tmp_path):
    data, _, _ = make_data(count=200)
    options = {"batch": 16, "chunk": 32}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    inspector.record(tiny_model, data, whole, name="x", **options)

    class PlugPulledError(Exception):
        pass

    def pull_plug(progress):
        if progress.done >= 128:
            raise PlugPulledError

    with pytest.raises(PlugPulledError):
        inspector.record(tiny_model, data, broken, name="x", on_progress=pull_plug, **options)
    with inspector.open(broken) as left:
        assert not left.finished
        assert 0 < left.images < 200
        kept = left.images
    moments = []
    inspector.record(
        tiny_model, data, broken, name="x", resume=True, on_progress=moments.append, **options
    )
    assert moments[-1].fresh == 200 - kept
    assert broken.read_bytes() == whole.read_bytes()


def test_resume_refuses_other_data(tiny_model, make_data, tmp_path):
    data, _, _ = make_data(count=20)
    out = tmp_path / "a.msgpack"
    inspector.record(tiny_model, data, out)
    other, _, _ = make_data("data", count=20, seed=9)
    with pytest.raises(inspector.InspectorError, match="stimuli"):
        inspector.record(tiny_model, other, out, resume=True)


def image_folder(folder, count=6):
    for number in range(count):
        name = ("ant", "bee", "cow")[number % 3]
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (12, 10, 3), np.uint8)
        cv2.imwrite(str(folder / name / f"{number}.png"), pixels)
    return folder


def test_folders_keep_paths_labels_and_pictures(tiny_model, tmp_path):
    folder = image_folder(tmp_path / "photos")
    rec = inspector.record(tiny_model, folder, tmp_path / "a.msgpack")
    assert rec.name == "photos"
    assert rec.paths[0] == "ant/0.png"
    assert rec.labels.tolist() == [0, 0, 1, 1, 2, 2]
    image = rec.image(0)
    assert image.path == "ant/0.png"
    assert (image.thumbnail == cv2.imread(str(folder / "ant/0.png"))[:, :, ::-1]).all()


def test_a_broken_image_keeps_its_number_and_is_listed(tiny_model, tmp_path):
    folder = image_folder(tmp_path / "photos")
    whole = inspector.record(tiny_model, folder, tmp_path / "whole.msgpack")
    (folder / "bee" / "1.png").write_bytes(b"no picture")
    result = record(tiny_model, folder, tmp_path / "a.msgpack")
    assert (result.images, result.skipped) == (6, 1)
    rec = inspector.open(result.path)
    assert list(rec.skipped) == [2]
    assert "not an image" in rec.skipped[2]
    assert np.isnan(rec.logits[2]).all()
    assert rec.predictions[2] == -1
    others = [0, 1, 3, 4, 5]
    assert rec.logits[others] == pytest.approx(whole.logits[others], abs=1e-5)
    with pytest.raises(ImageSkippedError, match=r"image 2 .*--strict"):
        record(tiny_model, folder, tmp_path / "b.msgpack", RecordOptions(strict=True))
    assert not (tmp_path / "b.msgpack").exists()


def test_nothing_readable(tiny_model, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.jpg"):
        (tmp_path / "photos" / name).write_bytes(b"no picture")
    with pytest.raises(NothingReadableError, match="none of the 2 images"):
        record(tiny_model, tmp_path / "photos", tmp_path / "a.msgpack")
    assert not (tmp_path / "a.msgpack").exists()


def test_errors_leave_no_file_and_harm_no_older_one(tiny_model, make_data, tmp_path):
    out = tmp_path / "a.msgpack"
    np.savez(tmp_path / "wrong.npz", images=np.zeros((3, 8, 8, 5), np.float32))
    np.savez(tmp_path / "labels.npz", images=np.zeros((2, 8, 8, 3), np.uint8), labels=[0, 3])
    with pytest.raises(PreprocessError):
        record(tiny_model, tmp_path / "wrong.npz", out)
    with pytest.raises(LabelError, match="image 1 has the label 3"):
        record(tiny_model, tmp_path / "labels.npz", out)
    assert not out.exists()
    good, _, _ = make_data()
    record(tiny_model, good, out)
    before = out.read_bytes()
    with pytest.raises(inspector.InspectorError, match="exists"):
        record(tiny_model, good, out)
    with pytest.raises(LabelError):
        record(tiny_model, tmp_path / "labels.npz", out, RecordOptions(overwrite=True))
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"tokens": "some"}, "tokens"),
        ({"provider": "tpu"}, "provider"),
        ({"dtype": "int8"}, "dtype"),
        ({"batch": 0}, "batch"),
        ({"chunk": 20, "batch": 16}, "multiple"),
        ({"memory": 0.0}, "memory"),
        ({"limit": "some"}, "limit"),
        ({"classes": ("a", "b")}, "2 classes"),
        ({"layers": "no_such_layer"}, "no_such_layer"),
        ({"reduce": ("median",)}, "median"),
        ({"output": "no_such_output"}, "no_such_output"),
        ({"preprocess": "magic"}, "magic"),
    ],
)
def test_options_that_make_no_sense_are_named(tiny_model, make_data, tmp_path, options, reason):
    data, _, _ = make_data()
    with pytest.raises(inspector.InspectorError, match=reason):
        record(tiny_model, data, tmp_path / "a.msgpack", RecordOptions(**options))
    assert not (tmp_path / "a.msgpack").exists()


def test_cuda_where_there_is_none(tiny_model, make_data, tmp_path):
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine has a GPU")
    data, _, _ = make_data()
    with pytest.raises(inspector.InspectorError, match="onnxruntime-gpu"):
        record(tiny_model, data, tmp_path / "a.msgpack", RecordOptions(provider="cuda"))


@pytest.mark.parametrize("memory", [1.0, None])
def test_a_memory_bomb_becomes_one_line(make_bomb, memory):
    with pytest.raises((ModelMemoryError, ModelRunError), match=r"memory|run the model"):
        load_model(make_bomb(elements_from_data=False), memory=memory)


def test_a_bomb_in_a_later_image_keeps_what_is_recorded(make_bomb, tmp_path):
    images = np.full((96, 3, 8, 8), 0.25, np.float32)
    images[70, 0, 0, 0] = 2
    np.savez(tmp_path / "data.npz", images=images)
    out = tmp_path / "a.msgpack"
    bomb = make_bomb(elements_from_data=True)
    options = RecordOptions(batch=16, chunk=32, memory=1.0)
    with pytest.raises(ModelMemoryError, match=r"64 of 96 images are kept .*--resume"):
        record(bomb, tmp_path / "data.npz", out, options)
    with inspector.open(out) as rec:
        assert not rec.finished
        assert rec.images == 64


def test_names_are_resolved_and_thumbnails_kept(tiny_model, make_data, tmp_path):
    data, _, _ = make_data(count=3)
    rec = inspector.record(tiny_model, data, tmp_path / "a.msgpack", name="Ä \x1b[31m", thumb=4)
    assert rec.name == "Ä \x1b[31m"
    assert rec.thumbnail(0).shape == (4, 4, 3)


def test_model_is_described(tiny_model):
    model = inspector.load_model(tiny_model)
    assert model.classes == ("ant", "bee", "cow")
    assert model.name == "tiny"
    assert [layer.kind for layer in model.layers if layer.default][-1] == "logits"
    rec_layer = next(layer for layer in model.layers if layer.kind == "conv" and layer.default)
    assert rec_layer.units == 4
    assert tuple(rec_layer.shape) == (4, 6, 6)


def test_the_unit_axis_can_be_set(tiny_model, make_data, tmp_path):
    data, images, _ = make_data(count=5)
    model = inspector.load_model(tiny_model, axes={"relu": 2})
    layer = next(layer for layer in model.layers if layer.tensor == "relu")
    assert (layer.axis, layer.units) == (2, 6)
    rec = inspector.record(
        tiny_model, data, tmp_path / "a.msgpack", axes=(("relu", 2),), layers=layer.name
    )
    maps = layer_maps(tiny_model, images, "relu")
    assert rec.activity(layer.name, "max")[:] == pytest.approx(maps.max((1, 3)), abs=1e-5)


def test_what_is_no_layer_is_listed_with_its_reason(tiny_model):
    model = inspector.load_model(tiny_model)
    tapped = {layer.tensor for layer in model.layers}
    assert not {each.tensor for each in model.survey.untapped} & tapped
    assert all(each.reason for each in model.survey.untapped)


def test_parts_merge_to_the_bytes_of_the_whole(tiny_model, tmp_path):
    from inspector.recording import merge

    folder = image_folder(tmp_path / "photos", count=27)
    (folder / "bee" / "10.png").write_bytes(b"no picture")
    options = {"batch": 4, "chunk": 4}
    inspector.record(tiny_model, folder, tmp_path / "whole.msgpack", **options)
    parts = [tmp_path / f"{k}.msgpack" for k in (1, 2, 3)]
    for k in (3, 1, 2):
        rec = inspector.record(tiny_model, folder, parts[k - 1], part=f"{k}/3", **options)
        assert rec.name == "photos"
    merge(parts[::-1], tmp_path / "merged.msgpack")
    assert (tmp_path / "merged.msgpack").read_bytes() == (tmp_path / "whole.msgpack").read_bytes()


@pytest.mark.parametrize("part", ["", "0/2", "3/2", "1", "1/x", "1/9"])
def test_parts_that_make_no_sense(tiny_model, make_data, tmp_path, part):
    data, _, _ = make_data(count=20)
    with pytest.raises(OptionError, match="--part"):
        inspector.record(tiny_model, data, tmp_path / "a", part=part, batch=4, chunk=4)


def test_metadata_columns_are_kept(tiny_model, make_data, tmp_path):
    from inspector.stimuli import ArrayDataset

    class WithColumns(ArrayDataset):
        @property
        def columns(self):
            return {"camera": ["c1", "c2"] * 10, "hour": [*range(20)], "gain": [0.5, 2] * 10}

    _, images, labels = make_data(count=20)
    data = WithColumns("cams", images, labels)
    record(tiny_model, data, tmp_path / "a.msgpack", RecordOptions(batch=4, chunk=8))
    with inspector.open(tmp_path / "a.msgpack") as rec:
        assert list(rec.columns["camera"]) == ["c1", "c2"] * 10
        assert list(rec.columns["hour"]) == list(range(20))
        assert list(rec.columns["gain"]) == [0.5, 2.0] * 10
        assert len(rec.where('camera == "c1" and hour < 6')) == 3


def test_an_older_recording_is_kept_until_the_new_one_is_whole(tiny_model, make_data, tmp_path):
    data, _, _ = make_data(count=64)
    out = tmp_path / "a.msgpack"
    options = {"batch": 8, "chunk": 8, "name": "x"}
    inspector.record(tiny_model, data, out, **options).close()
    before = out.read_bytes()

    class PlugPulledError(Exception):
        pass

    def pull_plug(progress):
        if progress.done >= 32:
            raise PlugPulledError

    with pytest.raises(PlugPulledError):
        inspector.record(tiny_model, data, out, overwrite=True, on_progress=pull_plug, **options)
    aside = tmp_path / "a.msgpack.replaced"
    assert aside.read_bytes() == before
    # The grid is that of the file, where none is named.
    inspector.record(tiny_model, data, out, resume=True, name="x").close()
    assert out.read_bytes() == before
    assert not aside.exists()


def test_a_batch_of_one_written_inside_is_found(tiny_model, make_data, tmp_path):
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(tiny_model)
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 4]), "one_row"))
    for node in model.graph.node:
        if node.op_type == "Flatten":
            node.CopyFrom(helper.make_node("Reshape", ["pool", "one_row"], ["flat"]))
    onnx.save(model, tmp_path / "inside.onnx")
    data, images, _ = make_data(count=5)
    rec = inspector.record(tmp_path / "inside.onnx", data, tmp_path / "a.msgpack")
    assert rec.header.batch == 1
    assert rec.logits[:] == pytest.approx(run_untouched(tiny_model, images), abs=1e-5)


def test_layers_as_a_list_and_text_inputs(tiny_model, make_data, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    data, _, _ = make_data(count=5)
    rec = inspector.record(tiny_model, data, tmp_path / "a.msgpack", layers=["relu1", "f*"])
    assert "relu1" in [layer.name for layer in rec.layers]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "text",
        [helper.make_tensor_value_info("x", TensorProto.STRING, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.STRING, ["n", 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "text.onnx")
    with pytest.raises(inspector.InspectorError, match="text"):
        inspector.load_model(tmp_path / "text.onnx")
