"""P1–P8 and P16: what a file may hold, down to the byte."""

from __future__ import annotations

import os
import re
import struct
import zlib
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_recordings import CONV, LINEAR, LOGITS, header, whole_activity, write

import inspector.recording
from inspector.recording import (
    CorruptRecordingError,
    RecordingError,
    UnsupportedVersionError,
    add_section,
    open_recording,
    verify,
)
from inspector.recording.records import MARK_SIZE, PREAMBLE, pack_body, unpack_mark

UNIT = replace(CONV, units=1, reductions=("max",), same={})
# As few bytes as hold one of everything: each is cut and flipped.
TINY = header(
    images=3, chunk=2, layers=(UNIT,), output={}, columns={"camera": "text"}, classes=("a",),
    options={}, data="",
)  # fmt: skip
SMALL = header(images=5, chunk=2, layers=(CONV,), output={}, columns={"camera": "text"})


def read_everything(path, mapped=False):
    """Every value that a recording hands out, as plain data."""
    with open_recording(path, mapped=mapped) as rec:
        assert (rec._store.source._map is not None) == mapped  # never unless asked for
        out = {
            "header": rec.header, "images": rec.images, "finished": rec.finished,
            "labels": rec.labels.tolist(), "predictions": rec.predictions.tolist(),
            "confidences": rec.confidences.tobytes(), "paths": list(rec.paths),
            "skipped": dict(rec.skipped), "accuracy": repr(rec.accuracy),
            "columns": {name: list(map(repr, rec.columns[name])) for name in rec.columns},
            "thumbnails": [rec.thumbnail(i).tolist() for i in range(rec.images)],
            "sections": {
                name: {k: v.read().tolist() for k, v in rec.section(name).arrays.items()}
                for name in rec.sections
            },
        }  # fmt: skip
        for layer in rec.layers:
            for reduction in layer.reductions:
                key = f"{layer.name}:{reduction}"
                out[key] = rec.activity(layer.name, reduction)[:].tobytes()
                units = [rec.unit(layer.name, u, reduction) for u in range(layer.units)]
                assert np.array(units).T.tobytes() == out[key]
                summary = rec.summary(layer.name, reduction)
                out[f"summary {key}"] = {
                    k: np.asarray(v).tobytes() for k, v in vars(summary).items()
                }
        return out


def prefix(full, images):
    """What a reader must give of the first `images` images of an unfinished file."""
    for key, value in full.items():
        if isinstance(value, list):
            yield key, value[:images]
    yield "conv1:max", full["conv1:max"][: images * 4]
    yield "skipped", {k: v for k, v in full["skipped"].items() if k < images}


def marks_of(data: bytes):
    position = len(PREAMBLE)
    while (mark := unpack_mark(data[position : position + MARK_SIZE], position)) is not None:
        yield mark
        position = mark.end


def test_p8_truncated_at_every_byte_it_gives_an_exact_prefix(tmp_path):
    path = write(tmp_path / "a.msgpack", TINY)
    once = path.stat().st_size
    add_section(path, "notes", {"a": np.arange(3)})
    full = read_everything(path)
    data = path.read_bytes()
    header_end = next(marks_of(data)).end
    ends = [mark.end for mark in marks_of(data) if mark.tag == b"CHNK"]
    with path.open("r+b") as file:
        for size in range(len(data) - 1, -1, -1):
            file.truncate(size)
            if size < header_end:
                with pytest.raises(RecordingError):
                    open_recording(path)
                continue
            with open_recording(path) as rec:
                images = min(3, 2 * sum(end <= size for end in ends))
                assert (rec.images, rec.finished, rec.sections) == (images, size >= once, ())
                assert rec.labels.tolist() == full["labels"][:images]
            if size in (*ends, once, once - 1, header_end):
                found = read_everything(path)
                for key, value in prefix(full, images):
                    assert found[key] == value, (size, key)


