from __future__ import annotations

import numpy as np
import pytest
from tiny_recordings import chunk_of, header, whole_activity, write

from inspector.recording import (
    InvalidRecordingInputError,
    NotARecordingError,
    OutOfRangeError,
    RecordingError,
    RecordingExistsError,
    RecordingLockedError,
    RecordingReadError,
    RecordingWriter,
    ResumeMismatchError,
    UnknownColumnError,
    UnknownLayerError,
    UnknownReductionError,
    default_chunk,
    open_recording,
)


@pytest.mark.parametrize("side", [3, 40])
@pytest.mark.parametrize("finish", [True, False])
def test_everything_comes_back(tmp_path, side, finish):
    head = header()
    path = write(tmp_path / "a.msgpack", head, finish=finish, side=side)
    with open_recording(path) as rec:
        assert rec.header == head
        assert rec.finished is finish
        assert len(rec) == rec.images == 10
        for layer in head.layers:
            for reduction in layer.reductions:
                expected = whole_activity(head, layer.name, reduction)
                activity = rec.activity(layer.name, reduction)
                assert activity.shape == expected.shape
                np.testing.assert_array_equal(activity[:, :], expected)
                np.testing.assert_array_equal(np.asarray(activity), expected)
                joined = np.concatenate([block for _, block in activity.blocks()], axis=1).T
                np.testing.assert_array_equal(joined, expected)
                for unit in range(layer.units):
                    values = rec.unit(layer.name, unit, reduction)
                    np.testing.assert_array_equal(values, expected[:, unit])
                    assert not values.flags.writeable
                for image in range(10):
                    row = rec.row(layer.name, image, reduction)
                    np.testing.assert_array_equal(row, expected[image])
                    assert not row.flags.writeable
        chunks = [chunk_of(head, start, side=side) for start in (0, 4, 8)]
        for name in ("labels", "predictions", "confidences"):
            expected = np.concatenate([getattr(chunk, name) for chunk in chunks])
            np.testing.assert_array_equal(getattr(rec, name), expected)
            assert getattr(rec, name).dtype == expected.dtype
            assert not getattr(rec, name).flags.writeable
        paths = [path for chunk in chunks for path in chunk.paths]
        assert list(rec.paths) == rec.paths[:] == paths
        assert [rec.paths[i] for i in range(10)] == paths
        assert rec.paths[-1] == paths[-1]
        assert rec.paths[7:2:-2] == paths[7:2:-2]
        assert dict(rec.skipped) == {k: v for chunk in chunks for k, v in chunk.skipped.items()}
        assert list(rec.columns) == ["camera", "lux", "burst"]
        assert list(rec.columns["camera"]) == [f"c{i % 3}" for i in range(10)]
        np.testing.assert_array_equal(rec.columns["lux"], np.arange(10) * 0.5)
        np.testing.assert_array_equal(rec.columns["burst"], np.arange(10) // 2)
        pictures = [image for chunk in chunks for image in chunk.thumbnails]
        for image, picture in enumerate(pictures):
            got = rec.thumbnail(image)
            assert got.ndim == 3
            assert got.shape[2] == 3
            assert got.shape[:2] == picture.shape[:2]
            if side <= 32:
                grey = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, 2)
                np.testing.assert_array_equal(got, grey)
        record = rec.image(5)
        assert (record.number, record.label, record.prediction) == (5, 2, 1)
        assert record.columns == {"camera": "c2", "lux": 2.5, "burst": 2}
        assert rec.image(3).skipped == "cannot be decoded: 3"
        assert rec.logits is not None
        assert rec.logits.shape == (10, 4)


