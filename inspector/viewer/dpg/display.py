"""Checks made before Dear PyGui is touched: it ends the process where there is no screen."""

from __future__ import annotations

import ctypes
import os
import sys

from inspector.viewer.errors import GraphicsLibraryError, NoDisplayError

_WAYS = (
    "log in with `ssh -X`, run `xvfb-run -a inspector view F --screenshot x.png` for a picture, "
    "or copy the recording to a machine with a screen"
)


def check_display() -> None:
    """Make sure that a window can be opened.

    Raises
    ------
    NoDisplayError
        Without an X server that answers and speaks GLX.
    GraphicsLibraryError
        When the X library is missing.
    """
    if not sys.platform.startswith("linux"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise NoDisplayError(f"no display: DISPLAY is not set; {_WAYS}")
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        raise GraphicsLibraryError(
            "libX11.so.6 is missing, which the window needs: `apt-get install libx11-6 libgl1`"
        ) from None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(display.encode())
    if not connection:
        raise NoDisplayError(f"no display: the X server {display!r} does not answer; {_WAYS}")
    try:
        place = ctypes.c_void_p
        x11.XQueryExtension.argtypes = [place, ctypes.c_char_p, place, place, place]
        numbers = (ctypes.c_int * 3)()
        places = [ctypes.byref(numbers, 4 * i) for i in range(3)]
        if not x11.XQueryExtension(connection, b"GLX", *places):
            raise NoDisplayError(
                f"the X server {display!r} cannot draw with OpenGL (no GLX); {_WAYS}"
            )
    finally:
        x11.XCloseDisplay(connection)


def check_library() -> None:
    """Import Dear PyGui.

    Raises
    ------
    GraphicsLibraryError
        When a system library that it needs is missing.
    """
    try:
        import dearpygui.dearpygui  # noqa: F401
    except ImportError as error:
        raise GraphicsLibraryError(
            f"Dear PyGui cannot be loaded ({error}): install the system's OpenGL library, "
            "on Debian and Ubuntu `apt-get install libgl1`"
        ) from error
