"""In both directions against the real exporter, deephys 0.14.1."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from deephys_files import CLASSES, LAYERS, arrays, exported
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_arrays

from inspector.interop import DeephysOptions, export_deephys, import_deephys
from inspector.recording import open_recording

GOLDEN = Path(__file__).parent / "golden"


def test_the_peer_is_the_one_that_the_reference_describes() -> None:
    assert version("deephys") == "0.14.1"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_deephys_writes_is_read_exactly(tmp_path: Path, dtype: str) -> None:
    data = arrays(9)
    test = exported(tmp_path, data, dtype)
    (done,) = import_deephys(tmp_path / "net.model", [test], tmp_path / "out")
    assert done.path == tmp_path / "out" / "Set.msgpack"
    assert done.images == 9
    assert bool(done.warnings) == (dtype == "float64")
    with open_recording(done.path) as recording:
        assert recording.finished
        assert recording.name == "Set"
        assert recording.model["name"] == "net"
        assert recording.classes == tuple(CLASSES)
        assert recording.labels.tolist() == data["truth"]
        for layer in LAYERS:
            expected = data[layer].astype(np.float32)
            assert np.array_equal(recording.activity(layer)[:], expected)
        pixels = (data["images"] * 255).astype(np.uint8).transpose(0, 2, 3, 1)
        for number in range(9):
            assert np.array_equal(recording.thumbnail(number), pixels[number])
        logits = data["fc"].astype(np.float32)
        assert recording.predictions.tolist() == logits.argmax(1).tolist()
        assert recording.accuracy == pytest.approx((logits.argmax(1) == data["truth"]).mean())
        assert done.accuracy == recording.accuracy
        power = np.exp(logits - logits.max(1, keepdims=True))
        assert np.allclose(recording.confidences, (power / power.sum(1, keepdims=True)).max(1))
        assert [layer.kind for layer in recording.layers] == ["vector", "logits"]
        assert np.array_equal(recording.unit("pool", 1, "relu_mean"), recording.unit("pool", 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_exported_is_what_deephys_writes_byte_for_byte(tmp_path: Path, dtype: str) -> None:
    data = arrays(300, seed=3)
    # What a recording holds: float32.
    data |= {layer: data[layer].astype(np.float32) for layer in LAYERS}
    test = exported(tmp_path, data, dtype)
    (done,) = import_deephys(tmp_path / "net.model", [test], tmp_path)
    with open_recording(done.path) as recording:
        options = DeephysOptions(float64=dtype == "float64")
        out = export_deephys(recording, tmp_path / "again", options)
    assert out.images == 300
    assert out.messages == ()
    model, again = out.files
    assert model.read_bytes() == (tmp_path / "net.model").read_bytes()
    assert again.read_bytes() == test.read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    images=any_arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.just(3), st.integers(1, 33), st.integers(1, 30)),
        elements=st.floats(0, 1, width=32),
    ),
    value=st.floats(width=32),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_any_dataset_goes_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, images: np.ndarray, value: float, dtype: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    data = arrays(len(images)) | {"images": images}
    data["fc"][0, 0] = value
    data["pool"][-1, 2] = abs(value)
    test = exported(folder, data, dtype)
    (done,) = import_deephys(folder / "net.model", [test], folder)
    with open_recording(done.path) as recording:
        assert np.array_equal(recording.logits[:], data["fc"].astype("f4"), equal_nan=True)
        out = export_deephys(recording, folder / "again")
        pixels = np.stack([recording.thumbnail(number) for number in range(len(images))])
        assert pixels.shape == (len(images), *images.shape[2:], 3)
        if max(images.shape[2:]) <= 32:
            assert np.array_equal(pixels.transpose(0, 3, 1, 2), (images * 255).astype("u1"))
    (again,) = import_deephys(out.files[0], [out.files[1]], folder)
    with open_recording(again.path) as second:
        assert np.array_equal(second.activity("pool")[:], data["pool"].astype("f4"), equal_nan=True)


def test_golden_files_of_the_real_exporter(tmp_path: Path) -> None:
    expected = np.load(GOLDEN / "expected.npz")
    tests = [GOLDEN / "golden32.test", GOLDEN / "golden64.test"]
    for done in import_deephys(GOLDEN / "golden.model", tests, tmp_path):
        with open_recording(done.path) as recording:
            assert recording.name == done.source.stem
            assert recording.labels.tolist() == expected["truth"].tolist()
            assert np.array_equal(recording.activity("pool")[:], expected["pool"])
            assert np.array_equal(recording.activity("fc")[:], expected["fc"])
            pixels = np.stack([recording.thumbnail(number) for number in range(3)])
            assert np.array_equal(pixels, expected["pixels"])
            out = export_deephys(recording, tmp_path / f"{recording.name}-again")
            if recording.name == "golden32":
                assert out.files[1].read_bytes() == done.source.read_bytes()


@pytest.mark.parametrize(
    ("version", "lacks"),
    [("0.5.4", ("dtype", "classes", "suffix")), ("0.9.0", ("classes", "suffix")), ("0.10.0", ())],
)
def test_golden_files_of_old_exporters(tmp_path: Path, version: str, lacks: tuple) -> None:
    expected = np.load(GOLDEN / "expected.npz")
    test = GOLDEN / f"old{version}.test"
    (done,) = import_deephys(GOLDEN / f"old{version}.model", [test], tmp_path)
    for word in ("dtype", "classes", "suffix"):
        assert (word in " ".join(done.warnings)) == (word in lacks)
    with open_recording(done.path) as recording:
        assert recording.name == f"old{version}"
        assert recording.classes == ("ant", "bee", "cow")
        assert recording.labels.tolist() == expected["truth"].tolist()
        assert np.array_equal(recording.activity("pool")[:], expected["pool"])
        assert np.array_equal(recording.logits[:], expected["fc"])
        pixels = np.stack([recording.thumbnail(number) for number in range(3)])
        assert np.array_equal(pixels, expected["pixels"])
