"""Image folders: one folder per category, or a flat folder without ground truth."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.dataset import UNLABELLED, Dataset
from inspector.stimuli.decode import IMAGE_ENDINGS, decode_file
from inspector.stimuli.errors import EmptyDataError


class FolderDataset(Dataset):
    """The images under a folder, in the order of their paths.

    The name of the first folder below the root is an image's category; images that lie directly in
    the root have none. Links to folders are not followed, so the walk never leaves the root.
    """

    def __init__(self, root: Path) -> None:
        self.name = root.resolve().name
        self.root = str(root)
        self._folder = root
        self._paths = _image_paths(root)
        if not self._paths:
            raise EmptyDataError(
                f"{root}: holds no images; give a folder of image files or of one folder per "
                f"category (endings: {' '.join(sorted(IMAGE_ENDINGS))})"
            )
        folders = [path.split("/", 1)[0] if "/" in path else None for path in self._paths]
        names = sorted({folder for folder in folders if folder is not None})
        self.category_names = tuple(names) or None
        number = {name: i for i, name in enumerate(names)}
        self._labels = np.array(
            [UNLABELLED if folder is None else number[folder] for folder in folders], np.int32
        )

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, number: int) -> NDArray[Any]:
        return decode_file(self._folder / self._paths[number])

    def digest(self) -> str:
        """Hash every path and size: renamed, added, removed or replaced files change it."""
        stimuli = hashlib.sha256()
        for path in self._paths:
            size = (self._folder / path).lstat().st_size
            stimuli.update(f"{path}\0{size}\n".encode("utf-8", "surrogateescape"))
        return stimuli.hexdigest()

    def labels(self) -> NDArray[np.int32]:
        return self._labels

    def path(self, number: int) -> str:
        return self._paths[number]


def _image_paths(root: Path) -> list[str]:
    """Relative paths with forward slashes, sorted; hidden files and folders left out."""
    found = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        inside = Path(folder).relative_to(root)
        found += [
            (inside / file).as_posix()
            for file in files
            if Path(file).suffix.lower() in IMAGE_ENDINGS and not file.startswith(".")
        ]
    return sorted(found)
