"""Write golden files with an old Deephys exporter (it needs torch): python make_old.py VERSION."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import deephys.deephys as old
import numpy as np
import torch


class Images:
    """What the oldest versions take: pairs of image and label."""

    def __init__(self, images: np.ndarray, truth: list[int]) -> None:
        self.images, self.truth = images, truth

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.images[number]), self.truth[number]


if __name__ == "__main__":
    version = sys.argv[1]
    expected = np.load(Path(__file__).parent / "expected.npz")
    images = np.random.default_rng(20).random((3, 3, 5, 4))
    truth = [2, 0, 1]
    classes = ["ant", "bee", "cow"]
    state = [expected["pool"], expected["fc"]]
    layers = [
        old.Layer(name, [old.Neuron()] * units)
        for name, units in (("pool", 4), ("classification", 3))
    ]
    os.chdir(Path(__file__).parent)
    named = {"suffix": "v1"} if "suffix" in old.Model.__dataclass_fields__ else {}
    model = old.Model(name=f"old{version}", layers=layers, **named)
    test = old.import_torch_dataset(
        f"old{version}",
        Images(images, truth),
        classes,
        [torch.from_numpy(layer) for layer in state],
        model,
    )
    model.save()
    test.save()
