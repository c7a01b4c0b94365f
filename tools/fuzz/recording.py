"""Fuzzes the reader of recordings: whatever a file holds, only the project's own error comes out.

    pip install atheris
    python tools/fuzz/recording.py [CORPUS] -max_total_time=300 -max_len=700 -len_control=0

Three ways of breaking a small good file, chosen by the input's first byte: its bytes as they come;
the body of a record, its checksums mended; the values of arrays and bodies, the whole file framed
anew. Without mending, checksums would catch nearly everything before it reaches any other rule.
Every file is read whole, verified and recovered.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["inspector.recording"]):
    import inspector.recording.query  # noqa: F401  (loaded late by the library)
    from inspector.recording import (
        Chunk,
        Header,
        RecordedLayer,
        RecordingError,
        RecordingWriter,
        add_section,
        open_recording,
        recover,
        verify,
    )
    from inspector.recording.catalogue import stored_record
    from inspector.recording.framing import framed
    from inspector.recording.payloads import PayloadWriter
    from inspector.recording.records import (
        END,
        INDEX,
        MARK_SIZE,
        PREAMBLE,
        Mark,
        pack_body,
        pack_end_body,
        unpack_mark,
    )
    from inspector.recording.source import Source

import numpy as np

SHARED = Path("/dev/shm")  # memory: no disk to wait for
FOLDER = Path(tempfile.mkdtemp(dir=SHARED if SHARED.is_dir() else None))
PATH = FOLDER / "fuzzed.msgpack"


def good_file() -> bytes:
    """Return a recording with one of everything."""
    layer = RecordedLayer("conv", "t", "conv", 2, (2, 1, 1), reductions=("max",), aliases=("c",))
    columns = {"camera": "text", "lux": "float", "burst": "int"}
    head = Header("good", {"name": "net"}, (layer,), ("a", "b"), {}, 3, 2, 2, columns=columns)
    path = FOLDER / "good.msgpack"
    with RecordingWriter.create(path, head) as writer:
        for start, count in ((0, 2), (2, 1)):
            numbers = np.arange(start, start + count)
            images = [np.full((34, 3, 3), number, np.uint8) for number in numbers]
            values = {"camera": ["x"] * count, "lux": numbers * 0.5, "burst": numbers}
            activity = {("conv", "max"): np.ones((count, 2), np.float32) * numbers[:, None]}
            writer.append(
                Chunk(start, activity, images, numbers.astype(np.int32), numbers.astype(np.int32),
                      np.ones(count, np.float32), ["p"] * count, {1: "why"} if not start else {},
                      values)
            )  # fmt: skip
        writer.finish()
    add_section(path, "tag/camera", {"values": numbers * 0.5}, {"kind": "float"})
    return path.read_bytes()


def marks_of(data: bytes) -> list[Mark]:
    """Return the marks of a good file."""
    marks, position = [], len(PREAMBLE)
    while (mark := unpack_mark(data[position : position + MARK_SIZE], position)) is not None:
        marks.append(mark)
        position = mark.end
    return marks


def records_of(data: bytes) -> list[tuple[Mark, dict[str, Any], dict[str, np.ndarray]]]:
    """Return mark, body and arrays of every record of a good file."""
    PATH.write_bytes(data)
    source = Source(PATH)
    records = []
    for mark in marks_of(data):
        record = stored_record(source, mark) if mark.tag not in (END, b"HEAD") else None
        arrays = {} if record is None else {
            name: stored.read() if stored.payload.block
            else np.frombuffer(data, np.uint8, stored.payload.nbytes, stored.place.pieces[0])
            for name, stored in record.arrays.items()
        }  # fmt: skip
        records.append((mark, {} if record is None else record.body, arrays))
    return records


GOOD = good_file()
RECORDS = records_of(GOOD)


def bytes_as_they_come(given: atheris.FuzzedDataProvider) -> bytes:
    """Put bytes over a stretch of the good file."""
    first = given.ConsumeIntInRange(0, len(GOOD))
    last = given.ConsumeIntInRange(first, min(len(GOOD), first + 600))
    return GOOD[:first] + given.ConsumeBytes(600) + GOOD[last:]


def body_changed(given: atheris.FuzzedDataProvider) -> bytes:
    """Change the body of a record, its length kept and its checksums mended."""
    data = bytearray(GOOD)
    mark = given.PickValueInList([mark for mark, _, _ in RECORDS])
    for _ in range(given.ConsumeIntInRange(1, 4)):
        at = given.ConsumeIntInRange(mark.body_at, mark.payloads_at - 1)
        new = given.ConsumeBytes(given.ConsumeIntInRange(1, 12))[: mark.payloads_at - at]
        data[at : at + len(new)] = new
    body = bytes(data[mark.body_at : mark.payloads_at])
    data[mark.offset : mark.body_at] = replace(mark, body_crc=zlib.crc32(body)).pack()
    return bytes(data)


def framed_anew(given: atheris.FuzzedDataProvider) -> bytes:
    """Change arrays and bodies, then write all records as a good writer would."""
    out = bytearray(PREAMBLE)
    table: list[int] = []
    sections: dict[str, int] = {}
    index = 0
    for mark, body, arrays in RECORDS:
        if mark.tag == b"HEAD":
            out += GOOD[mark.offset : mark.end]
            continue
        chosen = given.ConsumeIntInRange(0, 7) == 0
        writers = []
        for name, array in arrays.items():
            values = array
            if mark.tag == INDEX and name == "chunks":
                values = np.array(table, np.int64)
            if chosen and values.size and given.ConsumeBool():
                values = values.copy()
                raw = values.reshape(-1).view(np.uint8)
                new = np.frombuffer(given.ConsumeBytes(given.ConsumeIntInRange(1, 16)), np.uint8)
                at = given.ConsumeIntInRange(0, raw.size - 1)
                raw[at : at + new.size] = new[: raw.size - at]
            if chosen and given.ConsumeIntInRange(0, 15) == 0:
                values = values.reshape(-1)[: given.ConsumeIntInRange(0, values.size)]
            writers.append(PayloadWriter(name, values))
        if mark.tag == END:
            packed = pack_end_body(index)
        else:
            told: dict[str, Any] = dict(body)
            if mark.tag == INDEX:
                told["sections"] = [[name, offset] for name, offset in sections.items()]
            if chosen and told and given.ConsumeIntInRange(0, 3) == 0:
                value = given.ConsumeIntInRange(-(1 << 63), (1 << 63) - 1)
                key = given.PickValueInList(list(told))
                told[key] = given.PickValueInList([None, value, [], {}, "x", b"", 0.5, [[]], True])
            described = [writer.payload.describe() for writer in writers]
            packed = pack_body({**told, "payloads": described})
        buffers, new_mark = framed(mark.tag, len(out), packed, writers)
        out += b"".join(buffers)
        if mark.tag == b"CHNK":
            table += [new_mark.offset, new_mark.payloads_at, new_mark.end]
        elif mark.tag == b"SECT":
            sections[body["name"]] = new_mark.offset
        elif mark.tag == INDEX:
            index = new_mark.offset
    return bytes(out)


def read_everything() -> None:
    """Read every value that a recording hands out."""
    with open_recording(PATH) as rec:
        repr(rec), rec._repr_html_(), rec.accuracy, rec.skipped, list(rec.paths), rec.logits
        [list(rec.columns[name]) for name in rec.columns]
        for name in rec.sections:
            [stored.read() for stored in rec.section(name).arrays.values()]
        for image in range(rec.images):
            rec.image(image)
        for layer in rec.layers:
            rec.activity(layer.name)[:]
            rec.summary(layer.name)
            for unit in range(layer.units):
                rec.unit(layer.name, unit), rec.top(layer.name, unit)
                rec.unit_summary(layer.name, unit)
        rec.where("label == a or lux > 0.2")


def one_input(data: bytes) -> None:
    """Break the good file as `data` says, and use what comes out."""
    given = atheris.FuzzedDataProvider(data)
    make = given.PickValueInList([bytes_as_they_come, body_changed, framed_anew])
    PATH.write_bytes(make(given))
    for use in (read_everything, lambda: verify(PATH), lambda: recover(PATH, FOLDER / "out")):
        (FOLDER / "out").unlink(missing_ok=True)
        try:
            use()
        except RecordingError as error:
            if "\n" in str(error):
                raise AssertionError(f"an error is one line: {error}") from error


def main() -> None:
    """Run until something breaks or the time is up."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
