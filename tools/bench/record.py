"""What recording costs over running the model: `python tools/bench/record.py [--pairs 7]`.

The peer is ONNX Runtime alone: the untouched model on the same batches of the same inputs, with
the same threads, in this process. Recording is `inspector.runner.record` from the first batch to
the finished file, summary included; starting the worker and finding the layers are left out of both
(they are paid once, not per image) and shown apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from networks import SIDE, resnet, vit_tiny
from pairs import paired

from inspector.runner import RecordOptions, load_model, record

BATCH = 16
CASES = (  # model, layers, reductions, bound, what
    ("resnet18", "*relu*", ("mean",), 1.05, "all post-activation layers, mean"),
    ("resnet18", "*relu*", ("mean", "max"), 1.08, "all post-activation layers, mean + max"),
    ("resnet18", "default", ("default",), 1.15, "default layers and reductions"),
    ("resnet50", "default", ("default",), 1.15, "default layers and reductions"),
    ("vit_tiny", "default", ("default",), 1.15, "default layers and reductions"),
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--only", help="part of the name of a case")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = _models(Path(folder))
        data = Path(folder) / "images.npy"
        random = np.random.default_rng(0)
        np.save(data, random.random((chosen.images, 3, SIDE, SIDE), np.float32))
        print("| model | what | taps | ratio | peer against itself | images/s | bound | |")
        print("|---|---|---|---|---|---|---|---|")
        for name, layers, reduce, bound, what in CASES:
            if chosen.only and chosen.only not in f"{name} {what}":
                continue
            model = load_model(paths[name])
            options = RecordOptions(layers=layers, reduce=reduce, batch=BATCH, overwrite=True)
            out = Path(folder) / "out.msgpack"
            images = np.load(data, mmap_mode="r")
            session = ort.InferenceSession(str(paths[name]), providers=["CPUExecutionProvider"])

            def bare(session: ort.InferenceSession = session, images: np.ndarray = images) -> float:
                started = time.perf_counter()
                for start in range(0, len(images), BATCH):
                    session.run(None, {"images": np.asarray(images[start : start + BATCH])})
                return time.perf_counter() - started

            def recorded(model=model, options=options, out=out) -> float:
                return record(model, str(data), out, options).seconds

            ratio, null, seconds, _ = paired(recorded, bare, chosen.pairs)
            taps = len(__import__("inspector").open(out).layers)
            print(
                f"| {name} | {what} | {taps} | {ratio} | {null} | "
                f"{chosen.images / seconds:.1f} | ≤ {bound} | {ratio.against(bound)} |",
                flush=True,
            )


def _models(folder: Path) -> dict[str, Path]:
    nets = {"resnet18": resnet(18), "resnet50": resnet(50), "vit_tiny": vit_tiny()}
    paths = {}
    for name, net in nets.items():
        paths[name] = folder / f"{name}.onnx"
        onnx.save(net, paths[name])
    return paths


if __name__ == "__main__":
    main()
