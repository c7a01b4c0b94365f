"""Reading a model file: what it is, whether it is sound, what it takes.

The checker runs *by path* before anything else touches the file: only then does it see that
external weights stay inside the model's folder (CVE-2022-25882, CVE-2024-27318).
"""

from __future__ import annotations

import hashlib
import os
from os import PathLike
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, TensorProto

from inspector.graph.classes import classes_from_metadata
from inspector.graph.errors import (
    ExternalDataError,
    InvalidModelError,
    ModelMissingError,
    NotAModelError,
    TruncatedModelError,
    UnsupportedModelError,
)
from inspector.graph.external import embed_small, external_files
from inspector.graph.model import Graph, GraphInput
from inspector.graph.sniff import describe_file

# Fields of ModelProto that exporters write first: ir_version, opset_import, producer, graph.
_MODEL_STARTS = (0x08, 0x12, 0x3A, 0x42)

# How the checker words it when weights lie where they must not.
_OUTSIDE = (
    "external data",
    "symbolic",
    "symlink",
    "hardlink",
    "hard link",
    "escape",
    "relative path",
    "regular file",
    "outside",
)


def load_graph(path: str | PathLike[str]) -> Graph:
    """Load and check a model, leaving external weights in their files.

    Parameters
    ----------
    path
        An ``.onnx`` file.

    Raises
    ------
    ModelMissingError
        No such file, or a folder.
    NotAModelError
        Something else than an ONNX model; the message says what was found.
    TruncatedModelError
        The file breaks off.
    ExternalDataError
        A file of weights is missing, or lies outside the model's folder.
    InvalidModelError, UnsupportedModelError
        What ONNX's checker rejects.
    """
    path = Path(path)
    data = _read(path)
    proto = _parse(path, data)
    _check(path, proto)
    weight_files = external_files(proto)
    if weight_files:
        _embed_small(path, proto)
    if proto.functions:
        proto = _inline(path, proto)
    opsets = {item.domain: item.version for item in proto.opset_import}
    metadata = {item.key: item.value for item in proto.metadata_props}
    return Graph(
        path=path,
        name=path.stem,
        file_sha256=hashlib.sha256(data).hexdigest(),
        weight_files=weight_files,
        proto=proto,
        inputs=_inputs(path, proto),
        opset=opsets.get("", opsets.get("ai.onnx", 0)),
        ir_version=proto.ir_version,
        metadata=metadata,
        classes=classes_from_metadata(metadata),
    )


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelMissingError(f"{path} is a folder: name the .onnx file in it")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelMissingError(f"{path} does not exist: check the path of the model") from None
    except OSError as error:
        raise ModelMissingError(f"{path} cannot be read: {error.strerror}") from None


def _parse(path: Path, data: bytes) -> ModelProto:
    found = describe_file(data)
    if found:
        raise NotAModelError(f"{path.name} is not an ONNX model: it is {found}")
    proto = ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError:
        if data[0] in _MODEL_STARTS and (
            b"pytorch" in data[:64] or b"ONNX" in data or _early(data)
        ):
            raise TruncatedModelError(
                f"{path.name} begins as an ONNX model and breaks off or is damaged after "
                f"{len(data):,} bytes: copy or export it again"
            ) from None
        raise NotAModelError(
            f"{path.name} is not an ONNX model: its {len(data):,} bytes begin with {data[:8]!r}"
        ) from None
    if not proto.ir_version or not proto.HasField("graph"):
        raise NotAModelError(
            f"{path.name} is not an ONNX model: it has no "
            f"{'format version' if not proto.ir_version else 'graph'}, {len(data):,} bytes long"
        )
    return proto


def _early(data: bytes) -> bool:
    """Whether the file starts with a format version that exists, as exporters write it."""
    return data[0] == 0x08 and len(data) > 1 and 0 < data[1] < 0x20