def test_slices_of_activity(tmp_path):
    head = header(images=23)
    expected = whole_activity(head, "linear1", "none")
    with open_recording(write(tmp_path / "a.msgpack", head)) as rec:
        activity = rec.activity("linear1")
        rng = np.random.default_rng(0)
        every_row = (3, -1, slice(None), slice(2, 19, 3), slice(9, 2, -2), [4, 1, 22], [0] * 0)
        every_column = (0, -1, slice(1, 4), [3, 0], [2, 2], np.array([1, 0, 1, 1, 0]) == 1)
        for rows in (*every_row, np.arange(23) % 2 == 0):
            index = np.asarray(rows, int) if isinstance(rows, list) else rows
            for columns in every_column:
                want = expected[index][..., columns]
                np.testing.assert_array_equal(activity[rows, columns], want)
        np.testing.assert_array_equal(activity[7], expected[7])
        np.testing.assert_array_equal(activity[[5, 5, 0]], expected[[5, 5, 0]])
        order = rng.permutation(23)
        np.testing.assert_array_equal(activity[order], expected[order])
        for wrong in (23, -24, [0, 23], np.ones(22, bool), 1.5):
            with pytest.raises(OutOfRangeError, match="image"):
                activity[wrong]
        with pytest.raises(OutOfRangeError, match="limit 0 to 4"):
            activity[0, 5]
        with pytest.raises(IndexError):
            rec.thumbnail(23)
        with pytest.raises(OutOfRangeError):
            rec.unit("linear1", 5)


def test_names_of_layers_reductions_and_columns(tmp_path):
    with open_recording(write(tmp_path / "a.msgpack")) as rec:
        assert rec.layer("features.0").name == rec.layer("/conv1/Relu_output_0").name == "conv1"
        np.testing.assert_array_equal(
            rec.activity("conv1", "mean")[:], rec.activity("conv1", "relu_mean")[:]
        )
        with pytest.raises(UnknownLayerError, match="there is conv1"):
            rec.activity("conv2")
        with pytest.raises(UnknownReductionError, match="relu_mean, max, mean"):
            rec.activity("conv1", "cls")
        with pytest.raises(UnknownColumnError, match="camera, lux, burst"):
            rec.columns["lens"]
        assert "lens" not in rec.columns


def test_the_summary_is_what_numpy_says(tmp_path):
    head = header(images=30, chunk=8)
    path = write(tmp_path / "a.msgpack", head)
    partial = write(tmp_path / "b.msgpack", head, finish=False)
    with open_recording(path) as rec, open_recording(partial) as unfinished:
        for layer in head.layers:
            for reduction in layer.reductions:
                summary = rec.summary(layer.name, reduction)
                other = unfinished.summary(layer.name, reduction)
                for name in vars(summary):
                    np.testing.assert_array_equal(getattr(summary, name), getattr(other, name))
                for each in (rec, unfinished):
                    one = each.unit_summary(layer.name, layer.units - 1, reduction)
                    for name, values in vars(one).items():
                        whole = getattr(summary, name)
                        cut = np.ndim(values) and not name.startswith(("category_i", "category_c"))
                        np.testing.assert_array_equal(values, whole[-1:] if cut else whole)
                with pytest.raises(OutOfRangeError):
                    rec.unit_summary(layer.name, layer.units, reduction)
                kept = [i for i in range(30) if i not in rec.skipped]
                values = rec.activity(layer.name, reduction)[kept].astype(np.float64)
                assert summary.images == len(kept)
                np.testing.assert_array_equal(summary.maximum, values.max(axis=0))
                np.testing.assert_allclose(summary.mean, values.mean(axis=0), rtol=1e-12)
                np.testing.assert_allclose(summary.spread, values.std(axis=0), rtol=1e-9)
                np.testing.assert_allclose(summary.zeros, (values == 0).mean(axis=0))
                assert not summary.nonfinite.any()
                edges = np.linspace(summary.low, summary.high, summary.histogram.shape[1] + 1)
                for unit in range(layer.units):
                    counts = np.histogram(values[:, unit], edges)[0]
                    np.testing.assert_array_equal(summary.histogram[unit], counts)
                    top = rec.top(layer.name, unit, reduction=reduction)
                    size = top.images.size
                    np.testing.assert_array_equal(summary.top_images[unit, :size], top.images)
                    np.testing.assert_array_equal(summary.top_values[unit, :size], top.values)
                    assert (summary.top_images[unit, size:] == -1).all()
                for column, label in enumerate(summary.category_ids):
                    mine = rec.labels[kept] == label
                    assert summary.category_counts[column] == (rec.labels == label).sum()
                    np.testing.assert_allclose(
                        summary.category_means[:, column], values[mine].mean(axis=0), atol=1e-12
                    )


