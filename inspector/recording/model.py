"""What a recording is made of: its header, one chunk of it, one image of it, its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspector.text import clean


@dataclass(frozen=True)
class RecordedLayer:
    """A layer as it was recorded.

    Attributes
    ----------
    name : str
        As the user knows it.
    tensor : str
        The ONNX value that was tapped.
    kind : str
        "conv", "tokens", "vector" or "logits".
    units : int
        Units of the layer, at least 1.
    shape : tuple of int
        Of the tensor, without its batch axis.
    default : bool
        Whether the layer is recorded when nothing is asked for.
    signed : bool
        Whether its activity can be negative.
    op : str
        The ONNX operator that made the tensor.
    axis : int
        The unit axis in the whole tensor, where the batch axis is 0.
    aliases : tuple of str
        Other names of the layer.
    reductions : tuple of str
        What is stored, in order; never empty.
    same : mapping of str to str
        Other names for equal values, such as ``{"mean": "relu_mean"}``.
    dtype : str
        "float32" or "float16", as stored.
    """

    name: str
    tensor: str
    kind: str
    units: int
    shape: tuple[int, ...]
    default: bool = True
    signed: bool = False
    op: str = ""
    axis: int = 1
    aliases: tuple[str, ...] = ()
    reductions: tuple[str, ...] = ("none",)
    same: Mapping[str, str] = field(default_factory=dict)
    dtype: str = "float32"


@dataclass(frozen=True)
class Header:
    """What a recording is of, and how it was made; fixed when it is created.

    Attributes
    ----------
    name : str
        Of the recording (the dataset's name).
    model : mapping of str to str
        ``name``, ``sha256`` and ``file`` of the model.
    layers : tuple of RecordedLayer
    classes : tuple of str
        Category names by id; () when unknown.
    output : mapping of str to str
        ``layer`` and ``kind`` (logits, log_softmax, softmax, sigmoid); {} without a classifier.
    images : int
        Stimuli planned: they are numbered 0 to images-1, and a skipped one keeps its number.
    batch, chunk : int
        The fixed grid; `chunk` is a multiple of `batch`.
    stimuli_sha256 : str
        Of the ordered list of stimuli.
    options : mapping
        Plain values (text, numbers, booleans, lists, maps): what resuming compares.
    thumbnail : mapping
        ``px``: the longest side asked for.
    columns : mapping of str to str
        Metadata columns, in order: name to "text", "float" or "int".
    data : str
        Where the stimuli came from, as given; "" when they were not files.
    """

    name: str
    model: Mapping[str, str]
    layers: tuple[RecordedLayer, ...]
    classes: tuple[str, ...] = ()
    output: Mapping[str, str] = field(default_factory=dict)
    images: int = 0
    batch: int = 1
    chunk: int = 1024
    stimuli_sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    data: str = ""


@dataclass
class Chunk:
    """Images start … start+n-1 of a recording, as the writer takes them.

    Attributes
    ----------
    start : int
        Number of the first image, a multiple of the header's `chunk`.
    activity : mapping of (layer, reduction) to float32 [n, units]
        Rows of skipped images are stored as NaN.
    thumbnails : sequence of uint8 [h, w, 3] (RGB) or [h, w] (grey)
        Already small; an empty array when there is none.
    labels, predictions : int32 [n]
        -1 for none.
    confidences : float32 [n]
        Probability of the prediction; NaN for none.
    paths : sequence of str
        Relative to the header's `data`; "" for none.
    skipped : mapping of int to str
        Image number to the reason why it could not be shown to the model.
    columns : mapping of str to sequence
        A value per image for every column of the header.
    """

    start: int
    activity: Mapping[tuple[str, str], NDArray[Any]]
    thumbnails: Sequence[NDArray[np.uint8]]
    labels: NDArray[np.int32]
    predictions: NDArray[np.int32]
    confidences: NDArray[np.float32]
    paths: Sequence[str]
    skipped: Mapping[int, str] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tap:
    """A layer under one of its reductions: one array [units, images] of the recording."""

    index: int
    layer: RecordedLayer
    reduction: str

    @property
    def name(self) -> str:
        """Return the name of its payload in each chunk."""
        return f"{self.layer.name}:{self.reduction}"

    @property
    def itemsize(self) -> int:
        """Return the bytes of one stored value."""
        return 2 if self.layer.dtype == "float16" else 4


def taps_of(layers: Sequence[RecordedLayer]) -> tuple[Tap, ...]:
    """Return every layer and reduction, in the order in which chunks store them."""
    pairs = [(layer, reduction) for layer in layers for reduction in layer.reductions]
    return tuple(Tap(index, *pair) for index, pair in enumerate(pairs))


@dataclass(frozen=True)
class ImageRecord:
    """Everything about one image but its activity.

    `label` and `prediction` are -1 and `confidence` NaN when there is none; `skipped` is "" or
    the reason why the image could not be shown to the model.
    """

    number: int
    thumbnail: NDArray[np.uint8]
    label: int
    prediction: int
    confidence: float
    path: str
    columns: Mapping[str, Any]
    skipped: str

    def __repr__(self) -> str:
        height, width = self.thumbnail.shape[:2]
        words = [
            f"<ImageRecord {self.number}: {clean(self.path, 80)!r}",
            f"label {self.label}",
            f"prediction {self.prediction}",
            f"confidence {self.confidence:.4g}",
            *(f"{clean(name, 40)} {_short(value)}" for name, value in self.columns.items()),
            f"skipped ({clean(self.skipped, 80)})" if self.skipped else f"{width} × {height} px>",
        ]
        return ", ".join(words).removesuffix(">") + ">"


def _short(value: Any) -> str:
    return repr(clean(value, 40)) if isinstance(value, str) else f"{value:.6g}"


class TopImages(NamedTuple):
    """Image numbers int64 [k] and their activity float32 [k], highest first."""

    images: NDArray[np.int64]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Summary:
    """Numbers about every unit of a layer under one reduction, over all readable images.

    Skipped images are left out of everything; non-finite values are counted and left out of the
    rest.

    Attributes
    ----------
    images : int
        How many images the summary is of (skipped ones not counted).
    maximum : float32 [units]
        NaN for a unit without a finite value.
    mean, spread : float64 [units]
        Spread is the population standard deviation; NaN without a finite value.
    zeros : float64 [units]
        Share of the finite values that are 0; NaN without one.
    nonfinite : int64 [units]
    histogram : uint32 [units, bins]
        Equal bins over [low, high), the same for all units: `high` is the smallest power of two
        above every absolute value, `low` is -high, or 0 when nothing is negative.
    low, high : float
    top_images : int64 [units, 100]
        Finite, not zero, highest first, ties to the lower number; -1 for none.
    top_values : float32 [units, 100]
        NaN for none.
    category_ids : int32 [categories]
        The labels that occur, ascending.
    category_counts : int64 [categories]
        Images that have the label.
    category_means : float64 [units, categories]
        Mean of the finite values; NaN without one.
    """

    images: int
    maximum: NDArray[np.float32]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    zeros: NDArray[np.float64]
    nonfinite: NDArray[np.int64]
    histogram: NDArray[np.uint32]
    low: float
    high: float
    top_images: NDArray[np.int64]
    top_values: NDArray[np.float32]
    category_ids: NDArray[np.int32]
    category_counts: NDArray[np.int64]
    category_means: NDArray[np.float64]


def default_chunk(layers: Sequence[RecordedLayer], batch: int) -> int:
    """Return the images of a chunk: a pure function of the model and the batch.

    The largest power of two ≤ 1,024 with which every payload stays within 32 MiB, raised to a
    multiple of `batch`: the smallest multiple that is not below it would break the 32 MiB, so the
    largest multiple not above it is taken, and at least one batch.
    """
    if batch < 1:
        raise ValueError(f"a batch has at least 1 image, not {batch}")
    widest = max((tap.layer.units * tap.itemsize for tap in taps_of(layers)), default=1)
    chunk = 1024
    while chunk > 1 and chunk * widest > 32 << 20:
        chunk //= 2
    return max(batch, chunk // batch * batch)
