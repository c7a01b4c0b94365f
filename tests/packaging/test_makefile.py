from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)[1].split()  # type: ignore[index]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # The tests mostly run under make themselves: its variables would reach the make run here.
    outside = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    outside.pop("MFLAGS", None)
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**outside, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_says_what_it_does(target: str) -> None:
    assert re.search(rf"^{target}:.*## \w+", MAKEFILE, re.M)


def test_make_alone_lists_the_targets() -> None:
    listed = run("make").stdout
    assert [line.split()[1] for line in listed.splitlines() if line.startswith("make ")] == TARGETS


@pytest.mark.parametrize("target", ["demo", "test", "lint", "pytest", "wheel"])
def test_targets_set_up_what_they_need_first(target: str) -> None:
    first = run("make", "--dry-run", target).stdout.splitlines()[0]
    assert first == "tools/setup.sh .venv dev"


def test_no_training_framework_is_installed_for_the_tests() -> None:
    planned = run("make", "--dry-run", "test").stdout
    assert "torch" not in planned
    assert "--ignore=tests/frameworks" in planned


def test_a_missing_python_is_one_clear_line(tmp_path: Path) -> None:
    done = run("tools/setup.sh", str(tmp_path / "venv"), "dev", PYTHON="python-that-is-not-there")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Python 3.10 or newer" in done.stderr
    assert "python-that-is-not-there" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_continuous_integration_runs_both_kinds_of_tests() -> None:
    steps = (ROOT / ".ci" / "run").read_text()
    assert "make test\n" in steps.replace(" ||", "\n").replace(" \n", "\n")
    assert "make test-frameworks" in steps
