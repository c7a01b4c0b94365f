"""What the machine has and lacks: libraries, display; and the lines that mend it."""

from __future__ import annotations

import ctypes.util
import os
import sys
from dataclasses import dataclass

NO_DISPLAY_HINT = (
    "look on a machine with a screen, over `ssh -X`, or make a picture with "
    "`xvfb-run -a inspector view F.msgpack --screenshot view.png`"
)


@dataclass(frozen=True)
class SystemLibrary:
    """A shared library that a Python package needs from the system.

    Attributes
    ----------
    soname : str
        File that the loader looks for.
    name : str
        What `ctypes.util.find_library` calls it.
    debian : str
        Debian package that holds it.
    needed_by : str
        What does not work without it.
    """

    soname: str
    name: str
    debian: str
    needed_by: str


LIBRARIES = (
    SystemLibrary("libGL.so.1", "GL", "libgl1", "the viewer and OpenCV"),
    SystemLibrary("libgthread-2.0.so.0", "gthread-2.0", "libglib2.0-0", "OpenCV"),
)


def missing_libraries() -> list[SystemLibrary]:
    """List what the dynamic loader cannot find; empty off Linux, where wheels carry theirs."""
    if not sys.platform.startswith("linux"):
        return []
    return [library for library in LIBRARIES if ctypes.util.find_library(library.name) is None]


def missing_library(error: ImportError) -> str | None:
    """Explain a failed import that a library of the system would mend; None for any other."""
    text = str(error)
    for library in LIBRARIES:
        if library.soname.split(".so")[0] in text:
            return (
                f"the system library {library.soname} is missing, which {library.needed_by} "
                f"needs; on Debian or Ubuntu: apt-get install {library.debian} (a server without "
                "a viewer can use opencv-python-headless instead); see `inspector doctor`"
            )
    package = error.name or ""
    if ".so" in text or "DLL load failed" in text:
        return f"{package or 'a package'} cannot be loaded ({text}); see `inspector doctor`"
    return None


def has_display() -> bool:
    """Whether a window can be opened: always assumed on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY"))