def test_top_leaves_out_zeros_and_breaks_ties_by_number(tmp_path):
    head = header(images=8, columns={})
    with RecordingWriter.create(tmp_path / "a.msgpack", head) as writer:
        for start in (0, 4):
            chunk = chunk_of(head, start, skip=False)
            values = chunk.activity["conv1", "max"]
            values[:] = 0
            values[:, 0] = [[2, 2, 1, 0], [2, np.inf, np.nan, 1]][start // 4]
            writer.append(chunk)
        writer.finish()
    with open_recording(tmp_path / "a.msgpack") as rec:
        top = rec.top("conv1", 0, 4, "max")
        assert top.images.tolist() == [0, 1, 4, 2]
        assert top.values.tolist() == [2, 2, 2, 1]
        summary = rec.summary("conv1", "max")
        assert summary.top_images[0, :6].tolist() == [0, 1, 4, 2, 7, -1]
        assert summary.nonfinite.tolist() == [2, 0, 0]
        assert summary.maximum.tolist() == [2, 0, 0]
        assert rec.top("conv1", 1, 4, "max").images.size == 0


def test_extending_gives_the_same_bytes_and_stops_at_what_does_not_fit(tmp_path):
    head = header()
    chunks = [chunk_of(head, start) for start in range(0, head.images, head.chunk)]
    with RecordingWriter.create(tmp_path / "a.msgpack", head) as writer:
        writer.extend([])
        writer.extend(chunks[:1])
        with pytest.raises(InvalidRecordingInputError, match="begins where the last one ended"):
            writer.extend([chunks[1], chunks[1]])
        assert writer.next_image == 2 * head.chunk
        writer.extend(chunks[2:])
        writer.finish()
    whole = write(tmp_path / "b.msgpack", head)
    assert (tmp_path / "a.msgpack").read_bytes() == whole.read_bytes()


def test_resuming_gives_the_same_bytes(tmp_path):
    head = header()
    once = write(tmp_path / "once.msgpack", head).read_bytes()
    path = write(tmp_path / "broken.msgpack", head, chunks=2)
    with path.open("ab") as file:
        file.write(once[path.stat().st_size :][:100])
    with RecordingWriter.resume(path, head) as writer:
        assert writer.next_image == 8
        writer.append(chunk_of(head, 8))
        writer.finish()
    assert path.read_bytes() == once
    with RecordingWriter.resume(path, head) as writer:
        assert writer.finished
        writer.finish()
    assert path.read_bytes() == once


def test_resuming_with_other_options_names_the_difference(tmp_path):
    path = write(tmp_path / "a.msgpack", chunks=1)
    with pytest.raises(ResumeMismatchError, match=r"options\.preprocess\.size.*now 9.*then 8"):
        RecordingWriter.resume(
            path, header(options={"preprocess": {"mean": [0.5, 0.5], "size": 9}})
        )
    with pytest.raises(ResumeMismatchError, match="chunk"):
        RecordingWriter.resume(path, header(chunk=2))


def test_existing_files_and_two_writers(tmp_path):
    path = write(tmp_path / "a.msgpack")
    before = path.read_bytes()
    with pytest.raises(RecordingExistsError, match="--resume"):
        RecordingWriter.create(path, header())
    assert path.read_bytes() == before
    with RecordingWriter.create(path, header(), overwrite=True) as writer:
        writer.append(chunk_of(header(), 0))
        for again in (lambda: RecordingWriter.resume(path, header()),
                      lambda: RecordingWriter.create(path, header(), overwrite=True)):  # fmt: skip
            with pytest.raises(RecordingLockedError):
                again()
        writer.append(chunk_of(header(), 4))
    RecordingWriter.resume(path, header()).close()


def test_a_mapped_recording_grows_and_its_arrays_outlive_it(tmp_path):
    head = header()
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer:
        writer.append(chunk_of(head, 0))
        rec = open_recording(path, mapped=True)
        early = rec.activity("logits")[:]
        writer.append(chunk_of(head, 4))
        assert rec.refresh()  # beyond the mapping: read
        both = rec.activity("logits")[:]
        rows = next(rec.activity("logits").blocks())[1]
    rec.close()
    assert not rows.flags.writeable
    expected = whole_activity(head, "logits", "none")
    np.testing.assert_array_equal(both, expected[:8])
    np.testing.assert_array_equal(early, expected[:4])
    np.testing.assert_array_equal(rows, expected[:4].T)


def test_a_growing_recording_is_followed(tmp_path):
    head = header()
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer, open_recording(path) as rec:
        assert (rec.images, rec.finished, len(rec.labels)) == (0, False, 0)
        assert not rec.refresh()
        writer.append(chunk_of(head, 0))
        assert rec.images == 0
        assert rec.refresh()
        assert rec.images == len(rec.labels) == 4
        writer.append(chunk_of(head, 4))
        writer.append(chunk_of(head, 8))
        writer.finish()
        assert rec.refresh()
        assert rec.finished
        assert rec.images == 10


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"), (b"PK\x03\x04 rest", "ZIP"), (b"\x93NUMPY\x01", "NumPy"),
        (b"hello world", "text beginning 'hello world'"), (b"\x00\x01\x02", "bytes 00 01 02"),
        (b"\xa9INSPECT", "ends before its header"), (b"\xa9INSPECTOR\x02", "version 1"),
    ],
)  # fmt: skip
def test_other_files_are_named(tmp_path, data, words):
    path = tmp_path / "a.msgpack"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=words) as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)


