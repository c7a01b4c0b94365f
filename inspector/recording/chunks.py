"""One chunk as a record: which payloads it has, in which order; written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import CorruptRecordingError, InvalidRecordingInputError
from inspector.recording.limits import ALIGN, MAX_IMAGE_BYTES
from inspector.recording.model import Chunk, Header, Tap, taps_of
from inspector.recording.payloads import (
    BIN_HEAD,
    Payload,
    PayloadWriter,
    Place,
    StoredArray,
    gap,
    moved,
    place_all,
)
from inspector.recording.source import Source
from inspector.recording.textblock import StoredTexts, encode_texts
from inspector.recording.thumbnails import ThumbnailEncoder

_TURNED = 64  # images turned at once: what they fill of a row stays in the processor's cache
COLUMN_DTYPES = {"float": "float64", "int": "int64"}


@dataclass(frozen=True)
class ChunkAt:
    """Where a chunk's record lies: its offset, its end, where its payloads begin, its images."""

    offset: int
    end: int
    payloads_at: int
    start: int
    images: int

    @property
    def first_byte(self) -> int:
        """Return where the first payload's bytes begin."""
        return self.payloads_at + gap(self.payloads_at) + BIN_HEAD


def chunk_payloads(header: Header, images: int) -> list[tuple[str, str, tuple[int, ...] | None]]:
    """Return (name, dtype, shape) of a chunk's payloads in order; shape None is free text."""
    layout: list[tuple[str, str, tuple[int, ...] | None]] = [
        (tap.name, tap.layer.dtype, (tap.layer.units, images)) for tap in taps_of(header.layers)
    ]
    layout += [
        ("images", "uint8", None),
        ("image_table", "uint32", (5 * images,)),
        ("labels", "int32", (images,)),
        ("predictions", "int32", (images,)),
        ("confidences", "float32", (images,)),
        ("path_ends", "int64", (images,)),
        ("paths", "uint8", None),
        ("skipped", "int64", None),
        ("reason_ends", "int64", None),
        ("reasons", "uint8", None),
    ]
    return layout + column_payloads(header, images)


class _ById:
    """A header as a key: compared by identity, as hashing its maps would cost more."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def __hash__(self) -> int:
        return id(self.header)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.header is self.header


def tap_place(header: Header, index: int, images: int) -> Place:
    """Return where a tap lies in a chunk, from the chunk's first byte of activity on.

    That byte is aligned, so all the rest lies at fixed distances, whatever the chunk.
    """
    return _tap_place(_ById(header), index, images)


@lru_cache(maxsize=4096)
def _tap_place(key: _ById, index: int, images: int) -> Place:
    payloads = [
        Payload(tap.name, tap.layer.dtype, (tap.layer.units, images), images * tap.itemsize)
        for tap in taps_of(key.header.layers)[: index + 1]
    ]
    return moved(place_all(payloads, ALIGN - BIN_HEAD)[-1], -ALIGN)


def gathered_payloads(header: Header, images: int) -> list[tuple[str, str, tuple[int, ...] | None]]:
    """Return (name, dtype, shape) of the payloads of the section of columns, in order."""
    return [
        entry
        for entry in chunk_payloads(header, images)[len(taps_of(header.layers)) :]
        if entry[0] not in ("images", "image_table")
    ]


def column_payloads(header: Header, images: int) -> list[tuple[str, str, tuple[int, ...] | None]]:
    """Return (name, dtype, shape) of the payloads of the metadata columns."""
    layout: list[tuple[str, str, tuple[int, ...] | None]] = []
    for name, kind in header.columns.items():
        if kind == "text":
            layout.append((f"column_ends:{name}", "int64", (images,)))
            layout.append((f"column:{name}", "uint8", None))
        else:
            layout.append((f"column:{name}", COLUMN_DTYPES[kind], (images,)))
    return layout


def chunk_writers(
    header: Header, images: int, arrays: Mapping[str, NDArray[Any] | PayloadWriter]
) -> list[PayloadWriter]:
    """Return the payloads of a chunk from its arrays by name, in the order of the layout."""
    writers = []
    for name, _, _ in chunk_payloads(header, images):
        array = arrays[name]
        writers.append(array if isinstance(array, PayloadWriter) else PayloadWriter(name, array))
    return writers


def writers_of(header: Header, chunk: Chunk) -> list[PayloadWriter]:
    """Return the payloads of a chunk, in the order of the layout.

    Raises
    ------
    InvalidRecordingInputError
        If an array has another length, dtype or layer than the header says.
    """
    count = expected_images(header, chunk.start)
    _check_length("thumbnails", chunk.thumbnails, count)
    with ThumbnailEncoder(chunk.thumbnails) as thumbnails:
        arrays: dict[str, NDArray[Any] | PayloadWriter] = {
            tap.name: PayloadWriter(tap.name, _activity(tap, chunk, count))
            for tap in taps_of(header.layers)
        }
        arrays |= _columns(header, chunk, count)
        try:
            images, arrays["image_table"] = thumbnails.result()
        except ValueError as error:
            raise InvalidRecordingInputError(str(error)) from error
    if images.size > MAX_IMAGE_BYTES:
        raise InvalidRecordingInputError(
            "the thumbnails of a chunk are too large",
            value=f"{images.size:,} bytes",
            limit=f"{MAX_IMAGE_BYTES:,} bytes",
            advice="choose a smaller chunk or smaller thumbnails",
        )
    return chunk_writers(header, count, arrays | {"images": images})


def _columns(header: Header, chunk: Chunk, count: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype in (("labels", "int32"), ("predictions", "int32"), ("confidences", "float32")):
        arrays[name] = _array(name, getattr(chunk, name), dtype, count)
    _check_length("paths", chunk.paths, count)
    arrays["path_ends"], arrays["paths"] = _texts("paths", chunk.paths)
    numbers = sorted(chunk.skipped)
    if numbers and not chunk.start <= numbers[0] <= numbers[-1] < chunk.start + count:
        raise InvalidRecordingInputError(
            "a skipped image lies outside its chunk",
            value=numbers,
            limit=f"{chunk.start} to {chunk.start + count - 1}",
        )
    arrays["skipped"] = np.array(numbers, np.int64)
    reasons = [chunk.skipped[number] for number in numbers]
    arrays["reason_ends"], arrays["reasons"] = _texts("reasons", reasons)
    return arrays | _metadata(header, chunk.columns, count)


def expected_images(header: Header, start: int) -> int:
    """Return how many images the chunk beginning at `start` has on the header's grid."""
    return max(0, min(header.chunk, header.images - start))


