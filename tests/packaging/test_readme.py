"""What the README says is true: its result is the demo's, its code runs, its pictures are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_result_is_what_the_demo_gives(demo):
    tool = ROOT / "tools" / "paper_result.py"
    command = [sys.executable, str(tool), "--check", "--demo", str(demo[0])]
    subprocess.run(command, check=True, timeout=300)


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_python_blocks_run(block, tmp_path):
    block = block.replace('"models/', f'"{ROOT.as_posix()}/models/')
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "linear1" in done.stdout


def test_pictures_and_paths_are_there():
    local = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    named = re.findall(r"`((?:inspector|tools|models)/[\w./]*)`", README)
    assert local
    assert named
    for path in (*local, *named):
        assert (ROOT / path).exists(), path
