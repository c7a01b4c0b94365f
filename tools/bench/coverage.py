"""Which models Inspector takes: a table of layers found and how far their values are off.

    python tools/bench/coverage.py [--only WORD]

Needs nothing but the package for the onnx package's own `light` models; with PyTorch and
transformers (extra `train`, and `pip install transformers`) it exports architectures with random
weights through both PyTorch exporters and compares every layer with PyTorch's own hooks. Rows
whose packages are not installed are left out and named at the end. Prints the table to stdout.

The difference of a row is the largest one relative to the largest reference value: of taps
against the untouched model's tensors (all rows), and of layers against hooks (`hooks`). A row
counts only if the model's output differs between two inputs.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

from inspector.graph import (
    Graph,
    Layer,
    Shapes,
    expose_all,
    find_layers,
    find_output,
    instrument,
    load_graph,
    stored_reductions,
)

sys.path.insert(0, str(Path(__file__).parent))

TAPS_BOUND, HALF_BOUND, HOOKS_BOUND = 1e-5, 2e-3, 1e-4


@dataclass(frozen=True)
class Case:
    """A model file, where it comes from, and what hooks saw (module to a list of outputs)."""

    name: str
    source: str
    path: Path
    feed: dict[str, Any] | None = None
    hooks: dict[str, list[Any]] | None = None


def session(model: bytes | str, folder: Path, *, optimise: bool) -> Any:
    """A session on one core in two, with external weights found in `folder`."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = max((os.cpu_count() or 2) // 2, 1)
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(folder)
    )
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def feeds(graph: Graph, batch: int, seed: int) -> dict[str, Any]:
    """Seeded random values for every input."""
    random = np.random.default_rng(seed)
    made = {}
    for item in graph.inputs:
        shape = [size or (batch if axis == 0 else 64) for axis, size in enumerate(item.shape)]
        made[item.name] = random.standard_normal(shape).astype(item.dtype)
    return made


def reduced(layer: Layer, value: Any, reduction: str) -> Any:
    """The reduction in numpy, written apart from the graph's."""
    value = np.moveaxis(value.astype(np.float32), layer.axis, -1)
    value = value.reshape(len(value), -1, layer.units)
    if reduction == "none":
        return value[:, 0]
    if layer.kind == "tokens":
        value = value[:, layer.prefix_tokens :]
    if reduction == "relu_mean":
        value = np.maximum(value, 0)
    return value.max(1) if reduction == "max" else value.mean(1)


def relative(found: Any, expected: Any) -> float:
    """Largest difference relative to the largest expected value."""
    scale = max(float(np.abs(expected).max(initial=0)), 1e-9)
    return float(np.abs(found - expected).max(initial=0)) / scale


@dataclass
class Examined:
    """A model that was probed and run once untouched."""

    graph: Graph
    shapes: Shapes
    layers: tuple[Layer, ...]
    feed: dict[str, Any]
    tensors: dict[str, Any]
    varies: bool


def examine(case: Case) -> Examined:
    """Probe a model, find its layers, and run it untouched on two inputs."""
    graph = load_graph(case.path)
    exposed = expose_all(graph)
    run = session(exposed.model_bytes, case.path.parent, optimise=False)
    names = list(exposed.tensors)
    fixed = graph.inputs[0].batch
    two, three = (run.run(names, feeds(graph, batch, 0)) for batch in (2, 3))
    shapes = {n: (a.shape, b.shape) for n, a, b in zip(names, two, three, strict=True)}
    feed = case.feed or feeds(graph, fixed or 4, 1)
    tensors = dict(zip(names, run.run(names, feed), strict=True))
    other = dict(zip(names, run.run(names, feeds(graph, fixed or 4, 2)), strict=True))
    # A softmax of random weights may be saturated: what it reads differs all the same.
    found = find_output(graph, shapes)
    outputs = [n for n in graph.index.outputs if n in tensors and tensors[n].dtype.kind == "f"]
    outputs = [found.logits] if found else outputs
    varies = any(
        tensors[n].shape != other[n].shape or relative(other[n], tensors[n]) > 1e-4 for n in outputs
    )
    return Examined(graph, shapes, find_layers(graph, shapes), feed, tensors, varies)


