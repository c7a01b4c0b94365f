"""Write the golden files with the real exporter; run once, in an environment with deephys."""

from __future__ import annotations

from pathlib import Path

import deephys
import numpy as np

if __name__ == "__main__":
    folder = Path(__file__).parent
    random = np.random.default_rng(20)
    images = random.random((3, 3, 5, 4))
    activity = {
        "pool": np.maximum(random.normal(size=(3, 4)), 0).astype(np.float32),
        "fc": random.normal(size=(3, 3)).astype(np.float32),
    }
    truth = [2, 0, 1]
    model = deephys.model("golden", {"pool": 4, "fc": 3}, "fc")
    model.save(str(folder / "golden.model"))
    for bits in (32, 64):
        deephys.dataset_activity(
            f"golden{bits}", ["ant", "bee", "cow"], dict(activity), model, images, truth,
            f"float{bits}",
        ).save(str(folder / f"golden{bits}.test"))  # fmt: skip
    pixels = (images * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    np.savez(folder / "expected.npz", truth=truth, pixels=pixels, **activity)
