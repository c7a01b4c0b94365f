"""A model whose weights lie in a file beyond 2 GB: memory, disk and values while it is recorded.

    python tools/bench/large_model.py [--folder DIR]

Builds a perceptron with 2.3 GB of external weights (a sparse file: mostly zeros that take no disk),
runs ONNX Runtime alone, `inspector layers` and `inspector record` on it, each in a process of its
own, and prints the peak of memory that is theirs alone (without pages of the mapped file), time,
what was written beside the model, and how far the recorded logits are off. Linux only.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

import inspector

UNITS, HIDDEN, IMAGES, SIDE, CLASSES = 13_888, 3, 8, 16, 10
_MIB = 1024
_PLAIN = """
import sys, numpy as np, onnxruntime as ort
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
np.save(sys.argv[3], session.run(None, {"x": np.load(sys.argv[2])})[0])
"""


def build(folder: Path) -> Path:
    """Write the model, its weights and the images."""
    random = np.random.default_rng(0)
    inputs = 3 * SIDE * SIDE
    shapes = [(inputs, UNITS), *[(UNITS, UNITS)] * HIDDEN, (UNITS, CLASSES)]
    weights, offset = [], 0
    with (folder / "net.weights").open("wb") as file:
        for number, shape in enumerate(shapes):
            tensor = TensorProto(
                name=f"fc{number}.weight",
                data_type=TensorProto.FLOAT,
                dims=shape,
                data_location=TensorProto.EXTERNAL,
            )
            size = math.prod(shape) * 4
            places = {"location": "net.weights", "offset": offset, "length": size}
            for key, value in places.items():
                tensor.external_data.add(key=key, value=str(value))
            weights.append(tensor)
            # Some rows get values all over their length; the rest stays a hole in the file.
            for row in range(0, shape[0], max(shape[0] // 64, 1)):
                file.seek(offset + row * shape[1] * 4)
                file.write((random.standard_normal(shape[1]) * 0.2).astype("<f4").tobytes())
            offset += size
        file.truncate(offset)
    nodes = [helper.make_node("Flatten", ["x"], ["hidden0"], axis=1)]
    for number in range(len(shapes) - 1):
        product, after = f"product{number}", f"hidden{number + 1}"
        nodes.append(
            helper.make_node("MatMul", [f"hidden{number}", f"fc{number}.weight"], [product])
        )
        nodes.append(helper.make_node("Relu", [product], [after]))
    nodes.append(helper.make_node("MatMul", [after, f"fc{len(shapes) - 1}.weight"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    images = random.random((IMAGES, 3, SIDE, SIDE), dtype=np.float32)
    np.save(folder / "images.npy", images)
    return folder / "net.onnx"


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; seconds, and the peak of its own memory in GiB, its children's included."""
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, _own_memory(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} … ended with {process.returncode}")
    return time.perf_counter() - began, peak / _MIB**2


def _own_memory(pid: int) -> int:
    """Anonymous memory of a process and its children in kB; 0 once it is gone."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                total = int(line.split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(map(_own_memory, map(int, (task / "children").read_text().split())))
    except OSError:
        pass
    return total


def main() -> int:
    """Print the table; exit 1 if values are off or anything was written beside the model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", help="Where to put 2.3 GB for a while (sparse).")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        inside, outside = Path(name) / "model", Path(name) / "out"
        inside.mkdir()
        outside.mkdir()
        path = build(inside)
        images, expected, out = inside / "images.npy", outside / "logits.npy", outside / "r.msgpack"
        weights = (inside / "net.weights").stat().st_size
        print(f"weights {weights / 2**30:.2f} GiB, graph {path.stat().st_size:,} bytes")
        before = sorted(file.name for file in inside.iterdir())
        command = [sys.executable, "-m", "inspector"]
        record = ["record", str(path), str(images), "-o", str(out), "--preprocess", "none"]
        print(f"{'':<20} {'seconds':>8} {'own memory':>11}")
        for what, arguments in (
            (
                "ONNX Runtime alone",
                [sys.executable, "-c", _PLAIN, str(path), str(images), str(expected)],
            ),
            ("inspector layers", [*command, "layers", str(path)]),
            ("inspector record", [*command, *record]),
        ):
            seconds, peak = measured(arguments)
            print(f"{what:<20} {seconds:>8.1f} {peak:>7.2f} GiB")
        written = sorted({file.name for file in inside.iterdir()} - set(before))
        with inspector.open(out) as recording:
            assert recording.logits is not None
            logits, reference = recording.logits[:], np.load(expected)
            layers = len(recording.layers)
        varies = np.ptp(reference, axis=0).max() / np.abs(reference).max()
        off = np.abs(logits - reference).max() / np.abs(reference).max()
        print(
            f"{layers} layers, logits off by {off:.0e} (they vary by {varies:.2f}); "
            f"written beside the model: {', '.join(written) or 'nothing'}"
        )
        # A comparison counts only where the model tells inputs apart.
        return 0 if off <= 1e-5 and varies > 1e-3 and not written else 1


if __name__ == "__main__":
    if not Path("/proc/self/status").exists():
        sys.exit("memory is read from /proc: Linux only")
    sys.exit(main())
