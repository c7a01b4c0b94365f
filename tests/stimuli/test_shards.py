from __future__ import annotations

import io
import json
import os
import tarfile

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.stimuli import (
    ArchiveError,
    BrokenImageError,
    DataNotFoundError,
    EmptyDataError,
    TableError,
    TableOptions,
    labels_as_outputs,
    open_data,
)
from inspector.stimuli.tar_index import tar_members


def png(level):
    return cv2.imencode(".png", np.full((3, 4, 3), level, np.uint8))[1].tobytes()


def write(path, files, form=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_samples_with_labels_and_columns(tmp_path):
    write(
        tmp_path / "train-000.tar",
        [
            ("0001.png", png(1)),
            ("0001.cls", b"7\n"),
            ("0001.json", json.dumps({"camera": "c7", "heat": 1.5}).encode()),
            ("deep/0002.PNG", png(2)),
            ("deep/0002.cls", b"3"),
            ("README", b"no sample"),
            ("0003.txt", b"no image"),
        ],
    )
    write(tmp_path / "train-001.tar", [("0001.png", png(3)), ("0001.cls", b"0")])
    for source in (tmp_path, f"{tmp_path}/*.tar", f"{tmp_path}/train-{{000..001}}.tar"):
        data = open_data(source)
        assert [data.read(i)[0, 0, 0] for i in range(len(data))] == [1, 2, 3]
        assert labels_as_outputs(data, (), 10).tolist() == [7, 3, 0]
        assert data.columns["key"] == ["0001", "deep/0002", "0001"]
        assert data.columns["shard"] == ["train-000.tar"] * 2 + ["train-001.tar"]
        assert data.columns["camera"] == ["c7", "", ""]
        assert data.path(0) == ""
    assert data.name == "train"


def test_labels_by_name_from_json(tmp_path):
    fields = [{"label": "dog", "patient": 4}, {"label": "cat", "patient": 5}]
    files = []
    for number, facts in enumerate(fields):
        files += [(f"{number}.png", png(number)), (f"{number}.json", json.dumps(facts).encode())]
    path = write(tmp_path / "a.tar", files)
    data = open_data(path, TableOptions(group_col="patient"))
    assert labels_as_outputs(data, ("cat", "dog"), 2).tolist() == [1, 0]
    assert data.group_column == "patient"
    assert open_data(path, TableOptions(label_col="patient")).category_names == ("4", "5")
    with pytest.raises(TableError, match="no column 'kind' for --label-col"):
        open_data(path, TableOptions(label_col="kind"))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_every_flavour(tmp_path, form):
    names = ["a.png", "d" * 90 + "/" + "e" * 60 + ".png", "ü/ñ.png"]
    if form != tarfile.USTAR_FORMAT:
        names.append("f" * 300 + "/" + "g" * 200 + ".png")
    path = write(tmp_path / "a.tar", [(name, png(9)) for name in names], form)
    assert [member.name for member in tar_members(path)] == names
    assert (open_data(path).read(len(names) - 1) == 9).all()


def test_names_that_climb_and_links_reach_no_file(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(200))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("../secret.png", "/etc/x.png"):
            info = tarfile.TarInfo(name)
            info.size = len(png(1))
            archive.addfile(info, io.BytesIO(png(1)))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"link{kind!r}.png")
            info.type = kind
            info.linkname = str(secret)
            archive.addfile(info)
    before = sorted(os.listdir(tmp_path))  # noqa: PTH208
    data = open_data(tmp_path / "a.tar")
    assert len(data) == 2
    assert all((data.read(number) == 1).all() for number in range(2))
    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208


def test_a_broken_image_is_one_image(tmp_path):
    path = write(tmp_path / "a.tar", [("a.png", b"rubbish"), ("b.png", png(4))])
    data = open_data(path)
    with pytest.raises(BrokenImageError, match=r"a\.tar:a\.png"):
        data.read(0)
    assert (data.read(1) == 4).all()


def test_sizes_beyond_the_file_and_huge_names(tmp_path):
    whole = write(tmp_path / "a.tar", [("a.png", png(1))]).read_bytes()

    def claiming(size, kind=b"0"):
        head = bytearray(whole[:512])
        head[124:136] = size
        head[156:157] = kind
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        return bytes(head) + whole[512:]

    binary = b"\x80" + (1 << 60).to_bytes(11, "big")
    for content, reason in (
        (claiming(b"77777777777\0"), "past its end"),
        (claiming(binary), "past its end"),
        (claiming(b"\xff" * 12), "past its end"),
        (claiming(b"77777777777\0", b"L"), "a name of"),
        (claiming(b"77777777777\0", b"x"), "a name of"),
        (whole[:540], "past its end"),
        (b"\x1f\x8b" + whole[2:], "no tar header"),
        (b"x" * 100, "cut short"),
        (bytes(1024), "is empty"),
    ):
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(ArchiveError, match=reason):
            open_data(tmp_path / "a.tar")


def test_metadata_that_is_wrong(tmp_path):
    for files, error, reason in (
        ([("a.png", png(1)), ("a.json", b"{")], ArchiveError, "no JSON"),
        ([("a.png", png(1)), ("a.cls", b"\xff")], ArchiveError, "no UTF-8"),
        ([("a.png", png(1)), ("a.txt", bytes(2 << 20))], ArchiveError, "2,097,152 bytes"),
        ([("a.txt", b"x")], EmptyDataError, "none of its 1 samples"),
        ([], ArchiveError, "is empty"),
    ):
        with pytest.raises(error, match=reason):
            open_data(write(tmp_path / "a.tar", files))


def test_runs_of_shards_and_mixed_folders(tmp_path):
    write(tmp_path / "a-0.tar", [("a.png", png(1))])
    with pytest.raises(DataNotFoundError, match=r"1 of 2 files do not exist, first .*a-1\.tar"):
        open_data(f"{tmp_path}/a-{{0..1}}.tar")
    with pytest.raises(DataNotFoundError, match="limit"):
        open_data(f"{tmp_path}/a-{{0..999999999}}.tar")
    with pytest.raises(DataNotFoundError, match="limit"):
        open_data(f"{tmp_path}/a-{{1..0}}.tar")
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/x.png").write_bytes(png(1))
    with pytest.raises(DataNotFoundError, match=r"holds a-0\.tar and images such as x\.png"):
        open_data(tmp_path)
    (tmp_path / "b.tar.gz").write_bytes(b"x")
    with pytest.raises(DataNotFoundError, match="cannot be read in place"):
        open_data(tmp_path / "b.tar.gz")


def test_the_digest_sees_other_labels_and_names(tmp_path):
    digests = set()
    for name, label in (("a", b"1"), ("a", b"2"), ("b", b"2")):
        path = write(tmp_path / "a.tar", [(f"{name}.png", png(1)), (f"{name}.cls", label)])
        digests.add(open_data(path).digest())
    assert len(digests) == 3


@settings(max_examples=80)
@given(st.data())
def test_any_damage_is_an_error_of_ours(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    write(path, [("k" * 120 + ".png", png(1)), ("b.cls", b"3"), ("b.png", png(2))])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, min(len(content), 4096) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    from inspector.errors import InspectorError

    try:
        opened = open_data(path)
        for number in range(len(opened)):
            opened.read(number)
    except InspectorError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
