"""Numbers of images and units as they are asked for: one, a slice, an index array, a mask."""

from __future__ import annotations

import operator
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.errors import OutOfRangeError


def one_number(value: Any, size: int, what: str, path: str | PathLike[str] = "") -> int:
    """Return a number of 0 to size-1; a negative one counts from the end.

    Parameters
    ----------
    value : int
        Also a numpy integer, but no boolean.
    size : int
    what : str
        What is numbered, such as "image number", for the message.
    path : path
        The recording, for the message.

    Raises
    ------
    OutOfRangeError
        If it is no whole number, or outside.
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise _not_whole(value, what, path) from None
    if not -size <= number < size:
        raise _outside(number, size, what, path)
    return number % size


def numbers_of(
    key: Any, size: int, what: str, path: str | PathLike[str] = ""
) -> tuple[NDArray[np.int64], bool]:
    """Return the numbers that a key stands for, and whether it was a single one.

    Raises
    ------
    OutOfRangeError
        If one is no whole number or outside, or a mask has another length.
    """
    if isinstance(key, slice):
        return np.arange(*key.indices(size), dtype=np.int64), False
    if key is Ellipsis:
        return np.arange(size, dtype=np.int64), False
    try:
        array = np.asarray(key)
    except ValueError:  # lists of different lengths
        raise _not_whole(key, what, path) from None
    if array.ndim == 0:
        return np.array([one_number(array.item(), size, what, path)], np.int64), True
    if array.dtype == bool:
        if array.shape != (size,):
            raise OutOfRangeError(
                f"mask over {what}s", path=path, value=list(array.shape), limit=[size]
            )
        return np.flatnonzero(array).astype(np.int64), False
    if array.ndim > 1:
        raise OutOfRangeError(f"axes of {what}s", path=path, value=array.ndim, limit=1)
    if array.dtype == object:  # numbers of more than 64 bits, or anything else
        array = np.array([one_number(each, size, what, path) for each in array], np.int64)
    if array.size and array.dtype.kind not in "iu":
        raise _not_whole(key, what, path)
    # Before the cast: a number of 64 bits without sign would come out negative.
    wrong = (array < -size) | (array >= size) if array.size else np.zeros(0, bool)
    if wrong.any():
        raise _outside(int(array[wrong][0]), size, what, path)
    numbers = array.astype(np.int64)
    return np.where(numbers < 0, numbers + size, numbers), False


def _not_whole(value: Any, what: str, path: str | PathLike[str]) -> OutOfRangeError:
    return OutOfRangeError(f"{what} must be a whole number", path=path, value=repr(value)[:40])


def _outside(number: int, size: int, what: str, path: str | PathLike[str]) -> OutOfRangeError:
    limit = f"0 to {size - 1}" if size else "no images yet"
    # str() of a number refuses more than 4,300 digits.
    shown = number if number.bit_length() < 1000 else f"a number of {number.bit_length()} bits"
    return OutOfRangeError(what, path=path, value=shown, limit=limit)
