"""The metadata columns of a recording as a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inspector.recording.errors import UnknownColumnError


class Columns(Mapping[str, Any]):
    """Name → float64, int64 or a text sequence, each read when it is asked for."""

    def __init__(self, path: Path, kinds: Mapping[str, str], read: Callable[[str], Any]) -> None:
        self._path = path
        self._kinds = kinds
        self._read = read

    def __getitem__(self, name: str) -> Any:
        if name not in self._kinds:
            raise UnknownColumnError(
                "no such column in the recording", path=self._path, value=name,
                advice=f"there is {', '.join(self._kinds) or 'none'}",
            )  # fmt: skip
        return self._read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def __repr__(self) -> str:
        return f"<Columns {dict(self._kinds)}>"
