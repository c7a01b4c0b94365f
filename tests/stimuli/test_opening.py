from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.stimuli import (
    ArrayDataset,
    ArrayFormatError,
    BrokenImageError,
    DataNotFoundError,
    EmptyDataError,
    LabelError,
    labels_as_outputs,
    limited,
    open_data,
)

RED = np.array([[[255, 0, 0]]], np.uint8).repeat(6, 0).repeat(8, 1)


def save(path, rgb=RED):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[:, :, ::-1])
    return path


def test_class_folders_give_labels_by_name(tmp_path):
    for name in ("dog/a.png", "cat/b.png", "cat/ü ñ.png", "loose.png", "cat/.hidden.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    data = open_data(tmp_path)
    assert [data.path(i) for i in range(len(data))] == [
        "cat/b.png",
        "cat/ü ñ.png",
        "dog/a.png",
        "loose.png",
    ]
    # The model knows the classes in another order than the alphabet's, and one more of them.
    labels = labels_as_outputs(data, ("dog", "bird", "cat"), 3)
    assert labels.tolist() == [2, 2, 0, -1]
    assert (data.read(0) == RED).all()
    assert data.read(0).dtype == np.uint8


def test_folder_names_that_are_no_class_are_listed(tmp_path):
    for name in ("dog", "catt"):
        save(tmp_path / name / "a.png")
    with pytest.raises(LabelError, match=r"1 of 2 category names.*'catt'.*'dog'"):
        labels_as_outputs(open_data(tmp_path), ("dog", "cat"), 2)


@pytest.mark.parametrize("label", [3, -2, 2**40])
def test_a_number_that_is_no_output_is_refused(label):
    data = ArrayDataset("digits", np.zeros((2, 4, 4), np.uint8), np.array([0, label]))
    with pytest.raises(LabelError, match="image 1 has the label"):
        labels_as_outputs(data, ("a", "b", "c"), 3)


def test_a_model_without_classifier_has_no_labels():
    data = ArrayDataset("digits", np.zeros((2, 4, 4), np.uint8), np.array([0, 70]))
    assert labels_as_outputs(data, (), 0).tolist() == [-1, -1]


def test_empty_folder(tmp_path):
    with pytest.raises(EmptyDataError, match="holds no images"):
        open_data(tmp_path)


def test_missing_and_foreign_data(tmp_path):
    with pytest.raises(DataNotFoundError, match="no such file"):
        open_data(tmp_path / "nothing")
    (tmp_path / "table.txt").write_text("x")
    with pytest.raises(DataNotFoundError, match="not a kind of data"):
        open_data(tmp_path / "table.txt")
    with pytest.raises(DataNotFoundError, match="choose one of colored"):
        open_data("demo:plaid")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\nrubbish", "not an image")]
)
def test_broken_images_say_so(tmp_path, content, reason):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(BrokenImageError, match=reason):
        open_data(tmp_path).read(0)


def test_a_vanished_image_is_a_broken_one(tmp_path):
    path = save(tmp_path / "a.png")
    data = open_data(tmp_path)
    path.unlink()
    with pytest.raises(BrokenImageError, match="cannot be read"):
        data.read(0)


