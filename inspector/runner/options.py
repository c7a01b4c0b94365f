"""How to record: the options of `inspector record`, with their defaults and limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from inspector.runner.errors import OptionError
from inspector.stimuli import Preprocess

DEFAULT_THUMB = 64
MAX_THREADS = 1024
MAX_BATCH = 1 << 16


@dataclass(frozen=True)
class RecordOptions:
    """How to record; the same names and meanings as the options of `inspector record`.

    Attributes
    ----------
    name : str or None
        Of the recording; None takes the dataset's.
    layers : str or sequence of str
        `default`, `all`, or globs over layer names; separated by commas in one text.
    reduce : tuple of str
        Reductions; `default` stands for `relu_mean` and `max`, and `mean` where a layer is signed.
    tokens : {"patch", "all"}
        Whether reductions over tokens leave the class token out.
    classes : tuple of str or None
        Names of the model's outputs in their order.
    preprocess : str, Preprocess or None
        A preset, a file or the steps; None chooses (see
        :func:`inspector.stimuli.choose_preprocess`).
    output : str or None
        Name of the classification output.
    axes : tuple of (str, int)
        Unit axis by layer or tensor name, where the one found is not the one wanted.
    feeds : tuple of (str, str)
        Further inputs of the model, and the `.npy` files that go into them: one row for all
        images, or one for each.
    provider : {"auto", "cpu", "cuda"}
        Where to run.
    threads : int
        Threads of the runtime; 0 for one per core.
    memory : float or None
        Limit on the model's memory in GiB.
    batch, chunk : int or None
        Images run, and stored, at once; None chooses.
    dtype : {"float32", "float16"}
        How activity is stored.
    thumb : int
        Longest side of the thumbnails in pixels.
    limit : str or None
        `N` for a seeded sample stratified by label, `first:N` for the first N.
    part : str or None
        `K/N`: only the K-th of N parts of the data, cut where chunks begin, so that the parts,
        recorded anywhere and merged, equal the whole recorded at once.
    table : path or None
        A CSV or JSON-lines table that describes the image files.
    path_col, label_col, group_col : str or None
        Columns of the paths, of the ground truth, and of what makes rows dependent (see
        :class:`inspector.stimuli.TableOptions`).
    where : str or None
        Only the stimuli that this filter of their columns matches.
    follow_links : bool
        Whether paths may lead out of the data's folder.
    like : path or None
        A recording whose classes, preprocessing, layers, reductions, tokens and thumbnails are
        taken where nothing else is said.
    strict : bool
        Stop at the first stimulus that cannot be read, instead of listing it.
    resume, overwrite : bool
        What to do when the file exists.
    """

    name: str | None = None
    layers: str | Sequence[str] = "default"
    reduce: tuple[str, ...] = ("default",)
    tokens: str = "patch"
    classes: tuple[str, ...] | None = None
    preprocess: str | Preprocess | None = None
    output: str | None = None
    axes: tuple[tuple[str, int], ...] = ()
    feeds: tuple[tuple[str, str], ...] = ()
    provider: str = "auto"
    threads: int = 0
    memory: float | None = None
    batch: int | None = None
    chunk: int | None = None
    dtype: str = "float32"
    thumb: int = DEFAULT_THUMB
    limit: str | None = None
    part: str | None = None
    table: str | os.PathLike[str] | None = None
    path_col: str | None = None
    label_col: str | None = None
    group_col: str | None = None
    where: str | None = None
    follow_links: bool = False
    like: str | os.PathLike[str] | None = None
    strict: bool = False
    resume: bool = False
    overwrite: bool = False


def check_options(options: RecordOptions) -> None:
    """Refuse values that make no sense, before anything is opened.

    Raises
    ------
    OptionError
        With the value and what is allowed.
    """
    for name, value, known in (
        ("tokens", options.tokens, ("patch", "all")),
        ("provider", options.provider, ("auto", "cpu", "cuda")),
        ("dtype", options.dtype, ("float32", "float16")),
    ):
        if value not in known:
            raise OptionError(f"--{name} {value!r}: choose {' or '.join(known)}")
    for name, number, lowest in (
        ("batch", options.batch, 1),
        ("chunk", options.chunk, 1),
        ("thumb", options.thumb, 0),
        ("threads", options.threads, 0),
    ):
        if number is not None and number < lowest:
            raise OptionError(f"--{name} {number}: give at least {lowest}")
    if options.threads > MAX_THREADS:
        raise OptionError(f"--threads {options.threads}: give at most {MAX_THREADS}")
    if options.batch is not None and options.batch > MAX_BATCH:
        raise OptionError(f"--batch {options.batch:,}: give at most {MAX_BATCH:,}")
    if options.memory is not None and options.memory <= 0:
        raise OptionError(f"--memory {options.memory:g}: give a positive number of GB")
