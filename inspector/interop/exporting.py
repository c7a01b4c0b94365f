"""Recordings as Deephys' files, such as its own exporter would write and its app opens."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inspector.interop.cbor import ARRAY, MAP, head_of
from inspector.interop.deephys import DTYPES, MOST_FEATURES
from inspector.interop.errors import (
    MissingLibraryError,
    NotExportableError,
    UnwritableFileError,
)
from inspector.interop.export_plan import DeephysOptions, ExportPlan, plan_export, utf8
from inspector.interop.pixels import fitted
from inspector.interop.selection import blocks_of
from inspector.interop.survey import PATH_FEATURE
from inspector.interop.whole_file import check_target, whole_file
from inspector.recording import Recording
from inspector.text import clean

OnImages = Callable[[int, int], None]
"""Called with (images done, images)."""

_LOWEST_LOG = -103.0
"""Stands for log 0: below the logarithm of the smallest float32."""


@dataclass(frozen=True)
class Exported:
    """What was written: the files, the images in them, and what was changed on the way."""

    files: tuple[Path, ...]
    images: int
    messages: tuple[str, ...]


def export_deephys(
    recording: Recording,
    target: str | os.PathLike[str],
    options: DeephysOptions | None = None,
    *,
    on_images: OnImages | None = None,
) -> Exported:
    """Write a recording as a `.model` and a `.test` file of Deephys.

    Parameters
    ----------
    recording : Recording
        With a classification layer, ground truth and thumbnails.
    target : path
        A folder (the files are called after model and recording), or a path to which `.model`
        and `.test` are added.
    options : DeephysOptions, optional
    on_images : callable, optional
        Told how far it is.

    Returns
    -------
    Exported
        A `.model` file that is there already with the same content is kept.

    Raises
    ------
    NotExportableError
        If the recording holds what Deephys' files have no room for; the message says which option
        changes that. Nothing is written.
    TargetExistsError, UnwritableFileError
    MissingLibraryError
        Without cbor2.
    """
    chosen = options or DeephysOptions()
    cbor2 = _cbor2()
    plan = plan_export(recording, chosen)
    model_file, test_file = _files(target, plan)
    model = cbor2.dumps(_model(plan))
    keeps_model = model_file.is_file() and _same(model_file, model)
    if not keeps_model:
        check_target(model_file, chosen.overwrite)
    with whole_file(test_file, overwrite=chosen.overwrite) as file:
        _write_test(file, recording, plan, chosen, cbor2, on_images)
    if not keeps_model:
        with whole_file(model_file, overwrite=chosen.overwrite) as file:
            file.write(model)
    return Exported((model_file, test_file), plan.images.size, tuple(plan.messages))


def _cbor2() -> ModuleType:
    try:
        import cbor2
    except ImportError:
        raise MissingLibraryError(
            "writing Deephys' files needs cbor2, which is not installed",
            advice="pip install 'onnx-inspector[deephys]'",
        ) from None
    return cbor2


def _files(target: str | os.PathLike[str], plan: ExportPlan) -> tuple[Path, Path]:
    text = os.fspath(target)
    path = Path(text)
    if text.endswith(("/", os.sep)) and not path.exists():
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise UnwritableFileError(f"cannot make: {error.strerror}", path=path) from error
    if path.is_dir():
        return path / _file_name(plan.model, ".model"), path / _file_name(plan.name, ".test")
    return path.with_name(path.name + ".model"), path.with_name(path.name + ".test")


def _file_name(name: str, suffix: str) -> str:
    """Return a name from a file as the name of a file: no folders, nothing hidden."""
    plain = "".join("_" if each in '/\\:*?"<>|' else each for each in clean(name, 80))
    return (plain.lstrip(".").strip() or "unnamed") + suffix


def _same(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _model(plan: ExportPlan) -> dict[str, Any]:
    layers = [
        {"layerID": name, "neurons": [{}] * each.layer.units}
        for name, each in zip(plan.names, plan.layers, strict=True)
    ]
    classification = plan.names[plan.classification]
    return {"name": plan.model, "layers": layers, "classification_layer": classification}


def _write_test(
    file: BinaryIO,
    recording: Recording,
    plan: ExportPlan,
    options: DeephysOptions,
    cbor2: ModuleType,
    on_images: OnImages | None,
) -> None:
    dtype = "float64" if options.float64 else "float32"
    file.write(head_of(MAP, 4))
    for key, value in (("name", plan.name), ("dtype", dtype), ("classes", plan.classes)):
        file.write(cbor2.dumps(key) + cbor2.dumps(value))
    file.write(cbor2.dumps("images") + head_of(ARRAY, plan.images.size))
    labels = recording.labels
    shape: tuple[int, ...] | None = None
    place = 0
    for first, end in blocks_of(recording, plan.layers):
        low, high = np.searchsorted(plan.images, [first, end])
        numbers = plan.images[low:high]
        if not numbers.size:
            continue
        activity = _activity(recording, plan, options, numbers, DTYPES[dtype])
        features = _features(recording, numbers)
        for row, number in enumerate(numbers.tolist()):
            pixels = fitted(recording, number, options.size, shape)
            shape = pixels.shape
            label = int(labels[number])
            image = {
                "imageID": place,
                "categoryID": label,
                "category": plan.classes[label],
                "data": [[line.tobytes() for line in pixels[:, :, each]] for each in range(3)],
                "features": features[row],
                "activations": {"activations": [values[row].tobytes() for values in activity]},
            }
            file.write(cbor2.dumps(image))
            place += 1
        if on_images is not None:
            on_images(place, plan.images.size)


def _activity(
    recording: Recording,
    plan: ExportPlan,
    options: DeephysOptions,
    numbers: NDArray[np.int64],
    dtype: str,
) -> list[NDArray[Any]]:
    """Return a block of every layer's activity as it is written, [images, units]."""
    blocks: list[NDArray[Any]] = []
    for place, each in enumerate(plan.layers):
        values = recording.activity(each.layer.name, each.reduction)[numbers]
        if place == plan.classification:
            if recording.header.output.get("kind") == "softmax":
                with np.errstate(divide="ignore", invalid="ignore"):
                    values = np.maximum(np.log(values), np.float32(_LOWEST_LOG))
        elif bool((values < 0).any()):
            if not options.rectify:
                row, unit = np.argwhere(values < 0)[0].tolist()
                raise NotExportableError(
                    f"layer {each.layer.name!r} has negative activity, which Deephys refuses",
                    path=recording.path,
                    value=f"{values[row, unit]:.6g} of unit {unit}, image {numbers[row]}",
                    advice="set it to 0 with --rectify, or choose layers with --layer",
                )
            values = np.where(values < 0, np.float32(0), values)
        # C order, as a row is written at once; NaN stays NaN, as in Deephys' own exporter.
        blocks.append(np.ascontiguousarray(values, dtype))
    return blocks


def _features(recording: Recording, numbers: NDArray[np.int64]) -> list[dict[str, str] | None]:
    """Return what is said of each image as text: its metadata columns, and its path."""
    columns = recording.columns
    texts: dict[str, list[str]] = {}
    for name in list(columns)[: MOST_FEATURES - 1]:
        texts[utf8(name)] = [_text(value) for value in _taken(columns[name], numbers)]
    if PATH_FEATURE not in texts:
        texts[PATH_FEATURE] = [utf8(path) for path in _taken(recording.paths, numbers)]
    rows: list[dict[str, str] | None] = []
    for row in range(len(numbers)):
        features = {name: values[row] for name, values in texts.items() if values[row]}
        rows.append(features or None)
    return rows


def _taken(values: Any, numbers: NDArray[np.int64]) -> list[Any]:
    first, last = int(numbers[0]), int(numbers[-1]) + 1
    span = values[first:last]
    return [span[number - first] for number in numbers.tolist()]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return utf8(value)
    plain = value.item() if hasattr(value, "item") else value
    return "" if plain != plain else str(plain)
