"""Arrays in files: npz read in parts, MNIST idx, CIFAR."""

from __future__ import annotations

import gzip
import struct
import threading
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.stimuli import (
    ArrayDataset,
    ArrayFormatError,
    LabelError,
    labels_as_outputs,
    open_data,
)
from inspector.stimuli.deflated import Deflated
from inspector.stimuli.npz import Npz

RANDOM = np.random.default_rng(0)


@settings(max_examples=30)
@given(st.binary(max_size=3000), st.integers(1, 400), st.data())
def test_deflated_bytes_are_read_anywhere(tmp_path_factory, content, block, data):
    path = tmp_path_factory.mktemp("deflated") / "x"
    packed = zlib.compress(content)
    path.write_bytes(b"before" + packed + b"behind")
    whole = Deflated(path, 6, len(packed), len(content), 15, block)
    for _ in range(5):
        start = data.draw(st.integers(0, len(content)))
        count = data.draw(st.integers(0, len(content) - start))
        assert whole.read(start, count) == content[start : start + count]


def test_threads_read_the_same():
    import tempfile
    from pathlib import Path

    content = RANDOM.integers(0, 4, 300_000, np.uint8).tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(zlib.compress(content))
        whole = Deflated(path, 0, path.stat().st_size, len(content), 15, 10_000)
        wrong = []

        def read(seed):
            for start in np.random.default_rng(seed).integers(0, 290_000, 50):
                if whole.read(int(start), 5000) != content[start : start + 5000]:
                    wrong.append(start)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_stored_members_are_mapped_and_compressed_ones_read_in_parts(tmp_path):
    images = RANDOM.integers(0, 256, (40, 5, 6, 3), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, odd=images.transpose(1, 0, 2, 3))
    np.savez_compressed(tmp_path / "b.npz", images=images, odd=np.asfortranarray(images))
    stored = Npz(tmp_path / "a.npz")
    assert isinstance(stored.open("images"), np.memmap)
    assert (stored.open("images")[7] == images[7]).all()
    assert (stored.open("odd")[:] == images.transpose(1, 0, 2, 3)).all()
    parts = Npz(tmp_path / "b.npz").open("images", loaded=100)
    assert not isinstance(parts, np.ndarray)
    assert parts.shape == images.shape
    for number in (39, 0, 20, -1):
        assert (parts[number] == images[number]).all()
    assert (parts[10:13] == images[10:13]).all()
    assert ArrayDataset("x", parts).digest() == ArrayDataset("x", images).digest()
    with pytest.raises(IndexError):
        parts[40]
    with pytest.raises(ArrayFormatError, match="cannot be read in parts"):
        Npz(tmp_path / "b.npz").open("odd", loaded=100)


