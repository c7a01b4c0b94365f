"""Find out what a user's data is and open it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.arrays import ArrayDataset, open_array_file
from inspector.stimuli.coloured_digits import COLOURINGS, colour_digits, held_out_digits
from inspector.stimuli.dataset import UNLABELLED, Dataset
from inspector.stimuli.errors import DataNotFoundError, LabelError
from inspector.stimuli.folders import FolderDataset

DEMO_PREFIX = "demo:"


def open_data(source: str | Path) -> Dataset:
    """Open stimuli: a folder of images, a `.npy` or `.npz` file, or `demo:SET`.

    Parameters
    ----------
    source : str or Path
        A path, or `demo:` and the name of one of the packaged sets of coloured digits.

    Raises
    ------
    DataNotFoundError
        When nothing is there, or it is of no kind that can be read.
    """
    text = str(source)
    if text.startswith(DEMO_PREFIX):
        return open_demo_set(text.removeprefix(DEMO_PREFIX))
    path = Path(source)
    if path.is_dir():
        return FolderDataset(path)
    if not path.exists():
        raise DataNotFoundError(f"{path}: there is no such file or folder; check the path")
    if path.suffix.lower() in (".npy", ".npz"):
        return open_array_file(path)
    raise DataNotFoundError(
        f"{path}: not a kind of data that can be read; give a folder of images, a .npy or .npz "
        f"file, or demo:{'|'.join(COLOURINGS)}"
    )


def open_demo_set(name: str) -> Dataset:
    """Open the held-out digits, coloured on the fly in the way `name` says."""
    if name not in COLOURINGS:
        raise DataNotFoundError(
            f"{DEMO_PREFIX}{name}: there is no such set; choose one of {', '.join(COLOURINGS)}"
        )
    digits, labels = held_out_digits()
    return ArrayDataset(name, colour_digits(digits, labels, name), labels.astype(np.int32))


def labels_as_outputs(dataset: Dataset, classes: Sequence[str], outputs: int) -> NDArray[np.int32]:
    """Turn a dataset's ground truth into numbers of the model's outputs, by name.

    A folder's place in the alphabet is never used: a set with fewer categories would shift every
    label. Names that are unknown are listed.

    Parameters
    ----------
    dataset : Dataset
        Stimuli with ground truth by name (folders) or by number (arrays).
    classes : sequence of str
        Names of the outputs in their order; empty when nobody knows them.
    outputs : int
        How many outputs the model's classification layer has; 0 for a model without one.

    Returns
    -------
    int32 array [stimuli]
        -1 where there is no ground truth.

    Raises
    ------
    LabelError
        When a name is not among the classes, or a number is not one of the outputs.
    """
    labels = dataset.labels()
    if outputs == 0:
        return np.full(len(labels), UNLABELLED, np.int32)
    names = dataset.category_names
    if names is not None:
        known = {name: i for i, name in enumerate(classes)}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise LabelError(
                f"{dataset.name}: {len(unknown)} of {len(names)} category names are no class of "
                f"the model: {_listed(unknown)} (its classes: {_listed(classes)}); rename the "
                "folders or name the model's outputs in order with --classes FILE"
            )
        lookup = np.array([*(known[name] for name in names), UNLABELLED], np.int32)
        return lookup[labels]
    wrong = (labels >= outputs) | (labels < UNLABELLED)
    if wrong.any():
        where = int(np.argmax(wrong))
        raise LabelError(
            f"{dataset.name}: image {where} has the label {labels[where]}, but the model has "
            f"{outputs} classes (0 to {outputs - 1}; -1 for none); mend the labels"
        )
    return labels


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
