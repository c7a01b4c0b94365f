"""What of a recording goes into Deephys' files, under which names; refusals come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.interop.deephys import LONGEST_LAYER, LONGEST_NAME
from inspector.interop.errors import NotExportableError
from inspector.interop.selection import Selected, select_layers
from inspector.recording import Recording
from inspector.text import clean


@dataclass(frozen=True)
class DeephysOptions:
    """How a recording becomes Deephys' files.

    Attributes
    ----------
    float64 : bool
        Write float64, which the last app cannot open.
    drop_unlabelled : bool
        Leave images without ground truth out, which Deephys has no room for.
    rectify : bool
        Set negative activity to 0, outside the classification layer.
    size : int or None
        Fit every image into a square of so many pixels, on black.
    layers : sequence of str
        Which layers, besides the classification layer; all when empty.
    reduction : str or None
        The paper's `relu_mean` where it was recorded when None.
    overwrite : bool
    """

    float64: bool = False
    drop_unlabelled: bool = False
    rectify: bool = False
    size: int | None = None
    layers: Sequence[str] = ()
    reduction: str | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class ExportPlan:
    """What goes out.

    Attributes
    ----------
    name, model : str
        Of dataset and model, cut to length.
    layers : list of Selected
    names : list of str
        Of the layers, cut to length and still different.
    classification : int
        Place of the classification layer.
    classes : list of str
    images : int64 array
        Numbers of the images, ascending; at least one.
    messages : list of str
        What was changed.
    """

    name: str
    model: str
    layers: list[Selected]
    names: list[str]
    classification: int
    classes: list[str]
    images: NDArray[np.int64]
    messages: list[str]


def plan_export(recording: Recording, options: DeephysOptions) -> ExportPlan:
    """Decide what goes out.

    Raises
    ------
    NotExportableError
        If the recording holds what Deephys' files have no room for.
    """
    messages: list[str] = []
    output = recording.header.output
    if not output.get("layer"):
        raise NotExportableError(
            "Deephys needs a classification layer and this recording has none",
            path=recording.path, advice="record it again with --output NAME",
        )  # fmt: skip
    if output.get("kind") == "sigmoid":
        raise NotExportableError(
            "Deephys reads the classification layer by a softmax; these are independent "
            "probabilities", path=recording.path, value="sigmoid",
        )  # fmt: skip
    if output.get("kind") == "softmax":
        messages.append("probabilities are written as logarithms, as Deephys applies a softmax")
    last = recording.layer(output["layer"])
    names = [*options.layers, last.name] if options.layers else []
    layers = select_layers(recording, names, options.reduction)
    classification = [each.layer.name for each in layers].index(last.name)
    return ExportPlan(
        name=_cut(recording.name, LONGEST_NAME, "name", messages),
        model=_cut(recording.model.get("name", ""), LONGEST_NAME, "model's name", messages),
        layers=layers,
        names=_layer_names(layers, messages),
        classification=classification,
        classes=_classes(recording, last.units, messages),
        images=_images(recording, options, messages),
        messages=messages,
    )


def _classes(recording: Recording, units: int, messages: list[str]) -> list[str]:
    if not recording.classes:
        messages.append("the classes have no names and are called by their numbers")
        return [str(number) for number in range(units)]
    if len(recording.classes) != units:
        raise NotExportableError(
            "Deephys needs as many classes as the classification layer has units",
            path=recording.path, value=f"{len(recording.classes)} classes", limit=units,
        )  # fmt: skip
    return [utf8(name) for name in recording.classes]


def _images(
    recording: Recording, options: DeephysOptions, messages: list[str]
) -> NDArray[np.int64]:
    kept = np.ones(recording.images, bool)
    kept[list(recording.skipped)] = False
    if recording.skipped:
        messages.append(f"{len(recording.skipped):,} skipped images are left out")
    unlabelled = kept & (recording.labels < 0)
    if unlabelled.any():
        if not options.drop_unlabelled:
            raise NotExportableError(
                f"{unlabelled.sum():,} of {kept.sum():,} images have no ground truth, which Deephys"
                " needs", path=recording.path, value=f"image {int(np.argmax(unlabelled))}",
                advice="leave them out with --drop-unlabelled",
            )  # fmt: skip
        messages.append(f"{unlabelled.sum():,} images without ground truth are left out")
    kept &= ~unlabelled
    if not kept.any():
        raise NotExportableError("there are no images to export", path=recording.path)
    highest = int(recording.labels[kept].max())
    classes = recording.layer(recording.header.output["layer"]).units
    if highest >= classes:
        raise NotExportableError(
            "a label is beyond the classification layer", path=recording.path, value=highest,
            limit=classes - 1,
        )  # fmt: skip
    return np.flatnonzero(kept).astype(np.int64)


def _layer_names(layers: Sequence[Selected], messages: list[str]) -> list[str]:
    names: list[str] = []
    for each in layers:
        name = _cut(each.layer.name, LONGEST_LAYER, "layer's name", messages)
        number = 1
        while name in names:
            number += 1
            tail = f"~{number}"
            name = clean(each.layer.name, LONGEST_LAYER - len(tail)) + tail
        names.append(name)
    return names


def _cut(name: str, limit: int, what: str, messages: list[str]) -> str:
    text = utf8(name)
    if len(text) <= limit:
        return text
    short = clean(text, limit)
    messages.append(f"the {what} {clean(text)!r} is cut to {limit} characters: {short!r}")
    return short


def utf8(text: str) -> str:
    """Return text that UTF-8 can hold: the odd bytes of old file names become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
