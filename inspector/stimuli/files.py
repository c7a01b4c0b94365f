"""Find image files without leaving the folder that was named."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from inspector.stimuli.decode import IMAGE_ENDINGS
from inspector.stimuli.errors import DataNotFoundError, LinkError

_MOST_NAMED = 5


def list_images(root: Path, *, follow_links: bool = False) -> list[str]:
    """List the images under a folder: paths with forward slashes, sorted, hidden ones left out.

    Links that stay inside the folder are followed to files, not to folders, whose images are
    listed in their own place.

    Raises
    ------
    LinkError
        When a link leads out of the folder, unless `follow_links`.
    """
    found: list[str] = []
    leaving: list[str] = []
    real_root = os.path.realpath(root)
    seen = {real_root}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            entries = list(os.scandir(root / inside))
        except OSError as error:
            raise DataNotFoundError(
                f"{root / inside}: cannot be listed ({error.strerror}); check its permissions"
            ) from error
        for entry in entries:
            path = f"{inside}/{entry.name}" if inside else entry.name
            if entry.name.startswith("."):
                continue
            is_image = Path(entry.name).suffix.lower() in IMAGE_ENDINGS
            if entry.is_dir():
                target = os.path.realpath(entry.path)
                if not entry.is_symlink() or (follow_links and target not in seen):
                    seen.add(target)
                    waiting.append(path)
                elif not _within(target, real_root) and not follow_links:
                    leaving.append(path)
            elif is_image:
                if (
                    entry.is_symlink()
                    and not follow_links
                    and not _within(os.path.realpath(entry.path), real_root)
                ):
                    leaving.append(path)
                found.append(path)
    refuse_links(root, sorted(leaving))
    return sorted(found)


def refuse_links(root: Path, leaving: Sequence[str]) -> None:
    """Raise an error that names the links that lead out of a folder, if there are any."""
    if leaving:
        raise LinkError(
            f"{root}: {len(leaving):,} paths lead out of the folder: {named(leaving)}; "
            "allow it with --follow-links, or copy what they point to"
        )


def leaves(root: Path, paths: Sequence[str]) -> list[str]:
    """Return those of some paths below a folder that lead out of it, by `..` or by a link."""
    real_root = os.path.realpath(root)
    folders: dict[str, bool] = {}
    out = []
    for path in paths:
        folder, _, _ = path.rpartition("/")
        if folder not in folders:
            folders[folder] = _within(os.path.realpath(root / folder), real_root)
        full = root / path
        if not folders[folder] or (
            full.is_symlink() and not _within(os.path.realpath(full), real_root)
        ):
            out.append(path)
    return out


def named(names: Sequence[str]) -> str:
    """Join the first few names, and count the rest."""
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(repr(name) for name in names[:_MOST_NAMED]) + more


def is_glob(source: str) -> bool:
    """Whether a source is a pattern and not a path of that very name."""
    return glob.has_magic(source) and not os.path.lexists(source)


def expand(pattern: str) -> tuple[Path, list[str]]:
    """Find the files that match a pattern.

    Parameters
    ----------
    pattern : str
        With `*`, `?`, `[…]`, and `**` for any number of folders.

    Returns
    -------
    Path, list of str
        The folder before the first wildcard, and the files' paths below it, sorted.

    Raises
    ------
    DataNotFoundError
        When nothing matches.
    """
    parts = re.split(r"[/\\]" if os.sep == "\\" else "/", pattern)
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    root = Path("/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else "."))
    rest = "/".join(parts[fixed:])
    # Not Path.glob: hidden names match only where the pattern spells them, as in the shell.
    found = glob.glob(rest, root_dir=root, recursive=True)  # noqa: PTH207
    matches = [path.replace(os.sep, "/") for path in found if (root / path).is_file()]
    if not matches:
        raise DataNotFoundError(
            f"{pattern}: no file matches; check the pattern, and quote it against the shell"
        )
    return root, sorted(matches)


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
