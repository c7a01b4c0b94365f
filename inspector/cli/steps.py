"""Showing how far work is that has no rate of its own: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspector.cli.output import say
from inspector.text import clean

OnStep = Callable[[str, int, int], None]
"""Called with (what is being done, images done, images; 0 while that is unknown)."""

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def steps() -> Iterator[OnStep]:
    """Give a function that shows how far a named step is."""
    if sys.stderr.isatty():
        yield from _bar()
    else:
        yield from _lines()


def _bar() -> Iterator[OnStep]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bar.update(task, visible=False)
                tasks[what] = bar.add_task(escape(clean(what, 60)), total=None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield show


def _lines() -> Iterator[OnStep]:
    shown = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= _SECONDS_BETWEEN_LINES and done != total:
            shown = now
            say(f"{clean(what)}: {done:,}{f' of {total:,}' if total else ''} images")

    yield show