def test_a_huge_compressed_array_is_never_in_memory(tmp_path):
    # 400 MB of zeros in 400 kB: larger than what is loaded whole.
    path = tmp_path / "a.npz"
    shape = (100, 1000, 1000, 4)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        for _ in range(100):
            file.write(bytes(4_000_000))
    tracemalloc.start()
    data = open_data(path)
    assert len(data) == 100
    assert data.read(20).shape == (1000, 1000, 4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150 << 20


def test_an_archive_that_lies_about_its_sizes(tmp_path):
    images = np.zeros((50, 30, 30), np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    place = content.index(b"(50, 30, 30)")
    content[place : place + 12] = b"(99, 99, 99)"
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ArrayFormatError, match="needs 970,299"):
        open_data(tmp_path / "a.npz")


@settings(max_examples=60)
@given(st.data())
def test_broken_npz_files_are_errors_of_ours(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    np.savez_compressed(path, images=np.arange(400, dtype=np.uint8).reshape(4, 10, 10))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        opened = open_data(path)
        for number in range(len(opened)):
            opened.read(number)
    except ArrayFormatError as error:
        message = str(error)
    except Exception as error:
        from inspector.errors import InspectorError

        if not isinstance(error, InspectorError):
            raise
        message = str(error)
    else:
        message = ""
    assert "\n" not in message


def idx(values, kind=0x08):
    return (
        struct.pack(f">HBB{values.ndim}I", 0, kind, values.ndim, *values.shape) + values.tobytes()
    )


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("labels_zipped", [False, True])
def test_mnist(tmp_path, zipped, labels_zipped):
    images = RANDOM.integers(0, 256, (30, 28, 28), np.uint8)
    labels = np.arange(30, dtype=np.uint8) % 10
    name = "t10k-images-idx3-ubyte" + ".gz" * zipped
    content = idx(images)
    (tmp_path / name).write_bytes(gzip.compress(content) if zipped else content)
    beside = "t10k-labels-idx1-ubyte" + ".gz" * labels_zipped
    content = idx(labels)
    (tmp_path / beside).write_bytes(gzip.compress(content) if labels_zipped else content)
    data = open_data(tmp_path / name)
    assert data.name == "t10k-images-idx3-ubyte"
    assert len(data) == 30
    assert all((data.read(number) == images[number]).all() for number in (0, 29, 7))
    assert labels_as_outputs(data, tuple("0123456789"), 10).tolist() == labels.tolist()
    assert len(data.digest()) == 64


def test_idx_of_other_types_and_without_labels(tmp_path):
    values = RANDOM.random((3, 4, 5)).astype(">f4")
    (tmp_path / "x.idx").write_bytes(idx(values, 0x0D))
    data = open_data(tmp_path / "x.idx")
    assert data.read(2) == pytest.approx(values[2])
    assert data.labels().tolist() == [-1, -1, -1]


def test_broken_idx_files(tmp_path):
    images = np.zeros((30, 8, 8), np.uint8)
    path = tmp_path / "a-images-idx3-ubyte"
    path.write_bytes(idx(images)[:-5])
    with pytest.raises(ArrayFormatError, match="1,931 bytes where its shape"):
        open_data(path)
    path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1))
    with pytest.raises(ArrayFormatError, match="claims"):
        open_data(path)
    noise = RANDOM.integers(0, 256, images.shape, np.uint8)
    path.write_bytes(gzip.compress(idx(noise))[:900])
    with pytest.raises(ArrayFormatError, match="fewer bytes"):
        open_data(path).read(29)
    # A gzip of a thousandth of what its head claims: nothing is allocated for the claim.
    path.write_bytes(gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 10**6, 1000, 1000)))
    data = open_data(path)
    with pytest.raises(ArrayFormatError, match="fewer bytes"):
        data.read(5)
    path.write_bytes(idx(images))
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(idx(np.zeros(29, np.uint8)))
    with pytest.raises(LabelError, match="30 images"):
        open_data(path)


def cifar_file(path, labels, coarse=None):
    pixels = RANDOM.integers(0, 256, (len(labels), 3072), np.uint8)
    columns = [np.array(labels, np.uint8)[:, None], pixels]
    if coarse is not None:
        columns.insert(0, np.array(coarse, np.uint8)[:, None])
    path.write_bytes(np.hstack(columns).tobytes())
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def test_cifar_10_folder_with_names(tmp_path):
    first = cifar_file(tmp_path / "data_batch_1.bin", [6, 9, 1])
    test = cifar_file(tmp_path / "test_batch.bin", [3, 0])
    names = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (tmp_path / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    data = open_data(tmp_path)
    assert len(data) == 5
    assert (data.read(1) == first[1]).all()
    assert (data.read(4) == test[1]).all()
    assert data.columns["split"] == ["train"] * 3 + ["test"] * 2
    turned = tuple(reversed(names))
    assert labels_as_outputs(data, turned, 10).tolist() == [3, 0, 8, 6, 9]
    part = open_data(f"{tmp_path}/data_batch_*.bin")
    assert len(part) == 3
    assert part.name == "data_batch_1"


def test_cifar_100_without_names(tmp_path):
    pixels = cifar_file(tmp_path / "test.bin", [99, 4], coarse=[13, 2])
    data = open_data(tmp_path / "test.bin")
    assert (data.read(0) == pixels[0]).all()
    assert labels_as_outputs(data, (), 100).tolist() == [99, 4]
    assert data.columns["coarse"].tolist() == [13, 2]
    names = [f"super{number}" for number in range(20)]
    (tmp_path / "coarse_label_names.txt").write_text("\n".join(names))
    assert open_data(tmp_path / "test.bin").columns["coarse"] == ["super13", "super2"]


def test_files_that_are_no_cifar(tmp_path):
    from inspector.stimuli import DataNotFoundError

    (tmp_path / "a.bin").write_bytes(bytes([200]) + bytes(3072))
    with pytest.raises(DataNotFoundError, match="not a kind of data"):
        open_data(tmp_path / "a.bin")
    cifar_file(tmp_path / "b.bin", [1])
    cifar_file(tmp_path / "c.bin", [1], coarse=[2])
    with pytest.raises(ArrayFormatError, match="give them apart"):
        open_data(f"{tmp_path}/[bc].bin")
