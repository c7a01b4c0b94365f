"""The sections that finish a recording: columns, checksums by unit, a summary per layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from inspector.recording.catalogue import chunk_record, read_mark
from inspector.recording.chunks import ChunkAt, StoredRecord, gathered_payloads
from inspector.recording.model import Header, taps_of
from inspector.recording.payloads import PayloadWriter
from inspector.recording.records import CHUNK
from inspector.recording.source import Source
from inspector.recording.summarise import TapReader, pack_summary, summarise

Section = tuple[str, dict[str, Any], list[PayloadWriter], int, int]


def column_names(header: Header) -> list[tuple[str, str, str]]:
    """Return (name, dtype, name of its ends or "") of every per-image column, in file order."""
    names = []
    ends = ""
    for name, dtype, _ in gathered_payloads(header, 0):
        if name.endswith("_ends") or name.startswith("column_ends:"):
            ends = name
            continue
        names.append((name, dtype, ends))
        ends = ""
    return names


def chunk_at(source: Source, header: Header, chunk: ChunkAt) -> StoredRecord:
    """Return the payloads of a chunk."""
    return chunk_record(source, header, read_mark(source, chunk.offset, CHUNK), chunk.start)


def sections_of(source: Source, header: Header, chunks: Sequence[ChunkAt]) -> Iterator[Section]:
    """Yield (name, meta, payloads, done, steps) of every section, in file order."""
    taps = taps_of(header.layers)
    steps = 1 + 2 * len(taps)
    source.look()
    yield "columns", {}, _columns(source, header, chunks), 1, steps
    readers = [TapReader(source, header, chunks, tap) for tap in taps]
    for reader in readers:
        crcs = np.empty((reader.tap.layer.units, len(chunks)), np.uint32)
        for number in range(len(chunks)):
            crcs[:, number] = reader.stored(number).crcs()
        name = f"checksums/{reader.tap.name}"
        yield name, {}, [PayloadWriter("crcs", crcs)], 1 + reader.tap.index + 1, steps
    labels = [chunk_at(source, header, chunk)["labels"].read() for chunk in chunks]
    skipped = [chunk_at(source, header, chunk)["skipped"].read() for chunk in chunks]
    for reader in readers:
        meta, payloads = pack_summary(
            summarise(reader.blocks(), reader.tap.layer.units, labels, skipped)
        )
        done = 1 + len(taps) + reader.tap.index + 1
        yield f"summary/{reader.tap.name}", meta, payloads, done, steps


def _columns(source: Source, header: Header, chunks: Sequence[ChunkAt]) -> list[PayloadWriter]:
    """Gather the per-image columns of all chunks, column by column."""
    writers = []
    for name, dtype, ends_name in column_names(header):
        parts, ends, offset = [], [], 0
        for chunk in chunks:
            record = chunk_at(source, header, chunk)
            parts.append(record[name].read())
            if ends_name:
                ends.append(record[ends_name].read() + offset)
                offset += parts[-1].size
        if ends_name:
            joined = np.concatenate([*ends, np.empty(0, np.int64)])
            writers.append(PayloadWriter(ends_name, joined))
        joined_data = np.concatenate([*parts, np.empty(0, dtype)])
        writers.append(PayloadWriter(name, joined_data))
    return writers
