"""The sections that finish a recording: columns, checksums by unit, a summary per layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.recording.catalogue import chunk_at
from inspector.recording.chunks import ChunkAt, gathered_payloads
from inspector.recording.model import Header, taps_of
from inspector.recording.payloads import PayloadWriter
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


def sections_of(source: Source, header: Header, chunks: Sequence[ChunkAt]) -> Iterator[Section]:
    """Yield (name, meta, payloads, done, steps) of every section, in file order."""
    taps = taps_of(header.layers)
    steps = 1 + 2 * len(taps)
    source.look()
    columns, crcs = _columns(source, header, chunks)
    yield "columns", {}, [PayloadWriter(name, values) for name, values in columns.items()], 1, steps
    columns = {name: columns[name] for name in ("labels", "skipped")}
    readers = [TapReader(source, header, chunks, tap, crcs[:, tap.index]) for tap in taps]
    for reader in readers:
        table = np.empty((reader.tap.layer.units, len(chunks)), np.uint32)
        for number in range(len(chunks)):
            table[:, number] = reader.stored(number).crcs()
        name = f"checksums/{reader.tap.name}"
        yield name, {}, [PayloadWriter("crcs", table)], 1 + reader.tap.index + 1, steps
    labels, skipped = columns["labels"], columns["skipped"]
    for reader in readers:
        meta, payloads = pack_summary(summarise(reader, labels, skipped))
        done = 1 + len(taps) + reader.tap.index + 1
        yield f"summary/{reader.tap.name}", meta, payloads, done, steps


def _columns(
    source: Source, header: Header, chunks: Sequence[ChunkAt]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Gather the per-image columns of all chunks, in file order.

    Also returns the checksum that each chunk's body gives for each tap, int64 [chunks, taps]: so
    no body is read again, which for many layers would take longer than their activity.
    """
    names = column_names(header)
    taps = taps_of(header.layers)
    crcs = np.empty((len(chunks), len(taps)), np.int64)
    parts: dict[str, list[NDArray[Any]]] = {}
    for name, dtype, ends_name in names:
        if ends_name:
            parts[ends_name] = [np.empty(0, np.int64)]
        parts[name] = [np.empty(0, dtype)]
    bytes_before = dict.fromkeys(parts, 0)
    for number, chunk in enumerate(chunks):
        record = chunk_at(source, header, chunk)
        crcs[number] = [record[tap.name].payload.crc for tap in taps]
        for name, _, ends_name in names:
            parts[name].append(record[name].read())
            if ends_name:
                parts[ends_name].append(record[ends_name].read() + bytes_before[name])
            bytes_before[name] += parts[name][-1].size
    return {name: np.concatenate(parts.pop(name)) for name in list(parts)}, crcs
