"""What commands print: data to stdout, messages to stderr, a bar only on a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from inspector.text import clean

if TYPE_CHECKING:
    from rich.console import Console

    from inspector.runner import OnProgress, Progress

LONGEST_MESSAGE = 2000

PART_OF_RECORDING = "F.msgpack::EXPR takes the images that match, such as F.msgpack::'label==3'."
RECORDINGS = f"Recordings. {PART_OF_RECORDING}"
_SECONDS_BETWEEN_LINES = 5.0
_WIDE = 1000


def say(message: str) -> None:
    """Tell the user something that is not data."""
    typer.echo(message, err=True)


def fail(message: str) -> NoReturn:
    """End with one line that says what is wrong and what to do, and exit code 1."""
    typer.echo(f"inspector: {clean(message, LONGEST_MESSAGE)}", err=True)
    sys.exit(1)


def print_json(data: Any) -> None:
    """Print data as JSON on stdout; what is not a number becomes null."""
    typer.echo(json.dumps(data, ensure_ascii=False, allow_nan=False))


def number(value: float, digits: int = 3) -> str:
    """Show a number; a dash where there is none."""
    return "–" if value != value else f"{value:.{digits}f}"


def accuracy(share: float, unanswered: int) -> str:
    """Show an accuracy together with the images that it leaves out."""
    apart = f" ({unanswered:,} without an answer left out)" * bool(unanswered)
    return f"{number(share)}{apart}"


def size(count: int) -> str:
    """Show a number of bytes in a unit that people read."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def console() -> Console:
    """Where tables go: as wide as the terminal; elsewhere so wide that no name is broken."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(width=wide)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what C libraries write on their own (libpng on a broken image) off the terminal.

    Their descriptor is turned away while Python's own standard error keeps the real one, so our
    messages and progress still come through.
    """
    ours, kept = sys.stderr, os.dup(2)
    try:
        with (
            open(kept, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False) as real,
            Path(os.devnull).open("wb") as nowhere,
        ):
            sys.stderr = real
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        sys.stderr = ours


@contextmanager
def progress(title: str) -> Iterator[OnProgress]:
    """Show how far something is: a bar on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty():
        yield from _bar(title)
    else:
        yield from _lines(title)


def _bar(title: str) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(clean(title)), total=None, rate="")

        def show(moment: Progress) -> None:
            bar.update(
                task,
                total=moment.total,
                completed=moment.done,
                rate=f"{moment.rate:,.0f} images/s",
            )

        yield show


def _lines(title: str) -> Iterator[OnProgress]:
    shown = time.monotonic()

    def show(moment: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= _SECONDS_BETWEEN_LINES and moment.done < moment.total:
            shown = now
            left = (moment.total - moment.done) / moment.rate if moment.rate else float("nan")
            say(
                f"{clean(title)}: {moment.done:,} of {moment.total:,} images, "
                f"{moment.rate:,.0f} images/s, {left:.0f} s left"
            )

    yield show
