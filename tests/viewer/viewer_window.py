"""Drives a real window as a person would: mouse and keys through the X server."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable

import dearpygui.dearpygui as dpg
import numpy as np

from inspector.viewer.dpg.app import App
from inspector.viewer.model import actions as act
from inspector.viewer.model.geometry import Rect


class Driver:
    """An `App` and a person in front of it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def frames(self, number: int = 4) -> None:
        """Let some frames pass."""
        for _ in range(number):
            self.app.frame()

    def settle(self) -> None:
        """Let everything visible load."""
        assert self.app.settle(frames=1, seconds=60), "the window never came to rest"

    def until(self, test: Callable[[], bool]) -> None:
        """Draw until something holds."""
        end = time.monotonic() + 60
        while not test():
            assert time.monotonic() < end, "it never happened"
            self.app.frame()

    def xdotool(self, *words: object) -> None:
        """Run xdotool."""
        subprocess.run(["xdotool", *map(str, words)], check=True)

    def place(self, zone: str) -> Rect:
        """Where a zone lies in the window."""
        found = self.app.screen.zone(zone)
        assert found is not None, f"no zone is called {zone}"
        return found

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a point of the window (which stands at the screen's corner)."""
        self.xdotool("mousemove", round(x), round(y))
        self.frames()

    def hover(self, zone: str) -> None:
        """Move the mouse over a zone."""
        rect = self.place(zone)
        self.move(rect.x + rect.w / 2, rect.y + min(rect.h / 2, 20))

    def click(self, zone: str) -> None:
        """Click in a zone."""
        self.hover(zone)
        self.xdotool("click", 1)
        self.frames()
        self.settle()

    def key(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.xdotool("key", "--clearmodifiers", key)
            self.frames()
        self.settle()

    def type(self, text: str) -> None:
        """Type text."""
        self.xdotool("type", "--delay", 30, text)
        self.frames(12)

    def wheel(self, steps: int) -> None:
        """Turn the wheel down (or up, for negative steps)."""
        for _ in range(abs(steps)):
            self.xdotool("click", 5 if steps > 0 else 4)
            self.frames(3)
        self.settle()

    def at_once(
        self, *commands: str, pause: float = 0.3, done: Callable[[], bool] = lambda: True
    ) -> None:
        """Run lines of xdotool against the window's own loop, with no frame waited for between.

        It ends when `done` holds (or half a minute has passed), and `pause` seconds later.
        """

        def person() -> None:
            for command in commands:
                self.xdotool(*command.split())
            end = time.monotonic() + 30
            while not done() and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(pause)
            self.app.actions.append(act.Quit())
            self.app.events.wake()

        thread = threading.Thread(target=person)
        thread.start()
        self.app.run()
        thread.join()
        self.app.closing = False
        self.settle()

    def pixels(self) -> np.ndarray:
        """What the window shows, float32 [height, width, 3]."""
        got: list[np.ndarray] = []

        def take(_: object, buffer: object) -> None:
            height, width = buffer.get_height(), buffer.get_width()  # type: ignore[attr-defined]
            got.append(np.array(buffer, np.float32).reshape(height, width, 4)[..., :3])

        dpg.output_frame_buffer(callback=take)
        self.until(lambda: bool(got))
        return got[0]

    @property
    def here(self) -> tuple[str, int]:
        """Layer and unit shown."""
        return self.app.state.here.layer, self.app.state.here.unit
