"""Prints the budgets of the recording file: writing, summary, opening, views, memory.

    python tools/bench/recording.py [--peer-python PYTHON] [--images 10000 100000 1000000]

`--peer-python` is an interpreter in which `deephys` 0.14.1 is installed; without it the peer is run
where it can be imported, or left out. A million images of 2,048 units need 12 GB of disk (`--folder
DIR` says where) and some minutes; `--images 10000` is quick.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pairs import paired

from inspector.recording import (
    Chunk,
    Header,
    RecordedLayer,
    Recording,
    RecordingWriter,
    open_recording,
)
from inspector.recording.summarise import summarise

BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "opening to the first view": (100, 500),
    "unit view": (2, None),
    "image view": (5, None),
    "category view": (20, None),
    "one unit, all images": (40, 100),
}

PEER = """
import sys, time, tempfile, os, io, contextlib
import numpy as np
from deephys import deephys
count = int(sys.argv[1])
rng = np.random.default_rng(0)
pixels = rng.random((count, 3, 64, 64), dtype=np.float32)
acts = {"pool": rng.random((count, 512), dtype=np.float32)}
acts["out"] = rng.random((count, 1000), dtype=np.float32)
model = deephys.model("net", {"pool": 512, "out": 1000}, "out")
names, truth = [str(i) for i in range(1000)], [int(i) for i in rng.integers(0, 1000, count)]
os.chdir(tempfile.mkdtemp())
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        deephys.dataset_activity("set", names, dict(acts), model, pixels, truth).save()
        seconds = time.perf_counter() - start
    print(seconds, flush=True)
