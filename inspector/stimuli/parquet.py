"""Parquet files with image bytes, as Hugging Face lays them out (extra `parquet`: pyarrow).

An image is a struct of `bytes` and `path`, or plain bytes; other flat columns are ground truth and
metadata. Rows are read in small batches within one row group, so that memory stays bounded
whatever the size of the file. A path without bytes is never opened.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.columns import categories, typed_column
from inspector.stimuli.dataset import UNLABELLED, Column, Dataset
from inspector.stimuli.decode import MAX_FILE_BYTES, decode_image
from inspector.stimuli.errors import (
    ArchiveError,
    BrokenImageError,
    EmptyDataError,
    MissingExtraError,
    TableError,
)
from inspector.stimuli.tables import TableOptions

_ROWS_READ = 16
_KEPT_BATCHES = 16
_LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "category", "target")


class ParquetDataset(Dataset):
    """The rows of Parquet files that have an image column.

    Parameters
    ----------
    name : str
        Of the dataset.
    files : sequence of Path
        All with the same columns.
    options : TableOptions, optional
        `path_col` names the column of the images, `label_col` the ground truth, `group_col` the
        column whose rows are not independent.

    Raises
    ------
    MissingExtraError
        When pyarrow is not installed.
    ArchiveError, TableError, EmptyDataError
        When a file is broken, a column is missing, or there are no rows.
    """

    def __init__(
        self, name: str, files: Sequence[Path], options: TableOptions | None = None
    ) -> None:
        options = options or TableOptions()
        self.name = name
        self._readers = [_Reader(path) for path in files]
        schema = self._readers[0].schema
        odd = next((r for r in self._readers if r.schema.names != schema.names), None)
        if odd is not None:
            raise ArchiveError(
                f"{odd.path}: has other columns than {files[0].name}; give files of one kind"
            )
        self._image = _image_column(files[0], schema, options.path_col)
        for reader in self._readers:
            reader.image = self._image
        self._ends = np.cumsum([reader.rows for reader in self._readers])
        if self._ends[-1] == 0:
            raise EmptyDataError(f"{name}: holds no rows; give a file of at least one image")
        columns = self._flat_columns(schema)
        label_col = options.label_col or next((c for c in _LABEL_COLUMNS if c in columns), None)
        for column, option in ((label_col, "--label-col"), (options.group_col, "--group-col")):
            if column is not None and column not in columns:
                raise TableError(
                    f"{name}: has no column {column!r} for {option}; its columns: "
                    f"{', '.join(map(repr, columns))}"
                )
        self.group_column = options.group_col
        self.category_names, self._labels = None, super().labels()
        if label_col is not None:
            self._set_labels(columns.pop(label_col), _class_names(schema, label_col))
        self._columns = columns

    def _flat_columns(self, schema: Any) -> dict[str, Column]:
        import pyarrow as pa

        flat = [
            field.name
            for field in schema
            if field.name != self._image
            and (
                pa.types.is_integer(field.type)
                or pa.types.is_floating(field.type)
                or pa.types.is_boolean(field.type)
                or pa.types.is_string(field.type)
                or pa.types.is_large_string(field.type)
                or pa.types.is_dictionary(field.type)
            )
        ]
        cells: dict[str, list[Any]] = {column: [] for column in flat}
        for reader in self._readers:
            for column, values in reader.columns(flat).items():
                cells[column] += values
        return {column: typed_column(values) for column, values in cells.items()}

    def _set_labels(self, labels: Column, names: tuple[str, ...] | None) -> None:
        if isinstance(labels, np.ndarray) and names is not None:
            numbers = np.nan_to_num(labels, nan=UNLABELLED).astype(np.int64)
            wrong = (numbers < UNLABELLED) | (numbers >= len(names))
            if wrong.any():
                raise TableError(
                    f"{self.name}: row {int(np.argmax(wrong))} has the label "
                    f"{numbers[wrong][0]}, but the file names {len(names)} classes; mend the file"
                )
            self.category_names, self._labels = names, numbers.astype(np.int32)
        else:
            self.category_names, self._labels = categories(labels)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, number: int) -> NDArray[Any]:
        file = int(np.searchsorted(self._ends, number, side="right"))
        reader = self._readers[file]
        row = number - int(self._ends[file] - reader.rows)
        name = f"{reader.path}:{row}"
        content = reader.image_bytes(row)
        if content is None:
            raise BrokenImageError(f"{name}: holds no image bytes; save the images in the file")
        if len(content) > MAX_FILE_BYTES:
            raise BrokenImageError(
                f"{name}: has {len(content):,} bytes (limit {MAX_FILE_BYTES:,}); shrink it"
            )
        return decode_image(content, name)

    def digest(self) -> str:
        """Hash every file's footer (sizes and places of all columns) and the labels."""
        stimuli = hashlib.sha256()
        for reader in self._readers:
            stimuli.update(f"{reader.path.name}\0{reader.rows}\n".encode())
            stimuli.update(reader.footer())
        stimuli.update("\0".join(self.category_names or ()).encode("utf-8", "replace"))
        stimuli.update(np.ascontiguousarray(self._labels, "<i4").data)
        return stimuli.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        return self._labels

    @property
    def columns(self) -> dict[str, Column]:
        return self._columns


