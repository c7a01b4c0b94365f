from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import inspector

ROOT = Path(__file__).parents[2]
IGNORED_SUFFIXES = {".pyc"}


def build(target: str, folder: Path) -> Path:
    """Build with hatchling itself: no isolation, so no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def run_installed(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_carries_the_example_models_with_their_cards(wheel: zipfile.ZipFile) -> None:
    for model in ("coloured_mnist_cnn", "coloured_mnist_vit"):
        for suffix in (".onnx", ".md"):
            packed = wheel.read(f"inspector/models/{model}{suffix}")
            assert packed == (ROOT / "models" / f"{model}{suffix}").read_bytes()


def test_the_wheel_carries_the_digits_with_their_provenance(wheel: zipfile.ZipFile) -> None:
    digits = wheel.getinfo("inspector/stimuli/data/mnist_held_out.npz")
    assert digits.file_size < 1_000_000
    provenance = wheel.read("inspector/stimuli/data/PROVENANCE.md").decode()
    assert "LeCun, Corinna Cortes and Christopher J. C. Burges" in provenance
    assert "The MIT License" in provenance


def test_the_wheel_carries_the_fonts_with_their_licence(wheel: zipfile.ZipFile) -> None:
    fonts = [name for name in wheel.namelist() if "/fonts/" in name]
    assert any(name.endswith((".otf", ".ttf")) for name in fonts)
    assert any(name.endswith("OFL.txt") for name in fonts)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "inspector").rglob("*")
        if path.is_file() and path.suffix not in IGNORED_SUFFIXES
    }
    assert package <= names
    others = {name.split("/")[0] for name in names} - {"inspector"}
    assert others == {f"onnx_inspector-{inspector.__version__}.dist-info"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    about = f"onnx_inspector-{inspector.__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{about}/METADATA"))
    assert metadata["Name"] == "onnx-inspector"
    assert metadata["Version"] == inspector.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.10"
    needed = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert not [line for line in needed if line.startswith("torch")]
    assert b"inspector = inspector.cli:main" in wheel.read(f"{about}/entry_points.txt")
    assert f"{about}/licenses/LICENSE" in wheel.namelist()


def test_an_installed_wheel_needs_nothing_of_the_checkout(installed: Path) -> None:
    done = run_installed(
        installed,
        "-c",
        "import inspector; from inspector.stimuli.coloured_digits import held_out_digits;"
        "print(inspector.__file__, len(held_out_digits()[1]))",
    )
    assert done.returncode == 0, done.stderr
    file, count = done.stdout.split()
    assert Path(file).is_relative_to(installed)
    assert count == "5000"


def test_the_source_archive_is_enough_to_test_and_to_build(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    archive = build("sdist", tmp_path_factory.mktemp("sdist"))
    with tarfile.open(archive) as files:
        names = {name.split("/", 1)[1] for name in files.getnames()}
    assert {
        "Makefile",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "models/coloured_mnist_cnn.onnx",
        "inspector/stimuli/data/mnist_held_out.npz",
        "tools/setup.sh",
        "tests/packaging/test_wheel.py",
    } <= names
