"""The process that runs ONNX Runtime, and nothing else.

A model is a stranger's program: it may crash the runtime or ask for all memory of the machine.
Here that harms one process, whose end the supervisor turns into one line. It reads requests from
its standard input, answers on its standard output, and ends when its input does.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inspector.runner.frames import FrameError, read_frame, write_frame

Arrays = dict[str, NDArray[Any]]
Reply = tuple[dict[str, Any], Arrays]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WATCH_SECONDS = 2.0

MEMORY_WORDS = ("bad_alloc", "bad allocation", "failed to allocate memory", "cannot allocate")
"""How ONNX Runtime and numpy say that memory ran out."""


class Worker:
    """Answers requests with one session at a time."""

    def __init__(self) -> None:
        self._session: Any = None

    def handle(self, head: dict[str, Any], arrays: Arrays) -> Reply:
        """Answer one request; what goes wrong becomes an answer too."""
        actions: dict[str, Callable[[dict[str, Any], Arrays], Reply]] = {
            "limit": self._limit,
            "open": self._open,
            "shapes": self._shapes,
            "run": self._run,
        }
        try:
            return actions[head["do"]](head, arrays)
        except Exception as error:  # every failure of a strange model is an answer
            text = str(error)
            out_of_memory = isinstance(error, MemoryError) or any(
                word in text.lower() for word in MEMORY_WORDS
            )
            return {"error": "memory" if out_of_memory else type(error).__name__, "text": text}, {}

    def _limit(self, head: dict[str, Any], arrays: Arrays) -> Reply:
        """Cap the address space, before the runtime is loaded."""
        try:
            import resource
        except ImportError:  # Windows knows no such limit
            return {"limited": False}, {}
        if not head["asked"] and _for_gpus():
            return {"limited": False}, {}
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = head["bytes"] if hard == resource.RLIM_INFINITY else min(head["bytes"], hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
        return {"limited": True}, {}

    def _open(self, head: dict[str, Any], arrays: Arrays) -> Reply:
        """Make the session; the one before is dropped first."""
        import onnxruntime as ort

        self._session = None
        available = ort.get_available_providers()
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = head["threads"]
        if not head["optimise"]:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            # One run for shapes is not worth a second copy of all weights in another layout.
            options.add_session_config_entry("session.disable_prepacking", "1")
        if head["folder"]:
            options.add_session_config_entry(
                "session.model_external_initializers_file_folder_path", head["folder"]
            )
        asked = head["provider"]
        chosen = "cuda" if asked == "auto" and "CUDAExecutionProvider" in available else asked
        chosen = "cpu" if chosen == "auto" else chosen
        providers = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider"]}[chosen]
        if providers[0] not in available:
            return {"error": "provider", "text": ", ".join(available)}, {}
        model = arrays["model"].tobytes()
        self._session = ort.InferenceSession(model, options, providers=providers)
        return {"provider": chosen}, {}

    def _shapes(self, head: dict[str, Any], arrays: Arrays) -> Reply:
        """Run once and answer with the outputs' shapes alone."""
        names = [output.name for output in self._session.get_outputs()]
        outputs = self._session.run(names, arrays)
        return {
            "shapes": {name: list(np.shape(o)) for name, o in zip(names, outputs, strict=True)}
        }, {}

    def _run(self, head: dict[str, Any], arrays: Arrays) -> Reply:
        """Run once and answer with the outputs."""
        names = head["outputs"]
        # The reply is written out before the next run may reuse the runtime's buffers.
        return {}, dict(zip(names, self._session.run(names, arrays), strict=True))


def _for_gpus() -> bool:
    """Whether the runtime was built for GPUs; asked without loading it."""
    try:
        metadata.version("onnxruntime-gpu")
    except metadata.PackageNotFoundError:
        return False
    return True


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until their stream ends, reading the next while one is worked on."""
    worker = Worker()
    waiting: queue.Queue[Reply | None] = queue.Queue(maxsize=1)

    def read() -> None:
        try:
            while True:
                waiting.put(read_frame(requests))
        except FrameError:
            waiting.put(None)

    threading.Thread(target=read, name="requests", daemon=True).start()
    while (request := waiting.get()) is not None:
        answer, outputs = worker.handle(*request)
        write_frame(replies, answer, outputs)


def _end_with_parent() -> None:
    """Die at once when the supervisor does, even in the middle of a run."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        # Where the system sends no signal; it also sees a parent that died before the call above.
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, name="parent", daemon=True).start()


def main() -> None:
    """Serve on the standard streams; whatever else prints goes to the standard error."""
    _end_with_parent()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    serve(sys.stdin.buffer, replies)
