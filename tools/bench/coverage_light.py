"""The onnx package's classic architectures, which come with constant weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from coverage_check import Case
from onnx import numpy_helper


def light_models(folder: Path, word: str = "") -> Iterator[Case]:
    """Those whose name holds `word`, constant weights replaced by random ones."""
    spec = importlib.util.find_spec("onnx")
    assert spec is not None
    assert spec.origin is not None
    for path in sorted((Path(spec.origin).parent / "backend/test/data/light").glob("*.onnx")):
        name = path.stem.removeprefix("light_")
        if word not in name:
            continue
        random = np.random.default_rng(0)
        model = onnx.load(path)
        shapes = {tensor.name: tensor for tensor in model.graph.initializer}
        kept = []
        for node in model.graph.node:
            if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
                kept.append(node)
                continue
            shape = [int(size) for size in numpy_helper.to_array(shapes[node.input[0]])]
            values = random.uniform(0.5, 1.5, shape)
            if len(shape) > 1:
                values = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
            weight = numpy_helper.from_array(values.astype(np.float32), node.output[0])
            model.graph.initializer.append(weight)
            info = onnx.helper.make_tensor_value_info(weight.name, onnx.TensorProto.FLOAT, shape)
            model.graph.input.append(info)
        del model.graph.node[:]
        model.graph.node.extend(kept)
        made = folder / f"{name}.onnx"
        onnx.save(model, made)
        yield Case(name, "onnx light", made)
        made.unlink()
