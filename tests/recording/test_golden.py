"""Files of every version, kept for ever: they must go on to be read, and be written the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tiny_recordings import chunk_of, header, whole_activity, write

from inspector.recording import RecordingWriter, open_recording, verify

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["finished", "added", "jpeg", "unfinished", "torn"])
def test_version_1_is_read(name):
    path = GOLDEN / f"v1-{name}.msgpack"
    with open_recording(path) as rec:
        images = {"jpeg": 3, "unfinished": 8}.get(name, 10)
        assert rec.images == images
        assert rec.finished is (name in ("finished", "added", "jpeg"))
        head = header(images=3 if name == "jpeg" else 10)
        assert rec.header == head
        for layer in head.layers:
            for reduction in layer.reductions:
                expected = whole_activity(head, layer.name, reduction)[:images]
                np.testing.assert_array_equal(rec.activity(layer.name, reduction)[:], expected)
                assert rec.summary(layer.name, reduction).images == images - len(rec.skipped)
        chunks = [chunk_of(head, start) for start in range(0, images, 4)]
        assert list(rec.paths) == [path for chunk in chunks for path in chunk.paths]
        assert rec.thumbnail(2).shape == ((40, 41, 3) if name == "jpeg" else (3, 4, 3))
        if name == "added":
            assert rec.section("notes").arrays["marks"].read().tolist() == [0, 1, 2, 3, 4]
    assert verify(path).exit_code == (0 if name in ("finished", "added", "jpeg") else 3)


def test_version_1_is_written_as_ever(tmp_path):
    """The same input gives the bytes of the golden file (sums may differ in the last bit)."""
    path = write(tmp_path / "a.msgpack", header())
    golden = GOLDEN / "v1-finished.msgpack"
    assert path.stat().st_size == golden.stat().st_size
    end = _chunks_end(golden)
    assert path.read_bytes()[:end] == golden.read_bytes()[:end]


def test_the_unfinished_one_is_resumed(tmp_path):
    path = tmp_path / "a.msgpack"
    path.write_bytes((GOLDEN / "v1-unfinished.msgpack").read_bytes())
    with RecordingWriter.resume(path, header()) as writer:
        writer.append(chunk_of(header(), 8))
        writer.finish()
    end = _chunks_end(path)
    assert path.read_bytes()[:end] == (GOLDEN / "v1-finished.msgpack").read_bytes()[:end]


def test_the_files_themselves_are_unchanged():
    for line in (GOLDEN / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == digest, name


def _chunks_end(path: Path) -> int:
    with open_recording(path) as rec:
        return rec._store.catalogue.chunks[-1].end