def _activity(tap: Tap, chunk: Chunk, count: int) -> NDArray[Any]:
    key = (tap.layer.name, tap.reduction)
    if key not in chunk.activity:
        raise InvalidRecordingInputError(
            "activity of a layer is missing", value=f"{key[0]} ({key[1]})"
        )
    values = np.asarray(chunk.activity[key])
    if values.shape != (count, tap.layer.units) or values.dtype.kind != "f":
        raise InvalidRecordingInputError(
            f"activity of {tap.name!r} must be float [images, units]",
            value=f"{values.dtype} {list(values.shape)}",
            limit=f"[{count}, {tap.layer.units}]",
        )
    stored = np.empty((tap.layer.units, count), tap.layer.dtype)
    with np.errstate(over="ignore"):  # float16: too large becomes infinite and is counted as such
        for first in range(0, count, _TURNED):
            stored[:, first : first + _TURNED] = values[first : first + _TURNED].T
    for number in chunk.skipped:
        if 0 <= number - chunk.start < count:
            stored[:, number - chunk.start] = np.nan
    return stored


def _check_length(name: str, values: Any, count: int) -> None:
    if len(values) != count:
        raise InvalidRecordingInputError(
            f"{name} of a chunk: one per image", value=len(values), limit=count
        )


def _array(name: str, values: Any, dtype: str, count: int) -> NDArray[Any]:
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O" or (dtype.startswith("int") and array.dtype.kind == "f"):
            array = np.array([_whole(v) if dtype[0] == "i" else float(v) for v in values])
        kinds = "iub" if dtype.startswith("int") else "iubf"
        if array.shape != (count,) or (array.size and array.dtype.kind not in kinds):
            raise ValueError(f"{array.dtype} {list(array.shape)}")
        if dtype.startswith("int") and array.size:
            info = np.iinfo(dtype)
            if not info.min <= array.min() <= array.max() <= info.max:
                raise ValueError(f"{array.min()} to {array.max()}")
        return array.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRecordingInputError(
            f"{name} of a chunk must be {dtype}, one per image", value=str(error), limit=count
        ) from None


def _whole(value: Any) -> int:
    number = int(value)
    if number != value:
        raise ValueError(f"{value!r} is not a whole number")
    return number


def _texts(name: str, texts: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    try:
        return encode_texts(texts)
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidRecordingInputError(f"{name} of a chunk must be text", value=error) from None


def _metadata(header: Header, columns: Mapping[str, Any], count: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    if set(columns) != set(header.columns):
        wrong = sorted(set(columns) ^ set(header.columns))
        raise InvalidRecordingInputError(
            "columns of a chunk are those of the header",
            value=wrong[0],
            limit=", ".join(header.columns),
        )
    for name, kind in header.columns.items():
        values, what = columns[name], f"column {name!r}"
        _check_length(what, values, count)
        if kind == "text":
            ends, data = _texts(what, values)
            arrays |= {f"column_ends:{name}": ends, f"column:{name}": data}
        else:
            arrays[f"column:{name}"] = _array(what, values, COLUMN_DTYPES[kind], count)
    return arrays


def check_layout(
    payloads: list[Payload],
    layout: list[tuple[str, str, tuple[int, ...] | None]],
    path: str,
    offset: int,
) -> None:
    """Refuse a record whose payloads are not those that the header asks for, in their order."""
    if len(payloads) != len(layout):
        raise CorruptRecordingError(
            "payloads of a record", path=path, offset=offset, value=len(payloads), limit=len(layout)
        )
    for payload, (name, dtype, shape) in zip(payloads, layout, strict=True):
        free = shape is None and len(payload.shape) == 1
        if (payload.name, payload.dtype) != (name, dtype) or not (free or payload.shape == shape):
            raise CorruptRecordingError(
                "a payload is not the one that the header asks for",
                path=path,
                offset=offset,
                value=f"{payload.name} {payload.dtype} {list(payload.shape)}",
                limit=f"{name} {dtype} {list(shape) if shape else 'any'}",
            )


class StoredRecord:
    """The payloads of one record, by name."""

    def __init__(
        self, source: Source, body: dict[str, Any], payloads: list[Payload], at: int
    ) -> None:
        self.source = source
        self.body = body
        self.at = at
        places = place_all(payloads, at)
        self.end = places[-1].end if places else at
        self.arrays = {where.payload.name: StoredArray(source, where) for where in places}

    def __getitem__(self, name: str) -> StoredArray:
        stored = self.arrays.get(name)
        if stored is None:
            raise CorruptRecordingError(
                "a payload is missing", path=self.source.path, offset=self.at, value=name
            )
        return stored

    def texts(self, ends: str, name: str) -> StoredTexts:
        """Return a pair of payloads as text entries."""
        return StoredTexts(self[ends], self[name])
