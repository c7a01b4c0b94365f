"""Make the pictures of the viewer in docs/images from the demo's recordings.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tools/screenshots.py [--demo DIR]

Each picture is one run of `inspector view --screenshot` in a process of its own, so what is shown
is what a user sees. Without `--demo` the demo is recorded into a temporary folder first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
SETS = ("colored", "permuted", "arbitrary", "drifted")
_UNIT = ("--unit", "linear1:7", "--normalizer", "colored")
_IMAGE = (*_UNIT, "--image", "colored:7", "--lead", "colored")
_CATEGORY = (*_UNIT, "--category", "3", "--lead", "colored")
PICTURES = {  # name: arguments of `inspector view`
    "unit_dark": (*_UNIT, "--theme", "dark"),
    "unit_light": (*_UNIT, "--theme", "light"),
    "image_dark": (*_IMAGE, "--theme", "dark"),
    "image_light": (*_IMAGE, "--theme", "light"),
    "category_dark": (*_CATEGORY, "--theme", "dark"),
    "category_light": (*_CATEGORY, "--theme", "light"),
}


def main() -> None:
    """Run the tool."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--demo", type=Path, help="folder of a finished `inspector demo`")
    chosen = arguments.parse_args()
    if not os.environ.get("DISPLAY"):
        sys.exit("no display: run it under xvfb-run (see the top of this file)")
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.demo or Path(made) / "demo"
        _inspector("demo", "--no-view", "--out", str(folder))
        files = [str(folder / "coloured_mnist_cnn" / f"{name}.msgpack") for name in SETS]
        for name, options in PICTURES.items():
            _picture(files, options, FOLDER / f"{name}.png", Path(made) / "shot.png")
            print(f"docs/images/{name}.png")


def _picture(files: list[str], options: tuple[str, ...], path: Path, raw: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _inspector("view", *files, *options, "--screenshot", str(raw))
    shot = cv2.imread(str(raw))
    if shot is None or len(np.unique(shot.reshape(-1, 3), axis=0)) < 50:
        sys.exit(f"{path.name}: the window shows nothing")
    cv2.imwrite(str(path), shot, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _inspector(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "inspector", *arguments], check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
