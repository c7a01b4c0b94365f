"""Writes the golden files of the version that this program writes.

Golden files are kept for ever: every later version must read them. Run this only to add those of
a new version, never to change old ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tiny_recordings import header, write  # noqa: E402

from inspector.recording import add_section  # noqa: E402


def main() -> None:
    for path in HERE.glob("v1-*.msgpack"):
        path.unlink()
    write(HERE / "v1-finished.msgpack", header())
    write(HERE / "v1-jpeg.msgpack", header(images=3), side=40)
    write(HERE / "v1-unfinished.msgpack", header(), chunks=2)
    added = write(HERE / "v1-added.msgpack", header())
    add_section(added, "notes", {"marks": np.arange(4, dtype=np.int32)}, {"by": "golden"})
    add_section(added, "notes", {"marks": np.arange(5, dtype=np.int32)}, {"by": "golden"})
    torn = (HERE / "v1-finished.msgpack").read_bytes()
    (HERE / "v1-torn.msgpack").write_bytes(torn[:-200])


if __name__ == "__main__":
    main()
