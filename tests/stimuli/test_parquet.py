from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from inspector.stimuli import (
    ArchiveError,
    BrokenImageError,
    EmptyDataError,
    TableError,
    TableOptions,
    labels_as_outputs,
    open_data,
)


def png(level):
    return cv2.imencode(".png", np.full((3, 4, 3), level, np.uint8))[1].tobytes()


def test_without_pyarrow_the_error_says_how_to_get_it(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from inspector.stimuli import open_data, MissingExtraError\n"
        "try: open_data(sys.argv[1])\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.parquet"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install onnx-inspector[parquet]" in done.stdout


@pytest.fixture
def pq():
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pyarrow.parquet

    return pyarrow.parquet


def write(pq, path, count=100, first=0, names=("cat", "dog", "owl"), rows=30, **more):
    import pyarrow as pa

    numbers = range(first, first + count)
    images = [{"bytes": png(n % 250), "path": f"{n}.png"} for n in numbers]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    table = pa.table(
        {
            "image": pa.array(images, kind),
            "label": pa.array([n % 3 for n in numbers], pa.int64()),
            "camera": [f"c{n % 4}" for n in numbers],
            "box": [[n, n] for n in numbers],
            **{name: list(values) for name, values in more.items()},
        }
    )
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=rows)
    return path


def test_the_layout_of_hugging_face(tmp_path, pq):
    (tmp_path / "data").mkdir()
    write(pq, tmp_path / "data/train-00000-of-00002.parquet")
    write(pq, tmp_path / "data/train-00001-of-00002.parquet", count=20, first=100)
    for source in (tmp_path, f"{tmp_path}/data/train-*.parquet"):
        data = open_data(source, TableOptions(group_col="camera"))
        assert len(data) == 120
        assert [int(data.read(n)[0, 0, 0]) for n in (0, 99, 100, 119, 31, 30)] == [
            0, 99, 100, 119, 31, 30,
        ]  # fmt: skip
        assert labels_as_outputs(data, ("owl", "cat", "dog", "x"), 4).tolist()[:4] == [1, 2, 0, 1]
        assert data.columns["camera"][:3] == ["c0", "c1", "c2"]
        assert "box" not in data.columns
        assert data.group_column == "camera"
    assert data.name == "train"


def test_threads_read_rows_in_any_order(tmp_path, pq):
    data = open_data(write(pq, tmp_path / "a.parquet", count=240))
    order = np.random.default_rng(0).permutation(240)
    with ThreadPoolExecutor(4) as pool:
        levels = list(pool.map(lambda n: int(data.read(int(n))[0, 0, 0]), order))
    assert levels == (order % 250).tolist()


def test_rows_without_bytes_open_no_path(tmp_path, pq):
    import pyarrow as pa

    (tmp_path / "x.png").write_bytes(png(1))
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = [{"bytes": None, "path": str(tmp_path / "x.png")}, None, {"bytes": b"", "path": ""}]
    pq.write_table(pa.table({"image": pa.array(images, kind)}), tmp_path / "a.parquet")
    data = open_data(tmp_path / "a.parquet")
    for number in range(3):
        with pytest.raises(BrokenImageError, match=rf"a\.parquet:{number}"):
            data.read(number)
    assert data.labels().tolist() == [-1] * 3


def test_plain_bytes_and_named_columns(tmp_path, pq):
    import pyarrow as pa

    table = pa.table({"a": [png(1), png(2)], "b": [png(3), png(4)], "y": ["dog", "cat"]})
    pq.write_table(table, tmp_path / "a.parquet")
    data = open_data(tmp_path / "a.parquet", TableOptions(path_col="b", label_col="y"))
    assert data.read(1)[0, 0, 0] == 4
    assert labels_as_outputs(data, ("cat", "dog"), 2).tolist() == [1, 0]
    for options in (
        TableOptions(path_col="y"),
        TableOptions(label_col="z"),
        TableOptions(group_col="z"),
    ):
        with pytest.raises(TableError, match="no column"):
            open_data(tmp_path / "a.parquet", options)


def test_wrong_files(tmp_path, pq):
    import pyarrow as pa

    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 rubbish PAR1")
    with pytest.raises(ArchiveError, match="cannot be read as Parquet"):
        open_data(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(TableError, match="no column holds image bytes"):
        open_data(path)
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), path)
    with pytest.raises(EmptyDataError):
        open_data(path)
    write(pq, path, names=("cat",))
    with pytest.raises(TableError, match="names 1 classes"):
        open_data(path)
    write(pq, tmp_path / "b.parquet", more=range(100))
    with pytest.raises(ArchiveError, match="other columns"):
        open_data(f"{tmp_path}/*.parquet")


def test_a_damaged_row_group_spoils_only_its_rows(tmp_path, pq):
    path = write(pq, tmp_path / "a.parquet", count=60)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    data = open_data(path)
    broken = 0
    for number in range(60):
        try:
            data.read(number)
        except BrokenImageError:
            broken += 1
    assert 0 < broken <= 30


def test_the_digest_follows_the_content(tmp_path, pq):
    one = open_data(write(pq, tmp_path / "a.parquet")).digest()
    assert open_data(tmp_path / "a.parquet").digest() == one
    assert open_data(write(pq, tmp_path / "a.parquet", count=99)).digest() != one
