"""Record as another recording was recorded: `--like`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inspector.recording import Header
from inspector.runner.errors import OptionError
from inspector.runner.options import RecordOptions
from inspector.stimuli import Preprocess


def options_like(options: RecordOptions, header: Header) -> RecordOptions:
    """Take classes, preprocessing, layers, reductions, tokens and thumbnails from a recording.

    What the user names as well, other than by the default, is kept.

    Parameters
    ----------
    options : RecordOptions
        As given.
    header : Header
        Of the recording to be like.

    Returns
    -------
    RecordOptions
        Complete.

    Raises
    ------
    OptionError
        When the recording does not say how its stimuli were prepared.
    """
    default = RecordOptions()
    taken: dict[str, Any] = {}
    if options.classes is None and header.classes:
        taken["classes"] = tuple(header.classes)
    if options.layers == default.layers:
        taken["layers"] = tuple(layer.name for layer in header.layers)
    if tuple(options.reduce) == default.reduce:
        reductions = dict.fromkeys(each for layer in header.layers for each in layer.reductions)
        named = tuple(each for each in reductions if each != "none")
        taken["reduce"] = named or default.reduce
    if options.tokens == default.tokens:
        taken["tokens"] = header.options.get("tokens", default.tokens)
    if options.thumb == default.thumb:
        taken["thumb"] = int(header.thumbnail.get("px", default.thumb))
    if options.preprocess is None:
        steps = header.options.get("preprocess")
        if not isinstance(steps, dict):
            raise OptionError(
                f"--like: the recording {header.name} does not say how its stimuli were prepared; "
                "name it with --preprocess"
            )
        taken["preprocess"] = Preprocess.from_dict(steps)
    return replace(options, **taken)
