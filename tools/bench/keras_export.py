"""Export small Keras networks to ONNX, with what each of their layers computes beside them.

    KERAS_BACKEND=torch python tools/bench/keras_export.py OUT
    KERAS_BACKEND=tensorflow PYTHON tools/bench/keras_export.py OUT

Through PyTorch's exporter with the torch backend, through tf2onnx with TensorFlow's; the latter
wants an environment of its own (`pip install tensorflow-cpu tf2onnx`). Writes NAME.onnx and
NAME.npz (`image`, and every layer's output under its name) into OUT.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np


def small_network() -> Any:
    """Convolutions with normalisation, a hidden layer, a softmax."""
    image = x = keras.Input((32, 32, 3), name="image")
    for number, (filters, strides) in enumerate([(16, 1), (24, 2), (32, 2)]):
        x = keras.layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, name=f"conv{number}"
        )(x)
        x = keras.layers.BatchNormalization(name=f"norm{number}")(x)
        x = keras.layers.ReLU(name=f"relu{number}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(40, activation="relu", name="dense")(x)
    x = keras.layers.Dense(10, activation="softmax", name="predictions")(x)
    return keras.Model(image, x, name="net")


def main() -> None:
    """Build, export and write what layers compute."""
    folder = Path(sys.argv[1])
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    mobile = keras.applications.MobileNetV2(
        weights=None, classes=10, input_shape=(64, 64, 3), alpha=0.35
    )
    for name, model in (("keras_cnn", small_network()), ("keras_mobilenetv2", mobile)):
        for weight in model.weights:
            value = np.asarray(keras.ops.convert_to_numpy(weight))
            # Statistics and shifts leave their starting values, or much would be zero or one.
            weight.assign(value + 0.05 * random.random(value.shape, dtype=np.float32))
        image = random.standard_normal((2, *model.input_shape[1:]), dtype=np.float32)
        layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        watched = keras.Model(model.inputs, [layer.output for layer in layers])
        outputs = watched(image, training=False)
        model(image, training=False)
        seen = {
            layer.name: keras.ops.convert_to_numpy(output)
            for layer, output in zip(layers, outputs, strict=True)
        }
        np.savez(folder / f"{name}.npz", image=image, **seen)
        export(model, image, folder / f"{name}.onnx")


def export(model: Any, image: Any, path: Path) -> None:
    """As Keras itself does with PyTorch; with tf2onnx where TensorFlow computes."""
    if keras.backend.backend() == "torch":
        model.export(str(path), format="onnx", verbose=False)
        return
    import tensorflow as tf
    import tf2onnx

    spec = (tf.TensorSpec((None, *image.shape[1:]), tf.float32, name="image"),)
    graph = tf.function(lambda image: model(image, training=False))
    tf2onnx.convert.from_function(graph, input_signature=spec, opset=18, output_path=str(path))


if __name__ == "__main__":
    main()