def _check(path: Path, proto: ModelProto) -> None:
    for sparse in proto.graph.sparse_initializer:
        if TensorProto.EXTERNAL in (sparse.values.data_location, sparse.indices.data_location):
            raise ExternalDataError(
                f"{path.name} keeps the sparse weights {sparse.values.name!r} in another file, "
                "which cannot be checked: save them inside the model"
            )
    errors = (onnx.checker.ValidationError, ValueError, RuntimeError, OSError)
    try:
        onnx.checker.check_model(str(path))
        return
    except errors as error:
        problem = error
    if "'shape' of 'type' is required" in str(problem) and not _has_external(proto):
        # Exporters leave the shape out where the rank is open; the runtime does not mind.
        try:
            onnx.checker.check_model(_with_output_shapes(proto))
            return
        except errors as error:
            problem = error
    missing = _missing_files(path, proto)
    if missing:
        raise ExternalDataError(
            f"{path.name} keeps weights in {', '.join(missing)}, which is not there: put the file "
            f"into {path.parent}"
        )
    raise _checker_error(path, str(problem))


def _embed_small(path: Path, proto: ModelProto) -> None:
    try:
        embed_small(proto, path.resolve().parent)
    except OSError as error:
        raise ExternalDataError(
            f"{path.name} keeps weights in {error.filename}, which cannot be read: {error.strerror}"
        ) from None
    except ValueError as error:
        raise ExternalDataError(
            f"{path.name} says wrongly where its weights lie ({error}): export it again"
        ) from None


def _missing_files(path: Path, proto: ModelProto) -> list[str]:
    """Files of weights, named as the model must name them, that do not exist."""
    names = {
        item.value
        for tensor in proto.graph.initializer
        for item in tensor.external_data
        if item.key == "location"
    }
    inside = (n for n in sorted(names) if not Path(n).is_absolute() and ".." not in Path(n).parts)
    return [n for n in inside if not os.path.lexists(path.parent / n)]


def _has_external(proto: ModelProto) -> bool:
    """Whether the file mentions external data anywhere, bodies and functions included."""
    return b"location" in proto.SerializeToString()


def _with_output_shapes(proto: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(proto)
    for value in copy.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    return copy


def _checker_error(path: Path, text: str) -> Exception:
    line = " ".join(text.split("==> Context")[0].split()).rstrip(". ")
    lower = line.lower()
    if any(word in lower for word in _OUTSIDE):
        return ExternalDataError(
            f"{path.name} points at weights outside its folder, which is refused: {line}; "
            "save the model again with its weights beside it"
        )
    if "no op registered" in lower or "no opset import" in lower or "ir version" in lower:
        return UnsupportedModelError(
            f"{path.name} needs something that onnx {onnx.__version__} does not know: {line}; "
            "update onnx, or export with an older opset"
        )
    return InvalidModelError(f"{path.name} is not a valid ONNX model: {line}; export it again")


def _inline(path: Path, proto: ModelProto) -> ModelProto:
    from onnx.inliner import inline_local_functions

    try:
        return inline_local_functions(proto)
    except (ValueError, RuntimeError) as error:
        line = " ".join(str(error).split())
        raise UnsupportedModelError(
            f"{path.name} has local functions that cannot be inlined: {line}"
        ) from None


def _inputs(path: Path, proto: ModelProto) -> tuple[GraphInput, ...]:
    weights = {tensor.name for tensor in proto.graph.initializer}
    weights.update(sparse.values.name for sparse in proto.graph.sparse_initializer)
    inputs = []
    for value in proto.graph.input:
        if value.name in weights:
            continue
        if not value.type.HasField("tensor_type"):
            raise UnsupportedModelError(
                f"{path.name} takes {value.name!r}, a {value.type.WhichOneof('value')}: "
                "only tensors can be fed"
            )
        tensor = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        dims = (
            dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
            for dim in tensor.shape.dim
        )
        inputs.append(GraphInput(value.name, dtype, tuple(dims)))
    return tuple(inputs)
