from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inspector.recording import add_section

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "recording" / "golden"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from inspector.cli import main; main()", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [("finished", 0), ("unfinished", 3), ("torn", 3)])
def test_verify_and_recover_exit_codes(tmp_path, name, code):
    file = GOLDEN / f"v1-{name}.msgpack"
    done = run("verify", file, "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)[0]["problems"] == []
    done = run("recover", file, "-o", tmp_path / "a.msgpack", "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["lost_images"] == 0


def test_bad_files_are_one_line(tmp_path):
    bad = tmp_path / "bad.msgpack"
    bad.write_bytes(b"PK\x03\x04")
    done = run("verify", bad)
    assert done.returncode == 1
    assert "ZIP" in done.stdout
    done = run("recover", bad, "-o", tmp_path / "a.msgpack")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "ZIP" in done.stderr


def test_merge_and_tag(tmp_path):
    out = tmp_path / "a.msgpack"
    done = run("merge", GOLDEN / "v1-finished.msgpack", "-o", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == (GOLDEN / "v1-finished.msgpack").read_bytes()
    table = tmp_path / "t.csv"
    table.write_text("image,weather\n1,rain\n2,sun\n99,sun\n")
    done = run("tag", out, table, "--on", "image", "--json")
    assert json.loads(done.stdout) == {
        "columns": {"weather": "text"}, "matched": 2, "images": 10, "unused_rows": 1,
    }  # fmt: skip
    assert run("verify", out).returncode == 0


def test_a_finished_file_with_a_broken_off_addition_is_called_finished(
    inspector_command, tiny_model, make_data, tmp_path
):
    data, _, _ = make_data()
    path = tmp_path / "a.msgpack"
    inspector_command("record", tiny_model, data, "-o", path)
    whole = path.stat().st_size
    add_section(path, "notes", {"a": np.arange(300)})
    path.write_bytes(path.read_bytes()[: whole + 20])
    done = inspector_command("verify", path)
    assert done.code == 3, done.out + done.err
    assert "finished, but an addition was broken off" in done.out
    line = inspector_command("verify", tmp_path).error_line
    assert "one by one" in line
