"""Image files as data: class folders, a flat folder, a glob, or files that a table lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.columns import categories
from inspector.stimuli.dataset import Column, Dataset
from inspector.stimuli.decode import IMAGE_ENDINGS, decode_file
from inspector.stimuli.errors import EmptyDataError
from inspector.stimuli.files import expand, leaves, list_images, refuse_links


class FilesDataset(Dataset):
    """Image files below a folder.

    Parameters
    ----------
    name : str
        Name of the dataset.
    root : Path
        The folder.
    paths : sequence of str
        The images' paths below it, with forward slashes, in order.
    labels : sequence
        Names or numbers of their categories; empty or None where there is no ground truth.
    columns : mapping of str to sequence, optional
        Metadata by name.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        paths: Sequence[str],
        labels: Sequence[Any] | Column,
        columns: Mapping[str, Column] | None = None,
    ) -> None:
        self.name = name
        self.root = str(root)
        self._folder = root
        self._paths = paths
        self._columns = columns or {}
        self.category_names, self._labels = categories(labels)

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, number: int) -> NDArray[Any]:
        return decode_file(self._folder / self._paths[number])

    def digest(self) -> str:
        """Hash every path, size and label: renamed, added, removed or resized files change it.

        Contents are not read: a file replaced by another of the very same size goes unnoticed.
        """
        stimuli = hashlib.sha256()
        names = self.category_names or ()
        for path, label in zip(self._paths, self._labels, strict=True):
            try:
                size = (self._folder / path).stat().st_size
            except OSError:
                size = -1
            category = names[label] if label >= 0 else ""
            stimuli.update(f"{path}\0{size}\0{category}\n".encode("utf-8", "surrogateescape"))
        return stimuli.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        return self._labels

    def path(self, number: int) -> str:
        return self._paths[number]

    @property
    def columns(self) -> Mapping[str, Column]:
        return self._columns


class FolderDataset(FilesDataset):
    """The images under a folder, in the order of their paths.

    The name of the first folder below the root is an image's category; images that lie directly in
    the root have none.

    Parameters
    ----------
    root : Path
        The folder.
    follow_links : bool
        Whether links may lead out of the folder.

    Raises
    ------
    LinkError
        When a link leads out of the folder, unless `follow_links`.
    EmptyDataError
        When there are no images.
    """

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        paths = list_images(root, follow_links=follow_links)
        if not paths:
            raise EmptyDataError(
                f"{root}: holds no images; give a folder of image files or of one folder per "
                f"category (endings: {' '.join(sorted(IMAGE_ENDINGS))})"
            )
        super().__init__(root.resolve().name, root, paths, _first_folders(paths))


def open_glob(pattern: str, *, follow_links: bool = False) -> FilesDataset:
    """Open the images that match a pattern; folders before the files' own are categories.

    Raises
    ------
    DataNotFoundError, LinkError, EmptyDataError
        When nothing matches, a link leads out of the folder before the first wildcard, or no match
        is an image.
    """
    root, matches = expand(pattern)
    paths = [path for path in matches if Path(path).suffix.lower() in IMAGE_ENDINGS]
    if not paths:
        raise EmptyDataError(
            f"{pattern}: matches {len(matches):,} files, but no image "
            f"(endings: {' '.join(sorted(IMAGE_ENDINGS))})"
        )
    if not follow_links:
        refuse_links(root, leaves(root, paths))
    return FilesDataset(root.resolve().name, root, paths, _first_folders(paths))


def _first_folders(paths: Sequence[str]) -> list[str]:
    return [path.split("/", 1)[0] if "/" in path else "" for path in paths]