class _Reader:
    """One Parquet file: image bytes by row, a few batches kept, one thread at a time."""

    def __init__(self, path: Path) -> None:
        pq = _pyarrow_parquet()
        self.path = path
        self.image = ""
        self._lock = threading.Lock()
        try:
            # Pages are read as they are needed, not whole row groups at once.
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        except (OSError, ValueError) as error:
            raise ArchiveError(
                f"{path}: cannot be read as Parquet ({_first_line(error)}); copy it again"
            ) from error
        meta = self._file.metadata
        sizes = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self.schema = self._file.schema_arrow
        self._group_ends = np.cumsum(sizes, dtype=np.int64)
        self.rows = int(self._group_ends[-1]) if sizes else 0
        self._batches: OrderedDict[tuple[int, int], list[bytes | None]] = OrderedDict()
        self._walk: Iterator[Any] | None = None
        self._walk_at = (-1, 0)

    def columns(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Read flat columns whole."""
        try:
            found: dict[str, list[Any]] = self._file.read(columns=list(names)).to_pydict()
        except (OSError, ValueError, UnicodeDecodeError) as error:
            raise ArchiveError(
                f"{self.path}: cannot be read as Parquet ({_first_line(error)}); copy it again"
            ) from error
        return found

    def footer(self) -> bytes:
        """The file's last bytes: its metadata, which every change of its content changes."""
        with self.path.open("rb") as file:
            length = file.seek(0, 2)
            file.seek(max(0, length - 8))
            size = min(int.from_bytes(file.read(4), "little") + 8, length)
            file.seek(length - size)
            return file.read(size)

    def image_bytes(self, row: int) -> bytes | None:
        """Return the bytes of one row's image; None when it has none."""
        group = int(np.searchsorted(self._group_ends, row, side="right"))
        inside = row - (int(self._group_ends[group - 1]) if group else 0)
        wanted = (group, inside // _ROWS_READ)
        with self._lock:
            if wanted not in self._batches:
                try:
                    self._advance(wanted)
                except (OSError, ValueError) as error:
                    raise BrokenImageError(
                        f"{self.path}:{row}: cannot be read ({_first_line(error)}); copy the file "
                        "again"
                    ) from error
            self._batches.move_to_end(wanted)
            return self._batches[wanted][inside % _ROWS_READ]

    def _advance(self, wanted: tuple[int, int]) -> None:
        """Read on to a batch, from the row group's start where it lies behind."""
        if self._walk is None or self._walk_at[0] != wanted[0] or self._walk_at[1] > wanted[1]:
            self._walk = self._file.iter_batches(
                _ROWS_READ, row_groups=[wanted[0]], columns=[self.image], use_threads=False
            )
            self._walk_at = (wanted[0], 0)
        while self._walk_at[1] <= wanted[1]:
            batch = next(self._walk, None)
            if batch is None:
                self._walk = None
                raise ValueError("holds fewer rows than it says")
            cells = batch.column(0).to_pylist()
            self._batches[self._walk_at] = [
                cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells
            ]
            self._walk_at = (wanted[0], self._walk_at[1] + 1)
            while len(self._batches) > _KEPT_BATCHES:
                self._batches.popitem(last=False)


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(
            "Parquet files need pyarrow, which is not installed: "
            "pip install onnx-inspector[parquet]"
        ) from error
    return pq


def _image_column(path: Path, schema: Any, named: str | None) -> str:
    import pyarrow as pa

    def holds_images(field: Any) -> bool:
        if pa.types.is_struct(field.type):
            return bool(field.type.get_field_index("bytes") >= 0)
        return bool(pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))

    fitting = [field.name for field in schema if holds_images(field)]
    if named is not None:
        if named not in fitting:
            raise TableError(
                f"{path}: no column {named!r} with image bytes for --path-col (with bytes: "
                f"{', '.join(map(repr, fitting)) or 'none'})"
            )
        return named
    if not fitting:
        raise TableError(
            f"{path}: no column holds image bytes (columns: {', '.join(map(repr, schema.names))}); "
            "save the images in the file, as bytes or as {bytes, path}"
        )
    return next((name for name in ("image", "img") if name in fitting), fitting[0])


def _class_names(schema: Any, column: str) -> tuple[str, ...] | None:
    """Names of a ClassLabel, from what Hugging Face's datasets library leaves in the schema."""
    try:
        kept = json.loads((schema.metadata or {})[b"huggingface"])
        names = kept["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return tuple(names) if len(set(names)) == len(names) else None
    return None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
