"""Find out what a user's data is and open it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from inspector.stimuli.arrays import ArrayDataset, open_array_file
from inspector.stimuli.cifar import CifarDataset, cifar_files, is_cifar
from inspector.stimuli.coloured_digits import COLOURINGS, colour_digits, held_out_digits
from inspector.stimuli.dataset import Dataset
from inspector.stimuli.decode import IMAGE_ENDINGS
from inspector.stimuli.errors import DataNotFoundError, TableError
from inspector.stimuli.files import expand, is_glob
from inspector.stimuli.folders import FolderDataset, open_glob
from inspector.stimuli.idx import is_idx, open_idx
from inspector.stimuli.parquet import ParquetDataset
from inspector.stimuli.shards import ShardDataset
from inspector.stimuli.tables import TableOptions, open_table_data

DEMO_PREFIX = "demo:"
_BRACES = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_MOST_SHARDS = 100_000
_TAR_ENDINGS = (".tar",)
_PARQUET_ENDINGS = (".parquet", ".pq")


def open_data(source: str | Path, options: TableOptions | None = None) -> Dataset:
    """Open stimuli.

    Parameters
    ----------
    source : str or Path
        A folder of images or of a folder per category; a glob of images; either with a table in
        `options`; a `.npy` or `.npz` file; an MNIST idx file (`.gz` too); a CIFAR `.bin` file or
        the folder of them; `.tar` or `.parquet` files (one, a folder of them, a glob, or
        `train-{0000..0009}.tar`); or `demo:` and the name of a packaged set.
    options : TableOptions, optional
        A table that describes the images, the columns to use, whether links may be followed.

    Raises
    ------
    DataNotFoundError
        When nothing is there, or it is of no kind that can be read.
    StimuliError
        When it is broken, or does not fit `options`.
    """
    options = options or TableOptions()
    text = str(source)
    if text.startswith(DEMO_PREFIX):
        _refuse_columns(text, options)
        return open_demo_set(text.removeprefix(DEMO_PREFIX))
    if options.table is not None:
        if not is_glob(text) and not Path(source).is_dir():
            raise DataNotFoundError(
                f"{text}: --table describes image files; give the folder that its paths start from"
            )
        return open_table_data(source, options)
    files = _named_files(text)
    if files is not None:
        return _open_files(text, files, options)
    path = Path(source)
    if not path.exists():
        raise DataNotFoundError(f"{path}: there is no such file or folder; check the path")
    if path.is_dir():
        return _open_folder(path, options)
    return _open_files(text, [path], options)


def _named_files(text: str) -> list[Path] | None:
    """Files that a glob or a run of numbers in braces stands for; None for a plain path."""
    run = _BRACES.search(text)
    if run is not None and not Path(text).exists():
        first, last = int(run[1]), int(run[2])
        if not 0 <= last - first < _MOST_SHARDS:
            raise DataNotFoundError(
                f"{text}: the run {run[0]} counts {last - first + 1:,} files "
                f"(limit {_MOST_SHARDS:,}, and upwards)"
            )
        width = len(run[1])
        files = [
            Path(f"{text[: run.start()]}{number:0{width}d}{text[run.end() :]}")
            for number in range(first, last + 1)
        ]
        missing = [path for path in files if not path.is_file()]
        if missing:
            raise DataNotFoundError(
                f"{text}: {len(missing):,} of {len(files):,} files do not exist, first {missing[0]}"
            )
        return files
    if not is_glob(text):
        return None
    root, matches = expand(text)
    return [root / match for match in matches]


def _open_folder(path: Path, options: TableOptions) -> Dataset:
    for folder in (path, path / "data"):
        entries = sorted(folder.glob("[!.]*")) if folder.is_dir() else []
        for endings, opened in (_SHARDS, _PARQUET):
            files = [each for each in entries if each.suffix.lower() in endings and each.is_file()]
            if files:
                _refuse_images_beside(path, files[0])
                return opened(path.resolve().name, files, options)
    _refuse_columns(str(path), options)
    cifar = cifar_files(path)
    if cifar:
        return CifarDataset(path.resolve().name, cifar)
    return FolderDataset(path, follow_links=options.follow_links)


def _refuse_images_beside(path: Path, archive: Path) -> None:
    """Never guess which of two kinds of data is meant."""
    for folder in (path, *(each for each in path.iterdir() if each.is_dir())):
        image = next((e for e in folder.iterdir() if e.suffix.lower() in IMAGE_ENDINGS), None)
        if image is not None:
            raise DataNotFoundError(
                f"{path}: holds {archive.name} and images such as {image.name}; "
                "name the file, or a glob of the images"
            )


def _open_files(text: str, files: Sequence[Path], options: TableOptions) -> Dataset:
    first = files[0]
    odd = next((path for path in files if not path.is_file()), None)
    if odd is not None:
        raise DataNotFoundError(f"{odd}: is no regular file; give a folder or a file of data")
    name = first.stem if len(files) == 1 else _common_name(files)
    for endings, opened in (_SHARDS, _PARQUET):
        if all(path.suffix.lower() in endings for path in files):
            return opened(name, files, options)
    _refuse_columns(text, options)
    if all(is_cifar(path) for path in files):
        return CifarDataset(name, files)
    if is_glob(text):
        return open_glob(text, follow_links=options.follow_links)
    if len(files) == 1 and first.suffix.lower() in (".npy", ".npz"):
        return open_array_file(first)
    if len(files) == 1 and is_idx(first):
        return open_idx(first)
    if len(files) == 1 and first.name.lower().endswith((".tar.gz", ".tgz", ".tar.zst", ".tar.xz")):
        raise DataNotFoundError(
            f"{text}: a compressed tar cannot be read in place; decompress it (gunzip) first"
        )
    raise DataNotFoundError(
        f"{text}: not a kind of data that can be read; give a folder of images, a .npy or .npz "
        "file, MNIST idx, CIFAR .bin, .tar shards, .parquet, a table with --table, or "
        f"demo:{'|'.join(COLOURINGS)}"
    )


def _common_name(files: Sequence[Path]) -> str:
    """What the names of several files begin with, or the name of their folder."""
    first, last = min(path.stem for path in files), max(path.stem for path in files)
    alike = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), len(first))  # noqa: B905
    return first[:alike].rstrip("-_.0123456789") or files[0].resolve().parent.name


def _refuse_columns(text: str, options: TableOptions) -> None:
    for option, column in (
        ("--path-col", options.path_col),
        ("--label-col", options.label_col),
        ("--group-col", options.group_col),
    ):
        if column is not None:
            raise TableError(
                f"{text}: has no columns for {option} {column}; name the table with --table"
            )


_Opened = Callable[[str, Sequence[Path], TableOptions], Dataset]
_SHARDS: tuple[tuple[str, ...], _Opened] = (_TAR_ENDINGS, ShardDataset)
_PARQUET: tuple[tuple[str, ...], _Opened] = (_PARQUET_ENDINGS, ParquetDataset)


def open_demo_set(name: str) -> Dataset:
    """Open the held-out digits, coloured on the fly in the way `name` says."""
    if name not in COLOURINGS:
        raise DataNotFoundError(
            f"{DEMO_PREFIX}{name}: there is no such set; choose one of {', '.join(COLOURINGS)}"
        )
    digits, labels = held_out_digits()
    return ArrayDataset(name, colour_digits(digits, labels, name), labels.astype(np.int32))
