"""The files of Deephys: `.model` (layers of a network) and `.test` (its activity on a dataset).

Read in a stream, one image at a time. The format is CBOR; activity is big-endian, pixels are
three channels of rows. Files of older versions lack some keys and are read with a warning.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.interop.cbor import CborReader

LONGEST_NAME = 40
"""Characters of a model's or dataset's name that Deephys accepts."""

LONGEST_LAYER = 30
"""Characters of a layer's name that Deephys accepts."""

DEFAULT_CLASSIFICATION = "classification"
DTYPES = {"float32": ">f4", "float64": ">f8"}

MOST_TEXT = 4 << 10
"""Bytes of a name: a hundred times what Deephys writes."""

MOST_KEYS = 64
"""Keys of a map whose keys are known: enough that an unknown one is named."""

MOST_LAYERS = 1 << 12
MOST_UNITS = 1 << 24
MOST_CLASSES = 1 << 20
MOST_IMAGES = 1 << 32
MOST_PIXELS = 1 << 12
"""Pixels of a side: what a recording's thumbnail may have."""

MOST_FEATURES = 1 << 8
"""Features of an image, as each becomes a column."""

MOST_FEATURE_BYTES = 64 << 10
"""Bytes of all features of an image."""

_MODEL_KEYS = ("name", "suffix", "layers", "classification_layer")
_TEST_KEYS = ("name", "suffix", "dtype", "classes", "images")
_IMAGE_KEYS = ("imageID", "categoryID", "category", "data", "features", "activations")


