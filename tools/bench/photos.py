"""Whether real photos get the predictions that the model's own pipeline gives them.

    python tools/bench/photos.py

Exports the trained EfficientNet-Lite0, lays foolbox's 20 ImageNet photos into class folders named
by synset, runs `inspector record` over them with a preset, and compares with Pillow's resizing and
the untouched model. Prints a row a preset; exits 1 unless the network's own preset has 18 photos
right, and every preset the predictions of its pipeline by Pillow. Needs the packages named in
`efficientnet.py`, and Pillow.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

import inspector
from inspector.stimuli.labels import imagenet_synsets

sys.path.insert(0, str(Path(__file__).parent))

from efficientnet import PACKAGES, export, missing, photos, prepared, trained_network

OWN = "efficientnet-lite0"
RIGHT = 18
_MEAN, _STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


@dataclass(frozen=True)
class Outcome:
    """What a recording has against what Pillow's pipeline gives.

    Attributes
    ----------
    right, equal, images
        Photos whose prediction is the label, whose prediction is that of Pillow's pipeline, all.
    logits
        Largest difference of a logit, relative to the largest logit.
    """

    right: int
    equal: int
    images: int
    logits: float


def class_folders(folder: Path) -> list[Path]:
    """Copy the photos into folders named by synset; their originals in the recording's order."""
    synsets = {place: name for name, (place, _) in imagenet_synsets().items()}
    placed = {}
    for path, label in photos():
        target = folder / synsets[label] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        placed[target.relative_to(folder).as_posix()] = path
    return [placed[name] for name in sorted(placed)]


def by_pillow(paths: Sequence[Path], preset: str) -> Any:
    """The model's input, prepared by Pillow and numpy alone: float32 [images, 3, 224, 224]."""
    if preset == OWN:
        return np.stack([prepared(path, "bicubic") for path in paths])
    # The other pipeline everybody knows: the same crop, resized bilinearly, ImageNet's statistics.
    pixels = np.stack([prepared(path, "bilinear") for path in paths]) * 128 + 127
    scaled = pixels / 255 - _MEAN[:, None, None]
    return (scaled / _STD[:, None, None]).astype(np.float32)


def compare(model: Path, folder: Path, paths: Sequence[Path], preset: str, out: Path) -> Outcome:
    """Record the folder by the command, and compare with the untouched model behind Pillow."""
    command = [sys.executable, "-m", "inspector", "record", str(model), str(folder)]
    options = ["-o", str(out), "--preprocess", preset, "--overwrite", "--json"]
    subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: by_pillow(paths, preset)})
    with inspector.open(out) as recording:
        names = [Path(path).name for path in recording.paths]
        assert names == [path.name for path in paths], "the recording has another order"
        logits = recording.logits
        assert logits is not None
        return Outcome(
            right=int((recording.predictions == recording.labels).sum()),
            equal=int((recording.predictions == expected.argmax(1)).sum()),
            images=len(names),
            logits=float(np.abs(logits[:] - expected).max() / np.abs(expected).max()),
        )


def main() -> int:
    """Print a row a preset."""
    lacking = missing(*PACKAGES, "foolbox", "PIL")
    if lacking:
        print(f"not installed: {', '.join(lacking)}", file=sys.stderr)
        return 2
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = export(trained_network(), folder / "efficientnet_lite0.onnx")
        paths = class_folders(folder / "photos")
        print(f"{'preset':<20} {'right':>7} {'as by Pillow':>13} {'logits off by':>14}")
        for preset in (OWN, "imagenet"):
            found = compare(model, folder / "photos", paths, preset, folder / "out.msgpack")
            print(
                f"{preset:<20} {found.right:>4}/{found.images} {found.equal:>10}/{found.images} "
                f"{found.logits:>14.0e}"
            )
            good &= found.equal == found.images and (preset != OWN or found.right >= RIGHT)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
