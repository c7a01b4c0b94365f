"""`show` in a process of its own: pictures, closing, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.errors import InspectorError
from inspector.viewer.dpg import show
from inspector.viewer.errors import ViewerError

Run = Callable[..., subprocess.CompletedProcess[str]]

SHOW = """
import sys, threading
from inspector.errors import InspectorError
from inspector.viewer.dpg import show
paths, options = eval(sys.argv[1])
try:
    show(paths, **options)
except Exception as error:
    print(type(error).__name__, error)
print("threads", threading.active_count())
"""


@pytest.fixture
def run() -> Run:
    def start(paths: list[Path], display: str | None, **options: object):
        environment = {name: text for name, text in os.environ.items() if name != "DISPLAY"}
        if display is not None:
            environment["DISPLAY"] = display
        return subprocess.run(
            [sys.executable, "-c", SHOW, repr(([str(path) for path in paths], options))],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )

    return start


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_screenshot_shows_the_images(
    run: Run, display: str, pair: list[Path], tmp_path: Path, theme: str
) -> None:
    target = tmp_path / "window.png"
    done = run(pair, display, unit="dense:2", screenshot=str(target), size=(1280, 800), theme=theme)
    assert done.stdout == "threads 1\n"
    shot = cv2.cvtColor(cv2.imread(str(target)), cv2.COLOR_BGR2RGB)
    assert shot.shape == (800, 1280, 3)
    assert (shot.mean() < 70) if theme == "dark" else (shot.mean() > 150)
    for tint in ((90, 200, 255), (255, 170, 80)):
        near = np.abs(shot.astype(int) - tint).max(axis=2) <= 2
        assert near.sum() > 2000


def test_the_same_view_gives_the_same_picture(
    run: Run, display: str, pair: list[Path], tmp_path: Path
) -> None:
    shots = []
    for number in range(2):
        target = tmp_path / f"{number}.png"
        run(
            pair,
            display,
            unit="conv1:1",
            screenshot=str(target),
            normalizer="Sharp",
            size=(1000, 640),
        )
        shots.append(cv2.imread(str(target)))
    # Glyphs lie elsewhere in the font's texture when they were first seen in another order, which
    # depends on what loads first: that rounds a few pixels differently.
    assert np.abs(np.subtract(*shots, dtype=int)).max() <= 1


def test_without_a_display_it_says_what_to_do(run: Run, pair: list[Path]) -> None:
    for display in (None, ":987"):
        out = run(pair, display).stdout
        assert out.startswith("NoDisplayError no display")
        for word in ("ssh -X", "xvfb-run", "copy the recording"):
            assert word in out


def test_wrong_names_are_refused_before_a_window_opens(
    display: str, pair: list[Path], tmp_path: Path
) -> None:
    for options, words in (
        ({"lead": "Nobody"}, "no recording is called 'Nobody'"),
        ({"unit": "dense:99"}, "between 0 and 29"),
        ({"theme": "pink"}, "dark or light"),
        ({"scale": 99.0}, "between 0.5 and 4"),
        ({"image": "Sharp"}, "NAME:NUMBER"),
        ({"image": "Sharp:120"}, "between 0 and 119"),
        ({"category": "cat"}, "no category of the Lead"),
        ({"screenshot": str(tmp_path / "no" / "x.png")}, "does not exist"),
        ({"screenshot": str(tmp_path / "x.jpg")}, r"give a name that ends in \.png"),
        ({"screenshot": str(tmp_path / "x")}, r"give a name that ends in \.png"),
        ({"screenshot": str(tmp_path)}, "is a folder"),
    ):
        with pytest.raises(ViewerError, match=words):
            show(pair, **options)


def test_files_of_which_none_opens_are_refused(
    display: str, folder: Path, pair: list[Path]
) -> None:
    gone, broken = folder / "gone.msgpack", folder / "broken.msgpack"
    for options in ({}, {"unit": "fc:3"}, {"screenshot": str(folder / "x.png")}, {"lead": "Gone"}):
        said: list[str] = []
        with pytest.raises(InspectorError, match=r"gone\.msgpack"):
            show([gone, broken], on_problem=said.append, **options)
        assert len(said) == 1
        assert "broken.msgpack" in said[0]
    said = []
    with pytest.raises(ViewerError, match="no layer is called"):
        show([*pair, gone], unit="fc:3", on_problem=said.append)
    assert "gone.msgpack" in said[0]


def test_the_command_line_names_bad_files(display: str, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.png"
    for files, status, lines, pictures in (
        (["gone"], 1, 1, 0),
        (["gone", "broken"], 1, 2, 0),
        (["sharp", "gone"], 0, 1, 1),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "inspector", "view"),
                *(str(folder / f"{name}.msgpack") for name in files),
                *("--image", "Sharp:3") * ("sharp" in files),
                *("--screenshot", str(target), "--size", "900x600"),
            ],
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == status, done.stderr
        assert len(done.stderr.splitlines()) == lines
        assert "gone.msgpack" in done.stderr
        assert target.is_file() == bool(pictures)
