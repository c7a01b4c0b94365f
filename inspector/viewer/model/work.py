"""Background work: a wish list instead of a queue, and a store of what came of it.

Each frame says what it lacks, most wanted first; workers always take the first wish that nobody
works on. What is no longer wished for is never started, so stepping quickly through units leaves
no backlog.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias

Key: TypeAlias = tuple[Hashable, ...]
Make: TypeAlias = Callable[[], Any]


@dataclass(frozen=True)
class Failure:
    """Work that raised."""

    error: Exception


class Workers:
    """Threads that make what is wished for.

    Parameters
    ----------
    threads
        How many.
    wake
        Called from a worker after each finished piece of work (it must be safe there).
    """

    def __init__(self, threads: int = 2, wake: Callable[[], None] | None = None) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._wishes: dict[Key, Make] = {}
        self._busy: set[Key] = set()
        self._done: dict[Key, Any] = {}
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._run, name=f"inspector-viewer-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def wish(self, wishes: dict[Key, Make]) -> None:
        """Replace the wish list; its order is the order of urgency."""
        with self._changed:
            self._wishes = {
                key: make
                for key, make in wishes.items()
                if key not in self._busy and key not in self._done
            }
            if self._wishes:
                # Waking threads for nothing costs a frame more than the rest of this.
                self._changed.notify_all()

    def take(self) -> dict[Key, Any]:
        """What was finished since the last call; failed work is a `Failure`."""
        with self._changed:
            done, self._done = self._done, {}
            return done

    @property
    def idle(self) -> bool:
        """Whether nothing is wished for, under way or waiting to be taken."""
        with self._changed:
            return not (self._wishes or self._busy or self._done)

    def close(self) -> None:
        """Stop the threads, waiting a moment for what is under way.

        A pass over a huge unfinished file may take longer: its thread ends with the process.
        """
        with self._changed:
            self._stopped = True
            self._wishes = {}
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wishes and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                key = next(iter(self._wishes))
                make = self._wishes.pop(key)
                self._busy.add(key)
            try:
                result = make()
            except Exception as error:
                # Whatever a damaged file makes go wrong belongs to one panel, not to the window.
                result = Failure(error)
            with self._changed:
                self._busy.discard(key)
                self._done[key] = result
            if self._wake is not None:
                self._wake()


class Store:
    """Results by key, the least recently used forgotten first; what is missing becomes a wish.

    Parameters
    ----------
    room
        Bytes kept (of results that have `nbytes`; others count as 1,000).
    """

    def __init__(self, room: int = 128 << 20) -> None:
        self._room = room
        self._used = 0
        self._results: OrderedDict[Key, Any] = OrderedDict()
        self.wishes: dict[Key, Make] = {}

    def begin(self) -> None:
        """Forget the wishes of the last frame."""
        self.wishes = {}

    def get(self, key: Key, make: Make) -> Any:
        """The result, a `Failure`, or None when it still has to be made (then it is wished for)."""
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        self.wishes.setdefault(key, make)
        return None

    def put(self, key: Key, result: Any) -> None:
        """Keep a result."""
        self.drop(key)
        self._results[key] = result
        self._used += _size(result)
        while self._used > self._room and len(self._results) > 1:
            _, old = self._results.popitem(last=False)
            self._used -= _size(old)

    def drop(self, key: Key) -> None:
        """Forget a result."""
        if key in self._results:
            self._used -= _size(self._results.pop(key))

    def forget(self, test: Callable[[Key], bool]) -> None:
        """Forget every result whose key passes the test."""
        for key in [key for key in self._results if test(key)]:
            self.drop(key)


def _size(result: Any) -> int:
    return 1000 + int(getattr(result, "nbytes", 0))
