from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from inspector.stimuli import DataNotFoundError, EmptyDataError, LinkError, TableOptions, open_data

FOLLOW = TableOptions(follow_links=True)


def save(path, level=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((4, 5, 3), level, np.uint8))
    return path


def paths(data):
    return [data.path(number) for number in range(len(data))]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_links_that_leave_are_refused_unless_asked(tmp_path, kind):
    save(tmp_path / "outside/x.png", 9)
    save(tmp_path / "photos/cat/a.png")
    target = tmp_path / "outside" / ("x.png" if kind == "file" else "")
    (tmp_path / "photos/dog").mkdir()
    link = tmp_path / "photos/dog" / ("link.png" if kind == "file" else "deep")
    link.symlink_to(target)
    with pytest.raises(LinkError, match=r"1 paths lead out of the folder: 'dog/.*--follow-links"):
        open_data(tmp_path / "photos")
    data = open_data(tmp_path / "photos", FOLLOW)
    assert paths(data)[0] == "cat/a.png"
    assert data.read(1)[0, 0, 0] == 9


def test_links_inside_and_circles(tmp_path):
    save(tmp_path / "cat/a.png")
    (tmp_path / "cat/b.png").symlink_to("a.png")
    (tmp_path / "cat/again").symlink_to(tmp_path)
    assert paths(open_data(tmp_path)) == ["cat/a.png", "cat/b.png"]
    assert paths(open_data(tmp_path, FOLLOW)) == ["cat/a.png", "cat/b.png"]


def test_a_link_to_nothing_is_a_broken_image_not_the_end(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("gone.png")
    data = open_data(tmp_path)
    assert paths(data) == ["a.png", "b.png"]
    assert len(data.digest()) == 64


def test_globs(tmp_path):
    for name in ("cat/a.png", "cat/b.jpg", "dog/a.png", "x.txt.png", ".hidden/a.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    assert paths(open_data(f"{tmp_path}/*/a.png")) == ["cat/a.png", "dog/a.png"]
    assert open_data(f"{tmp_path}/*/a.png").category_names == ("cat", "dog")
    assert paths(open_data(f"{tmp_path}/**/*.jpg")) == ["cat/b.jpg"]
    assert paths(open_data(f"{tmp_path}/cat/*")) == ["a.png", "b.jpg"]
    with pytest.raises(DataNotFoundError, match="no file matches"):
        open_data(f"{tmp_path}/*.gif")
    with pytest.raises(EmptyDataError, match="no image"):
        open_data(f"{tmp_path}/*.txt")


def test_a_glob_follows_no_link_out(tmp_path):
    save(tmp_path / "outside/x.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/y.png").symlink_to(tmp_path / "outside/x.png")
    with pytest.raises(LinkError):
        open_data(f"{tmp_path}/in/*.png")
    assert len(open_data(f"{tmp_path}/in/*.png", FOLLOW)) == 1


def test_a_folder_whose_name_is_a_pattern_is_a_folder(tmp_path):
    save(tmp_path / "set[1]/a.png")
    assert paths(open_data(tmp_path / "set[1]")) == ["a.png"]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes only on POSIX")
def test_a_name_that_is_no_utf_8(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb") as file:  # noqa: PTH123
        file.write(cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes())
    data = open_data(tmp_path)
    assert data.read(0).shape == (2, 2, 3)
    assert data.path(0).encode("utf-8", "surrogateescape") == b"\xff.png"
    assert len(data.digest()) == 64


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_are_no_data(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataNotFoundError, match="no regular file"):
        open_data(tmp_path / "pipe")


def test_labels_are_part_of_the_digest(tmp_path):
    save(tmp_path / "one/cat/a.png")
    save(tmp_path / "two/dog/a.png")
    assert open_data(tmp_path / "one").digest() != open_data(tmp_path / "two").digest()
