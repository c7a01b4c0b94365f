"""One recording file as arrays: chunks, columns, sections; kept no longer than they are hot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspector.recording.activity import ActivitySource
from inspector.recording.catalogue import (
    Catalogue,
    chunk_at,
    load_catalogue,
    read_mark,
    stored_record,
)
from inspector.recording.check import image_table
from inspector.recording.chunks import StoredRecord, check_layout, gathered_payloads
from inspector.recording.errors import CorruptRecordingError
from inspector.recording.file_activity import FileActivity
from inspector.recording.memory import keep_freed_memory
from inspector.recording.model import Header, Summary, Tap, taps_of
from inspector.recording.payloads import StoredArray, read_only
from inspector.recording.records import SECTION
from inspector.recording.schema import COLUMN_KINDS
from inspector.recording.source import Source
from inspector.recording.store import BUILT_IN
from inspector.recording.summarise import unpack_summary
from inspector.recording.textblock import StoredTexts, TextColumn
from inspector.recording.thumbnails import decode_thumbnail

TAG = "tag/"
_CACHED_NUMBERS = 4 << 20
_COLUMN_DTYPES = {"float": "float64", "int": "int64"}


@dataclass(frozen=True)
class Section:
    """Something added to a recording: a map of plain values, and arrays by name.

    An array is read with ``section.arrays["values"].read()``, or some rows of it with
    ``read_rows(first, last)``; both are checked and read-only.
    """

    name: str
    meta: Mapping[str, Any]
    arrays: Mapping[str, StoredArray]


class FileStore:
    """One state of one file: what was valid when it was looked at."""

    def __init__(self, source: Source) -> None:
        keep_freed_memory()
        self.source = source
        self.path = source.path
        self.catalogue: Catalogue = load_catalogue(source)
        self.header: Header = self.catalogue.header
        taps = taps_of(self.header.layers)
        weight = sum(tap.layer.units for tap in taps) + 64 * (len(taps) + 16)
        # A chunk's list of payloads and, once used, its checksums: bounded, not by chunks.
        self.chunk = lru_cache(maxsize=max(16, _CACHED_NUMBERS // weight))(self._chunk)
        self.section = lru_cache(maxsize=64)(self._section)
        self._table = lru_cache(maxsize=64)(self._image_table)

    @property
    def images(self) -> int:
        """Return how many images can be read."""
        return self.catalogue.images

    @property
    def finished(self) -> bool:
        """Return whether the recording is complete."""
        return self.catalogue.finished

    def _chunk(self, number: int) -> StoredRecord:
        return chunk_at(self.source, self.header, self.catalogue.chunks[number])

    def _section(self, name: str) -> StoredRecord | None:
        offset = self.catalogue.sections.get(name)
        if offset is None:
            return None
        record = stored_record(self.source, read_mark(self.source, offset, SECTION))
        if record.body.get("name") != name:
            raise CorruptRecordingError(
                "the index names a section", path=self.path, offset=offset, value=name
            )
        if name == "columns":
            payloads = [stored.payload for stored in record.arrays.values()]
            check_layout(payloads, gathered_payloads(self.header, self.images), self.path, offset)
        return record

    def _image_table(self, number: int) -> NDArray[np.uint32]:
        return image_table(self.chunk(number))

    def added(self, name: str) -> Section | None:
        """Return a section that was added to the recording, None when there is none."""
        record = self.section(name)
        if record is None:
            return None
        meta = record.body.get("meta")
        return Section(name, meta if isinstance(meta, dict) else {}, record.arrays)

    def _gathered(self) -> StoredRecord | None:
        return self.section("columns") if self.catalogue.finished else None

    def numeric(self, name: str) -> NDArray[Any]:
        """Return a whole numeric per-image column."""
        gathered = self._gathered()
        if gathered is not None:
            return self._sized(gathered, name).read()
        parts = [self.chunk(number)[name].read() for number in range(len(self.catalogue.chunks))]
        if not parts:
            kind = self.header.columns.get(name.removeprefix("column:"), "")
            return np.empty(0, BUILT_IN.get(name) or _COLUMN_DTYPES[kind])
        return read_only(np.concatenate(parts))

    def paths(self) -> Sequence[str]:
        """Return the path of every image."""
        return self._texts("path_ends", "paths")

    def _texts(self, ends: str, name: str) -> TextColumn:
        gathered = self._gathered()
        if gathered is not None:
            self._sized(gathered, ends)
            return TextColumn([gathered.texts(ends, name)], [0], self.images)
        starts = [chunk.start for chunk in self.catalogue.chunks]
        return TextColumn(_ChunkTexts(self, ends, name), starts, self.images)

    def _sized(self, record: StoredRecord, name: str) -> StoredArray:
        stored = record.arrays.get(name)
        if stored is None or stored.payload.shape != (self.images,):
            raise CorruptRecordingError(
                "a column has one entry per image", path=self.path, value=name, limit=self.images
            )
        return stored

    def skipped(self) -> dict[int, str]:
        """Return image number → reason of every skipped image."""
        gathered = self._gathered()
        count = len(self.catalogue.chunks)
        records: Iterator[StoredRecord] = (
            iter([gathered]) if gathered is not None else map(self.chunk, range(count))
        )
        result: dict[int, str] = {}
        for record in records:
            numbers = record["skipped"].read()
            inside = not numbers.size or 0 <= numbers[0] <= numbers[-1] < self.images
            ascending = bool((np.diff(numbers) > 0).all())
            if record["reason_ends"].payload.shape != numbers.shape or not (inside and ascending):
                raise CorruptRecordingError(
                    "skipped images ascend, each with one reason", path=self.path,
                    value=numbers.tolist()[:8],
                )  # fmt: skip
            reasons = record.texts("reason_ends", "reasons").read(0, numbers.size)
            result.update(zip(numbers.tolist(), reasons, strict=True))
        return result

    def column_kinds(self) -> dict[str, str]:
        """Return the columns recorded and those joined later, name → kind."""
        kinds = dict(self.header.columns)
        for name in self.catalogue.sections:
            if name.startswith(TAG):
                section = self.added(name)
                kind = section.meta.get("kind") if section else None
                if kind not in COLUMN_KINDS:
                    raise CorruptRecordingError(
                        "a joined column has a kind", path=self.path, value=kind
                    )
                kinds[name[len(TAG) :]] = kind
        return kinds

    def column(self, name: str) -> NDArray[Any] | Sequence[str]:
        """Return one metadata column; one joined later stands before a recorded one."""
        section = self.section(TAG + name)
        kind = self.column_kinds()[name]
        if section is None:
            if kind == "text":
                return self._texts(f"column_ends:{name}", f"column:{name}")
            return self.numeric(f"column:{name}")
        if kind == "text":
            self._sized(section, "ends")
            return TextColumn([section.texts("ends", "values")], [0], self.images)
        stored = self._sized(section, "values")
        if stored.payload.dtype != _COLUMN_DTYPES[kind]:
            raise CorruptRecordingError("dtype of a joined column", path=self.path, value=name)
        return stored.read()

    def thumbnail(self, image: int) -> NDArray[np.uint8]:
        """Return one thumbnail, RGB uint8 [h, w, 3]."""
        chunk, within = divmod(image, self.header.chunk)
        table = self._table(chunk)
        stored = self.chunk(chunk)["images"]
        start = int(table[within - 1, 0]) if within else 0
        end, crc, height, width, code = (int(value) for value in table[within])
        offset = stored.place.pieces[0] + start
        data = self.source.read(offset, end - start)
        if crc32(data) != crc:
            raise CorruptRecordingError("checksum of a thumbnail", path=self.path, offset=offset)
        try:
            return decode_thumbnail(data, height, width, code)
        except ValueError as error:
            raise CorruptRecordingError(
                "a thumbnail", path=self.path, offset=offset, value=error
            ) from None

    def activity(self, tap: Tap) -> ActivitySource:
        """Return where the activity of a layer and reduction is read."""
        return FileActivity(self, tap)

    def summary(self, tap: Tap, unit: int | None = None) -> Summary | None:
        """Return the stored summary of all units or of one, None when there is none."""
        record = self.section(f"summary/{tap.name}")
        if record is None:
            return None
        return unpack_summary(record, tap.layer.units, self.path, unit)

    def numbers(self) -> NDArray[np.int64]:
        """Return the images' own numbers."""
        return read_only(np.arange(self.images, dtype=np.int64))

    def refreshed(self) -> FileStore | None:
        """Look at the file again; return a new store if it has grown."""
        before = self.catalogue
        size = self.source.size
        if self.source.look(before.end) == size and not before.torn:
            return None
        store = FileStore(self.source)
        after = store.catalogue
        same = (after.images, after.finished, after.sections) == (
            before.images, before.finished, before.sections,
        )  # fmt: skip
        return None if same else store

    def close(self) -> None:
        """Close the file."""
        self.source.close()


class _ChunkTexts(Sequence[StoredTexts]):
    """Text of each chunk, opened when it is asked for."""

    def __init__(self, store: FileStore, ends: str, name: str) -> None:
        self._store, self._ends, self._name = store, ends, name

    def __len__(self) -> int:
        return len(self._store.catalogue.chunks)

    @overload
    def __getitem__(self, number: int) -> StoredTexts: ...
    @overload
    def __getitem__(self, number: slice) -> list[StoredTexts]: ...
    def __getitem__(self, number: int | slice) -> StoredTexts | list[StoredTexts]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return self._store.chunk(number).texts(self._ends, self._name)
