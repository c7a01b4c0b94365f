"""The first pass over a `.test` file: it is all read and checked before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from inspector.interop.deephys import (
    MOST_FEATURE_BYTES,
    MOST_FEATURES,
    DeephysImage,
    DeephysModel,
    DeephysTest,
)
from inspector.interop.errors import BrokenFileError

PATH_FEATURE = "path"
"""The feature that holds an image's path, in files that Inspector exported."""


@dataclass
class Survey:
    """What is known of a `.test` file once it was read.

    Attributes
    ----------
    name, dtype : str
    classes : tuple of str
        By id; ids that no image of an old file names are called by their number.
    images : int
    height, width : int
        Of every image.
    features : list of str
        Their names, in the order of their first appearance.
    numbered : bool
        Whether every imageID is the image's place.
    negative : set of str
        Layers with negative activity.
    stimuli_sha256 : str
        Of pixels and labels, in order.
    warnings : list of str
    """

    name: str
    dtype: str
    classes: tuple[str, ...]
    images: int = 0
    height: int = 0
    width: int = 0
    features: list[str] = field(default_factory=list)
    numbered: bool = True
    negative: set[str] = field(default_factory=set)
    stimuli_sha256: str = ""
    warnings: list[str] = field(default_factory=list)


def survey(test: DeephysTest, on_image: Callable[[int], None] | None = None) -> Survey:
    """Read a `.test` file to its end.

    Parameters
    ----------
    test : DeephysTest
        Just opened.
    on_image : callable, optional
        Called with the number of images read so far.

    Raises
    ------
    BrokenFileError
        If it breaks a rule of the format, or of what a recording can hold.
    """
    found = Survey(test.name, test.dtype, test.classes or ())
    names: dict[int, str] = {}
    features: dict[str, None] = {}
    sha256 = hashlib.sha256()
    unlabelled = beyond = 0
    for image in test.images():
        _check_features(test, image, features)
        if test.classes is None and image.category >= 0:
            known = names.setdefault(image.category, image.category_name)
            if known != image.category_name:
                raise BrokenFileError(
                    f"category {image.category} has two names", path=test.path,
                    value=repr(image.category_name), limit=repr(known),
                )  # fmt: skip
        unlabelled += image.category < 0
        for layer, values in image.activity.items():
            if layer not in found.negative and bool((values < 0).any()):
                found.negative.add(layer)
            if values.itemsize > 4:
                beyond += int((np.isfinite(values) & (abs(values) > np.finfo("f4").max)).sum())
        found.numbered &= image.number == found.images
        sha256.update(image.category.to_bytes(8, "big", signed=True))
        sha256.update(np.ascontiguousarray(image.pixels).data)
        found.images += 1
        if on_image is not None:
            on_image(found.images)
    if not found.images:
        raise BrokenFileError("the dataset has no images", path=test.path)
    found.height, found.width = test.size or (0, 0)
    found.features = list(features)
    found.stimuli_sha256 = sha256.hexdigest()
    if test.classes is None:
        found.classes = _named(test.model, names)
    found.warnings = [*test.warnings, *_remarks(found, unlabelled, beyond)]
    return found


def _check_features(test: DeephysTest, image: DeephysImage, features: dict[str, None]) -> None:
    features.update(dict.fromkeys(image.features))
    if len(features) > MOST_FEATURES:
        raise BrokenFileError(
            "the images have too many different features, as each becomes a column",
            path=test.path, value=len(features), limit=MOST_FEATURES,
        )  # fmt: skip
    if sum(map(len, features)) > MOST_FEATURE_BYTES:
        raise BrokenFileError(
            "the names of the features are too long", path=test.path, limit=MOST_FEATURE_BYTES
        )


def _named(model: DeephysModel, names: dict[int, str]) -> tuple[str, ...]:
    return tuple(names.get(number, str(number)) for number in range(model.classes))


def _remarks(found: Survey, unlabelled: int, beyond: int) -> list[str]:
    remarks = []
    if unlabelled:
        remarks.append(f"{unlabelled:,} images have category -1 and are read as unlabelled")
    if found.dtype == "float64":
        remarks.append("float64 activity is stored as float32")
    if beyond:
        remarks.append(f"{beyond:,} values are too large for float32 and become infinite")
    if max(found.height, found.width) > 32:
        remarks.append("images of more than 32 px are stored as JPEG")
    return remarks