"""


def layer(name: str, units: int, kind: str = "vector") -> RecordedLayer:
    """A vector layer to write."""
    return RecordedLayer(name, name, kind, units, (units,), signed=kind == "logits")


def header(layers: tuple[RecordedLayer, ...], images: int) -> Header:
    """The header of a recording by a net of a thousand classes."""
    return Header("bench", {"name": "net"}, layers, tuple(map(str, range(1000))),
                  {"layer": layers[-1].name, "kind": "logits"}, images, 32, 1024)  # fmt: skip


def chunk_at(head: Header, start: int, seed: int, side: int) -> Chunk:
    """A chunk of random activity and smooth pictures."""
    rng = np.random.default_rng(seed)
    count = min(head.chunk, head.images - start)
    numbers = np.arange(start, start + count)
    activity = {}
    for each in head.layers:
        values = rng.standard_normal((count, each.units), dtype=np.float32)
        activity[each.name, "none"] = values if each.signed else np.maximum(values, 0)
    # Smooth pictures: noise is what a JPEG encoder never meets.
    ramp = np.linspace(0, 200, side, dtype=np.float32)
    picture = np.stack([np.add.outer(ramp, ramp * k) % 256 for k in (0.2, 0.5, 0.9)], axis=-1)
    images = [np.roll(picture, int(k), 0).astype(np.uint8) for k in rng.integers(0, side, count)]
    return Chunk(start, activity, images, (numbers % 1000).astype(np.int32),
                 (numbers % 997).astype(np.int32), np.full(count, 0.5, np.float32),
                 [f"images/class{n % 1000}/image_{n:08d}.jpeg" for n in numbers])  # fmt: skip


def writing(folder: Path, peer_python: str | None, pairs: int) -> None:
    """Print the rate of writing, against the peer in turn."""
    head = header((layer("pool", 512), layer("out", 1000, "logits")), 8192)
    chunks = [chunk_at(head, start, start, 64) for start in range(0, head.images, head.chunk)]
    path = folder / "write.msgpack"

    def ours(finish: bool) -> float:
        path.unlink(missing_ok=True)
        start = time.perf_counter()
        with RecordingWriter.create(path, head) as writer:
            writer.extend(chunks)
            if finish:
                writer.finish()
        return (time.perf_counter() - start) / head.images

    print("writing existing arrays: 64×64×3 uint8 + 1,512 float32 an image (seconds per image)")
    count = 300
    peer = None
    if peer_python:
        peer = subprocess.Popen([peer_python, "-c", PEER, str(count)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)  # fmt: skip
    for finish, bound in ((False, 1 / 50), (True, 1 / 20)):
        words = "with the summary" if finish else "without the summary"
        if peer is None:
            seconds = min(ours(finish) for _ in range(pairs))
            print(f"  {words}: {1 / seconds:,.0f} images/s (no peer)")
            continue

        def theirs() -> float:
            assert peer is not None
            assert peer.stdin is not None
            assert peer.stdout is not None
            peer.stdin.write("go\n")
            peer.stdin.flush()
            return float(peer.stdout.readline()) / count

        ratio, null, mine, other = paired(lambda f=finish: ours(f), theirs, pairs)
        print(f"  {words}: {1 / mine:,.0f} images/s, deephys {1 / other:,.0f}; time ratio {ratio} "
              f"(null {null}), bound {bound:.3f}: {ratio.against(bound)}")  # fmt: skip
    if peer is not None and peer.stdin is not None:
        peer.stdin.close()
        peer.wait()
    path.unlink()


def summary_pass(repeats: int) -> None:
    """Print the rate of the summary pass, by the clock and by the processors' time."""
    rng = np.random.default_rng(0)
    units, count, chunks = 2048, 1024, 50
    blocks = [
        np.maximum(rng.standard_normal((units, count), dtype=np.float32), 0) for _ in range(4)
    ]

    class Blocks:
        """Activity in memory, used again and again."""

        units = 2048

        def spans(self) -> list[tuple[int, int]]:
            return [(k * count, count) for k in range(chunks)]

        def read(self, block: int, first: int, last: int) -> np.ndarray:
            return blocks[block % 4][first:last]

    size = chunks * units * count * 4 / 1e9
    print("summary pass (GB/s of activity; bound ≥ 1)")
    for categories, order in ((10, "mixed"), (1000, "mixed"), (1000, "sorted")):
        labels = rng.integers(0, categories, chunks * count).astype(np.int32)
        if order == "sorted":
            labels.sort()
        rates = []
        for _ in range(repeats):
            start, busy = time.perf_counter(), time.process_time()
            summarise(Blocks(), labels, np.empty(0, np.int64))
            rates.append(
                (size / (time.perf_counter() - start), size / (time.process_time() - busy))
            )
        wall, each = np.median(rates, axis=0)
        print(f"  {categories:,} categories, {order}: {wall:.2f}, {each:.2f} a busy core: "
              f"{'met' if wall >= 1 else 'missed'}")  # fmt: skip


