"""The header as a metadata map: packed from the dataclass, checked field by field when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from inspector.recording.errors import CorruptRecordingError, InvalidRecordingInputError
from inspector.recording.limits import MAX_CHUNK, MAX_DEPTH, MAX_IMAGES, MAX_RANK, MAX_UNITS
from inspector.recording.model import Header, RecordedLayer

KINDS = ("conv", "tokens", "vector", "logits")
COLUMN_KINDS = ("text", "float", "int")
_HEADER_KEYS = tuple(field.name for field in fields(Header))
_LAYER_KEYS = tuple(field.name for field in fields(RecordedLayer))


def pack_header(header: Header) -> dict[str, Any]:
    """Return the header as plain values, in a fixed order of keys."""
    body = {key: plain(getattr(header, key)) for key in _HEADER_KEYS if key != "layers"}
    body["layers"] = [
        {key: plain(getattr(layer, key)) for key in _LAYER_KEYS} for layer in header.layers
    ]
    return {key: body[key] for key in _HEADER_KEYS}


def plain(value: Any, depth: int = MAX_DEPTH - 4) -> Any:
    """Return `value` as what msgpack stores: tuples become lists, unpaired surrogates U+FFFD.

    Raises
    ------
    InvalidRecordingInputError
        For anything but text, numbers, booleans, None, lists and maps with text keys.
    """
    if depth < 0:
        raise InvalidRecordingInputError("the header is nested too deep", limit=MAX_DEPTH)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 64:
            raise InvalidRecordingInputError("a header's number has 64 bits", value=value)
        return value
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return plain(value.item(), depth)
    raise InvalidRecordingInputError("a header holds plain values", value=type(value).__name__)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise InvalidRecordingInputError("a header's keys are text", value=repr(key))
    return str(plain(key))


class _Fields:
    """Takes fields out of a map, each with its rule; unknown and missing keys are refused."""

    def __init__(self, body: Any, keys: tuple[str, ...], path: str | Path, offset: int) -> None:
        self._at = (path, offset)
        if not isinstance(body, dict):
            raise self.refuse("a header entry must be a map", type(body).__name__)
        if missing := [key for key in keys if key not in body]:
            raise self.refuse("a header key is missing", missing[0])
        if unknown := [key for key in body if key not in keys]:
            raise self.refuse("a header key is unknown", unknown[0])
        self._body = body

    def refuse(self, rule: str, value: Any, limit: Any = None) -> CorruptRecordingError:
        path, offset = self._at
        return CorruptRecordingError(rule, path=path, offset=offset, value=value, limit=limit)

    def text(self, key: str, among: tuple[str, ...] = ()) -> str:
        value = self._body[key]
        if not isinstance(value, str) or (among and value not in among):
            raise self.refuse(f"header key {key!r} must be text", value, ", ".join(among) or None)
        return value

    def number(self, key: str, low: int, high: int) -> int:
        value = self._body[key]
        if type(value) is not int or not low <= value <= high:
            raise self.refuse(f"header key {key!r} must be a number", value, f"{low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        value = self._body[key]
        if type(value) is not bool:
            raise self.refuse(f"header key {key!r} must be true or false", value)
        return value

    def list(self, key: str) -> list[Any]:
        value = self._body[key]
        if not isinstance(value, list):
            raise self.refuse(f"header key {key!r} must be a list", type(value).__name__)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        for item in self.list(key):
            if not isinstance(item, str):
                raise self.refuse(f"header key {key!r} must be a list of text", item)
        return tuple(self._body[key])

    def map(self, key: str) -> dict[str, Any]:
        value = self._body[key]
        if not isinstance(value, dict):
            raise self.refuse(f"header key {key!r} must be a map", type(value).__name__)
        return value

    def text_map(self, key: str, among: tuple[str, ...] = ()) -> dict[str, str]:
        for value in self.map(key).values():
            if not isinstance(value, str) or (among and value not in among):
                raise self.refuse(f"header key {key!r} must map to text", value, among or None)
        return self.map(key)


def parse_header(body: dict[str, Any], path: str | Path, offset: int) -> Header:
    """Return the header in `body`, every field of it checked.

    Raises
    ------
    CorruptRecordingError
        Naming the field, its value and the limit.
    """
    get = _Fields(body, _HEADER_KEYS, path, offset)
    layers = tuple(_parse_layer(layer, path, offset) for layer in get.list("layers"))
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names):
        raise get.refuse("layer names are unique", next(n for n in names if names.count(n) > 1))
    batch = get.number("batch", 1, MAX_CHUNK)
    chunk = get.number("chunk", 1, MAX_CHUNK)
    if chunk % batch:
        raise get.refuse("a chunk is a multiple of the batch", chunk, batch)
    return Header(
        name=get.text("name"),
        model=get.text_map("model"),
        layers=layers,
        classes=get.texts("classes"),
        output=get.text_map("output"),
        images=get.number("images", 0, MAX_IMAGES),
        batch=batch,
        chunk=chunk,
        stimuli_sha256=get.text("stimuli_sha256"),
        options=get.map("options"),
        thumbnail=get.map("thumbnail"),
        columns=get.text_map("columns", COLUMN_KINDS),
        data=get.text("data"),
    )


def _parse_layer(body: Any, path: str | Path, offset: int) -> RecordedLayer:
    get = _Fields(body, _LAYER_KEYS, path, offset)
    shape = get.list("shape")
    if len(shape) > MAX_RANK or any(type(size) is not int or size < 0 for size in shape):
        raise get.refuse("shape of a layer", shape, f"at most {MAX_RANK} axes")
    reductions = get.texts("reductions")
    if not reductions or len(set(reductions)) != len(reductions):
        raise get.refuse("reductions of a layer are named once, at least one", list(reductions))
    same = get.text_map("same")
    if wrong := [name for name in same.values() if name not in reductions]:
        raise get.refuse("a reduction stands for a stored one", wrong[0], ", ".join(reductions))
    return RecordedLayer(
        name=get.text("name"),
        tensor=get.text("tensor"),
        kind=get.text("kind", KINDS),
        units=get.number("units", 1, MAX_UNITS),
        shape=tuple(shape),
        default=get.flag("default"),
        signed=get.flag("signed"),
        op=get.text("op"),
        axis=get.number("axis", 0, MAX_RANK),
        aliases=get.texts("aliases"),
        reductions=reductions,
        same=same,
        dtype=get.text("dtype", ("float32", "float16")),
    )


def check_header(header: Header) -> dict[str, Any]:
    """Return the packed header, refusing what a reader would refuse.

    Raises
    ------
    InvalidRecordingInputError
        Naming the field.
    """
    body: dict[str, Any] = pack_header(header)
    try:
        parse_header(body, "", 0)
    except CorruptRecordingError as error:
        raise InvalidRecordingInputError(error.rule, value=error.value, limit=error.limit) from None
    return body


def first_difference(name: str, old: Any, new: Any) -> tuple[str, Any, Any] | None:
    """Return (where, old value, new value) of the first difference of plain values, or None."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{name}.{key}" if name else key
            if key not in old or key not in new:
                return inner, old.get(key, "(nothing)"), new.get(key, "(nothing)")
            if found := first_difference(inner, old[key], new[key]):
                return found
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            if found := first_difference(f"{name}[{number}]", before, after):
                return found
        return None
    return None if old == new and type(old) is type(new) else (name, old, new)
