"""What the machine has and lacks: libraries, display; and the lines that mend it."""

from __future__ import annotations

import ctypes.util
import sys
from dataclasses import dataclass


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


DEPENDENCIES = {
    "cv2": "opencv-python",
    **{
        name: name
        for name in (
            "onnx", "onnxruntime", "numpy", "scipy", "dearpygui", "msgpack", "typer", "rich",
        )
    },
}  # fmt: skip
"""Package that holds each module Inspector needs."""

LIBRARIES = (
    SystemLibrary("libGL.so.1", "GL", "libgl1", "the viewer and OpenCV"),
    SystemLibrary("libX11.so.6", "X11", "libx11-6", "the viewer"),
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
    if isinstance(error, ModuleNotFoundError) and package.partition(".")[0] in DEPENDENCIES:
        wanted = DEPENDENCIES[package.partition(".")[0]]
        return f"the package {wanted} is not installed: pip install {wanted}"
    if ".so" in text or "DLL load failed" in text:
        return f"{package or 'a package'} cannot be loaded ({text}); see `inspector doctor`"
    return None


def display_problem() -> str | None:
    """Why no window can be opened, with the ways around it; None where one can."""
    from inspector.viewer.dpg.display import check_display
    from inspector.viewer.errors import ViewerError

    try:
        check_display()
    except ViewerError as error:
        return str(error)
    return None
