"""The files looked at: each opened by itself, so that a bad one costs only its own panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inspector.errors import InspectorError
from inspector.recording import Recording, open_recording
from inspector.viewer.errors import ViewerError
from inspector.viewer.model.catalog import Catalog, make_catalog


@dataclass
class Source:
    """A recording, or the reason why there is none.

    `failure` is why it could not be opened at all, `error` what is wrong now, in words.
    `generation` counts how often the file has grown since it was opened: what was read before is
    out of date.
    """

    path: Path
    name: str
    recording: Recording | None
    error: str = ""
    failure: InspectorError | None = None
    generation: int = 0

    def refresh(self) -> bool:
        """Pick up a file that is still being written; True when there is more than before."""
        recording = self.recording
        if recording is None or recording.finished:
            return False
        try:
            grown = recording.refresh()
        except (InspectorError, OSError) as error:
            self.error = str(error)
            return False
        if grown:
            self.generation += 1
        return grown

    def close(self) -> None:
        """Close the file."""
        if self.recording is not None:
            self.recording.close()


def open_source(path: str | Path) -> Source:
    """Open one file; what is wrong with it is kept as text."""
    path = Path(path)
    try:
        recording = open_recording(path)
    except InspectorError as error:
        return Source(path, path.stem, None, str(error), error)
    except OSError as error:
        failure = ViewerError(f"{path}: {error.strerror or type(error).__name__}")
        return Source(path, path.stem, None, str(failure), failure)
    return Source(path, recording.name or path.stem, recording)


def open_sources(paths: Sequence[str | Path]) -> list[Source]:
    """Open several files; names that occur twice get the file's name added."""
    sources = [open_source(path) for path in paths]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1 and source.name != source.path.stem:
            source.name = f"{source.name} ({source.path.stem})"
    return sources


def catalog_of(sources: Sequence[Source]) -> Catalog:
    """What they hold together."""
    return make_catalog(
        [source.name for source in sources],
        [_model_name(source.recording) if source.recording else "" for source in sources],
        [source.recording.layers if source.recording else () for source in sources],
        [source.recording.images if source.recording else 0 for source in sources],
        [_classes(source.recording) if source.recording else () for source in sources],
    )


def _classes(recording: Recording) -> tuple[str, ...]:
    """Category names; labels beyond the known names are numbered."""
    if recording.classes:
        return recording.classes
    last = int(recording.labels.max(initial=-1))
    return tuple(f"category {number}" for number in range(last + 1))


def _model_name(recording: Recording) -> str:
    return str(recording.model.get("name", "")) or "model"
