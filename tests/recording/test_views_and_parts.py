from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tiny_recordings import chunk_of, header, write

from inspector.recording import (
    OutOfRangeError,
    QueryError,
    RecordingWriter,
    ResumeMismatchError,
    merge,
    open_recording,
)


def same_recording(one, other):
    assert one.images == other.images
    for name in ("labels", "predictions", "confidences"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert list(one.paths) == list(other.paths)
    assert dict(one.skipped) == dict(other.skipped)
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        np.testing.assert_array_equal(
            np.asarray(one.columns[name]), np.asarray(other.columns[name])
        )
    for layer in one.layers:
        for reduction in layer.reductions:
            np.testing.assert_array_equal(
                one.activity(layer.name, reduction)[:], other.activity(layer.name, reduction)[:]
            )
            a, b = one.summary(layer.name, reduction), other.summary(layer.name, reduction)
            for name in vars(a):
                np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-12)
    for image in range(one.images):
        np.testing.assert_array_equal(one.thumbnail(image), other.thumbnail(image))


@pytest.mark.parametrize("finish", [True, False])
def test_a_view_is_a_recording_of_its_own(tmp_path, finish):
    path = write(tmp_path / "a.msgpack", header(images=30, chunk=4), finish=finish)
    expression = 'camera != "c1" and image in 5..24'
    with open_recording(path) as rec, open_recording(f"{path}::{expression}") as view:
        rows = np.flatnonzero(rec.select(expression))
        assert view.images == len(view) == view.header.images == rows.size
        assert view.finished is finish
        assert view.name == f"tiny::{expression}"
        np.testing.assert_array_equal(view.numbers, rows)
        np.testing.assert_array_equal(view.labels, rec.labels[rows])
        paths = list(rec.paths)
        assert list(view.paths) == [paths[row] for row in rows]
        assert view.paths[2:5] == [paths[row] for row in rows[2:5]]
        np.testing.assert_array_equal(view.columns["lux"], rec.columns["lux"][rows])
        assert list(view.columns["camera"]) == [rec.columns["camera"][row] for row in rows]
        for layer in rec.layers:
            for reduction in layer.reductions:
                whole = rec.activity(layer.name, reduction)[:]
                activity = view.activity(layer.name, reduction)
                np.testing.assert_array_equal(activity[:], whole[rows])
                np.testing.assert_array_equal(activity[[3, 1], 1:], whole[rows[[3, 1]], 1:])
                np.testing.assert_array_equal(view.unit(layer.name, 1, reduction), whole[rows, 1])
        for number, row in enumerate(rows):
            np.testing.assert_array_equal(view.thumbnail(number), rec.thumbnail(row))
            assert view.image(number).path == paths[row]
            assert (number in view.skipped) == (int(row) in rec.skipped)
        kept = [i for i in range(len(rows)) if i not in view.skipped]
        summary = view.summary("conv1")
        assert summary.images == len(kept)
        np.testing.assert_array_equal(summary.maximum, view.activity("conv1")[kept].max(axis=0))
        inner = view.where("image < 10")
        np.testing.assert_array_equal(inner.numbers, rows[rows < 10])
        np.testing.assert_array_equal(inner.labels, rec.labels[rows[rows < 10]])
        with pytest.raises(OutOfRangeError):
            view.row("conv1", rows.size)
        with pytest.raises(QueryError):
            open_recording(f"{path}::")
        same_recording(rec.where("image >= 0"), rec)
        nothing = rec.where("image < 0")
        assert (nothing.images, nothing.activity("conv1")[:].shape) == (0, (0, 3))
        assert nothing.summary("conv1").images == 0


def test_a_view_follows_a_growing_file(tmp_path):
    head = header()
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer:
        writer.append(chunk_of(head, 0))
        with open_recording(f"{path}::image in 2..5") as view:
            assert view.images == 2
            writer.append(chunk_of(head, 4))
            assert view.refresh()
            assert view.images == 4
            assert not view.refresh()


def write_parts(folder: Path, whole, edges, **changes):
    """Cut the recording `whole` into files at `edges`."""
    paths = []
    for number, (first, last) in enumerate(pairwise(edges)):
        part = {"first": first, "images": whole.images, "stimuli_sha256": whole.stimuli_sha256}
        head = replace(
            whole, images=last - first, stimuli_sha256=f"{number:064d}",
            options={**whole.options, "part": part}, **changes,
        )  # fmt: skip
        paths.append(folder / f"part{9 - number}.msgpack")
        with RecordingWriter.create(paths[-1], head) as writer:
            for start in range(first, last, whole.chunk):
                chunk = chunk_of(replace(whole, images=last), start)
                chunk.start = start - first
                chunk.skipped = {key - first: why for key, why in chunk.skipped.items()}
                writer.append(chunk)
            writer.finish()
    return paths


