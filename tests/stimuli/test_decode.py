from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import BOMBS, encoded, png_claiming, png_piece

from inspector.stimuli import BrokenImageError, decode_file, decode_image, image_size
from inspector.stimuli.decode import MAX_PIXELS

KINDS = (".png", ".jpg", ".gif", ".bmp", ".webp", ".tiff", ".ppm", ".jp2")


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_of_each_kind_is_refused_by_its_header(kind):
    tracemalloc.start()
    with pytest.raises(BrokenImageError, match=r"claims .* pixels \(limit"):
        decode_image(BOMBS[kind], "bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_bombs_allocate_nothing_in_the_whole_process(tmp_path):
    for kind, content in BOMBS.items():
        (tmp_path / kind.replace(" ", "_")).write_bytes(content)
    (tmp_path / "good").write_bytes(encoded(".png"))
    script = (
        "import sys, resource, pathlib\n"
        "from inspector.stimuli import decode_file, BrokenImageError\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "decode_file(folder / 'good')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sorted(folder.iterdir()):\n"
        "    if path.name == 'good': continue\n"
        "    try: decode_file(path); print('decoded', path)\n"
        "    except BrokenImageError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 16 << 10, done.stdout


@pytest.mark.parametrize("ending", KINDS)
def test_the_header_says_what_the_decoder_makes(ending):
    content = bytes(encoded(ending, width=67, height=51))
    _, size = image_size(content)
    assert size == (67, 51)
    assert decode_image(content, "x").shape == (51, 67, 3)


@pytest.mark.parametrize("ending", KINDS)
def test_cut_files_are_broken_or_whole_but_nothing_else(ending):
    content = bytes(encoded(ending, width=70, height=48))
    refused = 0
    for length in range(0, len(content), max(1, len(content) // 23)):
        try:
            assert decode_image(content[:length], "cut").shape == (48, 70, 3)
        except BrokenImageError:
            refused += 1
    assert refused > 5


@given(st.binary(max_size=300), st.sampled_from(sorted(BOMBS)), st.integers(0, 200))
def test_any_bytes_are_an_image_or_an_error(rubbish, kind, place):
    base = BOMBS[kind] if len(rubbish) % 2 else bytes(encoded(".png"))
    for content in (rubbish, base[:place] + rubbish + base[place:]):
        with contextlib.suppress(BrokenImageError):
            assert decode_image(content, "x").ndim == 3


def test_grey_palette_alpha_and_16_bit(tmp_path):
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    cases = {
        "grey": grey,
        "16 bit": grey.astype(np.uint16) * 257,
        "alpha": np.dstack([grey, grey, grey, grey // 2]),
    }
    for name, pixels in cases.items():
        cv2.imwrite(str(tmp_path / "a.png"), pixels)
        made = decode_file(tmp_path / "a.png")
        assert (made == grey[:, :, None]).all(), name
    head = struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)
    colours = png_piece(b"PLTE", bytes([10, 20, 30, 200, 100, 50]))
    rows = png_piece(b"IDAT", zlib.compress(bytes([0, 1, 0])))
    palette = b"\x89PNG\r\n\x1a\n" + png_piece(b"IHDR", head) + colours + rows
    palette += png_piece(b"IEND", b"")
    assert decode_image(palette, "p").tolist() == [[[200, 100, 50], [10, 20, 30]]]


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: a[::-1, ::-1].swapaxes(0, 1)),
        (8, np.rot90),
    ],
)
def test_photos_are_turned_upright(orientation, turn):
    content = bytes(encoded(".jpg", width=24, height=16))
    plain = decode_image(content, "plain")
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHHI", 0x112, 3, 1, orientation, 0, 0)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    turned = decode_image(content[:2] + segment + content[2:], "turned")
    assert (turned == turn(plain)).all()


def cmyk_jpeg() -> bytes:
    """A CMYK JPEG of one 8 × 8 block a channel, as Adobe writes them (inverted)."""
    levels = (255, 0, 255, 255)  # no cyan, full magenta, no yellow, no black
    tables = b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([8] * 64)
    parts = b"".join(bytes([n, 0x11, 0]) for n in range(1, 5))
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 20, 8, 8, 8, 4) + parts
    # One code of each length from 1: category 11 (for ±1016) and 0; AC: end of block.
    dc = b"\xff\xc4" + struct.pack(">HB", 3 + 16 + 2, 0x00) + bytes([1, 1] + [0] * 14) + b"\x0a\x00"
    ac = b"\xff\xc4" + struct.pack(">HB", 3 + 16 + 1, 0x10) + bytes([1] + [0] * 15) + b"\x00"
    bits = ""
    for level in levels:
        value = (level - 128) * 8 // 8
        value = min(1023, max(-1023, value * 8))
        size = 10
        assert 512 <= abs(value) <= 1023
        coded = value if value > 0 else value + (1 << size) - 1
        bits += "0" + f"{coded:0{size}b}" + "0"
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda" + struct.pack(">HB", 14, 4)
    scan += b"".join(bytes([n, 0]) for n in range(1, 5)) + bytes([0, 63, 0])
    adobe = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\0\x64\0\0\0\0\0"
    return b"\xff\xd8" + adobe + tables + frame + dc + ac + scan + data + b"\xff\xd9"


def test_cmyk_becomes_rgb():
    red, green, blue = decode_image(cmyk_jpeg(), "cmyk")[4, 4].tolist()
    assert red > 240
    assert green < 15
    assert blue > 240


def test_a_large_allowed_image_decodes_and_one_pixel_more_does_not():
    width = 20_000
    rows = MAX_PIXELS // width
    with pytest.raises(BrokenImageError, match="claims"):
        decode_image(png_claiming(width, rows + 1), "more")
    with pytest.raises(BrokenImageError, match="broken or cut"):
        decode_image(png_claiming(300, 300), "few rows")


def test_a_jpeg_of_endless_scans_is_refused():
    with pytest.raises(BrokenImageError, match="scans"):
        decode_image(bytes(encoded(".jpg")) + b"\xff\xda" * 2000, "slow")


def test_stray_bytes_between_segments_do_not_hide_the_size():
    content = bytes(encoded(".jpg", width=9, height=5))
    frame = content.index(b"\xff\xc0")
    odd = content[:frame] + b"\x12\x34\xff\xff" + content[frame:]
    assert image_size(odd) == ("JPEG", (9, 5))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_named_as_an_image_blocks_nobody(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(BrokenImageError, match="no regular file"):
        decode_file(tmp_path / "a.png")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(BrokenImageError, match=r"cannot be read \(No such file"):
        decode_file(tmp_path / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(BrokenImageError):
        decode_file(tmp_path / "b.png")
    with (tmp_path / "c.png").open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(BrokenImageError, match="2,147,483,648 bytes"):
        decode_file(tmp_path / "c.png")


def test_an_odd_colour_profile_writes_nothing_on_the_terminal(tmp_path):
    good = bytes(encoded(".png"))
    profile = png_piece(b"iCCP", b"odd\0\0" + zlib.compress(b"no profile" * 20))
    text = png_piece(b"zTXt", b"note\0\0" + zlib.compress(bytes(20_000_000)))
    noted = good[:33] + profile + text + good[33:]
    assert (decode_image(noted, "x") == decode_image(good, "x")).all()
    (tmp_path / "a.png").write_bytes(noted)
    script = (
        "import sys, pathlib; from inspector.stimuli import decode_file\n"
        "decode_file(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.png"], capture_output=True, check=True
    )
    assert done.stderr == b""
