"""CIFAR-10 and CIFAR-100 in their binary form, mapped, never loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import Column, Dataset
from inspector.stimuli.errors import ArrayFormatError

_PIXELS = 3 * 32 * 32
_SIDE = 32


@dataclass(frozen=True)
class _Kind:
    """Layout of a record: label bytes before the pixels, and the number of classes."""

    labels: int
    classes: int
    names: tuple[str, ...]

    @property
    def record(self) -> int:
        return self.labels + _PIXELS


_CIFAR_10 = _Kind(1, 10, ("batches.meta.txt",))
_CIFAR_100 = _Kind(2, 100, ("fine_label_names.txt",))


class CifarDataset(Dataset):
    """The records of CIFAR files, one file after the other.

    Columns: `file`, `split` (`test` for files whose name begins so, else `train`), and for
    CIFAR-100 `coarse`, the superclass. Category names are read from the file of names that lies
    beside; without one, labels are numbers of outputs.

    Parameters
    ----------
    name : str
        Of the dataset.
    files : sequence of Path
        In one folder.

    Raises
    ------
    ArrayFormatError
        When a file is no CIFAR file, or they are of two kinds.
    """

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        self.name = name
        kinds = [_kind(path) for path in files]
        odd = next((f for f, kind in zip(files, kinds, strict=True) if kind is None), None)
        if odd is not None:
            raise ArrayFormatError(
                f"{odd}: is no CIFAR file; it needs records of 3,073 bytes (CIFAR-10) or 3,074 "
                "(CIFAR-100) with the label first"
            )
        kind = kinds[0]
        if kind is None or any(other != kind for other in kinds):
            raise ArrayFormatError(f"{name}: holds CIFAR-10 and CIFAR-100; give them apart")
        self._files = [np.memmap(path, np.uint8, "r").reshape(-1, kind.record) for path in files]
        self._ends = np.cumsum([len(records) for records in self._files])
        self._skip = kind.labels
        folder = files[0].parent
        self.category_names = _names(folder, kind.names, kind.classes)
        self._labels = np.concatenate(
            [records[:, kind.labels - 1] for records in self._files]
        ).astype(np.int32)
        self._columns: dict[str, Column] = {"file": [], "split": []}
        for path, records in zip(files, self._files, strict=True):
            split = "test" if path.name.startswith("test") else "train"
            self._columns["file"] += [path.name] * len(records)
            self._columns["split"] += [split] * len(records)
        if kind.labels == 2:
            coarse = np.concatenate([records[:, 0] for records in self._files]).astype(np.int64)
            words = _names(folder, ("coarse_label_names.txt",), 20)
            fits = words is not None and int(coarse.max()) < len(words)
            self._columns["coarse"] = [words[each] for each in coarse] if words and fits else coarse

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, number: int) -> NDArray[Any]:
        file = int(np.searchsorted(self._ends, number, side="right"))
        record = self._files[file][number - self._ends[file]]
        planes = np.asarray(record[self._skip :]).reshape(3, _SIDE, _SIDE)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    def digest(self) -> str:
        content = hashlib.sha256()
        for records in self._files:
            for start in range(0, len(records), 1024):
                content.update(np.ascontiguousarray(records[start : start + 1024]).data)
        return content.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        return self._labels

    @property
    def columns(self) -> dict[str, Column]:
        return self._columns


def is_cifar(path: Path) -> bool:
    """Whether a file consists of CIFAR records."""
    return path.suffix.lower() == ".bin" and _kind(path) is not None


def cifar_files(folder: Path) -> list[Path]:
    """List the CIFAR files of a folder, sorted; empty when there are none."""
    return sorted(path for path in folder.glob("*.bin") if path.is_file() and is_cifar(path))


def _kind(path: Path) -> _Kind | None:
    size = path.stat().st_size
    for kind in (_CIFAR_10, _CIFAR_100):
        if size and size % kind.record == 0:
            records = np.memmap(path, np.uint8, "r").reshape(-1, kind.record)
            if int(records[:, kind.labels - 1].max()) < kind.classes:
                return kind
    return None


def _names(folder: Path, files: Sequence[str], count: int) -> tuple[str, ...] | None:
    for file in files:
        try:
            text = (folder / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        names = tuple(line.strip() for line in text.splitlines() if line.strip())
        if len(names) == count and len(set(names)) == count:
            return names
    return None