def test_a_folder_of_parts_opens_as_one(tmp_path):
    whole = header(images=30, chunk=4)
    (tmp_path / "parts").mkdir()
    write_parts(tmp_path / "parts", whole, [0, 8, 20, 30])
    once = write(tmp_path / "once.msgpack", whole)
    with open_recording(tmp_path / "parts") as parts, open_recording(once) as rec:
        assert parts.header == rec.header
        assert parts.finished
        same_recording(parts, rec)
        np.testing.assert_array_equal(
            parts.activity("linear1")[5:27, 1:3], rec.activity("linear1")[5:27, 1:3]
        )
        assert parts.paths[6:22] == rec.paths[6:22]
        assert parts.paths[-1] == rec.paths[-1]
        view = parts.where("image in 6..22")
        same_recording(view, rec.where("image in 6..22"))
    (tmp_path / "parts" / "part8.msgpack").unlink()
    with pytest.raises(ResumeMismatchError, match=r"without a gap.*20.*limit 8.*images 8 to 19"):
        open_recording(tmp_path / "parts")


def test_a_missing_last_part_is_said(tmp_path):
    whole = header(images=30, chunk=4)
    first, middle, last = write_parts(tmp_path, whole, [0, 8, 20, 30])
    last.unlink()
    with open_recording(tmp_path) as parts, open_recording(middle) as second:
        assert not parts.finished
        assert (parts.images, parts.header.images) == (20, 30)
        assert "unfinished: 30 planned" in repr(parts)
        np.testing.assert_array_equal(parts.activity("conv1")[8:], second.activity("conv1")[:])
    wanted = "images 20 to 29 are missing: add that part"
    with pytest.raises(ResumeMismatchError, match=wanted):
        merge([first, middle], tmp_path / "out.msgpack")
    with pytest.raises(ResumeMismatchError, match="images 8 to 29 are missing"):
        merge([first], tmp_path / "out.msgpack")
    assert not (tmp_path / "out.msgpack").exists()
    first.unlink()
    with pytest.raises(ResumeMismatchError, match="images 0 to 7 are missing: add that part"):
        open_recording(tmp_path)


@pytest.mark.parametrize(
    "place", [{}, "1/2", {"first": True, "images": 8}, {"first": 0, "images": 7}]
)
def test_a_part_in_no_place_is_refused(tmp_path, place):
    write(tmp_path / "a.msgpack", header(images=8, options={"part": place}))
    with pytest.raises(ResumeMismatchError, match="says where in the whole it belongs"):
        open_recording(tmp_path)


def test_parts_that_overlap_are_refused(tmp_path):
    whole = header(images=16)
    write_parts(tmp_path, whole, [8, 16])[0].rename(tmp_path / "b.msgpack")
    write_parts(tmp_path, whole, [0, 12])
    with pytest.raises(ResumeMismatchError, match=r"first image 8; limit 12.*the parts overlap"):
        open_recording(tmp_path)


def test_a_folder_is_read_up_to_the_first_missing_image(tmp_path):
    whole = header(images=30, chunk=4)
    once = write(tmp_path / "once.msgpack", whole)
    folder = tmp_path / "parts"
    folder.mkdir()
    middle = write_parts(folder, whole, [0, 8, 20, 30])[1]
    with open_recording(middle) as rec:
        head = rec.header
    data = middle.read_bytes()
    with RecordingWriter.create(middle, head, overwrite=True) as writer:
        chunk = chunk_of(replace(whole, images=20), 8)
        chunk.start = 0
        chunk.skipped = {number - 8: why for number, why in chunk.skipped.items()}
        writer.append(chunk)
    with open_recording(folder) as parts, open_recording(once) as rec:
        assert not parts.finished
        assert (parts.images, parts.header.images) == (12, 30)
        np.testing.assert_array_equal(parts.activity("conv1")[:], rec.activity("conv1")[:12])
        assert list(parts.paths) == list(rec.paths)[:12]
        assert parts.numbers.tolist() == list(range(12))
        with pytest.raises(OutOfRangeError):
            parts.activity("conv1")[12]
        middle.write_bytes(data)
        assert parts.refresh()
        assert parts.finished
        same_recording(parts, rec)


def test_parts_of_other_models_are_refused(tmp_path):
    whole = header(images=8)
    write(tmp_path / "a.msgpack", whole)
    write(tmp_path / "b.msgpack", replace(whole, model={**whole.model, "sha256": "0"}))
    with pytest.raises(ResumeMismatchError, match=r"differ in model\.sha256"):
        open_recording(tmp_path)


def test_reprs(tmp_path):
    path = write(tmp_path / "a.msgpack", header(name="<b>\x1b[31m"), chunks=1)
    with open_recording(path) as rec:
        assert (
            repr(rec) == r"<Recording '<b>\\x1b[31m': 4 images, 3 layers, unfinished: 10 planned>"
        )
        html = rec._repr_html_()
        assert "&lt;b&gt;" in html
        assert "\x1b" not in html
        assert "conv1:relu_mean" in repr(rec.activity("conv1"))
        assert "camera" in repr(rec.columns)
