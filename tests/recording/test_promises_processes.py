"""P3, P9–P14, P17 and P18: what happens to files, disks and processes around a recording."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_recordings import CONV, chunk_of, header, write

from inspector.recording import (
    RecordingChangedError,
    RecordingError,
    RecordingLockedError,
    RecordingWriteError,
    RecordingWriter,
    add_section,
    open_recording,
    verify,
)
from inspector.recording.output import Output

HERE = Path(__file__).parent


def python(code: str, *arguments: object, **options: object) -> subprocess.Popen:
    """Start a Python process that knows the tiny recordings."""
    program = "import sys\nsys.path.insert(0, sys.argv[1])\n" + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(HERE), *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs address space limits")
def test_p3_hostile_lengths_under_a_memory_limit(tmp_path):
    """Every length of the file, made huge, under 300 MB of address space beyond the start."""
    path = write(tmp_path / "a.msgpack", header(images=5, chunk=2))
    code = """
        import resource, struct, zlib
        from pathlib import Path
        from inspector.recording import RecordingError, open_recording, verify
        from inspector.recording.records import MARK_SIZE, PREAMBLE, unpack_mark
        from inspector.recording.recover import recover
        import inspector.recording.thumbnails, cv2
        path = Path(sys.argv[2])
        data = path.read_bytes()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
        position, tried, refused = len(PREAMBLE), 0, 0
        huge = [1 << 31, (1 << 32) - 1, (1 << 62) + 5, (1 << 64) - 1]
        while position < len(data):
            mark = unpack_mark(data[position:position + MARK_SIZE], position)
            places = [(15, 8), (24, 4)]  # total, body length
            body = data[mark.body_at:mark.payloads_at]
            for at in range(len(body)):   # every 32- and 64-bit length inside the body
                width = {0xCE: 4, 0xDB: 4, 0xC6: 4, 0xDD: 4, 0xDF: 4, 0xCF: 8}.get(body[at])
                if width and at + 1 + width <= len(body):
                    places.append((MARK_SIZE + at + 1, width))
            for at, width in places:
                for value in huge[: 2 if width == 4 else 4]:
                    bad = bytearray(data)
                    start = position + at + (1 if at in (15, 24) else 0)
                    bad[start:start + width] = value.to_bytes(width, "big")
                    inside = bytes(bad[mark.body_at:mark.payloads_at])
                    bad[position + 30:position + 34] = struct.pack(">I", zlib.crc32(inside))
                    head = bytes(bad[position:position + MARK_SIZE - 5])
                    bad[position + 35:position + 39] = struct.pack(">I", zlib.crc32(head))
                    if bad == data:
                        continue
                    path.write_bytes(bad)
                    tried += 1
                    try:
                        with open_recording(path) as rec:
                            rec.labels, list(rec.paths), rec.skipped, rec.accuracy
                            [rec.thumbnail(i) for i in range(rec.images)]
                            for layer in rec.layers:
                                rec.activity(layer.name)[:], rec.unit(layer.name, 0)
                                rec.summary(layer.name)
                    except RecordingError:
                        refused += 1
                    assert verify(path).exit_code in (1, 3), (mark, at, value)
            position = mark.end
        print(tried, refused)
    """
    with python(code, path) as process:
        out = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    tried, refused = map(int, out.split())
    assert tried > 100
    assert refused > tried / 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs address space limits")
@pytest.mark.parametrize("layers", [1, 9000])
def test_p3_a_small_file_that_claims_many_units(tmp_path, layers):
    """A header alone, of as many units as there may be: all of it is answered in 300 MB."""
    many = [
        replace(CONV, name=f"l{number}", tensor="", aliases=(), same={}, units=1 << 24)
        for number in range(layers)
    ]
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, header(layers=tuple(many), output={})):
        pass
    assert path.stat().st_size < 200 * layers + 1000
    code = """
        import resource
        from pathlib import Path
        from inspector.recording import open_recording, verify
        import inspector.recording.thumbnails, cv2
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
        with open_recording(sys.argv[2]) as rec:
            for layer in rec.layers:
                assert rec.summary(layer.name).images == 0
                assert rec.unit_summary(layer.name, 7).histogram.shape == (1, 128)
                assert rec.unit(layer.name, 7).shape == (0,)
                assert rec.top(layer.name, 7).images.size == 0
            assert rec.activity(rec.layers[-1].name)[:].shape == (0, 1 << 24)
        print(verify(sys.argv[2]).exit_code)
    """
    with python(code, path) as process:
        out = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    assert out.split() == ["3"]  # unfinished


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs address space limits")
def test_p3_a_summary_beyond_memory_is_refused(tmp_path):
    wide = header(layers=(replace(CONV, units=300_000),), output={}, chunk=2)
    path = write(tmp_path / "a.msgpack", wide, chunks=1)
    code = """
        import resource
        from pathlib import Path
        from inspector.recording import SummaryTooLargeError, open_recording
        import inspector.recording.thumbnails, cv2
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
        with open_recording(sys.argv[2]) as rec:
            try:
                rec.summary("conv1")
            except SummaryTooLargeError as error:
                print(error)
    """
    with python(code, path) as process:
        out = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    assert "found 300000 units × 228; limit the memory there is" in out


KILLED = """
    from tiny_recordings import chunk_of, header
    from inspector.recording import RecordingWriter
    head = header(images=400, chunk=4)
    make = RecordingWriter.resume if sys.argv[3] == "resume" else RecordingWriter.create
    with make(sys.argv[2], head) as writer:
        print("at", writer.next_image, flush=True)
        while writer.next_image < head.images:
            writer.append(chunk_of(head, writer.next_image))
            print(writer.next_image, flush=True)
        writer.finish()
    print("done", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_p9_p17_killed_again_and_again_it_resumes_to_the_same_bytes(tmp_path):
    path = tmp_path / "a.msgpack"
    rng = np.random.default_rng(7)
    acknowledged = 0
    rounds = int(os.environ.get("INSPECTOR_TORTURE", "0")) * 100 or 6
    for number in range(rounds):
        process = python(KILLED, path, "resume" if number else "create")
        stop = acknowledged + int(rng.integers(8, 60))
        assert process.stdout is not None
        for line in process.stdout:
            words = line.split()
            if words[0] == "at":
                # Nothing that was acknowledged is lost; at most the chunk in flight is gained.
                assert acknowledged <= int(words[1]) <= acknowledged + 4
            elif words[0] != "done":
                acknowledged = int(words[0])
                if acknowledged >= stop:
                    break
        process.kill()
        lines = [line for line in process.communicate()[0].splitlines() if line.isdigit()]
        acknowledged = max([acknowledged, *map(int, lines[:-1])])
        with open_recording(path) as rec:
            assert acknowledged <= rec.images <= acknowledged + 8
            assert not rec.finished
            acknowledged = rec.images
        assert verify(path).exit_code == 3
    with python(KILLED, path, "resume") as process:
        assert process.communicate()[0].endswith("done\n")
    once = write(tmp_path / "once.msgpack", header(images=400, chunk=4))
    assert path.read_bytes() == once.read_bytes()


def test_p9_a_second_process_is_refused(tmp_path):
    path = tmp_path / "a.msgpack"
    code = """
        from tiny_recordings import chunk_of, header
        from inspector.recording import RecordingWriter
        writer = RecordingWriter.create(sys.argv[2], header())
        writer.append(chunk_of(header(), 0))
        print("ready", flush=True)
        sys.stdin.read()
    """
    with python(code, path, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(RecordingLockedError, match="another process"):
            RecordingWriter.resume(path, header())
        with pytest.raises(RecordingLockedError):
            RecordingWriter.create(path, header(), overwrite=True)
        with open_recording(path) as rec:
            assert rec.images == 4
        process.kill()
        process.wait()
    with RecordingWriter.resume(path, header()) as writer:
        assert writer.next_image == 4


def go_on(writer):
    while writer.next_image < writer.header.images:
        writer.append(chunk_of(writer.header, writer.next_image))
    writer.finish()


class Failing(Output):
    """An output whose n-th write fails, or writes only a part, as a disk does."""

    def __init__(self, inner: Output, fail_at: int, error: int, part: int) -> None:
        super().__init__(inner.path, inner.fd)
        self.left, self.error, self.part = fail_at, error, part

    def _write(self, buffers, position):
        self.left -= 1
        if self.left == 0:
            if self.part:
                data = b"".join(bytes(each) for each in buffers)[: self.part]
                os.pwrite(self.fd, data, position)
            raise OSError(self.error, os.strerror(self.error))
        # Short writes all the time: at most 100 bytes.
        return os.pwrite(self.fd, bytes(buffers[0])[:100], position)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("part", [0, 57])
def test_p10_a_failing_disk_leaves_a_valid_prefix(tmp_path, error, part):
    head = header()
    once = write(tmp_path / "once.msgpack", head).read_bytes()
    path = tmp_path / "a.msgpack"
    for fail_at in [*range(1, 60, 7), *range(60, 500, 61)]:
        path.unlink(missing_ok=True)
        with RecordingWriter.create(path, head) as writer:
            writer._output = Failing(writer._output, fail_at, error, part)
            with pytest.raises(RecordingWriteError, match=os.strerror(error)) as caught:
                go_on(writer)
            assert "--resume" in str(caught.value)
            images = writer.next_image
        with open_recording(path) as rec:
            assert rec.images == images
            assert not rec.finished
        assert verify(path).exit_code == 3
        with RecordingWriter.resume(path, head) as writer:
            go_on(writer)
        assert path.read_bytes() == once


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file size limit")
def test_p10_a_real_limit_of_the_system(tmp_path):
    code = """
        import resource, signal
        from tiny_recordings import chunk_of, header
        from inspector.recording import RecordingWriteError, RecordingWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        head = header(images=400, chunk=4)
        with RecordingWriter.create(sys.argv[2], head) as writer:
            try:
                while True:
                    writer.append(chunk_of(head, writer.next_image))
            except RecordingWriteError as error:
                print(writer.next_image, error)
    """
    path = tmp_path / "a.msgpack"
    with python(code, path) as process:
        out = process.communicate()[0]
    images, words = int(out.split()[0]), out
    assert "File too large" in words
    with open_recording(path) as rec:
        assert rec.images == images > 0
    assert verify(path).exit_code == 3


@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs of its own")
def test_p10_a_full_disk(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    code = """
        from tiny_recordings import chunk_of, header
        from inspector.recording import RecordingWriteError, RecordingWriter, open_recording, verify
        head = header(images=4000, chunk=4)
        path = sys.argv[2] + "/a.msgpack"
        with RecordingWriter.create(path, head) as writer:
            try:
                while True:
                    writer.append(chunk_of(head, writer.next_image))
            except RecordingWriteError as error:
                with open_recording(path) as rec:
                    assert rec.images == writer.next_image > 0, rec.images
                assert verify(path).exit_code == 3
                print(error)
    """
    program = f'mount -t tmpfs -o size=64k none {mount} && exec "$@"'
    body = "import sys\nsys.path.insert(0, sys.argv[1])\n" + textwrap.dedent(code)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", program, "sh", sys.executable, "-c", body, HERE, mount],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr or "permission" in done.stderr.lower():
        pytest.skip("this system lets nobody mount a tmpfs")
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout


def test_p12_what_is_synchronised_when(tmp_path, monkeypatch):
    """The policy of docs/format.md, seen in the calls to the system."""
    calls = []
    real = {name: getattr(os, name) for name in ("pwritev", "fsync")}

    def pwritev(fd, buffers, position):
        data = b"".join(map(bytes, buffers))
        known = (b"HEAD", b"CHNK", b"SECT", b"INDX", b"DONE")
        calls.append(next((tag.decode() for tag in known if tag in data[:40]), "more"))
        return real["pwritev"](fd, buffers, position)

    def fsync(fd):
        calls.append("fsync")
        real["fsync"](fd)

    monkeypatch.setattr(os, "pwritev", pwritev)
    monkeypatch.setattr(os, "fsync", fsync)
    path = write(tmp_path / "a.msgpack")
    # The second one is the folder's: that the file is there.
    assert calls[:3] == ["HEAD", "fsync", "fsync"]
    assert calls[3:6] == ["CHNK"] * 3
    assert calls[-4:] == ["INDX", "fsync", "DONE", "fsync"]
    assert set(calls[6:-4]) == {"SECT"}
    calls.clear()
    add_section(path, "notes", {})
    assert calls == ["SECT", "INDX", "fsync", "DONE", "fsync"]


def test_p11_finished_is_not_interrupted(tmp_path):
    with open_recording(write(tmp_path / "a.msgpack", chunks=3, finish=False)) as rec:
        assert (rec.finished, rec.images, rec.header.images) == (False, 10, 10)
        assert "unfinished" in repr(rec)
        assert "unfinished" in rec._repr_html_()
    with open_recording(write(tmp_path / "b.msgpack")) as rec:
        assert rec.finished
        assert "unfinished" not in repr(rec) + rec._repr_html_()


def test_p13_what_was_read_stays_while_the_file_grows(tmp_path):
    head = header(images=40, chunk=4)
    path = tmp_path / "a.msgpack"
    stop = threading.Event()
    errors = []

    def watch():
        try:
            with open_recording(path) as rec:
                images = rec.images
                while not stop.is_set():
                    labels = rec.labels
                    assert labels.size == rec.images == images
                    values = rec.unit("conv1", 0)
                    assert values.size == images
                    with pytest.raises(ValueError, match="read-only"):
                        labels[:] = 0
                    before = values.tobytes()
                    if rec.refresh():
                        assert rec.images >= images
                        images = rec.images
                        again = rec.unit("conv1", 0)[: values.size]
                        assert again.tobytes() == before
                assert rec.refresh() or rec.finished
        except BaseException as error:
            errors.append(error)
            raise

    with RecordingWriter.create(path, head) as writer:
        thread = threading.Thread(target=watch)
        thread.start()
        while writer.next_image < head.images:
            writer.append(chunk_of(head, writer.next_image))
        writer.finish()
        stop.set()
        thread.join()
    assert not errors


def test_p13_threads_read_at_once(tmp_path):
    head = header(images=60, chunk=4)
    with open_recording(write(tmp_path / "a.msgpack", head)) as rec:
        expected = rec.activity("linear1")[:].tobytes()
        wrong = []

        def read():
            for _ in range(20):
                if rec.activity("linear1")[:].tobytes() != expected:
                    wrong.append(1)
                rec.thumbnail(5)
                rec.paths[3]

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


@pytest.mark.parametrize("what", ["truncate", "replace", "delete", "overwrite", "fill"])
def test_p14_a_reader_lives_when_its_file_goes(tmp_path, what):
    """In a process of its own, as a mapped file would kill it."""
    path = write(tmp_path / "a.msgpack", header(images=40))
    other = write(tmp_path / "b.msgpack", header(name="other"))
    code = """
        from inspector.recording import RecordingError, open_recording
        rec = open_recording(sys.argv[2])
        rec.labels, rec.unit("conv1", 0)
        print("ready", flush=True)
        sys.stdin.readline()
        said = []
        for act in (rec.refresh, lambda: rec.row("linear1", 30), lambda: rec.thumbnail(30),
                    lambda: rec.unit("linear1", 2), lambda: list(rec.paths),
                    lambda: rec.summary("logits")):
            try:
                act()
                said.append("fine")
            except RecordingError as error:
                said.append(type(error).__name__)
        print(*said)
    """
    with python(code, path, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if what == "truncate":
            os.truncate(path, 1000)
        elif what == "replace":
            other.replace(path)
        elif what == "delete":
            path.unlink()
        elif what == "overwrite":
            write_over = header(name="other")
            with RecordingWriter.create(path, write_over, overwrite=True):
                pass
        else:
            size = path.stat().st_size
            path.write_bytes(b"\xff" * size)
        out = process.communicate("go\n", timeout=60)[0].split()
    assert process.returncode == 0
    if what == "fill":
        assert "CorruptRecordingError" in out
    else:
        assert out[0] == "RecordingChangedError"
    if what == "truncate":
        assert "fine" not in out
    elif what != "fill":
        assert out[1:] == ["fine"] * 5  # the file that was opened is still there


def test_p14_refresh_names_what_happened(tmp_path):
    for what, words in (("shorter", "became shorter"), ("gone", "deleted"), ("new", "replaced")):
        path = write(tmp_path / f"{what}.msgpack")
        with open_recording(path) as rec:
            if what == "shorter":
                os.truncate(path, 100)
            else:
                path.unlink()
            if what == "new":
                write(path)
            with pytest.raises(RecordingChangedError, match=words):
                rec.refresh()


def test_p17_same_input_same_bytes(tmp_path):
    one = write(tmp_path / "a.msgpack", side=40).read_bytes()
    two = write(tmp_path / "b.msgpack", side=40).read_bytes()
    assert one == two


def test_p18_names_are_data(tmp_path):
    name = "\x1b]0;owned\x07\u202egnp.exe/../../etc/passwd\n" + "x" * 100_000
    head = header(images=2, chunk=2, name=name, classes=(name,), columns={name: "text"}, data=name)
    path = tmp_path / "a.msgpack"
    with RecordingWriter.create(path, head) as writer:
        chunk = chunk_of(head, 0)
        chunk.paths = [name, "../../x"]
        chunk.columns = {name: [name, "\udcff"]}
        writer.append(chunk)
        writer.finish()
    with open_recording(path) as rec:
        assert list(rec.paths) == [name, "../../x"]
        assert rec.columns[name][1] == "\udcff"
        for shown in (repr(rec), rec._repr_html_()):
            assert len(shown) < 2000
            for bad in "\x1b\x07\u202e\n":
                assert bad not in shown
        with pytest.raises(RecordingError) as caught:
            rec.layer(name)
        assert len(str(caught.value)) < 2000
        assert "\x1b" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_closed_recording_says_so(tmp_path):
    rec = open_recording(write(tmp_path / "a.msgpack"))
    labels = rec.labels
    rec.close()
    rec.close()
    assert labels.size == 10
    with pytest.raises(RecordingError, match="closed"):
        rec.thumbnail(0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.msgpack")
    with pytest.raises(RecordingError, match="not a file"):
        open_recording(tmp_path / "pipe.msgpack")
