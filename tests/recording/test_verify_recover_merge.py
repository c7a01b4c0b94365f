from __future__ import annotations

import numpy as np
import pytest
from test_views_and_parts import same_recording, write_parts
from tiny_recordings import chunk_of, header, write

from inspector.recording import (
    InvalidRecordingInputError,
    RecordingError,
    RecordingExistsError,
    RecordingWriter,
    ResumeMismatchError,
    UnknownColumnError,
    UnknownSectionError,
    add_section,
    merge,
    open_recording,
    recover,
    tag,
    verify,
)
from inspector.recording.catalogue import load_catalogue
from inspector.recording.source import Source


def records(path):
    source = Source(path)
    try:
        return load_catalogue(source)
    finally:
        source.close()


def damage(path, at, size=1):
    data = bytearray(path.read_bytes())
    for place in range(at, at + size):
        data[place] ^= 0xFF
    path.write_bytes(data)


def test_a_good_file_verifies(tmp_path):
    seen = []
    good = verify(write(tmp_path / "a.msgpack"), lambda done, size: seen.append((done, size)))
    assert good.problems == ()
    assert (good.exit_code, good.finished, good.images, good.planned) == (0, True, 10, 10)
    assert seen[-1][0] == seen[-1][1] == good.size
    part = verify(write(tmp_path / "b.msgpack", chunks=2))
    assert (part.exit_code, part.finished, part.images, part.problems) == (3, False, 8, ())
    (tmp_path / "c.msgpack").write_bytes((tmp_path / "b.msgpack").read_bytes() + b"\x96")
    torn = verify(tmp_path / "c.msgpack")
    assert (torn.exit_code, torn.torn, torn.images) == (3, 1, 8)
    (tmp_path / "d.msgpack").write_bytes(b"hello")
    assert verify(tmp_path / "d.msgpack").exit_code == 1


def test_recovering_a_good_file_copies_it(tmp_path):
    path = write(tmp_path / "a.msgpack")
    add_section(path, "notes", {"marks": np.arange(5, dtype=np.int32)}, {"by": "me"})
    result = recover(path, tmp_path / "b.msgpack")
    assert (result.exit_code, result.lost, result.finished) == (0, (), True)
    assert (tmp_path / "b.msgpack").read_bytes() == path.read_bytes()
    with pytest.raises(RecordingExistsError):
        recover(path, path, overwrite=True)
    with pytest.raises(RecordingExistsError):
        recover(path, tmp_path / "b.msgpack")


def test_recovering_a_broken_off_file(tmp_path):
    head = header()
    path = write(tmp_path / "a.msgpack", head, chunks=2)
    with path.open("ab") as file:
        file.write(b"\x96\xa4CHNK\xcf")
    result = recover(path, tmp_path / "b.msgpack")
    assert (result.exit_code, result.images, result.finished) == (3, 8, False)
    with RecordingWriter.resume(tmp_path / "b.msgpack", head) as writer:
        writer.append(chunk_of(head, 8))
        writer.finish()
    assert (tmp_path / "b.msgpack").read_bytes() == write(tmp_path / "c.msgpack").read_bytes()


def test_recovering_around_a_lost_chunk(tmp_path):
    path = write(tmp_path / "a.msgpack")
    damage(path, records(path).chunks[1].offset)
    with pytest.raises(RecordingError), open_recording(path) as rec:
        rec.row("conv1", 5)
    assert verify(path).exit_code == 1
    result = recover(path, tmp_path / "b.msgpack")
    assert (result.exit_code, result.images, result.lost_images) == (3, 10, 4)
    assert any("images 4 to 7: everything" in words for words in result.lost)
    with open_recording(tmp_path / "b.msgpack") as rec:
        assert rec.finished
        assert [number for number in rec.skipped if 4 <= number < 8] == [4, 5, 6, 7]
        assert rec.labels.tolist() == [0, 1, 2, 0, -1, -1, -1, -1, 2, -1]
        assert np.isnan(rec.activity("conv1")[4:8]).all()
        assert np.isfinite(rec.activity("conv1")[8:]).all()
    assert verify(tmp_path / "b.msgpack").exit_code == 0


def test_only_what_is_damaged_in_a_chunk_is_lost(tmp_path):
    path = write(tmp_path / "a.msgpack")
    good = write(tmp_path / "good.msgpack")
    with open_recording(path) as rec:
        stored = rec._store.chunk(1)
        unit = stored["linear1:none"].block_offset(2)
        picture = stored["images"].place.pieces[0] + 3
        labels = stored["labels"].place.pieces[0]
    for place in (unit, picture, labels):
        damage(path, place)
    result = recover(path, tmp_path / "b.msgpack")
    assert result.exit_code == 3
    assert result.lost_images == 0
    assert [words.split(": ")[1] for words in result.lost] == [
        "1 units of linear1:none (2)", "labels", "1 thumbnails",
    ]  # fmt: skip
    with open_recording(tmp_path / "b.msgpack") as rec, open_recording(good) as was:
        values, before = rec.activity("linear1")[:], was.activity("linear1")[:].copy()
        before[4:8, 2] = np.nan
        np.testing.assert_array_equal(values, before)
        assert rec.labels[4:8].tolist() == [-1] * 4
        assert rec.thumbnail(4).size == 0
        np.testing.assert_array_equal(rec.thumbnail(5), was.thumbnail(5))
        assert list(rec.paths) == list(was.paths)


