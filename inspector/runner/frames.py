"""Messages between the recording process and its worker: msgpack for words, raw bytes for arrays.

A frame is the length of its head (8 bytes, little-endian), the head (a msgpack map), and the
arrays that the head lists, one after another. No pickle: the worker runs strangers' models, so
what it answers is data and never code.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import msgpack
import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")
_MAX_HEAD = 1 << 31
_ARRAYS = "arrays"
_KINDS = "fiub"


class FrameError(Exception):
    """The stream ended or holds no frame; the process at its other end is gone or broken."""


def write_frame(
    stream: BinaryIO, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None
) -> None:
    """Write one message and flush it.

    Parameters
    ----------
    stream : binary stream
        A pipe.
    head : mapping
        What msgpack can hold. The key `arrays` is the frame's own.
    arrays : mapping of name to array, optional
        Numbers of any shape.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in (arrays or {}).items()}
    listed = [[name, a.dtype.str, list(a.shape)] for name, a in contiguous.items()]
    packed = msgpack.packb({**head, _ARRAYS: listed}, use_bin_type=True)
    stream.write(_LENGTH.pack(len(packed)))
    stream.write(packed)
    for array in contiguous.values():
        if array.size:
            stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read one message.

    Returns
    -------
    dict, dict of array
        The head without its list of arrays, and the arrays by name.

    Raises
    ------
    FrameError
        When the stream ends or what it holds is no frame.
    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    if length > _MAX_HEAD:
        raise FrameError(f"a head of {length} bytes")
    try:
        head = msgpack.unpackb(_read(stream, length), raw=False, max_map_len=1 << 20)
        listed = head.pop(_ARRAYS)
        arrays = {name: _read_array(stream, dtype, shape) for name, dtype, shape in listed}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FrameError(f"no message ({error})") from error
    return head, arrays


def _read_array(stream: BinaryIO, dtype_text: str, shape: list[int]) -> NDArray[Any]:
    dtype = np.dtype(dtype_text)
    if dtype.kind not in _KINDS:
        raise FrameError(f"an array of {dtype}")
    array = np.empty(shape, dtype)
    if array.size:
        _fill(stream, array.reshape(-1).view(np.uint8).data)
    return array


def _read(stream: BinaryIO, length: int) -> bytearray:
    content = bytearray(length)
    _fill(stream, memoryview(content))
    return content


def _fill(stream: BinaryIO, view: memoryview) -> None:
    filled = 0
    while filled < len(view):
        got = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not got:
            raise FrameError("the stream ended")
        filled += got
