"""What `import inspector` offers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from inspector.comparison import Scores, compare_scores
from inspector.recording import Recording, merge, open_recording, recover, tag, verify
from inspector.runner import Model, OnProgress, RecordOptions, load_model
from inspector.runner import record as run_record

__all__ = ["load_model", "merge", "open", "record", "recover", "scores", "tag", "verify"]


def open(path: str | os.PathLike[str], *, mapped: bool = False) -> Recording:
    """Open a recording; returns at once, whatever its size.

    Parameters
    ----------
    path : path
        A `.msgpack` file that Inspector wrote, finished or not; `FILE::EXPR` for the images that a
        filter matches; or a folder with the parts of one recording.
    mapped : bool
        Map the file into memory: fewer copies, for files that nobody shortens meanwhile.

    Returns
    -------
    Recording
        Reads from the file what is asked of it. A context manager.

    Raises
    ------
    InspectorError
        When the file is no recording (the message says what it looks like) or is damaged.
    """
    return open_recording(path, mapped=mapped)


def record(
    model: str | os.PathLike[str] | Model,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Recording:
    """Record what a model's units do on a dataset, and open the recording.

    Parameters
    ----------
    model : path or Model
        An ONNX model.
    data : path
        A folder of images (or of one folder per category), a `.npy` or `.npz` file, or `demo:SET`.
    out : path
        The recording to write.
    on_progress : callable, optional
        Called with a :class:`inspector.runner.Progress` after each batch.
    **options
        The options of `inspector record` under the same names: see
        :class:`inspector.runner.RecordOptions`. `reduce` and `classes` also take lists.

    Returns
    -------
    Recording
        The finished recording.

    Raises
    ------
    InspectorError
        When model, data or options do not fit, or the model fails.
    TypeError
        When there is no such option.
    """
    for name in ("reduce", "classes"):
        if isinstance(options.get(name), list):
            options[name] = tuple(options[name])
    if isinstance(options.get("reduce"), str):
        options["reduce"] = tuple(options["reduce"].split(","))
    if isinstance(options.get("limit"), int):
        options["limit"] = str(options["limit"])
    known = {field.name for field in fields(RecordOptions)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise TypeError(
            f"record() has no option {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    run_record(model, data, out, RecordOptions(**options), on_progress)
    return open_recording(out)


def scores(
    ind: Recording | str | os.PathLike[str],
    ood: Recording | str | os.PathLike[str] | Sequence[Recording | str | os.PathLike[str]],
    layer: str | None = None,
    *,
    reduction: str | None = None,
) -> Scores:
    """Score every unit: how far OOD data bends its tuning (spurious) or silences it (novelty).

    Parameters
    ----------
    ind, ood : Recording or path, ood also a list of them
        Recordings of one model, with ground truth.
    layer : str, optional
        One layer; None scores every layer that the recordings share.
    reduction : str, optional
        A recorded reduction; None takes `relu_mean`.

    Returns
    -------
    Scores
        Arrays per layer and OOD recording: `scores(a, b)["linear1"].ood["drifted"].spurious`.
    """
    several = [ood] if isinstance(ood, Recording | str | os.PathLike) else list(ood)
    return compare_scores(
        _opened(ind), [_opened(each) for each in several], layer=layer, reduction=reduction
    )


def _opened(source: Recording | str | os.PathLike[str]) -> Recording:
    return source if isinstance(source, Recording) else open_recording(source)
