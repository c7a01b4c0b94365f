"""What is typed before the box that it is meant for has the cursor.

A box gets the cursor two frames after it was asked for, which a quick typist (or a slow screen)
notices as lost letters. Where GLFW's functions are found, all keys and characters that follow
Ctrl+K are held back until then, in their order; elsewhere nothing is.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

_OnCharacter = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint)
_OnKey = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int
)
_PRESS = 1
_CONTROL = 2
PATIENCE = 6
"""Frames after which nothing is held any more: the box will not get the cursor."""


class EarlyText:
    """Holds keys and characters back from Ctrl+K (or `hold`) until the box has the cursor.

    Parameters
    ----------
    library
        That has GLFW's functions; None where there is none. A window must be open.
    """

    def __init__(self, library: ctypes.CDLL | None) -> None:
        self._held: list[Callable[[], None]] | None = None
        self._patience = 0
        self._before: tuple[Any, Any] | None = None
        if library is None or not hasattr(library, "glfwSetCharCallback"):
            return
        self._library = library
        library.glfwGetCurrentContext.restype = ctypes.c_void_p
        library.glfwGetKeyName.restype = ctypes.c_char_p
        for name, kind in (("Char", _OnCharacter), ("Key", _OnKey)):
            setter = getattr(library, f"glfwSet{name}Callback")
            setter.argtypes, setter.restype = [ctypes.c_void_p, kind], kind
        self._window = library.glfwGetCurrentContext()
        if self._window is not None:
            # Kept here: the library does not keep them alive.
            self._own = _OnCharacter(self._typed), _OnKey(self._pressed)
            self._before = self._install(*self._own)

    def _install(self, on_character: Any, on_key: Any) -> tuple[Any, Any]:
        return (
            self._library.glfwSetCharCallback(self._window, on_character),
            self._library.glfwSetKeyCallback(self._window, on_key),
        )

    def _typed(self, window: int, character: int) -> None:
        self._pass_on(0, window, character)

    def _pressed(self, window: int, key: int, scancode: int, action: int, modifiers: int) -> None:
        self._pass_on(1, window, key, scancode, action, modifiers)
        if (
            action == _PRESS
            and modifiers & _CONTROL
            and self._library.glfwGetKeyName(key, scancode) == b"k"
        ):
            self.hold()

    def _pass_on(self, which: int, *event: int) -> None:
        callback = self._before[which] if self._before is not None else None
        if not callback:
            return
        if self._held is None:
            callback(*event)
        else:
            self._held.append(lambda: callback(*event))

    def hold(self) -> None:
        """From now on keep keys and characters back."""
        self._patience = PATIENCE
        if self._held is None:
            self._held = []

    def frame(self, ready: bool) -> None:
        """Hand on what is held when the box is ready for it; to be called once a frame."""
        if self._held is None:
            return
        self._patience -= 1
        if ready or self._patience <= 0:
            held, self._held = self._held, None
            for event in held:
                event()

    def close(self) -> None:
        """Leave the window as it was."""
        if self._before is not None:
            self._install(*self._before)
            self._before = None
