"""What a recording holds is what PyTorch's own forward hooks see."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import inspector
from inspector.stimuli.coloured_digits import DIGIT_CLASSES, colour_digits, held_out_digits

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.frameworks,
    # PyTorch's exporter warns about its own inner workings.
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TOOLS = Path(__file__).parents[2] / "tools"
IMAGES = 48


@pytest.fixture(scope="module", autouse=True)
def tools_on_path() -> None:
    if str(TOOLS) not in sys.path:
        sys.path.insert(0, str(TOOLS))


@pytest.fixture(scope="module")
def digits() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    images, labels = held_out_digits()
    rows = np.linspace(0, len(images) - 1, IMAGES).astype(int)
    return colour_digits(images[rows], labels[rows], "drifted"), labels[rows]


def hooked(model: torch.nn.Module, images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
    """Run the model in PyTorch and keep the output of each of its modules, by name."""
    seen: dict[str, NDArray[np.float32]] = {}
    handles = [
        module.register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.numpy()})
        )
        for name, module in model.named_modules()
    ]
    model.eval()
    with torch.no_grad():
        model(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    for handle in handles:
        handle.remove()
    return seen


def record(
    model: torch.nn.Module,
    digits: tuple[NDArray[np.uint8], NDArray[np.int32]],
    folder: Path,
    **options: str,
) -> inspector.recording.Recording:
    from onnx_export import export

    images, labels = digits
    np.savez(folder / "digits.npz", images=images, labels=labels)
    export(
        model,
        torch.zeros(2, 3, 28, 28),
        folder / "net.onnx",
        output_name=model.output_name,
        classes=DIGIT_CLASSES,
        preprocess={"scale": "unit"},
    )
    return inspector.record(
        folder / "net.onnx", folder / "digits.npz", folder / "digits.msgpack", **options
    )


def test_the_convolutional_net(
    digits: tuple[NDArray[np.uint8], NDArray[np.int32]], tmp_path: Path
) -> None:
    from coloured_mnist_nets import ColouredMnistCnn

    torch.manual_seed(0)
    model = ColouredMnistCnn()
    expected = hooked(model, digits[0])
    with record(model, digits, tmp_path) as recording:
        linear1 = recording.activity("linear1")[:]
        assert linear1.shape == (IMAGES, 50)
        assert linear1.min() >= 0
        np.testing.assert_allclose(linear1, expected["linear1"], atol=1e-5)
        for layer in ("conv1", "conv2"):
            pooled = np.maximum(expected[layer], 0).mean(axis=(2, 3))
            np.testing.assert_allclose(recording.activity(layer)[:], pooled, atol=1e-5)
            highest = expected[layer].max(axis=(2, 3))
            np.testing.assert_allclose(recording.activity(layer, "max")[:], highest, atol=1e-5)
        np.testing.assert_array_equal(recording.predictions, expected[""].argmax(1))
        np.testing.assert_array_equal(recording.labels, digits[1])


def test_the_vision_transformer(
    digits: tuple[NDArray[np.uint8], NDArray[np.int32]], tmp_path: Path
) -> None:
    from coloured_mnist_nets import ColouredMnistVit

    torch.manual_seed(0)
    model = ColouredMnistVit()
    expected = hooked(model, digits[0])
    with record(model, digits, tmp_path) as recording:
        compared = 0
        for layer in recording.layers:
            tokens = expected.get(layer.name)
            if layer.kind != "tokens" or tokens is None or tokens.ndim != 3:
                continue
            patches = tokens[:, 1:] if tokens.shape[1] == 50 else tokens
            rectified = np.maximum(patches, 0).mean(axis=1)
            recorded = recording.activity(layer.name, "relu_mean")[:]
            np.testing.assert_allclose(recorded, rectified, atol=1e-4, err_msg=layer.name)
            compared += 1
        assert compared >= 4
        np.testing.assert_array_equal(recording.predictions, expected[""].argmax(1))