def test_folders_and_missing_files_are_named(tmp_path):
    with pytest.raises(NotARecordingError, match="folder has no recordings"):
        open_recording(tmp_path)
    with pytest.raises(RecordingReadError, match="No such file"):
        open_recording(tmp_path / "none.msgpack")


def test_a_chunk_that_does_not_fit_is_refused_whole(tmp_path):
    head = header()
    with RecordingWriter.create(tmp_path / "a.msgpack", head) as writer:
        size = writer.path.stat().st_size

        def broken(**changes):
            chunk = chunk_of(head, 0)
            for name, value in changes.items():
                setattr(chunk, name, value)
            with pytest.raises(InvalidRecordingInputError):
                writer.append(chunk)
            assert writer.path.stat().st_size == size

        broken(start=4)
        broken(labels=np.zeros(3, np.int32))
        broken(labels=np.full(4, 1 << 40))
        broken(paths=["a"])
        broken(paths=[1, 2, 3, 4])
        broken(activity={})
        broken(columns={})
        broken(skipped={9: "no"})
        broken(thumbnails=[np.zeros((2, 2), np.float32)] * 4)
        with pytest.raises(InvalidRecordingInputError, match="limit 10"):
            writer.finish()
        writer.append(chunk_of(head, 0))


def test_default_chunk():
    from dataclasses import replace

    from tiny_recordings import LINEAR

    wide = replace(LINEAR, dtype="float32", units=100_000)
    assert default_chunk([LINEAR], 8) == 1024
    assert default_chunk([replace(wide, units=8192)], 8) == 1024
    assert default_chunk([replace(wide, units=8193)], 8) == 512
    assert default_chunk([wide], 8) == 64
    assert default_chunk([wide], 48) == 48
    assert default_chunk([], 48) == 1008


def test_a_recording_without_images_or_layers(tmp_path):
    with open_recording(write(tmp_path / "a.msgpack", header(images=0))) as rec:
        assert rec.finished
        assert rec.activity("conv1")[:].shape == (0, 3)
        assert rec.unit("conv1", 0).shape == (0,)
        assert np.isnan(rec.accuracy)
        assert rec.summary("conv1").images == 0
    with open_recording(write(tmp_path / "b.msgpack", header(layers=(), output={}))) as rec:
        assert rec.logits is None
        assert rec.images == 10


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "", b"no such file"])
def test_odd_paths_are_named_in_one_short_line(path):
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert len(str(caught.value)) < 500
    assert "\0" not in str(caught.value)