def test_a_damaged_header_is_taken_from_its_copy(tmp_path):
    path = write(tmp_path / "a.msgpack")
    once = path.read_bytes()
    for at in (0, 10, 11, 30, 60, 200):
        path.write_bytes(once)
        damage(path, at)
        result = recover(path, tmp_path / "b.msgpack", overwrite=True)
        assert result.exit_code == 3
        assert (tmp_path / "b.msgpack").read_bytes() == once
    path.write_bytes(b"nothing at all" * 100)
    with pytest.raises(RecordingError):
        recover(path, tmp_path / "c.msgpack")


def test_merging_parts_gives_the_bytes_of_the_whole(tmp_path):
    whole = header(images=30, chunk=4)
    once = write(tmp_path / "once.msgpack", whole)
    (tmp_path / "parts").mkdir()
    parts = write_parts(tmp_path / "parts", whole, [0, 8, 20, 30])
    result = merge(parts[::-1], tmp_path / "all.msgpack")
    assert result.images == 30
    assert (tmp_path / "all.msgpack").read_bytes() == once.read_bytes()
    with pytest.raises(ResumeMismatchError, match="without a gap"):
        merge(parts[1:], tmp_path / "some.msgpack")
    assert not (tmp_path / "some.msgpack").exists()


def test_merging_parts_that_do_not_know_their_place(tmp_path):
    one = write(tmp_path / "a.msgpack", header(images=8, stimuli_sha256="aa"))
    two = write(tmp_path / "b.msgpack", header(images=6, stimuli_sha256="bb"))
    merge([one, two], tmp_path / "all.msgpack")
    assert verify(tmp_path / "all.msgpack").exit_code == 0
    with (
        open_recording(tmp_path / "all.msgpack") as rec,
        open_recording(one) as first,
        open_recording(two) as second,
    ):
        assert rec.images == 14
        same_recording(rec.where("image < 8"), first)
        same_recording(rec.where("image >= 8"), second)
    with pytest.raises(InvalidRecordingInputError, match="whole number of chunks"):
        merge([two, one], tmp_path / "c.msgpack")
    unfinished = write(tmp_path / "u.msgpack", chunks=1)
    with pytest.raises(InvalidRecordingInputError, match="not finished"):
        merge([unfinished], tmp_path / "c.msgpack")


def test_sections_are_added_and_replaced(tmp_path):
    path = write(tmp_path / "a.msgpack")
    once = path.read_bytes()
    with open_recording(path) as rec:
        assert rec.sections == ()
        add_section(path, "maps/conv1", {"maps": np.ones((3, 4, 4), np.float16)}, {"k": 3})
        assert path.read_bytes()[: len(once)] == once
        assert rec.refresh()
        add_section(path, "maps/conv1", {"maps": np.zeros((3, 4, 4), np.float16)}, {"k": [4, "é"]})
        add_section(path, "notes", {})
        assert rec.refresh()
        assert rec.sections == ("maps/conv1", "notes")
        section = rec.section("maps/conv1")
        assert section.meta == {"k": [4, "é"]}
        assert section.arrays["maps"].read().tolist() == np.zeros((3, 4, 4)).tolist()
        with pytest.raises(UnknownSectionError, match="maps/conv1, notes"):
            rec.section("map")
        assert rec.labels.size == 10
    assert verify(path).exit_code == 0
    for name, array in (("columns", np.zeros(1)), ("x", np.array(["a"])), ("x", np.array(1.0))):
        with pytest.raises(InvalidRecordingInputError):
            add_section(path, name, {"a": array})
    with pytest.raises(InvalidRecordingInputError, match="finished"):
        add_section(write(tmp_path / "b.msgpack", chunks=1), "notes", {})


def test_tagging_joins_a_table(tmp_path):
    path = write(tmp_path / "a.msgpack")
    with open_recording(path) as rec:
        paths = list(rec.paths)
    table = tmp_path / "t.csv"
    lines = [f'{name},{i},{i / 4},"w, {i}"' for i, name in enumerate(paths) if i != 2]
    table.write_text("\n".join(["path,count,share,words", *lines, "other.png,9,9,9"]))
    result = tag(path, table)
    assert result.columns == {"count": "float", "share": "float", "words": "text"}
    assert (result.matched, result.images, result.unused_rows) == (9, 10, 1)
    with open_recording(path) as rec:
        assert list(rec.columns) == ["camera", "lux", "burst", "count", "share", "words"]
        assert rec.columns["words"][:4] == ["w, 0", "w, 1", "", "w, 3"]
        np.testing.assert_array_equal(rec.columns["count"][:4], [0, 1, np.nan, 3])
        assert rec.where('words contains "1" or count == 4').numbers.tolist() == [1, 4]
    table.write_text("image\tcount\n" + "".join(f"{i}\t{i * i}\n" for i in range(10)))
    assert tag(path, table.rename(tmp_path / "t.tsv"), on="image").columns == {"count": "int"}
    with open_recording(path) as rec:
        assert rec.columns["count"].tolist() == [i * i for i in range(10)]
        assert rec.columns["count"].dtype == np.int64
    assert verify(path).exit_code == 0
    table.write_text("camera,x\nc1,1\nc1,2\n")
    with pytest.raises(InvalidRecordingInputError, match="stands twice"):
        tag(path, table, on="camera")
    with pytest.raises(UnknownColumnError, match="there is camera, x"):
        tag(path, table)
    for text in ("", "a,a\n1,2\n", "path,x\n1\n"):
        table.write_text(text)
        with pytest.raises(RecordingError):
            tag(path, table)
