"""Read a table that describes stimuli: CSV, tab-separated, or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inspector.stimuli.columns import typed_column
from inspector.stimuli.dataset import Column
from inspector.stimuli.decode import IMAGE_ENDINGS
from inspector.stimuli.errors import TableError
from inspector.stimuli.files import expand, is_glob, leaves, list_images, named, refuse_links
from inspector.stimuli.folders import FilesDataset

MOST_CELLS = 200_000_000
"""Cells of a table; beyond that it would fill the memory of a laptop."""

_PATH_COLUMNS = ("path", "file_name", "filename", "file", "image_path", "image", "img")
_LABEL_COLUMNS = ("label", "class", "category", "target", "synset")


@dataclass(frozen=True)
class TableOptions:
    """How a table describes the stimuli; the same names as the options of `inspector record`.

    Attributes
    ----------
    table : Path or None
        A `.csv`, `.tsv`, `.jsonl` or `.ndjson` file; None where the data holds its own columns
        (Parquet, tar shards).
    path_col : str or None
        Column of the images' paths below the data's folder; None takes the first of `path`,
        `file_name`, `filename`, `file`, `image_path`, `image`, `img`.
    label_col : str or None
        Column of the ground truth; None takes `label`, `class`, `category`, `target` or `synset`
        if there is one.
    group_col : str or None
        Column whose rows are not independent of each other: camera, patient, burst.
    follow_links : bool
        Whether paths may lead out of the data's folder.
    """

    table: Path | None = None
    path_col: str | None = None
    label_col: str | None = None
    group_col: str | None = None
    follow_links: bool = False


@dataclass(frozen=True)
class Table:
    """Columns of equal length, in the file's order; int64, float64 or lists of text."""

    path: Path
    rows: int
    columns: Mapping[str, Column] = field(default_factory=dict)

    def named_column(self, name: str | None, usual: Sequence[str], option: str) -> str | None:
        """Find a column by its name, or by the usual ones.

        Raises
        ------
        TableError
            When a name is given that no column has.
        """
        if name is not None:
            if name not in self.columns:
                raise TableError(
                    f"{self.path}: has no column {name!r} for {option}; its columns: "
                    f"{', '.join(map(repr, self.columns))}"
                )
            return name
        by_case = {each.casefold(): each for each in reversed(list(self.columns))}
        return next((by_case[each] for each in usual if each in by_case), None)


def read_table(path: Path) -> Table:
    """Read a table.

    CSV needs a first row of names; comma, semicolon and tab are told apart by that row. JSON lines
    need an object a line.

    Raises
    ------
    TableError
        When it cannot be read, with the line.
    """
    try:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            names, rows = _json_rows(path)
        else:
            names, rows = _csv_rows(path)
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: cannot be read as a table ({error}); give a CSV or JSON-lines file in UTF-8"
        ) from error
    if not rows:
        raise TableError(f"{path}: has no rows below its names; give a row an image")
    return Table(
        path,
        len(rows),
        {name: typed_column([row[place] for row in rows]) for place, name in enumerate(names)},
    )


def open_table_data(source: str | Path, options: TableOptions) -> FilesDataset:
    """Open the image files that a table lists.

    Parameters
    ----------
    source : str or Path
        The folder that the table's paths are below, or a glob; of the table's rows only those are
        taken whose files match the glob.
    options : TableOptions
        The table and its columns.

    Raises
    ------
    TableError
        When the table cannot be read, lacks a column, names files that are missing (they are
        listed) or names a file twice.
    LinkError
        When paths lead out of the folder and `follow_links` is not set.
    """
    if options.table is None:
        raise TableError("no table is given; name one with --table")
    table = read_table(options.table)
    root, allowed = expand(str(source)) if is_glob(str(source)) else (Path(source), None)
    path_col = table.named_column(options.path_col, _PATH_COLUMNS, "--path-col")
    if path_col is None:
        raise TableError(
            f"{table.path}: no column holds paths by its name (columns: "
            f"{', '.join(map(repr, table.columns))}); name it with --path-col"
        )
    label_col = table.named_column(options.label_col, _LABEL_COLUMNS, "--label-col")
    table.named_column(options.group_col, (), "--group-col")
    paths = _paths_below(root, [_as_path(value) for value in table.columns[path_col]], options)
    rows = range(table.rows)
    if allowed is not None:
        known = set(allowed)
        rows = [row for row in rows if paths[row] in known]  # type: ignore[assignment]
        paths = [paths[row] for row in rows]
        if not paths:
            raise TableError(
                f"{source}: matches {len(allowed):,} files, but {table.path} lists none of them"
            )
    _check_files(root, paths, table, options)
    columns = {
        name: _chosen(values, rows) for name, values in table.columns.items() if name != path_col
    }
    data = FilesDataset(
        root.resolve().name,
        root,
        paths,
        columns[label_col] if label_col is not None else [""] * len(paths),
        {name: values for name, values in columns.items() if name != label_col},
    )
    data.group_column = options.group_col
    return data