# `INSPECTOR_TORTURE=1` flips every bit; else one of every byte but of payloads' every fourth.
TORTURE = bool(os.environ.get("INSPECTOR_TORTURE"))
STEP = 8 if TORTURE else 1


def flipped(data: bytes) -> list[int]:
    """The bytes to flip."""
    inside = np.zeros(len(data), bool)
    for mark in marks_of(data):
        inside[mark.payloads_at : mark.end] = not TORTURE
    return [at for at in range(len(data)) if at % 4 == 0 or not inside[at]]


@pytest.mark.parametrize("step", range(STEP))
def test_p7_every_flipped_byte_is_found(tmp_path, step):
    """A flip is found by the read that meets it, and by `verify`."""
    path = write(tmp_path / "a.msgpack", TINY)
    add_section(path, "notes", {"a": np.arange(3)})
    data = path.read_bytes()
    full = read_everything(path)
    unseen = 0
    with path.open("r+b", buffering=0) as file:
        for at in flipped(data):
            os.pwrite(file.fileno(), bytes([data[at] ^ (1 << (at * 5 // 4 + step) % 8)]), at)
            try:
                found = read_everything(path)
            except RecordingError:
                checked = at % 8 == 0
            else:
                # Padding, dead records and copies are not read: what is read is right.
                assert found == full, at
                unseen += 1
                checked = True
            assert not checked or verify(path).exit_code == 1, at
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert verify(path).exit_code == 0
    assert unseen < len(data) / 2


@pytest.mark.parametrize("chunks", [1, 2])
def test_p7_every_flipped_byte_of_an_unfinished_file_is_found(tmp_path, chunks):
    path = write(tmp_path / "a.msgpack", TINY, chunks=chunks, finish=False)
    data = path.read_bytes()
    full = read_everything(path)
    with path.open("r+b", buffering=0) as file:
        for at in range(0, len(data), 2):
            file.seek(at)
            file.write(bytes([data[at] ^ 0x40]))
            with suppress(RecordingError):
                assert read_everything(path) == full, at
            assert verify(path).exit_code == 1, at
            file.seek(at)
            file.write(data[at : at + 1])


def plain_objects(path):
    """All objects of a file, by msgpack alone."""
    with path.open("rb") as file:
        return list(msgpack.Unpacker(file, raw=False, strict_map_key=True))


@settings(max_examples=25, deadline=None)
@given(
    images=st.integers(0, 9), chunk=st.sampled_from([2, 4, 8]), finish=st.booleans(),
    layers=st.lists(st.sampled_from([CONV, LINEAR, LOGITS]), unique_by=lambda x: x.name),
    columns=st.dictionaries(
        st.text(max_size=4), st.sampled_from(["text", "float", "int"]), max_size=3
    ),
    side=st.sampled_from([2, 40]),
)  # fmt: skip
def test_p16_two_readers_agree(tmp_path_factory, images, chunk, finish, layers, columns, side):
    """By the index, by a scan of the same file without its end, and by plain msgpack."""
    folder = tmp_path_factory.mktemp("p16")
    head = header(images, chunk, layers=tuple(layers), columns=columns, output={})
    path = write(folder / "a.msgpack", head, finish=finish, side=side)
    by_index = read_everything(path)
    assert read_everything(path, mapped=True) == by_index
    cut = folder / "b.msgpack"
    cut.write_bytes(path.read_bytes()[: -1 if finish else None])
    by_scan = read_everything(cut)
    assert by_index.pop("finished") is finish
    assert by_scan.pop("finished") is False
    assert by_scan == by_index
    parts: dict[str, list] = {}
    tags = []
    for tag, _, arrays in second_reader(path):
        tags.append(tag)
        if tag == "CHNK":
            for name, values in arrays.items():
                parts.setdefault(name, []).append(values)
    assert tags.count("CHNK") == -(-images // chunk)
    assert (tags[-1] == "DONE") is finish
    if images:
        assert np.concatenate(parts["labels"]).tolist() == by_index["labels"]
        for layer in layers:
            for reduction in layer.reductions:
                key = f"{layer.name}:{reduction}"
                joined = np.concatenate(parts[key], axis=1).T.astype(np.float32)
                assert joined.tobytes() == by_index[key]


def test_p16_a_second_reader_written_from_the_specification(tmp_path):
    """docs/format.md, read with msgpack and nothing else."""
    head = header()
    path = write(tmp_path / "a.msgpack", head)
    parts: dict[str, list] = {}
    for tag, body, arrays in second_reader(path):
        if tag == "CHNK":
            assert body["start"] == 4 * len(parts.get("labels", []))
            for name, values in arrays.items():
                parts.setdefault(name, []).append(values)
        if tag == "SECT" and body["name"] == "columns":
            columns = arrays
        if tag == "SECT" and body["name"] == "summary/linear1:none":
            summary = arrays
    with open_recording(path) as rec:
        for layer in head.layers:
            for reduction in layer.reductions:
                joined = np.concatenate(parts[f"{layer.name}:{reduction}"], axis=1).T
                expected = whole_activity(head, layer.name, reduction)
                np.testing.assert_array_equal(joined.astype(np.float32), expected)
        np.testing.assert_array_equal(np.concatenate(parts["labels"]), rec.labels)
        np.testing.assert_array_equal(columns["labels"], rec.labels)
        ends = [0, *columns["path_ends"].tolist()]
        block = columns["paths"].tobytes()
        texts = [block[a:b].decode() for a, b in pairwise(ends)]
        assert texts == list(rec.paths)
        np.testing.assert_array_equal(summary["mean"], rec.summary("linear1").mean)


def second_reader(path):
    """Yield (tag, body, arrays) of every record."""
    objects = iter(plain_objects(path))
    assert (next(objects), next(objects)) == ("INSPECTOR", 1)
    position = 11
    for mark in objects:
        tag, offset, total, body_length, _, _ = mark
        assert offset == position
        body = next(objects)
        position += 39 + body_length
        arrays = {}

        def take(size):
            nonlocal position
            gap = -(position + 5) % 64
            if gap:
                gap += 64 * (gap == 1)
                assert next(objects) == bytes(gap - 2)
            position += gap + 5 + size
            data = next(objects)
            assert len(data) == size
            return data

        for name, dtype, shape, block, crc in body.get("payloads", []):
            kind = np.dtype(dtype).newbyteorder("<")
            size = int(np.prod(shape)) * kind.itemsize
            piece = max(1, (32 << 20) // block) * block if block else max(1, size)
            data = b"".join(take(min(piece, size - at)) for at in range(0, max(size, 1), piece))
            checked = data
            if block and size > block:
                checked = take(4 * -(-size // block))
                crcs = [zlib.crc32(data[at : at + block]) for at in range(0, size, block)]
                assert np.frombuffer(checked, "<u4").tolist() == crcs
            if block:
                assert zlib.crc32(checked) == crc
            arrays[name] = np.frombuffer(data, kind).reshape(shape)
        assert position == offset + total
        yield tag, body, arrays


def record_at(data: bytes, tag: bytes, number: int = 0):
    position = len(PREAMBLE)
    while True:
        mark = unpack_mark(data[position : position + MARK_SIZE], position)
        assert mark is not None
        if mark.tag == tag:
            if number == 0:
                return mark
            number -= 1
        position = mark.end


def with_body(data: bytes, mark, body: bytes, total: int | None = None) -> bytes:
    """The file up to a record, and that record with another body under right checksums."""
    changed = replace(
        mark, body_length=len(body), body_crc=zlib.crc32(body),
        total=MARK_SIZE + len(body) if total is None else total,
    )  # fmt: skip
    return data[: mark.offset] + changed.pack() + body


def with_header(data: bytes, change) -> bytes:
    mark = record_at(data, b"HEAD")
    body = msgpack.unpackb(data[mark.body_at : mark.payloads_at])
    packed = change(body)
    return with_body(data, mark, packed if isinstance(packed, bytes) else pack_body(body))


def refused(tmp_path, data: bytes, words: str = "."):
    path = tmp_path / "bad.msgpack"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=words) as caught:
        read_everything(path)
    assert verify(path).exit_code == 1
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small") / "a.msgpack", SMALL).read_bytes()


def raw_map(body: dict, extra: bytes, count: int) -> bytes:
    """A packed map with `count` more pairs given as bytes."""
    packed = msgpack.packb(body)
    assert packed[0] == 0x80 | len(body)
    return bytes([0xDE]) + struct.pack(">H", len(body) + count) + packed[1:] + extra


HOSTILE_HEADERS = {
    "extension types": (
        lambda b: raw_map(b, msgpack.packb("x") + b"\xd4\x05\x00", 1),
        "cannot be read",
    ),
    "timestamps": (
        lambda b: raw_map(b, msgpack.packb("x") + b"\xd6\xff\x00\x00\x00\x01", 1),
        "cannot be read",
    ),
    "duplicate keys": (
        lambda b: raw_map(b, msgpack.packb("name") + msgpack.packb("b"), 1),
        "stands twice",
    ),
    "keys that are no text": (lambda b: raw_map(b, b"\x01\x02", 1), "cannot be read"),
    "deep nesting": (lambda b: b.update(options={"a": eval("[" * 40 + "]" * 40)}), "nested deeper"),
    "very deep nesting": (lambda b: b"\x91" * 5000 + b"\xc0", "cannot be read"),
    "amplification": (
        lambda b: b"\xdd" + struct.pack(">I", 1 << 21) + b"\x80" * ((1 << 21) + 1),
        "length of a metadata object",
    ),
    "a list": (lambda b: b"\x90", "must be a map"),
    "bytes after the map": (lambda b: pack_body(b) + b"\xc0", "cannot be read"),
    "a missing key": (lambda b: b.pop("batch") and None, "missing .*'?batch"),
    "an unknown key": (lambda b: b.update(more=1), "unknown .*more"),
    "negative images": (lambda b: b.update(images=-1), "'images'.*-1"),
    "huge images": (lambda b: b.update(images=1 << 60), "'images'"),
    "true as a number": (lambda b: b.update(images=True), "'images'"),
    "no chunk": (lambda b: b.update(chunk=0), "'chunk'.*limit 1"),
    "a chunk off the batch": (lambda b: b.update(chunk=3), "multiple of the batch"),
    "no units": (lambda b: b["layers"][0].update(units=0), "'units'"),
    "huge units": (lambda b: b["layers"][0].update(units=1 << 40), "'units'"),
    "an object dtype": (lambda b: b["layers"][0].update(dtype="object"), "'dtype'.*float32"),
    "no reduction": (lambda b: b["layers"][0].update(reductions=[]), "at least one"),
    "a layer twice": (lambda b: b["layers"].append(b["layers"][0]), "unique"),
    "a name that is no text": (lambda b: b.update(name=5), "'name' must be text"),
    "classes of numbers": (lambda b: b.update(classes=[1]), "list of text"),
    "a column of another kind": (lambda b: b.update(columns={"a": "pickle"}), "'columns'"),
}


@pytest.mark.parametrize("name", HOSTILE_HEADERS)
def test_p1_p4_hostile_headers(tmp_path, small, name):
    change, words = HOSTILE_HEADERS[name]
    refused(tmp_path, with_header(small, change), words)


def chunk_payloads(change):
    def changed(body):
        change(body["payloads"])

    return changed


HOSTILE_CHUNKS = {
    "another start": (lambda b: b.update(start=2), "on the grid"),
    "other images": (lambda b: b.update(images=1 << 50), "on the grid|fill their record"),
    "a negative axis": (
        chunk_payloads(lambda p: p[0].__setitem__(2, [-3, 2])),
        "axis of a payload.*-3",
    ),
    "an overflowing shape": (
        chunk_payloads(lambda p: p[0].__setitem__(2, [1 << 47, 1 << 47])),
        "larger than their record",
    ),
    "an axis over its cap": (
        chunk_payloads(lambda p: p[0].__setitem__(2, [1 << 62])),
        "axis of a payload",
    ),
    "no axis": (chunk_payloads(lambda p: p[0].__setitem__(2, [])), "shape of a payload"),
    "another shape": (
        chunk_payloads(lambda p: p[0].__setitem__(2, [4, 2])),
        "fill their record|header asks for",
    ),
    "another dtype": (
        chunk_payloads(lambda p: p[0].__setitem__(1, "object")),
        "dtype of a payload",
    ),
    "a huge block": (chunk_payloads(lambda p: p[0].__setitem__(3, 1 << 60)), "block or checksum"),
    "a block of one byte": (
        chunk_payloads(lambda p: p[0].__setitem__(3, 1)),
        "under one checksum",
    ),
    "no checksum": (chunk_payloads(lambda p: p[0].__setitem__(3, 0)), "under one checksum"),
    "a name twice": (chunk_payloads(lambda p: p[1].__setitem__(0, p[0][0])), "unique"),
    "a field short": (chunk_payloads(lambda p: p[0].pop()), "five fields"),
    "no payloads": (lambda b: b.update(payloads=[]), "fill their record|payloads of a record"),
    "payloads that are no list": (lambda b: b.update(payloads={}), "must be a list"),
}


@pytest.mark.parametrize("name", HOSTILE_CHUNKS)
def test_p3_p5_hostile_chunks(tmp_path, small, name):
    change, words = HOSTILE_CHUNKS[name]
    mark = record_at(small, b"CHNK")
    body = msgpack.unpackb(small[mark.body_at : mark.payloads_at])
    change(body)
    packed = msgpack.packb(body)
    rest = small[mark.payloads_at : mark.end]
    data = with_body(small, mark, packed, MARK_SIZE + len(packed) + len(rest)) + rest
    refused(tmp_path, data, words)


def test_p2_names_and_versions(tmp_path, small):
    for version, shown in ((0, "0"), (2, "2"), (0xCD, "byte 0xcd")):
        data = small[:10] + bytes([version]) + small[11:]
        error = refused(tmp_path, data, f"found {shown}.*version 1")
        assert isinstance(error, UnsupportedVersionError)


def test_p2_unknown_records_are_skipped(tmp_path, small):
    from inspector.recording.records import Mark

    path = tmp_path / "a.msgpack"
    mark = record_at(small, b"CHNK", 2)
    body = pack_body({"hello": [1, 2]})
    unknown = Mark(b"NEWS", mark.end, MARK_SIZE + len(body), len(body), zlib.crc32(body))
    path.write_bytes(small[: mark.end] + unknown.pack() + body)
    with open_recording(path) as rec:
        assert rec.images == 5
    assert verify(path).exit_code == 3


def test_p6_no_holes_no_overlaps_nothing_appended(tmp_path, small):
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "hello")
    refused(tmp_path, small + archive.getvalue(), "or the file end.*50 4b 03 04")
    refused(tmp_path, small + b"\xc0" * 50, "or the file end")
    mark = record_at(small, b"CHNK", 1)
    refused(tmp_path, small[: mark.offset] + bytes(64) + small[mark.offset :], "begin here")
    # A record moved to another place keeps its checksums but not its offset.
    first = record_at(small, b"CHNK", 0)
    moved = small[: mark.offset] + small[first.offset : first.end] + small[mark.end :]
    refused(tmp_path, moved)
    # Padding holds zeros only.
    at = first.payloads_at + 2
    assert small[at - 2] == 0xC4
    hidden = small[:at] + b"\x01" + small[at + 1 :]
    path = tmp_path / "hidden.msgpack"
    path.write_bytes(hidden)
    assert "padding" in str(verify(path).problems[0])


def test_p6_zeros_after_a_power_cut_are_a_torn_tail(tmp_path, small):
    mark = record_at(small, b"CHNK", 1)
    path = tmp_path / "a.msgpack"
    path.write_bytes(small[: mark.end] + bytes(5000))
    with open_recording(path) as rec:
        assert (rec.images, rec.finished) == (4, False)
    assert verify(path).exit_code == 3


def test_p5_payloads_are_aligned_and_little_endian(tmp_path, small):
    first = record_at(small, b"CHNK", 0)
    path = tmp_path / "a.msgpack"
    path.write_bytes(small)
    with open_recording(path) as rec:
        for number in range(3):
            for stored in rec._store.chunk(number).arrays.values():
                assert all(piece % 64 == 0 for piece in stored.place.pieces)
        at = rec._store.chunk(0)["conv1:max"].place.pieces[0]
        assert first.offset < at < first.end
        found = np.frombuffer(small[at : at + 24], "<f4").reshape(3, 2).T
        np.testing.assert_array_equal(found, rec.activity("conv1", "max")[:2])


def test_p1_no_code_is_run_by_opening():
    folder = Path(inspector.recording.__file__).parent
    text = "\n".join(path.read_text() for path in folder.glob("*.py"))
    words = r"(?m)^\s*(?:import|from)\s+(pickle|marshal|shelve|dill|cloudpickle|joblib|ctypes)\b"
    assert not re.search(words, text)
    assert not re.search(r"(?<![\w.])(eval|exec|compile|__import__)\(", text)
    assert "allow_pickle=True" not in text
    assert "ext_hook" not in text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_p15_random_bytes_raise_only_our_error(tmp_path_factory, data, named):
    path = tmp_path_factory.mktemp("random") / "a.msgpack"
    path.write_bytes((PREAMBLE if named else b"") + data)
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_p15_mutated_files_raise_only_our_error(tmp_path_factory, small, data):
    """Cut, copy, delete, insert, overwrite; sometimes with the checksums made right again."""
    path = tmp_path_factory.mktemp("mutated") / "a.msgpack"
    mutated = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        low = data.draw(st.integers(0, len(mutated)))
        high = min(len(mutated), low + data.draw(st.sampled_from([0, 1, 4, 40, 700])))
        piece = data.draw(st.binary(max_size=12) | st.just(bytes(small[:200])))
        mutated[low:high] = piece
    if data.draw(st.booleans()):
        mutated = bytearray(small)
        tag = data.draw(st.sampled_from([b"HEAD", b"CHNK", b"SECT", b"INDX", b"DONE"]))
        mark = record_at(small, tag)
        at = data.draw(st.integers(mark.body_at, mark.payloads_at - 1))
        mutated[at] = data.draw(st.integers(0, 255))
        body = bytes(mutated[mark.body_at : mark.payloads_at])
        good = replace(mark, body_crc=zlib.crc32(body)).pack()
        mutated[mark.offset : mark.body_at] = good
    path.write_bytes(mutated)
    with suppress(RecordingError):
        read_everything(path)
    result = verify(path)
    assert not any("\n" in str(problem) for problem in result.problems)


def test_p3_corruption_is_told_with_place_rule_value_and_limit(tmp_path, small):
    mark = record_at(small, b"CHNK")
    body = msgpack.unpackb(small[mark.body_at : mark.payloads_at])
    body["payloads"][0][2] = [1 << 40, 2]
    error = refused(tmp_path, with_body(small, mark, msgpack.packb(body)))
    assert isinstance(error, CorruptRecordingError)
    assert error.offset == mark.offset
    assert error.rule
    assert error.value
