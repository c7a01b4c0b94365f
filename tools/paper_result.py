"""Write the README's result: the score table and the density picture of the first experiment.

    python tools/paper_result.py            renew README.md and docs/images/scores.svg
    python tools/paper_result.py --check    end with 1 when the README's table is out of date

Both models are recorded afresh on the four sets with `inspector demo` (into a temporary folder, or
`--demo DIR` to use a finished demo), and scored with `inspector.scores`: nothing is typed in.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import inspector

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "scores.svg"
BEGIN, END = "<!-- result: made by tools/paper_result.py -->", "<!-- end of result -->"
OODS = ("drifted", "permuted", "arbitrary")
KINDS = ("spurious", "novelty")
MODELS = {"coloured_mnist_cnn": "linear1", "coloured_mnist_vit": "norm.cls"}
PUBLISHED = {  # where the paper's density curves peak, and how far they reach
    ("drifted", "spurious"): "0.02, all below 0.2",
    ("permuted", "spurious"): "0.77",
    ("arbitrary", "spurious"): "0.65, broad",
    ("drifted", "novelty"): "0.15, up to 0.33",
    ("permuted", "novelty"): "0.05, tail to 0.6",
    ("arbitrary", "novelty"): "0.12, shoulder at 0.5, to 0.9",
}
# One colour per set, dark enough on white and light enough on black.
COLOURS = {"drifted": "#d6568f", "permuted": "#d98a1f", "arbitrary": "#2f9e6e"}

Table = Mapping[tuple[str, str], NDArray[np.float64]]


def main() -> None:
    """Run the tool."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments.add_argument("--demo", type=Path, help="folder of a finished `inspector demo`")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.demo or Path(made)
        command = [sys.executable, "-m", "inspector", "demo", "--no-view", "--out", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        text = _markdown(folder)
        curves = _scores(folder / "coloured_mnist_cnn", "linear1")
    readme = README.read_text(encoding="utf-8")
    before, rest = readme.split(BEGIN)
    old, after = rest.split(END)
    if chosen.check:
        if old != text:
            sys.exit("README.md is out of date; run: python tools/paper_result.py")
        return
    README.write_text(before + BEGIN + text + END + after, encoding="utf-8")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(_svg(curves), encoding="utf-8")
    print(f"{README.name} and {PICTURE.relative_to(ROOT)} written")


def _scores(folder: Path, layer: str) -> Table:
    oods = [folder / f"{name}.msgpack" for name in OODS]
    result = inspector.scores(folder / "colored.msgpack", oods, layer)[layer]
    return {(ood, kind): getattr(result.ood[ood], kind) for ood in OODS for kind in KINDS}


def _markdown(folder: Path) -> str:
    lines = [
        "",
        "",
        "| accuracy | colored (InD) | " + " | ".join(OODS) + " |",
        "|---|---|---|---|---|",
    ]
    for model in MODELS:
        accuracy = []
        for name in ("colored", *OODS):
            with inspector.open(folder / model / f"{name}.msgpack") as recording:
                accuracy.append(f"{recording.accuracy:.3f}")
        lines.append(f"| `{model}` | " + " | ".join(accuracy) + " |")
    for model, layer in MODELS.items():
        table = _scores(folder / model, layer)
        units = len(next(iter(table.values())))
        lines += ["", f"`{model}`, the {units} units of `{layer}`:", ""]
        published = model == "coloured_mnist_cnn"
        lines.append(
            "| score | OOD set | median | middle half | lowest to highest | density peak |"
            + (" published peak |" if published else "")
        )
        lines.append("|---" * (7 if published else 6) + "|")
        for kind in KINDS:
            for ood in OODS:
                values = table[ood, kind]
                values = values[np.isfinite(values)]
                low, first, median, third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
                row = (
                    f"| {kind} | {ood} | {median:.2f} | {first:.2f} to {third:.2f} | "
                    f"{low:.2f} to {high:.2f} | {_peak(values):.2f} |"
                )
                lines.append(row + (f" {PUBLISHED[ood, kind]} |" if published else ""))
    return "\n".join(lines) + "\n\n"


def _density(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian kernel density with Scott's bandwidth."""
    return stats.gaussian_kde(values[np.isfinite(values)])(at)


def _peak(values: NDArray[np.float64]) -> float:
    """Where the density is highest; over 0..1, as in the paper."""
    at = np.linspace(0, 1, 1001)
    return float(at[np.argmax(_density(values, at))])


def _svg(curves: Table) -> str:
    """Draw two plots of densities, one per score, in a file of a few kB."""
    width, height, left, top, gap = 360, 190, 40, 34, 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width + gap + 2 * left}" '
        f'height="{height + 90}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" rx="8" fill="#ffffff"/>',
    ]
    for place, kind in enumerate(KINDS):
        # A spurious score cannot be negative; a novelty can.
        at = np.linspace(0 if kind == "spurious" else -0.5, 1, 121)
        x0 = left + place * (width + gap)
        parts.append(
            f'<text x="{x0}" y="22" font-weight="600" fill="#1c2028">{kind} score of the units of '
            "linear1</text>"
        )
        ticks = np.arange(at[0], 1.01, 0.25)
        for tick in ticks:
            x = x0 + width * (tick - at[0]) / (at[-1] - at[0])
            parts.append(
                f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}" stroke="#e6e9ee"/>'
                f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle" '
                f'fill="#69728a">{tick:g}</text>'
            )
        for ood in OODS:
            density = _density(curves[ood, kind], at)
            density = density / density.max()  # each curve by its own height: only places compare
            points = " ".join(
                f"{x0 + width * i / (len(at) - 1):.1f},{top + height * (1 - 0.95 * d):.1f}"
                for i, d in enumerate(density)
            )
            closed = f"{x0},{top + height} {points} {x0 + width},{top + height}"
            parts.append(
                f'<polygon points="{closed}" fill="{COLOURS[ood]}" fill-opacity="0.12"/>'
                f'<polyline points="{points}" fill="none" stroke="{COLOURS[ood]}" '
                'stroke-width="2"/>'
            )
        parts.append(
            f'<line x1="{x0}" y1="{top + height}" x2="{x0 + width}" y2="{top + height}" '
            'stroke="#aab2c0"/>'
        )
    parts += _legend(left, top + height + 44)
    return "\n".join([*parts, "</svg>", ""])


def _legend(x: int, y: int) -> Sequence[str]:
    parts = []
    for place, ood in enumerate(OODS):
        at = x + 110 * place
        parts.append(
            f'<rect x="{at}" y="{y - 9}" width="10" height="10" rx="2" fill="{COLOURS[ood]}"/>'
            f'<text x="{at + 16}" y="{y}" fill="#1c2028">{ood}</text>'
        )
    note = "kernel densities over the 50 units, each scaled to its own peak"
    return [*parts, f'<text x="{x + 350}" y="{y}" fill="#69728a">{note}</text>']


if __name__ == "__main__":
    main()
