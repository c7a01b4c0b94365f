"""Decide how stimuli are prepared, and say why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inspector.stimuli.errors import PreprocessError
from inspector.stimuli.preprocess import PRESETS, Preprocess
from inspector.stimuli.preprocess_files import find_preprocess, open_preprocess
from inspector.stimuli.preprocessor import ModelInput

GUESSED = "pixels as 0..1, as nothing else was named"
"""The reason when nothing said how to prepare: the first thing to doubt."""


def choose_preprocess(
    named: str | Preprocess | None,
    metadata: Mapping[str, str],
    model_input: ModelInput,
    first: NDArray[Any],
    is_array: bool,
    model_path: str | Path | None = None,
) -> tuple[Preprocess, str]:
    """Decide how stimuli are prepared, and say why.

    What the user named wins; then what the model's metadata holds (key `inspector.preprocess`);
    then an array that fits the model is handed over unchanged; then a file beside the model (see
    :func:`inspector.stimuli.find_preprocess`); everything else becomes 0..1, or stays
    0..255 for a model that takes integers.

    Parameters
    ----------
    named : str, Preprocess or None
        A preset or file, as given with `--preprocess`, or the steps themselves, as another
        recording holds them.
    metadata : mapping of str
        The model's own metadata.
    model_input : ModelInput
        What the model takes.
    first : array
        The first stimulus.
    is_array : bool
        Whether stimuli are arrays that may be handed over unchanged.
    model_path : path, optional
        The model's file.

    Returns
    -------
    Preprocess, str
        The steps, and the reason in a few words.

    Raises
    ------
    PreprocessError
        When what was named or found cannot be understood.
    """
    if isinstance(named, Preprocess):
        return named, "as in the other recording"
    if named is not None:
        return open_preprocess(named), "as asked"
    kept = metadata.get("inspector.preprocess")
    if kept is not None:
        try:
            steps = json.loads(kept)
        except (ValueError, RecursionError):
            steps = None
        if not isinstance(steps, dict):
            raise PreprocessError(
                f"the model's metadata inspector.preprocess is no JSON object ({kept[:60]!r}); "
                "name the preprocessing with --preprocess"
            )
        return Preprocess.from_dict(steps), "from the model's metadata"
    if is_array and model_input.accepts(first):
        return PRESETS["none"], "the arrays fit the model as they are"
    if model_path is not None:
        found = find_preprocess(model_path)
        if found is not None:
            return found[0], f"from {found[1].name} beside the model"
    if model_input.dtype.kind in "ui":
        return PRESETS["raw"], "pixels as they are, as the model takes integers"
    return PRESETS["unit"], GUESSED
