"""Tar shards in WebDataset naming, read in place: `KEY.jpg`, `KEY.cls`, `KEY.json` are a sample."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.columns import categories, typed_column
from inspector.stimuli.dataset import Column, Dataset
from inspector.stimuli.decode import IMAGE_ENDINGS, MAX_FILE_BYTES, decode_image
from inspector.stimuli.errors import ArchiveError, BrokenImageError, EmptyDataError, TableError
from inspector.stimuli.tables import TableOptions
from inspector.stimuli.tar_index import Member, tar_members

_MOST_TEXT_BYTES = 1 << 20
_LABEL_FIELDS = ("label", "class", "category", "target", "cls", "synset")


@dataclass(slots=True)
class _Sample:
    """The files of one key."""

    shard: int
    key: str
    files: dict[str, Member] = field(default_factory=dict)

    def image(self) -> Member | None:
        return next((m for e, m in self.files.items() if f".{e}" in IMAGE_ENDINGS), None)


class ShardDataset(Dataset):
    """The samples of tar shards that hold an image.

    A sample's ground truth is in `KEY.cls` (a number or a name), or a field `label` (`class`, …) of
    `KEY.json`; the fields of `KEY.json` and the words of `KEY.txt` are columns, as are `key` and
    `shard`.

    Parameters
    ----------
    name : str
        Of the dataset.
    shards : sequence of Path
        Uncompressed tar files, in order.
    options : TableOptions, optional
        `label_col` and `group_col` name fields of `KEY.json`.

    Raises
    ------
    ArchiveError
        When a shard is broken.
    EmptyDataError
        When no sample holds an image.
    """

    def __init__(
        self, name: str, shards: Sequence[Path], options: TableOptions | None = None
    ) -> None:
        options = options or TableOptions()
        self.name = name
        self._shards = list(shards)
        samples = [s for place, path in enumerate(self._shards) for s in _samples(place, path)]
        with_image = [(sample, sample.image()) for sample in samples]
        self._images = [(s.shard, image) for s, image in with_image if image is not None]
        kept = [sample for sample, image in with_image if image is not None]
        if not kept:
            raise EmptyDataError(
                f"{name}: none of its {len(samples):,} samples holds an image; a sample needs "
                "KEY.jpg, KEY.png or the like"
            )
        facts = [_facts(self._shards[sample.shard], sample) for sample in kept]
        columns = _columns(kept, facts, [path.name for path in self._shards])
        label_col = _label_field(name, columns, options)
        labels = columns.pop(label_col) if label_col is not None else [""] * len(kept)
        columns.pop("cls", None)
        self.category_names, self._labels = categories(labels)
        self._columns = columns
        if options.group_col is not None and options.group_col not in columns:
            raise _no_column(name, options.group_col, "--group-col", columns)
        self.group_column = options.group_col

    def __len__(self) -> int:
        return len(self._images)

    def read(self, number: int) -> NDArray[Any]:
        shard, member = self._images[number]
        name = f"{self._shards[shard]}:{member.name}"
        if member.size > MAX_FILE_BYTES:
            raise BrokenImageError(
                f"{name}: has {member.size:,} bytes (limit {MAX_FILE_BYTES:,}); shrink it"
            )
        try:
            content = _bytes(self._shards[shard], member)
        except OSError as error:
            raise BrokenImageError(f"{name}: cannot be read ({error.strerror})") from error
        return decode_image(content, name)

    def digest(self) -> str:
        """Hash every name, size and label."""
        stimuli = hashlib.sha256()
        names = self.category_names or ()
        for (shard, member), label in zip(self._images, self._labels, strict=True):
            category = names[label] if label >= 0 else ""
            line = f"{self._shards[shard].name}\0{member.name}\0{member.size}\0{category}\n"
            stimuli.update(line.encode("utf-8", "surrogateescape"))
        return stimuli.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        return self._labels

    @property
    def columns(self) -> dict[str, Column]:
        return self._columns


def _samples(shard: int, path: Path) -> list[_Sample]:
    """Group a shard's files by key: all up to the first point of the file's name."""
    samples: list[_Sample] = []
    for member in tar_members(path):
        folder, slash, file = member.name.rpartition("/")
        stem, point, ending = file.partition(".")
        if not point or not stem:
            continue
        key = f"{folder}{slash}{stem}"
        if not samples or samples[-1].key != key:
            samples.append(_Sample(shard, key))
        samples[-1].files.setdefault(ending.lower(), member)
    return samples


def _facts(path: Path, sample: _Sample) -> dict[str, Any]:
    """What a sample's texts say, by field."""
    facts: dict[str, Any] = {}
    if "json" in sample.files:
        member = sample.files["json"]
        try:
            read = json.loads(_text(path, member))
        except (ValueError, RecursionError) as error:
            raise ArchiveError(f"{path}: {member.name!r} is no JSON ({error}); mend it") from error
        if isinstance(read, dict):
            facts.update({str(name): value for name, value in read.items()})
    for ending in ("txt", "cls"):
        if ending in sample.files:
            facts[ending] = _text(path, sample.files[ending]).strip()
    return facts


def _columns(
    samples: Sequence[_Sample], facts: Sequence[dict[str, Any]], shards: Sequence[str]
) -> dict[str, Column]:
    names: dict[str, None] = {}
    for fact in facts:
        names.update(dict.fromkeys(fact))
    columns = {name: typed_column([fact.get(name) for fact in facts]) for name in names}
    columns["key"] = [sample.key for sample in samples]
    columns["shard"] = [shards[sample.shard] for sample in samples]
    return {name.encode("utf-8", "replace").decode(): column for name, column in columns.items()}


def _label_field(name: str, columns: dict[str, Column], options: TableOptions) -> str | None:
    if options.label_col is not None:
        if options.label_col not in columns:
            raise _no_column(name, options.label_col, "--label-col", columns)
        return options.label_col
    if "cls" in columns:
        return "cls"
    return next((each for each in _LABEL_FIELDS if each in columns), None)


def _no_column(name: str, column: str, option: str, columns: dict[str, Column]) -> TableError:
    return TableError(
        f"{name}: has no column {column!r} for {option}; its columns: "
        f"{', '.join(map(repr, columns))}"
    )


def _text(path: Path, member: Member) -> str:
    if member.size > _MOST_TEXT_BYTES:
        raise ArchiveError(
            f"{path}: {member.name!r} has {member.size:,} bytes (limit {_MOST_TEXT_BYTES:,}); "
            "keep labels and metadata small"
        )
    try:
        return _bytes(path, member).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{path}: {member.name!r} is no UTF-8 text; mend it") from error


def _bytes(path: Path, member: Member) -> bytes:
    with path.open("rb") as file:
        file.seek(member.offset, os.SEEK_SET)
        return file.read(member.size)
