"""Exports of Keras (PyTorch or TensorFlow behind it) and of scikit-learn."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from coverage_check import Case
from efficientnet import missing

_TOOL = Path(__file__).with_name("keras_export.py")


def keras(folder: Path, tensorflow_python: str | None, absent: list[str]) -> Iterator[Case]:
    """Keras networks by both ways; TensorFlow has its own interpreter, as it rarely fits in."""
    lacking = missing("keras", "torch")
    tries = [("torch", "Keras on PyTorch", None if lacking else sys.executable)]
    if tensorflow_python is None and not missing("tensorflow", "tf2onnx"):
        tensorflow_python = sys.executable
    tries.append(("tensorflow", "Keras, tf2onnx", tensorflow_python))
    for backend, source, python in tries:
        if python is None:
            absent.append(f"{source}: not installed")
            continue
        out = folder / backend
        out.mkdir()
        done = subprocess.run(
            [python, str(_TOOL), str(out)],
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            absent.append(f"{source}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
            continue
        for path in sorted(out.glob("*.onnx")):
            with np.load(path.with_suffix(".npz")) as arrays:
                seen = dict(arrays)
            feed = {onnx.load(path).graph.input[0].name: seen.pop("image")}
            reference = {name: [value] for name, value in seen.items()}
            # PyTorch's exporter sees no modules in Keras' functional networks.
            kept = backend == "tensorflow"
            yield Case(path.stem, source, path, feed, reference, names_kept=kept)


def scikit_learn(folder: Path, absent: list[str]) -> Iterator[Case]:
    """A perceptron, a linear model and a forest, trained on scikit-learn's digits."""
    lacking = missing("sklearn", "skl2onnx")
    if lacking:
        absent.append(f"scikit-learn: {', '.join(lacking)} is not installed")
        return
    from skl2onnx import to_onnx
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    pixels, labels = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype(np.float32)
    models = {
        "sklearn_mlp": MLPClassifier((32, 16), max_iter=30, random_state=0),
        "sklearn_logistic": LogisticRegression(max_iter=30),
        "sklearn_forest": RandomForestClassifier(10, random_state=0),
    }
    for name, model in models.items():
        with warnings.catch_warnings():
            # Nothing here has to converge.
            warnings.simplefilter("ignore")
            model.fit(pixels, labels)
        path = folder / f"{name}.onnx"
        # A table of probabilities (ZipMap) is no tensor; the last model has one all the same.
        options = {} if name == "sklearn_forest" else {"zipmap": False}
        path.write_bytes(to_onnx(model, pixels[:1], options=options).SerializeToString())
        few = pixels[:8]
        reference = {"probabilities": [model.predict_proba(few).astype(np.float32)]}
        if isinstance(model, MLPClassifier):
            hidden = few
            for number, (weight, bias) in enumerate(
                zip(model.coefs_, model.intercepts_, strict=True)
            ):
                product = (hidden @ weight + bias).astype(np.float32)
                hidden = np.maximum(product, 0)
                reference[f"layer{number}"] = [product if product.shape[1] == 10 else hidden]
        yield Case(name, "skl2onnx", path, {"X": few}, reference, names_kept=False)