def test_too_many_pixels_are_refused_before_decoding(tmp_path):
    # A PNG head that claims 60,000 × 60,000 pixels in a few bytes.
    import struct
    import zlib

    def piece(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head)
    bomb += piece(b"IDAT", zlib.compress(bytes(1000))) + piece(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(BrokenImageError, match="pixels"):
        open_data(tmp_path).read(0)


def test_grey_alpha_and_16_bit_become_rgb(tmp_path):
    grey = np.full((4, 5), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    cv2.imwrite(str(tmp_path / "b.png"), np.dstack([grey, grey // 2, grey // 4, grey // 8]))
    cv2.imwrite(str(tmp_path / "c.png"), grey.astype(np.uint16) * 257)
    data = open_data(tmp_path)
    assert (data.read(0) == 200).all()
    assert data.read(1)[0, 0].tolist() == [50, 100, 200]
    assert (data.read(2) == 200).all()
    assert all(data.read(i).shape == (4, 5, 3) for i in range(3))


def test_npz_with_and_without_labels(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.savez(tmp_path / "a.npz", images=images, labels=[1, 0])
    np.savez_compressed(tmp_path / "b.npz", images=images)
    np.save(tmp_path / "c.npy", images)
    labels = [open_data(tmp_path / f).labels().tolist() for f in ("a.npz", "b.npz", "c.npy")]
    assert labels == [[1, 0], [-1, -1], [-1, -1]]
    for name in ("a.npz", "b.npz", "c.npy"):
        assert (open_data(tmp_path / name).read(1) == images[1]).all()


@pytest.mark.parametrize(
    ("arrays", "error", "reason"),
    [
        ({"pictures": np.zeros((2, 3, 3))}, ArrayFormatError, "no array named `images`"),
        ({"images": np.zeros((0, 3, 3))}, EmptyDataError, "no images"),
        ({"images": np.zeros(3)}, ArrayFormatError, "shape"),
        ({"images": np.array([["a"]])}, ArrayFormatError, "type"),
        ({"images": np.zeros((2, 3)), "labels": [1]}, LabelError, "labels"),
        ({"images": np.zeros((2, 3)), "labels": [0.5, 1]}, LabelError, "labels"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, arrays, error, reason):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(error, match=reason):
        open_data(tmp_path / "a.npz")


def test_no_python_object_is_ever_loaded(tmp_path):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("code of a data file ran",))

    path = tmp_path / "a.npy"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ArrayFormatError):
        open_data(path)
    np.save(tmp_path / "b.npy", np.array([[Evil()]], object), allow_pickle=True)
    with pytest.raises(ArrayFormatError):
        open_data(tmp_path / "b.npy")


def test_truncated_archive(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((50, 9, 9)))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArrayFormatError):
        open_data(tmp_path / "a.npz")


def test_digest_tells_changes_and_nothing_else(tmp_path):
    save(tmp_path / "a.png")
    before = open_data(tmp_path).digest()
    assert open_data(tmp_path).digest() == before
    save(tmp_path / "b.png")
    assert open_data(tmp_path).digest() != before
    one = ArrayDataset("x", np.zeros((2, 3, 3)), np.array([0, 1]))
    other = ArrayDataset("x", np.zeros((2, 3, 3)), np.array([1, 1]))
    assert one.digest() != other.digest()


@given(
    labels=st.lists(st.integers(-1, 4), min_size=1, max_size=200),
    share=st.floats(0.05, 1),
)
def test_a_limited_sample_keeps_the_shares_of_the_labels(labels, share):
    count = max(1, int(len(labels) * share))
    numbers = np.arange(len(labels), dtype=np.uint16)[:, None]
    data = ArrayDataset("x", numbers, np.array(labels))
    sample = limited(data, str(count))
    assert len(sample) == count
    chosen = [int(sample.read(i)[0]) for i in range(count)]
    assert chosen == sorted(set(chosen))
    assert sample.labels().tolist() == [labels[i] for i in chosen]
    for label in set(labels):
        fair = labels.count(label) * count / len(labels)
        assert abs(sample.labels().tolist().count(label) - fair) <= 1
    again = limited(data, str(count))
    assert [int(again.read(i)[0]) for i in range(count)] == chosen


def test_first_n():
    data = ArrayDataset("x", np.arange(5)[:, None], np.arange(5))
    assert limited(data, "first:2").labels().tolist() == [0, 1]
    assert len(limited(data, "99")) == 5


@pytest.mark.parametrize("limit", ["", "0", "-3", "half", "last:3", "first:", "first:0"])
def test_wrong_limits(limit):
    with pytest.raises(ValueError, match="--limit"):
        limited(ArrayDataset("x", np.zeros((3, 2))), limit)
