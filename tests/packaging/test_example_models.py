"""The example models as files, run by ONNX Runtime alone, and the paper's figures from them."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from inspector.stimuli.coloured_digits import COLOURINGS, colour_digits, held_out_digits

MODELS = Path(__file__).parents[2] / "models"
NAMES = ("coloured_mnist_cnn", "coloured_mnist_vit")
NAME_SCOPES = "pkg.torch.onnx.name_scopes"
KEPT = {"namespace", "pkg.torch.onnx.class_hierarchy", NAME_SCOPES}


def inputs_of(colouring: str) -> NDArray[np.float32]:
    painted = colour_digits(*held_out_digits(), colouring)
    return painted.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def run(model: onnx.ModelProto, tensor: str, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    parts = np.array_split(inputs, max(1, len(inputs) // 500))
    return np.concatenate([session.run([tensor], {"images": part})[0] for part in parts])


def last_tensor_of(model: onnx.ModelProto, module: str) -> onnx.NodeProto:
    def scopes(node: onnx.NodeProto) -> list[str]:
        for entry in node.metadata_props:
            if entry.key == NAME_SCOPES:
                return ast.literal_eval(entry.value)
        return []

    return [node for node in model.graph.node if module in scopes(node)][-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_one_small_valid_file(name: str) -> None:
    path = MODELS / f"{name}.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path, load_external_data=False)
    assert path.stat().st_size < 1_000_000
    assert not [w for w in model.graph.initializer if w.data_location == onnx.TensorProto.EXTERNAL]
    (images,) = model.graph.input
    dims = images.type.tensor_type.shape.dim
    assert images.name == "images"
    assert images.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert dims[0].dim_param
    assert [dim.dim_value for dim in dims[1:]] == [3, 28, 28]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_its_classes_and_its_preprocessing(name: str) -> None:
    model = onnx.load(MODELS / f"{name}.onnx")
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(properties["classes"]) == [str(digit) for digit in range(10)]
    assert json.loads(properties["inspector.preprocess"]) == {"scale": "unit"}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_keeps_module_names_and_no_trace_of_the_machine(name: str) -> None:
    path = MODELS / f"{name}.onnx"
    model = onnx.load(path)
    keys = {entry.key for node in model.graph.node for entry in node.metadata_props}
    assert NAME_SCOPES in keys
    assert keys <= KEPT
    content = path.read_bytes()
    assert not re.search(rb"/(root|home|work|tmp|usr)/|\.py\b|site-packages", content)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [1, 3])
def test_any_batch_runs(name: str, batch: int) -> None:
    model = onnx.load(MODELS / f"{name}.onnx")
    output = run(model, model.graph.output[0].name, inputs_of("colored")[:batch])
    assert output.shape == (batch, 10)
    assert np.isfinite(output).all()


def test_the_layer_linear1_is_the_rectified_one() -> None:
    node = last_tensor_of(onnx.load(MODELS / "coloured_mnist_cnn.onnx"), "linear1")
    assert node.op_type == "Relu"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colouring", COLOURINGS)
def test_accuracy_is_what_the_card_says(name: str, colouring: str) -> None:
    model = onnx.load(MODELS / f"{name}.onnx")
    answers = run(model, model.graph.output[0].name, inputs_of(colouring)).argmax(1)
    accuracy = (answers == held_out_digits()[1]).mean()
    card = (MODELS / f"{name}.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {COLOURINGS[colouring].title} \| (0|1)\.(\d+) \|$", card, re.M)
    assert row, "the card has no accuracy for this set"
    assert accuracy == pytest.approx(float(f"{row[1]}.{row[2]}"), abs=5e-4)


@dataclass(frozen=True)
class PaperScores:
    spurious: dict[str, NDArray[np.float64]]
    novelty: dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def scores() -> PaperScores:
    """Compute the paper's two scores of linear1 with nothing of Inspector but the digits."""
    model = onnx.load(MODELS / "coloured_mnist_cnn.onnx")
    tensor = last_tensor_of(model, "linear1").output[0]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(tensor))
    _, labels = held_out_digits()
    activity = {name: run(model, tensor, inputs_of(name)).astype(float) for name in COLOURINGS}
    units = activity["colored"].max(0) > 0
    maximum = activity["colored"].max(0)[units]
    means = {
        name: np.stack([values[labels == digit][:, units].mean(0) / maximum for digit in range(10)])
        for name, values in activity.items()
    }
    ind = means.pop("colored")
    spurious, novelty = {}, {}
    for name, ood in means.items():
        # A unit that is silent on all of a set has no ranks there, hence no score.
        rho = [
            spearmanr(a, b).statistic if np.ptp(a) and np.ptp(b) else np.nan
            for a, b in zip(ind.T, ood.T, strict=True)
        ]
        spurious[name] = 1 - np.abs(rho)
        novelty[name] = ind.max(0) - ood.max(0)
    return PaperScores(spurious, novelty)


def test_the_papers_spurious_scores_come_out(scores: PaperScores) -> None:
    assert np.nanmedian(scores.spurious["drifted"]) < 0.15
    assert np.nanmedian(scores.spurious["permuted"]) > 0.5
    assert np.nanmedian(scores.spurious["arbitrary"]) > 0.5


def test_the_papers_novelty_scores_come_out(scores: PaperScores) -> None:
    assert 0.05 < np.median(scores.novelty["drifted"]) < 0.35
    highest = {name: values.max() for name, values in scores.novelty.items()}
    assert max(highest, key=highest.__getitem__) == "arbitrary"
