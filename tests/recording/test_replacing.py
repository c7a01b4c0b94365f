"""Nothing that a recording is made from, and no older one, is lost by making it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from test_views_and_parts import write_parts
from tiny_recordings import chunk_of, header, write

from inspector.recording import (
    RecordingExistsError,
    RecordingWriter,
    merge,
    open_recording,
    recover,
    verify,
)

HERE = str(Path(__file__).parent)


def test_an_input_is_never_the_target(tmp_path):
    (tmp_path / "sub").mkdir()
    parts = write_parts(tmp_path, header(images=20, chunk=4), [0, 8, 20])
    before = [part.read_bytes() for part in parts]
    with pytest.raises(RecordingExistsError, match="files to be read"):
        merge(parts, parts[0], overwrite=True)
    with pytest.raises(RecordingExistsError, match="files to be read"):
        recover(parts[0], tmp_path / "sub" / ".." / parts[0].name, overwrite=True)
    assert [part.read_bytes() for part in parts] == before


def test_only_a_recording_is_replaced_and_only_when_asked(tmp_path):
    made = write(tmp_path / "a.msgpack", header())
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RecordingExistsError, match="not a recording"):
        recover(made, tmp_path / "notes.txt", overwrite=True)
    older = write(tmp_path / "older.msgpack", header(images=4))
    with pytest.raises(RecordingExistsError, match="--overwrite"):
        recover(made, older)
    recover(made, older, overwrite=True)
    assert older.read_bytes() == made.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.msgpack",
        "notes.txt",
        "older.msgpack",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file size limit")
@pytest.mark.parametrize("command", ["merge", "recover"])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, command):
    parts = write_parts(tmp_path, header(images=400, chunk=4), [0, 200, 400])
    older = write(tmp_path / "older.msgpack", header(images=4))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code = f"""
        import resource, signal, sys
        from inspector.recording import RecordingWriteError, merge, recover
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        first, second, out = sys.argv[1:]
        try:
            if {command!r} == "merge":
                merge([first, second], out, overwrite=True)
            else:
                recover(first, out, overwrite=True)
        except RecordingWriteError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, parts), str(older)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in done.stdout
    assert "nothing is left behind" in done.stdout
    assert "--resume" not in done.stdout
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_follower_outlives_the_cutting_of_a_torn_tail(tmp_path):
    head = header(images=20, chunk=4)
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer:
        for start in (0, 4):
            writer.append(chunk_of(head, start))
        whole = path.stat().st_size
        writer.append(chunk_of(head, 8))
    torn = path.read_bytes()[:-7]
    path.write_bytes(torn)
    with open_recording(path) as rec:
        assert rec.images == 8
        with RecordingWriter.resume(path, head) as writer:
            assert path.stat().st_size == whole < len(torn)
            rec.refresh()
            assert rec.images == 8
            writer.append(chunk_of(head, 8))
            assert rec.refresh()
            assert rec.images == 12


def test_a_long_tail_of_zeros_is_torn_and_one_foreign_byte_in_it_is_not(tmp_path):
    head = header(images=20, chunk=4)
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer:
        writer.append(chunk_of(head, 0))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (300 << 20))
    assert verify(path).exit_code == 3
    with path.open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"x")
    assert verify(path).exit_code == 1