def big_file(folder: Path, images: int) -> Path:
    """Write, once, a recording of 2,048 units."""
    path = folder / f"big-{images}.msgpack"
    head = header((layer("pool", 2048),), images)
    if path.exists():
        return path
    kept = [chunk_at(head, 0, seed, 32) for seed in range(4)]
    start_time = time.perf_counter()
    with RecordingWriter.create(path, head) as writer:
        while (start := writer.next_image) < images:
            chunk = kept[start // head.chunk % 4]
            count = min(head.chunk, images - start)
            numbers = np.arange(start, start + count)
            writer.append(
                Chunk(start, {key: v[:count] for key, v in chunk.activity.items()},
                      chunk.thumbnails[:count], (numbers % 1000).astype(np.int32),
                      (numbers % 997).astype(np.int32), chunk.confidences[:count],
                      [f"images/class{n % 1000}/image_{n:08d}.jpeg" for n in numbers])
            )  # fmt: skip
        appended = time.perf_counter()
        writer.finish()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size / 1e9
    print(f"  wrote {images:,} images, {size:.1f} GB in {appended - start_time:.1f} s, finished in "
          f"{time.perf_counter() - appended:.1f} s; peak memory {peak:.0f} MiB")  # fmt: skip
    return path


def columns_of(rec: Recording) -> None:
    """Read what every view needs."""
    assert rec.labels.size == rec.predictions.size == rec.confidences.size >= len(rec.skipped)


def forget(path: Path) -> None:
    """Take a file out of the system's cache."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def remember(path: Path) -> None:
    """Read a file through, so that it is in the system's cache if that has room."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def reading(folder: Path, images: int, repeats: int) -> None:
    """Print the times of opening and of the views."""
    print(f"{images:,} images × 2,048 units (median ms: warm, cold, busy when warm; bounds)")
    path = big_file(folder, images)
    rng = np.random.default_rng(1)

    def first_view() -> None:
        with open_recording(path) as rec:
            columns_of(rec)
            unit_view(rec)

    def unit_view(rec: Recording) -> None:
        summary = rec.unit_summary("pool", int(rng.integers(2048)))
        [rec.thumbnail(int(image)) for image in summary.top_images[0, :24]]

    def image_view(rec: Recording) -> None:
        image = int(rng.integers(rec.images))
        rec.image(image)
        rec.row("pool", image)

    def category_view(rec: Recording) -> None:
        category = int(rng.integers(1000))
        mine = np.flatnonzero(rec.labels == category)
        rec.predictions[mine], rec.confidences[mine]
        [rec.thumbnail(int(image)) for image in mine[:24]]
        rec.summary("pool").category_means[:, category].argsort()[-10:]

    def one_unit(rec: Recording) -> None:
        rec.unit("pool", int(rng.integers(2048)))

    def timed(act: Callable[[], object]) -> tuple[float, float]:
        start, busy = time.perf_counter(), time.process_time()
        act()
        return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - busy)

    def row(name: str, warm: list[tuple[float, float]], cold: list[tuple[float, float]]) -> None:
        limits = BOUNDS[name]
        wall, busy = np.median(warm, axis=0)
        times = (wall, np.median(cold, axis=0)[0])
        missed = any(time > limit for time, limit in zip(times, limits, strict=True) if limit)
        words = ", ".join("–" if limit is None else f"{limit:g}" for limit in limits)
        print(f"  {name:26} {times[0]:8.2f} {times[1]:8.2f} {busy:8.2f}   {words}: "
              f"{'missed' if missed else 'met'}")  # fmt: skip

    views = {
        "unit view": unit_view, "image view": image_view, "category view": category_view,
        "one unit, all images": one_unit,
    }  # fmt: skip
    # All warm ones first: a cold one leaves the next a file that is not in memory.
    remember(path)
    warm = {"opening to the first view": [timed(first_view) for _ in range(repeats)]}
    for name, view in views.items():
        with open_recording(path) as rec:
            columns_of(rec)
            view(rec)
            warm[name] = [timed(lambda v=view, r=rec: v(r)) for _ in range(repeats)]
    cold: list[tuple[float, float]] = []
    for _ in range(repeats):
        forget(path)
        cold.append(timed(first_view))
    row("opening to the first view", warm["opening to the first view"], cold)
    for name, view in views.items():
        cold = []
        for _ in range(repeats):
            with open_recording(path) as rec:
                columns_of(rec)
                forget(path)
                cold.append(timed(lambda v=view, r=rec: v(r)))
        row(name, warm[name], cold)


def machine() -> str:
    """What this runs on, and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines
                if line.startswith("model name")), platform.processor())  # fmt: skip
    load = os.getloadavg()[0]
    return f"{cpu}, {os.cpu_count()} cores; load {load:.1f} at the start; {time.strftime('%F')}"


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python")
    parser.add_argument("--images", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    peer = options.peer_python
    if peer is None and importlib.util.find_spec("deephys") is not None:
        peer = sys.executable
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        print(machine())
        writing(folder, peer, options.repeats)
        summary_pass(options.repeats)
        for images in options.images:
            reading(folder, images, options.repeats)


if __name__ == "__main__":
    main()
