"""Start the worker process, hand it requests, and turn its death into one line."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from inspector.runner.errors import (
    ModelMemoryError,
    ModelRunError,
    ProviderError,
    RunnerError,
    WorkerDiedError,
)
from inspector.runner.frames import FrameError, read_frame, write_frame
from inspector.text import clean

GIB = 1 << 30
ADDRESS_ALLOWANCE = 4 * GIB
"""Address space that the interpreter, the runtime's libraries and its threads take besides memory.

Measured at 0.4 GB with 1 thread and 1.9 GB with 64 for a small net.
"""
DEFAULT_PATIENCE = 900.0
"""Seconds without an answer after which a model counts as hung."""

# The child gets this process's own module path, and not the current folder that `-m` would add.
_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from inspector.runner.worker import main; main()"

Reply = tuple[dict[str, Any], dict[str, NDArray[Any]]]


class Supervisor:
    """A worker process with at most one ONNX Runtime session; a context manager.

    Parameters
    ----------
    memory : float, optional
        Limit in GiB on the memory of the model; None for all that the machine has, so that a
        model asking for more ends itself and nothing else. It has no effect where the system
        knows no limit on address space (Windows), and None has none where ONNX Runtime was built
        for GPUs, which reserve far more address space than memory.
    patience : float
        Seconds without an answer after which the worker is killed.
    """

    def __init__(self, memory: float | None = None, patience: float = DEFAULT_PATIENCE) -> None:
        self._memory = memory
        self._patience = patience
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C is for the parent, which decides what is kept.
            start_new_session=True,
        )
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="worker replies", daemon=True).start()
        limit = machine_memory() if memory is None else int(memory * GIB)
        if limit is not None:
            asked = memory is not None
            self._ask({"do": "limit", "bytes": limit + ADDRESS_ALLOWANCE, "asked": asked})

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker; whatever it was doing is of no use any more."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            try:
                if stream is not None:
                    stream.close()
            except OSError:  # unsent bytes of a dead worker
                pass

    def open(
        self,
        model: bytes,
        *,
        folder: str = "",
        provider: str = "auto",
        threads: int = 0,
        optimise: bool = True,
    ) -> str:
        """Make the session, in place of the one before.

        Parameters
        ----------
        model : bytes
            The serialised graph.
        folder : str
            Where the model's external weights lie.
        provider : {"auto", "cpu", "cuda"}
            Where to run.
        threads : int
            Threads of the runtime; 0 for one per core.
        optimise : bool
            Whether the runtime may rewrite the graph.

        Returns
        -------
        str
            The provider taken.

        Raises
        ------
        ModelRunError, ModelMemoryError, ProviderError, WorkerDiedError
            When the model cannot be made to run.
        """
        head = {
            "do": "open",
            "folder": folder,
            "provider": provider,
            "threads": threads,
            "optimise": optimise,
        }
        answer, _ = self._ask(head, {"model": np.frombuffer(model, np.uint8)})
        return str(answer["provider"])

    def shapes(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, ...]]:
        """Run once and return the shape of every output by name."""
        answer, _ = self._ask({"do": "shapes"}, feeds)
        return {name: tuple(shape) for name, shape in answer["shapes"].items()}

    def submit(self, feeds: Mapping[str, NDArray[Any]], outputs: list[str]) -> None:
        """Hand over a batch without waiting; :meth:`result` returns batches in the same order."""
        self._send({"do": "run", "outputs": outputs}, feeds)

    def result(self) -> dict[str, NDArray[Any]]:
        """Wait for the oldest batch and return its outputs by name.

        Raises
        ------
        ModelRunError, ModelMemoryError, WorkerDiedError
            When the model failed on it.
        """
        return self._receive()[1]

    def _ask(self, head: dict[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> Reply:
        self._send(head, arrays)
        return self._receive()

    def _send(self, head: dict[str, Any], arrays: Mapping[str, NDArray[Any]] | None) -> None:
        try:
            write_frame(cast(BinaryIO, self._process.stdin), head, arrays)
        except OSError:
            raise self._death() from None

    def _receive(self) -> Reply:
        try:
            reply = self._replies.get(timeout=self._patience)
        except queue.Empty:
            self._process.kill()
            raise WorkerDiedError(
                f"the model did not answer for {self._patience:g} s and was stopped; try a smaller "
                "--batch, or another model file"
            ) from None
        if reply is None:
            raise self._death()
        answer, arrays = reply
        if "error" in answer:
            raise self._failure(str(answer["error"]), str(answer.get("text", "")))
        return answer, arrays

    def _listen(self) -> None:
        """Read replies as they come, so that a worker with much to say never blocks."""
        replies = cast(BinaryIO, self._process.stdout)
        try:
            while True:
                self._replies.put(read_frame(replies))
        except (FrameError, OSError, ValueError, MemoryError):
            self._replies.put(None)

    def _failure(self, kind: str, text: str) -> RunnerError:
        if kind == "memory":
            limit = "" if self._memory is None else f" of {self._memory:g} GB (--memory)"
            return ModelMemoryError(
                f"the model ran out of memory{limit}; try a smaller --batch or a larger --memory"
            )
        if kind == "provider":
            return ProviderError(
                f"ONNX Runtime has no such provider here (it has: {clean(text)}); use --provider "
                "cpu, or install onnxruntime-gpu instead of onnxruntime"
            )
        if kind in ("ImportError", "ModuleNotFoundError"):
            return WorkerDiedError(
                f"ONNX Runtime cannot be loaded ({_one_line(text)}): pip install onnxruntime; see "
                "`inspector doctor`"
            )
        return ModelRunError(f"ONNX Runtime could not run the model: {_one_line(text) or kind}")

    def _death(self) -> WorkerDiedError:
        code = self._process.wait()
        how = f"with exit code {code}"
        if code < 0:
            try:
                how = f"by {signal.Signals(-code).name}"
            except ValueError:
                how = f"by signal {-code}"
        self._errors.seek(0, 2)
        self._errors.seek(max(0, self._errors.tell() - 4096))
        words = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        said = f" (its last words: {_one_line(words[-1])})" if words else ""
        return WorkerDiedError(
            f"the process that ran the model was ended {how}{said}; the model may be broken or "
            "need more memory: try a smaller --batch, or check the file with `inspector layers`"
        )


def machine_memory() -> int | None:
    """Bytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _one_line(text: str) -> str:
    """Make the runtime's words fit for one line of a terminal."""
    return clean(" ".join(text.split()), 400)