def taps_difference(seen: Examined) -> float:
    """Default taps, optimised as they are in use, against the untouched model's tensors."""
    wanted = [(layer, stored_reductions(layer)[0]) for layer in seen.layers if layer.default]
    if not wanted:
        return float("nan")
    made = instrument(seen.graph, wanted)
    run = session(made.model_bytes, seen.graph.path.parent, optimise=True)
    values = run.run([output for _, _, output in made.outputs], seen.feed)
    by_name = {layer.name: layer for layer, _ in wanted}
    worst = 0.0
    for (name, reduction, _), value in zip(made.outputs, values, strict=True):
        layer = by_name[name]
        tensor = seen.tensors[layer.tensor]
        if tensor.dtype.kind == "f":
            worst = max(worst, relative(value, reduced(layer, tensor, reduction)))
    return worst


def hooks_difference(seen: Examined, hooks: dict[str, list[Any]]) -> tuple[int, int, float]:
    """Module names that hooks confirm, how many could be compared, and the worst of those.

    A module that gives several tensors is compared where its first one has the layer's size.
    """
    compared, right, worst = 0, 0, 0.0
    for layer in seen.layers:
        for name in (layer.name, *layer.aliases):
            module, _, call = name.partition("#")
            calls = hooks.get(module, [])
            index = int(call) - 1 if call.isdigit() else -1
            if not calls or (call and not call.isdigit()) or index >= len(calls):
                continue
            found, expected = seen.tensors[layer.tensor], calls[index]
            if found.size != expected.size:
                continue
            difference = _same_values(layer, found, expected)
            compared += 1
            right += difference <= HOOKS_BOUND
            worst = max(worst, difference)
    return right, compared, worst


def _same_values(layer: Layer, found: Any, expected: Any) -> float:
    """The smallest difference over the unit axes that the framework's tensor may have."""
    differences = [relative(found, expected)] if found.shape == expected.shape else []
    flat = np.moveaxis(found, layer.axis, -1).ravel()
    for axis in range(1, expected.ndim):
        differences.append(relative(flat, np.moveaxis(expected, axis, -1).ravel()))
    return min(differences, default=float("inf"))


def light_models(folder: Path) -> Iterator[Case]:
    """The onnx package's classic architectures, constant weights replaced by random ones."""
    spec = importlib.util.find_spec("onnx")
    assert spec is not None
    assert spec.origin is not None
    random = np.random.default_rng(0)
    for path in sorted((Path(spec.origin).parent / "backend/test/data/light").glob("*.onnx")):
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
            name = node.output[0]
            weight = numpy_helper.from_array(values.astype(np.float32), name)
            model.graph.initializer.append(weight)
            info = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            model.graph.input.append(info)
        del model.graph.node[:]
        model.graph.node.extend(kept)
        onnx.save(model, folder / path.name.removeprefix("light_"))
        yield Case(path.stem.removeprefix("light_"), "onnx light", folder / path.name[6:])


def cases(folder: Path, word: str, absent: list[str]) -> Iterator[Case]:
    """Every model there is to try; what cannot be tried goes to `absent`."""
    for case in light_models(folder):
        if word in case.name:
            yield case
    if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):
        from coverage_torch import exported

        for name, source, path, feed, hooks in exported(folder, word, absent):
            yield Case(name, source, path, feed, hooks)
    else:
        absent.append("PyTorch or transformers is not installed: no exported architectures")


def row(case: Case) -> str:
    """One line of the table."""
    seen = examine(case)
    taps = taps_difference(seen)
    defaults = sum(layer.default for layer in seen.layers)
    kinds = Counter(layer.kind for layer in seen.layers)
    half = any(item.dtype == "float16" for item in seen.graph.inputs)
    good = seen.varies and not taps > (HALF_BOUND if half else TAPS_BOUND)
    hooks = ""
    if case.hooks is not None:
        right, compared, worst = hooks_difference(seen, case.hooks)
        hooks = f"{right}/{compared} {worst:.0e}"
        good = good and right == compared
    verdict = "ok" if good else "outputs constant" if not seen.varies else "OFF"
    shown = " ".join(f"{count} {kind}" for kind, count in kinds.items())
    return (
        f"{case.name:<18} {case.source:<24} {seen.graph.opset:>5} {len(seen.layers):>6} "
        f"{defaults:>7} {shown:<40} {taps:>8.0e} {hooks:<16} {verdict}"
    )


def main() -> int:
    """Print the table; exit 1 if a row is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="Only models whose name holds this word.")
    word = parser.parse_args().only
    print(
        f"{'model':<18} {'source':<24} {'opset':>5} {'layers':>6} {'default':>7} {'kinds':<40} "
        f"{'taps':>8} {'hooks':<16} verdict"
    )
    absent: list[str] = []
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder), word, absent):
            line = row(case)
            bad += not line.endswith("ok")
            print(line, flush=True)
    for reason in absent:
        print(f"left out: {reason}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