def _check_files(root: Path, paths: Sequence[str], table: Table, options: TableOptions) -> None:
    twice = _first_repeated(paths)
    if twice is not None:
        raise TableError(f"{table.path}: lists {twice!r} twice; keep one row a file")
    if not options.follow_links:
        refuse_links(root, leaves(root, paths))
    missing = [path for path in paths if not (root / path).is_file()]
    if missing:
        raise TableError(
            f"{table.path}: {len(missing):,} of {len(paths):,} files are missing in {root}: "
            f"{named(missing)}; mend the table, or give the folder that its paths start from"
        )


def _paths_below(root: Path, listed: Sequence[str], options: TableOptions) -> list[str]:
    """Make paths relative to the folder, and find the ending of names that have none."""
    base = str(root.resolve()) + "/"
    paths = []
    for path in listed:
        path = path.strip().replace("\\", "/")
        while path.startswith("./"):
            path = path[2:]
        paths.append(path.removeprefix(base))
    if any(Path(path).suffix.lower() not in IMAGE_ENDINGS for path in paths) and root.is_dir():
        files = list_images(root, follow_links=True)
        by_stem = {path.rsplit(".", 1)[0]: path for path in files}
        known = set(files)
        paths = [path if path in known else by_stem.get(path, path) for path in paths]
    return paths


def _as_path(value: Any) -> str:
    return str(value.item() if isinstance(value, np.generic) else value)


def _chosen(values: Column, rows: Sequence[int]) -> Column:
    if isinstance(values, np.ndarray):
        return values[list(rows)]
    return [values[row] for row in rows]


def _csv_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(1 << 16)
        file.seek(0)
        delimiter = max(",;\t", key=first.count) if any(d in first for d in ",;\t") else ","
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        rows: list[list[str]] = []
        names: list[str] = []
        try:
            for row in reader:
                if not row:
                    continue
                if not names:
                    names = _checked_names(path, [name.strip() for name in row])
                    continue
                if len(row) != len(names):
                    raise TableError(
                        f"{path}: line {reader.line_num:,} has {len(row)} cells where the first "
                        f"row names {len(names)} columns; mend the line"
                    )
                rows.append(row)
                _check_cells(path, len(rows) * len(names))
        except csv.Error as error:
            raise TableError(
                f"{path}: line {reader.line_num:,} is no CSV ({error}); mend the line"
            ) from error
    return names, rows


def _json_rows(path: Path) -> tuple[list[str], list[list[Any]]]:
    objects: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TableError(
                    f"{path}: line {number:,} is no JSON ({error}); write an object a line"
                ) from error
            if not isinstance(row, dict):
                raise TableError(
                    f"{path}: line {number:,} holds {type(row).__name__}; write an object a line"
                )
            objects.append(row)
            names.update(dict.fromkeys(row))
            _check_cells(path, len(objects) * len(names))
    listed = _checked_names(path, list(names)) if objects else []
    return listed, [[row.get(name) for name in listed] for row in objects]


def _checked_names(path: Path, names: list[str]) -> list[str]:
    names = [name.encode("utf-8", "replace").decode("utf-8") for name in names]
    twice = _first_repeated(names)
    if twice is not None or "" in names:
        what = f"names the column {twice!r} twice" if twice else "has a column without a name"
        raise TableError(f"{path}: {what}; give each column a name of its own")
    return names


def _check_cells(path: Path, cells: int) -> None:
    if cells > MOST_CELLS:
        raise TableError(f"{path}: has more than {MOST_CELLS:,} cells; split the table")


def _first_repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