@dataclass(frozen=True)
class DeephysModel:
    """What a `.model` file says.

    Attributes
    ----------
    path : Path
    name : str
    layers : mapping of str to int
        Name to units, in the order of the activity.
    classification : str
        The layer whose units are the classes.
    sha256 : str
        Of the file.
    warnings : tuple of str
    """

    path: Path
    name: str
    layers: Mapping[str, int]
    classification: str
    sha256: str
    warnings: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Return the units of the classification layer."""
        return self.layers[self.classification]


@dataclass
class DeephysImage:
    """One image of a `.test` file.

    Attributes
    ----------
    number : int
        Its `imageID`.
    category : int
        Its ground truth; -1 for none.
    category_name : str
    pixels : uint8 [height, width, 3]
        RGB.
    features : mapping of str to str
    activity : mapping of str to float array [units]
        By layer, in the file's float type.
    """

    number: int = 0
    category: int = -1
    category_name: str = ""
    pixels: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    features: Mapping[str, str] = field(default_factory=dict)
    activity: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def read_model(path: str | os.PathLike[str], classification: str | None = None) -> DeephysModel:
    """Read a `.model` file.

    Parameters
    ----------
    path : path
    classification : str, optional
        The classification layer, for files of old versions, which do not name it; those call it
        "classification" by convention.

    Raises
    ------
    BrokenFileError
        If it breaks a rule of the format, saying at which byte.
    UnreadableFileError
    """
    name = named = None
    layers: dict[str, int] = {}
    warnings: list[str] = []
    with CborReader(path) as reader:
        for key in reader.keys("the model", MOST_KEYS, _MODEL_KEYS):
            if key == "name":
                name = reader.text("the model's name", MOST_TEXT)
            elif key == "suffix":
                warnings += _suffix(reader)
            elif key == "classification_layer":
                named = reader.text("the classification layer", MOST_TEXT)
            else:
                layers = _layers(reader)
        reader.end("the model")
        if name is None:
            reader.refuse("the model has no name")
        if not layers:
            reader.refuse("the model has no layers")
        if named and classification and named != classification:
            reader.refuse(
                "the file names another classification layer", repr(classification), repr(named)
            )
        named = named or classification or DEFAULT_CLASSIFICATION
        if named not in layers:
            reader.refuse(
                "the classification layer is not among the layers", repr(named), ", ".join(layers),
                "name it with --classification LAYER",
            )  # fmt: skip
        sha256 = hashlib.sha256()
        reader.seek(0)
        while block := reader.read(min(1 << 20, reader.size - reader.offset), "the model"):
            sha256.update(block)
    return DeephysModel(reader.path, name, layers, named, sha256.hexdigest(), tuple(warnings))


def _suffix(reader: CborReader) -> list[str]:
    suffix = "" if reader.null() else reader.text("a suffix", MOST_TEXT)
    return [f"a file of an old Deephys: its suffix {suffix!r} is left out"]


def _layers(reader: CborReader) -> dict[str, int]:
    layers: dict[str, int] = {}
    for _ in reader.items("the layers", MOST_LAYERS):
        name = units = None
        for key in reader.keys("a layer", MOST_KEYS, ("layerID", "neurons")):
            if key == "layerID":
                name = reader.text("a layer's name", MOST_TEXT)
            else:
                units = reader.empty_maps("the neurons of a layer", MOST_UNITS)
        if name is None or not units:
            reader.refuse("a layer has a layerID and neurons, at least one", name)
        if name in layers:
            reader.refuse("two layers have one name", repr(name))
        layers[name] = units
    return layers


class DeephysTest:
    """A `.test` file: its head at once, its images one by one; a context manager.

    Attributes
    ----------
    name : str
    dtype : str
        "float32" or "float64".
    classes : tuple of str or None
        None in old files, which name them with their images only.
    warnings : list of str
    """

    __test__ = False  # no test of pytest's, whatever its name

    def __init__(self, path: str | os.PathLike[str], model: DeephysModel) -> None:
        self.model = model
        self.name = ""
        self.dtype = ""
        self.classes: tuple[str, ...] | None = None
        self.warnings: list[str] = []
        self.size: tuple[int, int] | None = None
        self._reader = CborReader(path)
        self.path = self._reader.path
        try:
            self._keys = self._reader.keys("the dataset", MOST_KEYS, _TEST_KEYS)
            self._read_head()
        except BaseException:
            self.close()
            raise

    def _read_head(self) -> None:
        reader = self._reader
        named = False
        for key in self._keys:
            if key == "images":
                break
            if key == "name":
                self.name, named = reader.text("the dataset's name", MOST_TEXT), True
            elif key == "suffix":
                self.warnings += _suffix(reader)
            elif key == "dtype":
                # Null is what the old writers put where they had none.
                self.dtype = "" if reader.null() else reader.text("the dtype", 16)
                if self.dtype and self.dtype not in DTYPES:
                    reader.refuse("the dtype is unknown", repr(self.dtype), ", ".join(DTYPES))
            else:
                self.classes = self._read_classes()
        else:
            reader.refuse("the dataset has no images")
        if not named:
            reader.refuse("the dataset's name must stand before its images")
        if not self.dtype:
            self.dtype = "float32"
            self.warnings.append("a file of an old Deephys: without dtype, read as float32")
        if self.classes is None:
            self.warnings.append("a file of an old Deephys: classes are taken from its images")

    def _read_classes(self) -> tuple[str, ...]:
        reader = self._reader
        classes: list[str] = []
        for _ in reader.items("the classes", MOST_CLASSES):
            classes.append(reader.text("a class name", MOST_TEXT))
        if len(classes) != self.model.classes:
            reader.refuse(
                f"there are as many classes as units in {self.model.classification!r}",
                len(classes), self.model.classes, "choose the .model file that belongs to it",
            )  # fmt: skip
        return tuple(classes)

    def images(self) -> Iterator[DeephysImage]:
        """Yield the images, once; after the last one the end of the file is checked.

        Raises
        ------
        BrokenFileError
            At the first thing that breaks a rule.
        """
        for _ in self._reader.items("the images", MOST_IMAGES):
            yield self._read_image()
        for key in self._keys:
            self._reader.refuse("the images must be last", f"{key!r} after them")
        self._reader.end("the dataset")

    def _read_image(self) -> DeephysImage:
        reader = self._reader
        image = DeephysImage()
        found = set()
        for key in reader.keys("an image", MOST_KEYS, _IMAGE_KEYS):
            found.add(key)
            if key == "imageID":
                image.number = reader.number("an imageID", 0, (1 << 63) - 1)
            elif key == "categoryID":
                image.category = reader.number("a categoryID", -1, self.model.classes - 1)
            elif key == "category":
                image.category_name = reader.text("a category", MOST_TEXT)
            elif key == "data":
                image.pixels = self._read_pixels()
            elif key == "features":
                image.features = {} if reader.null() else self._read_features()
            else:
                image.activity = self._read_activity()
        if missing := [key for key in _IMAGE_KEYS if key not in found | {"features"}]:
            reader.refuse("an image lacks a key", repr(missing[0]))
        if self.classes is not None and image.category >= 0:
            expected = self.classes[image.category]
            if image.category_name != expected:
                reader.refuse(
                    f"category {image.category} has another name among the classes",
                    repr(image.category_name),
                    repr(expected),
                )
        return image

    def _read_pixels(self) -> NDArray[np.uint8]:
        reader = self._reader
        channels: list[NDArray[np.uint8]] = []
        for _ in reader.items("the channels of an image", 3):
            if self.size is None:
                self.size = reader.shape("a channel", MOST_PIXELS)
                if not all(self.size):
                    reader.refuse("an image has no pixels", f"{self.size[0]} × {self.size[1]}")
            channels.append(reader.rows("a channel", *self.size))
        if len(channels) != 3:
            reader.refuse("an image has three channels, red, green and blue", len(channels), 3)
        return np.stack(channels, axis=2)

    def _read_features(self) -> dict[str, str]:
        reader = self._reader
        features: dict[str, str] = {}
        left = MOST_FEATURE_BYTES
        for key in reader.keys("the features of an image", MOST_FEATURES):
            at = reader.offset
            features[key] = reader.text(f"the feature {key!r}", left)
            left -= reader.offset - at
            if left < 0:
                reader.refuse("the features of an image are too long", limit=MOST_FEATURE_BYTES)
        return features

    def _read_activity(self) -> dict[str, NDArray[Any]]:
        reader = self._reader
        layers = list(self.model.layers.items())
        dtype = np.dtype(DTYPES[self.dtype])
        activity: dict[str, NDArray[Any]] = {}
        for _ in reader.keys("the activations", MOST_KEYS, ("activations",)):
            for number in reader.items("the activations of an image", len(layers)):
                name, units = layers[number]
                data = reader.blob(f"the activity of {name!r}", units * dtype.itemsize)
                activity[name] = np.frombuffer(data, dtype)
        if len(activity) != len(layers):
            reader.refuse(
                "an image has activity for every layer of the model",
                f"{len(activity)} layers", len(layers), "choose the .model that belongs to it",
            )  # fmt: skip
        return activity

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> DeephysTest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
