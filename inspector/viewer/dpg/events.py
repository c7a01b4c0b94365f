"""Sleeping until something happens.

Dear PyGui has no call that waits for events. Its Linux wheel exports GLFW's, which are used where
they are found; elsewhere the loop polls, slower when nothing has happened for a while.
"""

from __future__ import annotations

import ctypes
import threading
import time


class Events:
    """Waits for input, for a timeout, or for a worker's `wake`."""

    def __init__(self) -> None:
        self._flag = threading.Event()
        self._open = True
        self.library = _load()
        """With GLFW's functions; None where they are not found."""

    def wait(self, timeout: float) -> bool:
        """Sleep at most `timeout` seconds on the main thread; False when only time passed."""
        if self._flag.is_set():
            self._flag.clear()
            return True
        begin = time.monotonic()
        if self.library is not None:
            self.library.glfwWaitEventsTimeout(ctypes.c_double(timeout))
            self._flag.clear()
        else:
            self._flag.wait(min(timeout, 0.04))
            self._flag.clear()
        return time.monotonic() - begin < timeout * 0.95

    def wake(self) -> None:
        """End the wait; from any thread."""
        self._flag.set()
        if self.library is not None and self._open:
            self.library.glfwPostEmptyEvent()

    def close(self) -> None:
        """No more events are posted: the window is about to go."""
        self._open = False


def _load() -> ctypes.CDLL | None:
    try:
        import dearpygui._dearpygui as native

        library = ctypes.CDLL(native.__file__)
        for name in ("glfwWaitEventsTimeout", "glfwPostEmptyEvent"):
            getattr(library, name)
    except (ImportError, OSError, AttributeError):
        return None
    return library
