"""Each kind of read finds damage by itself, a failed write leaves no trace, foreign tails show."""

from __future__ import annotations

import errno
import os

import pytest
from tiny_recordings import chunk_of, header, write

from inspector.recording import (
    CorruptRecordingError,
    RecordingError,
    RecordingWriteError,
    RecordingWriter,
    open_recording,
    verify,
)


def damage_one_value(path, layer, unit):
    """Flip a byte of one unit's values in the first chunk; return the images it stands for."""
    with open_recording(path) as rec:
        wanted = rec.unit(layer, unit)[: rec.header.chunk].tobytes()
        data = bytearray(path.read_bytes())
        assert data.count(wanted) == 1
        data[data.index(wanted) + 1] ^= 0x10
    path.write_bytes(data)


READS = {
    "unit": lambda rec, layer, unit: rec.unit(layer, unit),
    "column": lambda rec, layer, unit: rec.activity(layer)[:, unit],
    "row": lambda rec, layer, unit: rec.row(layer, 0),
    "rows": lambda rec, layer, unit: rec.activity(layer)[1:3],
    "all": lambda rec, layer, unit: rec.activity(layer)[:],
    "blocks": lambda rec, layer, unit: list(rec.activity(layer).blocks()),
}


@pytest.mark.parametrize("read", READS)
def test_every_read_meets_the_damage_by_itself(tmp_path, read):
    path = write(tmp_path / "a.msgpack", header(images=12, chunk=4))
    with open_recording(path) as rec:
        layer = rec.layers[0].name
        others = [u for u in range(rec.layers[0].units) if u != 1]
    damage_one_value(path, layer, 1)
    with open_recording(path) as rec:
        with pytest.raises(CorruptRecordingError):
            READS[read](rec, layer, 1)
        for unit in others:
            rec.unit(layer, unit)
    assert verify(path).exit_code == 1


def test_a_failed_write_is_cut_off_again(tmp_path, monkeypatch):
    path = tmp_path / "a.msgpack"
    head = header(images=12, chunk=4)
    real = os.pwritev
    writes = 0

    def full_disk(fd, buffers, offset):
        nonlocal writes
        writes += 1
        if writes > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, [bytes(buffers[0])[:5]], offset)

    with RecordingWriter.create(path, head) as writer:
        writer.append(chunk_of(head, 0))
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwritev", full_disk)
            with pytest.raises(RecordingWriteError, match="No space left"):
                writer.append(chunk_of(head, 4))
        assert writes > 1
        assert path.read_bytes() == before


@pytest.mark.parametrize("finish", [True, False])
@pytest.mark.parametrize("tail", [b"x", b"PK\x03\x04", b"\x96\xa4CHNK" + b"x" * 20])
def test_a_few_foreign_bytes_at_the_end_are_found(tmp_path, finish, tail):
    path = write(tmp_path / "a.msgpack", header(), finish=finish)
    with path.open("ab") as file:
        file.write(tail)
    assert verify(path).exit_code == 1
    with pytest.raises(RecordingError):
        open_recording(path)
