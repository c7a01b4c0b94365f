"""`inspector import` and `inspector export` as a user meets them."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deephys_files import arrays, dataset, exported, image, written
from recordings import SIGNED, recording

from inspector.errors import InspectorError
from inspector.interop import export_csv, export_deephys, export_npz, import_deephys
from inspector.recording import open_recording


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def error_line(self) -> str:
        assert self.code == 1, (self.code, self.err)
        (line,) = self.err.strip().splitlines()
        assert line.startswith("inspector: ")
        return line


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the program in this process, which is quicker than starting one for each line."""
    from inspector.cli import main

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["inspector", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Ran(int(ended.value.code or 0), shown.out, shown.err)

    return run


def test_there_and_back(run: Any, tmp_path: Path) -> None:
    tests = [exported(tmp_path, arrays(6, seed=seed), name=f"S{seed}") for seed in (1, 2)]
    out = tmp_path / "out"
    done = run("import", tmp_path / "net.model", *tests, "-o", out, "--json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert [Path(each["path"]).name for each in made] == ["S1.msgpack", "S2.msgpack"]
    assert [each["images"] for each in made] == [6, 6]
    info = json.loads(run("info", out / "S1.msgpack", "--json").out)
    assert info["finished"] is True
    scores = run("scores", "--ind", out / "S1.msgpack", "--ood", out / "S2.msgpack", "--json")
    assert list(json.loads(scores.out)["layers"]["pool"]["ood"]) == ["S2"]

    done = run(
        "export", out / "S1.msgpack", "--to", "deephys", "-o", tmp_path / "S1-again", "--json"
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["images"] == 6
    assert (tmp_path / "S1-again.test").read_bytes() == tests[0].read_bytes()
    for to, name in (("csv", "a.csv"), ("npz", "a.npz")):
        done = run(
            "export", out / "S1.msgpack", "--to", to, "-o", tmp_path / name, "--layer", "pool"
        )
        assert done.code == 0, done.err
        assert done.out == ""
        assert "6 images" in done.err
    assert np.load(tmp_path / "a.npz")["activity/pool/none"].shape == (6, 4)


def test_errors_are_one_line_and_leave_nothing(run: Any, tmp_path: Path) -> None:
    model, bad = written(tmp_path, dataset(image(0, categoryID=7)))
    source = recording(tmp_path / "signed.msgpack", layers=(SIGNED,), unlabelled=(2,), output={})
    labelled = recording(tmp_path / "ok.msgpack", unlabelled=(2,))
    before = set(tmp_path.iterdir())
    out = tmp_path / "out"
    cases = [
        (("import", model, bad, "-o", out), "found 7"),
        (("import", bad, bad, "-o", out), "Set.test"),
        (("import", tmp_path / "none", bad, "-o", out), "No such file"),
        (("import", model, labelled, "-o", out), "ok.msgpack"),
        (("export", source, "--to", "deephys", "-o", out), "--output"),
        (("export", labelled, "--to", "deephys", "-o", out), "--drop-unlabelled"),
        (("export", model, "--to", "csv", "-o", out), "net.model"),
        (("export", labelled, "--to", "csv", "-o", labelled), "--overwrite"),
        (("export", labelled, "--to", "csv", "-o", out, "--layer", "conv"), "conv1"),
        (("export", labelled, "--to", "npz", "-o", tmp_path / "no" / "a.npz"), "folder"),
    ]
    for arguments, part in cases:
        line = run(*arguments).error_line
        assert part in line, line
        assert set(tmp_path.iterdir()) == before, arguments


def test_wrong_use_is_exit_code_2(run: Any, tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack")
    for arguments in (
        ("export", source, "--to", "pdf", "-o", "x"),
        ("export", source, "--to", "csv", "-o", "x", "--rectify"),
        ("export", source, "--to", "csv", "-o", "x", "--reduce", "max"),
        ("export", source, "--to", "csv", "-o", "x", "--layer", "conv1", "--layer", "logits"),
        ("export", source, "-o", "x"),
        ("import", source, "-o", "x"),
    ):
        assert run(*arguments).code == 2, arguments


def test_help_has_an_example(run: Any) -> None:
    for command in ("import", "export"):
        done = run(command, "--help")
        assert f"inspector {command}" in done.out.split("Example:")[1]


def test_without_cbor2(inspector_command: Any, tmp_path: Path) -> None:
    model, test = written(tmp_path, dataset())
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "cbor2.py").write_text("raise ImportError('no module', name='cbor2')")
    out = tmp_path / "out"
    # Reading needs no library.
    done = inspector_command("import", model, test, "-o", out, PYTHONPATH=str(hidden))
    assert done.code == 0, done.err
    line = inspector_command(
        "export", out / "Set.msgpack", "--to", "deephys", "-o", out, PYTHONPATH=str(hidden)
    ).error_line
    assert "pip install 'onnx-inspector[deephys]'" in line
    assert [each.name for each in out.iterdir()] == ["Set.msgpack"]


@contextmanager
def little_room() -> Iterator[None]:
    """No file may grow beyond 6,000 bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.msgpack", images=400, chunk=100)
    model, test = written(tmp_path, dataset(*(image(n % 200, side=16) for n in range(400))))
    before = set(tmp_path.iterdir())
    with open_recording(source) as opened:
        for export in (export_deephys, export_csv, export_npz):
            with little_room(), pytest.raises(InspectorError, match="cannot write"):
                export(opened, tmp_path / "b")
            assert set(tmp_path.iterdir()) == before, export
    with little_room(), pytest.raises(InspectorError, match="cannot write"):
        import_deephys(model, [test], tmp_path)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("to", ["csv", "deephys"])
def test_an_unfinished_recording_is_exported_as_far_as_it_goes(
    run: Any, tmp_path: Path, to: str
) -> None:
    whole = recording(tmp_path / "whole.msgpack")
    # Cut within the sections that finish it: all chunks are there, the end is not.
    data = whole.read_bytes()
    (tmp_path / "cut.msgpack").write_bytes(data[: data.rindex(b"SECT")])
    done = run("export", tmp_path / "cut.msgpack", "--to", to, "-o", tmp_path / "x")
    assert done.code == 0, done.err
    assert "unfinished: 10 of 10 images" in done.err
