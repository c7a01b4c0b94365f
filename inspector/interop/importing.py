"""Deephys' files as recordings: one for each `.test` file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.analysis import predictions, probabilities
from inspector.interop.deephys import DeephysImage, DeephysModel, DeephysTest, read_model
from inspector.interop.errors import (
    BrokenFileError,
    InteropError,
    TargetExistsError,
    UnwritableFileError,
)
from inspector.interop.survey import PATH_FEATURE, Survey, survey
from inspector.interop.whole_file import check_target, part_of
from inspector.recording import (
    Chunk,
    Header,
    RecordedLayer,
    RecordingWriteError,
    RecordingWriter,
    default_chunk,
)

BATCH = 1
NUMBER_COLUMN = "imageID"

MOST_CHUNK_BYTES = 128 << 20
"""Bytes of pixels and activity held at once: what bounds the memory of an import."""

OnStep = Callable[[str, int, int], None]
"""Called with (what is being done, images done, images; 0 while they are not yet counted)."""


@dataclass(frozen=True)
class Imported:
    """One recording that was made.

    Attributes
    ----------
    source, path : Path
        The `.test` file and the recording.
    images : int
    accuracy : float
        Share of labelled images that were answered right; NaN without any.
    warnings : tuple of str
    """

    source: Path
    path: Path
    images: int
    accuracy: float
    warnings: tuple[str, ...]


def import_deephys(
    model: str | os.PathLike[str],
    tests: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    classification: str | None = None,
    overwrite: bool = False,
    on_step: OnStep | None = None,
) -> list[Imported]:
    """Make a recording `FOLDER/STEM.msgpack` of every `STEM.test` file.

    All files are read to their ends and checked before anything is written. One chunk of images
    is held in memory at a time.

    Parameters
    ----------
    model : path
        The `.model` file that all of them belong to.
    tests : sequence of path
        `.test` files.
    folder : path
        Made if it is not there.
    classification : str, optional
        The classification layer, where an old `.model` file does not name it.
    overwrite : bool
        Replace recordings that are there.
    on_step : callable, optional
        Told how far it is.

    Raises
    ------
    BrokenFileError, UnreadableFileError
        If a file cannot be read, or breaks a rule of the format.
    TargetExistsError
        If a recording is there, or two files would make the same one.
    """
    read = read_model(model, classification)
    targets = _targets([Path(test) for test in tests], Path(folder), overwrite)
    surveys = [_survey(source, read, on_step) for source in targets]
    # Whether a layer is signed belongs to the model: all its recordings must agree.
    negative = set[str]().union(*(found.negative for found in surveys))
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFileError(f"cannot make: {error.strerror}", path=folder) from error
    done = []
    for (source, target), found in zip(targets.items(), surveys, strict=True):
        header = _header(source, read, found, negative)
        accuracy = _write(source, read, header, target, overwrite, on_step)
        warnings = (*read.warnings, *found.warnings)
        done.append(Imported(source, target, found.images, accuracy, warnings))
    return done


def _targets(sources: Sequence[Path], folder: Path, overwrite: bool) -> dict[Path, Path]:
    targets: dict[Path, Path] = {}
    for source in sources:
        target = folder / f"{source.stem}.msgpack"
        if target in targets.values():
            raise TargetExistsError(
                "two files would make one recording", path=source, value=target.name,
                advice="rename one, or import them into different folders",
            )  # fmt: skip
        if folder.is_dir():
            check_target(target, overwrite)
        targets[source] = target
    return targets


def _survey(source: Path, model: DeephysModel, on_step: OnStep | None) -> Survey:
    def count(images: int) -> None:
        if on_step is not None and images % 256 == 0:
            on_step(f"checking {source.name}", images, 0)

    with DeephysTest(source, model) as test:
        return survey(test, count)


def _header(source: Path, model: DeephysModel, found: Survey, negative: set[str]) -> Header:
    layers = tuple(_layer(model, name, name in negative) for name in model.layers)
    columns = {name: "text" for name in found.features if name != PATH_FEATURE}
    if not found.numbered and NUMBER_COLUMN not in columns:
        columns[NUMBER_COLUMN] = "int"
    chunk = default_chunk(layers, BATCH)
    image = 3 * found.height * found.width + 4 * sum(model.layers.values())
    while chunk > 1 and chunk * image > MOST_CHUNK_BYTES:
        chunk //= 2
    return Header(
        name=found.name,
        model={"name": model.name, "sha256": model.sha256, "file": model.path.name},
        layers=layers,
        classes=found.classes,
        output={"layer": model.classification, "kind": "logits"},
        images=found.images,
        batch=BATCH,
        chunk=chunk,
        stimuli_sha256=found.stimuli_sha256,
        options={"imported": {"format": "deephys", "file": source.name, "dtype": found.dtype}},
        thumbnail={"px": max(found.height, found.width)},
        columns=columns,
    )


def _layer(model: DeephysModel, name: str, negative: bool) -> RecordedLayer:
    classifies = name == model.classification
    signed = classifies or negative
    # One value a unit is its own mean and maximum; it is its rectified mean when not negative.
    others = ("mean", "max") if signed else ("mean", "max", "relu_mean")
    units = model.layers[name]
    return RecordedLayer(
        name=name,
        tensor=name,
        kind="logits" if classifies else "vector",
        units=units,
        shape=(units,),
        signed=signed,
        op="",
        same=dict.fromkeys(others, "none"),
    )


def _write(
    source: Path,
    model: DeephysModel,
    header: Header,
    target: Path,
    overwrite: bool,
    on_step: OnStep | None,
) -> float:
    """Write one recording; leave nothing behind if that fails. Return its accuracy."""
    right = labelled = 0
    part_file = part_of(target)
    try:
        with RecordingWriter.create(part_file, header, overwrite=True) as writer:
            with DeephysTest(source, model) as test:
                part = _Part(header, 0)
                for image in test.images():
                    if writer.next_image + part.images >= header.images:
                        raise _changed(source)
                    part.add(image)
                    if part.images == part.room:
                        chunk = part.chunk()
                        known = (chunk.labels >= 0) & (chunk.predictions >= 0)
                        labelled += int(known.sum())
                        right += int((chunk.labels == chunk.predictions)[known].sum())
                        writer.append(chunk)
                        part = _Part(header, writer.next_image)
                        if on_step is not None:
                            on_step(f"importing {source.name}", writer.next_image, header.images)
            if writer.next_image != header.images:
                raise _changed(source)
            writer.finish()
        check_target(target, overwrite)
        part_file.replace(target)
    except RecordingWriteError as error:
        raise UnwritableFileError(
            error.rule, path=target, advice="nothing is left behind: make room, then import again"
        ) from error
    except OSError as error:
        raise UnwritableFileError(f"cannot write: {error.strerror}", path=target) from error
    finally:
        part_file.unlink(missing_ok=True)
    return right / labelled if labelled else float("nan")


def _changed(source: Path) -> InteropError:
    return BrokenFileError(
        "the file changed while it was read", path=source, advice="import it again"
    )


class _Part:
    """One chunk of a recording, as it fills."""

    def __init__(self, header: Header, start: int) -> None:
        self.header = header
        self.start = start
        self.images = 0
        self.room = max(1, min(header.chunk, header.images - start))
        self._activity: dict[str, NDArray[np.float32]] = {
            layer.name: np.empty((self.room, layer.units), np.float32) for layer in header.layers
        }
        self._thumbnails: list[NDArray[np.uint8]] = []
        self._labels = np.full(self.room, -1, np.int32)
        self._paths: list[str] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in header.columns}

    def add(self, image: DeephysImage) -> None:
        """Add the next image."""
        with np.errstate(over="ignore", invalid="ignore"):  # counted when the file was surveyed
            for name, values in image.activity.items():
                self._activity[name][self.images] = values
        self._thumbnails.append(image.pixels)
        self._labels[self.images] = image.category
        self._paths.append(image.features.get(PATH_FEATURE, ""))
        for name, values_so_far in self._columns.items():
            number = self.header.columns[name] == "int"
            values_so_far.append(image.number if number else image.features.get(name, ""))
        self.images += 1

    def chunk(self) -> Chunk:
        """Return it, full."""
        logits = self._activity[self.header.output["layer"]]
        chosen, confidences = predictions(probabilities(logits, "logits"))
        return Chunk(
            start=self.start,
            activity={
                (layer.name, "none"): self._activity[layer.name] for layer in self.header.layers
            },
            thumbnails=self._thumbnails,
            labels=self._labels,
            predictions=chosen,
            confidences=confidences,
            paths=self._paths,
            columns=self._columns,
        )
