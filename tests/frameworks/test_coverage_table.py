"""A small part of the table of models that Inspector takes, and the trained one on real photos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.frameworks,
    # Exporters and converters warn about their own inner workings.
    pytest.mark.filterwarnings("ignore"),
]

TOOLS = Path(__file__).parents[2] / "tools" / "bench"


@pytest.fixture(autouse=True)
def tools_on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(TOOLS))
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(TOOLS)):
            del sys.modules[name]


def need(*packages: str) -> None:
    """Skip without packages; some cannot be imported just like that (Keras, foolbox)."""
    from efficientnet import missing

    lacking = missing(*packages)
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}; see tools/bench/coverage.py")


def rows(word: str, folder: Path) -> dict[tuple[str, str], str]:
    """Model and source to the verdict."""
    import coverage

    absent: list[str] = []
    found = [coverage.row(case) for case in coverage.cases(folder, word, None, absent)]
    return {cells[:2]: cells[-1] for cells in found}


def test_a_classic_architecture(tmp_path: Path) -> None:
    assert rows("squeezenet", tmp_path) == {("squeezenet", "onnx light"): "ok"}


def test_a_transformer_through_both_exporters(tmp_path: Path) -> None:
    need("torch", "transformers")
    assert rows("deit", tmp_path) == {
        ("deit", "torch dynamo"): "ok",
        ("deit", "torch script"): "ok",
    }


def test_scikit_learn(tmp_path: Path) -> None:
    need("sklearn", "skl2onnx")
    found = rows("sklearn", tmp_path)
    assert {name for name, _ in found} == {"sklearn_mlp", "sklearn_logistic", "sklearn_forest"}
    assert set(found.values()) == {"ok"}


def test_keras_on_pytorch(tmp_path: Path) -> None:
    need("keras", "torch")
    found = rows("keras", tmp_path)
    assert found[("keras_cnn", "Keras on PyTorch")] == "ok"
    assert set(found.values()) == {"ok"}


def test_predictions_of_real_photos_are_those_of_pillow(tmp_path: Path) -> None:
    import photos
    from efficientnet import PACKAGES, export, trained_network

    need(*PACKAGES, "foolbox", "PIL")

    model = export(trained_network(), tmp_path / "net.onnx")
    paths = photos.class_folders(tmp_path / "photos")
    found = photos.compare(model, tmp_path / "photos", paths, photos.OWN, tmp_path / "out.msgpack")
    assert (found.right, found.equal, found.images) == (18, 20, 20)
    assert found.logits < 1e-5
