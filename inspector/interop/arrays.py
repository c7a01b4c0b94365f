"""A recording as arrays that numpy alone can read, in one `.npz` file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from inspector.interop.selection import select_layers
from inspector.interop.whole_file import whole_file
from inspector.recording import Recording

_MOST_ROWS = 4096
_BLOCK_BYTES = 16 << 20
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that equal recordings make equal files."""


def export_npz(
    recording: Recording,
    target: str | os.PathLike[str],
    *,
    layers: Sequence[str] = (),
    reduction: str | None = None,
    overwrite: bool = False,
    on_images: Callable[[int, int], None] | None = None,
) -> Path:
    """Write arrays for ``numpy.load``, without pickles; memory does not grow with the images.

    Arrays: `name`, `model`, `classes` (text); `images` (numbers in the recording's file, int64),
    `labels`, `predictions` (int32, -1 for none), `confidences` (float32), `paths`, `skipped`
    (the reason, "" for none; text); `columns/NAME`; `activity/LAYER/REDUCTION` (float32
    [images, units]).

    Parameters
    ----------
    recording : Recording
    target : path
    layers : sequence of str
        All layers under all their reductions when empty.
    reduction : str, optional
        The one to write.
    overwrite : bool
    on_images : callable, optional
        Called with (images done, images), images counted once for each activity array.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TargetExistsError, UnwritableFileError
    UnknownLayerError, UnknownReductionError
    """
    path = Path(target)
    chosen = [(each.layer, each.reduction) for each in select_layers(recording, layers, reduction)]
    if reduction is None:
        chosen = [(layer, each) for layer, _ in chosen for each in layer.reductions]
    steps, done = recording.images * len(chosen), 0
    with whole_file(path, overwrite=overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        members = _Members(archive)
        members.text("name", [recording.name], ())
        members.text("model", [recording.model.get("name", "")], ())
        members.text("classes", recording.classes)
        members.array("images", recording.numbers)
        members.array("labels", recording.labels)
        members.array("predictions", recording.predictions)
        members.array("confidences", recording.confidences)
        members.text("paths", recording.paths)
        members.text("skipped", _Reasons(recording))
        for name, values in recording.columns.items():
            if isinstance(values, np.ndarray):
                members.array(f"columns/{name}", values)
            else:
                members.text(f"columns/{name}", values)
        for layer, each in chosen:
            activity = recording.activity(layer.name, each)
            blocks = (np.ascontiguousarray(block.T) for _, block in activity.blocks())
            used = each if each in layer.reductions else layer.same.get(each, each)
            name = f"activity/{layer.name}/{used}"
            for rows in members.blocks(name, np.dtype("<f4"), activity.shape, blocks):
                done += rows
                if on_images is not None:
                    on_images(done, steps)
    return path


class _Members:
    """Writes arrays into a ZIP file block by block."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def array(self, name: str, values: NDArray[Any]) -> None:
        """Write a numeric array."""
        dtype = values.dtype.newbyteorder("<")
        for _ in self.blocks(name, dtype, values.shape, [np.ascontiguousarray(values, dtype)]):
            pass

    def text(self, name: str, values: Sequence[str], shape: tuple[int, ...] | None = None) -> None:
        """Write text in the fixed width that numpy reads without pickles: that of the longest."""
        widest = max((len(each) for each in values), default=0)
        dtype = np.dtype(f"<U{max(1, widest)}")
        rows = max(1, min(_MOST_ROWS, _BLOCK_BYTES // dtype.itemsize))
        blocks = (
            np.array(values[first : first + rows], dtype) for first in range(0, len(values), rows)
        )
        shape = (len(values),) if shape is None else shape
        # Mostly zeros: four bytes for each character of the longest.
        for _ in self.blocks(name, dtype, shape, blocks, zipfile.ZIP_DEFLATED):
            pass

    def blocks(
        self,
        name: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        blocks: Iterable[NDArray[Any]],
        compression: int = zipfile.ZIP_STORED,
    ) -> Iterator[int]:
        """Write an array given in blocks of rows; yield the rows of each."""
        info = zipfile.ZipInfo(f"{name}.npy", _LONG_AGO)
        info.compress_type = compression
        with self._archive.open(info, "w", force_zip64=True) as member:
            described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            write_array_header_1_0(member, described)
            for block in blocks:
                member.write(block.reshape(-1).view(np.uint8).data)
                yield len(block)


class _Reasons(Sequence[str]):
    """Why each image was skipped, "" for most, without a list of them all."""

    def __init__(self, recording: Recording) -> None:
        self._skipped = recording.skipped
        self._count = recording.images

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._skipped.get(each, "") for each in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._skipped.get(index, "")
