"""Tables and snapshots: what comes back is what went in, or nothing is left."""

import os
import pickle
import resource
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

from flavorframe.errors import AnalysisError, BranchError, RunError
from flavorframe.result import SnapshotWriter, Table
from flavorframe.result._outputs import added
from flavorframe.result.written import WrittenSnapshot

FORMATS = {"ttree": "out.root", "rntuple": "out.root", "parquet": "out.parquet"}
TYPES = ["bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)), "float32", "float64"]


def columns(rows, seed=1):
    random = np.random.default_rng(seed)
    return {name: (random.random(rows) * 100 % 2).astype(name) for name in TYPES}


def read(path):
    if path.suffix == ".parquet":
        pq = pytest.importorskip("pyarrow.parquet")
        table = pq.read_table(path)
        return {name: table[name].to_numpy() for name in table.column_names}
    with uproot.open(path) as file:
        return dict(file["candidates"].arrays(library="np"))


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)


@pytest.fixture(params=FORMATS)
def target(request, tmp_path):
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return {"path": tmp_path / FORMATS[request.param], "format": request.param}


# Tables in memory


def test_a_table_gives_its_columns():
    table = Table({"phi_mass": np.array([1.01, 1.02]), "n": np.array([1, 2])})
    assert len(table) == 2
    assert list(table) == ["phi_mass", "n"]
    assert "n" in table
    assert table["phi_mass"] is table.to_numpy()["phi_mass"]
    assert_equal(pickle.loads(pickle.dumps(table)).to_numpy(), table.to_numpy())


def test_an_unknown_column_names_the_nearest():
    table = Table({"phi_mass": np.array([1.01])})
    with pytest.raises(BranchError, match=r"no column 'phi_mas'\. Did you mean 'phi_mass'\?"):
        table["phi_mas"]
    with pytest.raises(BranchError, match=r"no column 'zzz'\. It has 'phi_mass'\."):
        table["zzz"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_rows_in_memory_and_in_files_do_not_add_up(order):
    both = Table({"x": np.arange(3)}), WrittenSnapshot(("rows.root",), 3, ("",))
    one, other = (both[i] for i in order)
    with pytest.raises(AnalysisError, match=r"in the other in rows\.root.* or neither"):
        added(one, other)


def test_tables_of_the_same_columns_add_up():
    a, b = columns(3), columns(4, seed=2)
    both = (Table(a) + Table(b)).to_numpy()
    assert_equal(both, {name: np.concatenate([a[name], b[name]]) for name in TYPES})
    with pytest.raises(AnalysisError, match="one has 'x', the other 'y'"):
        Table({"x": np.zeros(1)}) + Table({"y": np.zeros(1)})


def test_columns_are_flat_and_of_one_length():
    with pytest.raises(AnalysisError, match="'x' has 2 rows, 'y' has 3"):
        Table({"x": np.zeros(2), "y": np.zeros(3)})
    with pytest.raises(AnalysisError, match=r"column 'x' has shape \(2, 2\)"):
        Table({"x": np.zeros((2, 2))})


def test_text():
    mass = np.linspace(1.6, 2.02, 7, dtype="float32")
    table = Table({"mass": mass, "id": np.arange(7) % 2 == 0})
    assert (
        repr(table)
        == """\
7 rows × 2 columns
column  type        0      1     2      3     4  …
mass    float32   1.6   1.67  1.74   1.81  1.88  …
id      bool     True  False  True  False  True  …"""
    )
    assert (
        repr(Table({"mass": mass[:1]}))
        == """\
1 row × 1 column
column  type       0
mass    float32  1.6"""
    )
    assert (
        repr(Table({"mass": mass[:0]}))
        == """\
0 rows × 1 column
column  type
mass    float32"""
    )


def test_html_escapes_names():
    assert (
        Table({"a<b": np.array([1])})._repr_html_()
        == """\
<table class="ff ff-table">
<caption>1 row × 1 column</caption>
<thead><tr><th>column</th><th>type</th><th>0</th></tr></thead>
<tbody>
<tr><td>a&lt;b</td><td>int64</td><td class="number">1</td></tr>
</tbody>
</table>"""
    )


# Files


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_a_table_comes_back_as_it_was_written(target, rows):
    table = Table(columns(rows))
    if target["format"] == "parquet":
        path = table.to_parquet(target["path"])
    else:
        path = table.to_root(**target)
    assert path == target["path"]
    assert_equal(read(path), table.to_numpy())


def test_the_format_of_a_root_file(tmp_path):
    table = Table(columns(1))
    for kind, name in {"ttree": "TTree", "rntuple": "ROOT::RNTuple"}.items():
        path = table.to_root(tmp_path / "out.root", tree="folder/mu", format=kind)
        with uproot.open(path) as file:
            assert file.classname_of("folder/mu") == name


@pytest.mark.parametrize("sizes", [(1, 0, 2), (40_000, 40_000, 40_000), (200_000, 5), (0, 0)])
def test_chunks_become_one_file(target, sizes):
    chunks = [columns(size, seed=i) for i, size in enumerate(sizes)]
    with SnapshotWriter(**target) as writer:
        for chunk in chunks:
            writer.write(chunk)
    assert writer.rows == sum(sizes)
    expected = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in TYPES}
    assert_equal(read(target["path"]), expected)


def test_small_chunks_share_a_basket(tmp_path):
    with SnapshotWriter(tmp_path / "out.root") as writer:
        for _ in range(700):
            writer.write({"x": np.ones(100)})
    with uproot.open(tmp_path / "out.root") as file:
        assert file["candidates"]["x"].num_baskets == 2


def test_chunks_may_be_reused_by_the_caller(tmp_path):
    buffer = np.ones(3)
    with SnapshotWriter(tmp_path / "out.root") as writer:
        writer.write({"x": buffer})
        buffer[:] = 2
        writer.write({"x": buffer})
    assert read(tmp_path / "out.root")["x"].tolist() == [1, 1, 1, 2, 2, 2]


def test_big_endian_columns_and_narrower_chunks_are_converted(tmp_path):
    with SnapshotWriter(tmp_path / "out.root") as writer:
        writer.write({"x": np.array([1.5], dtype=">f8")})
        writer.write({"x": np.array([2.5], dtype="f4")})
    assert_equal(read(tmp_path / "out.root"), {"x": np.array([1.5, 2.5])})


def test_the_suffix_chooses_the_format(tmp_path):
    pytest.importorskip("pyarrow")
    with SnapshotWriter(tmp_path / "out.parquet") as writer:
        writer.write({"x": np.ones(3)})
    assert read(tmp_path / "out.parquet")["x"].tolist() == [1, 1, 1]


def test_an_unknown_format(tmp_path):
    with pytest.raises(AnalysisError, match=r"no format goes with this suffix; use \.root"):
        SnapshotWriter(tmp_path / "out.csv")
    with pytest.raises(AnalysisError, match=r"unknown format 'rntupel'\. Did you mean 'rntuple'"):
        SnapshotWriter(tmp_path / "out.root", format="rntupel")


def test_a_file_in_the_way(tmp_path):
    path = tmp_path / "out.root"
    path.write_text("before")
    with pytest.raises(RunError, match="it exists, and overwrite is False"):
        SnapshotWriter(path, overwrite=False).__enter__()
    assert path.read_text() == "before"
    Table({"x": np.ones(2)}).to_root(path)
    assert read(path)["x"].tolist() == [1, 1]


def test_a_folder_that_cannot_be_written_to(tmp_path):
    table = Table({"x": np.ones(2)})
    (tmp_path / "file").touch()
    for folder in ("none", "file"):
        with pytest.raises(RunError, match=rf"{folder}/out\.root: .*{folder} is not a folder"):
            table.to_root(tmp_path / folder / "out.root")
    with pytest.raises(RunError, match="it is a folder"):
        table.to_root(tmp_path, format="rntuple")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc takes no files, where it exists")
def test_a_folder_that_takes_no_files():
    with pytest.raises(RunError, match=r"cannot write out\.root in folder /proc:"):
        Table({"x": np.ones(2)}).to_root("/proc/out.root")


def write_chunks(target, *chunks):
    with SnapshotWriter(**target) as writer:
        for chunk in chunks:
            writer.write(chunk)


def test_nothing_is_left_of_a_block_that_fails(target):
    target["path"].write_text("before")
    with pytest.raises(RunError, match="a chunk has 'y'"):
        write_chunks(target, columns(70_000), {"y": np.ones(1)})
    assert os.listdir(target["path"].parent) == [target["path"].name]
    assert target["path"].read_text() == "before"


@pytest.fixture
def full_disk():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("full_disk")
def test_nothing_is_left_when_the_disk_takes_no_more(target):
    noise = np.random.default_rng(1).random(200_000)
    with pytest.raises(RunError, match=r"cannot write out\.\w+ in folder .*: .*[Ff]ile too large"):
        write_chunks(target, {"x": noise})
    assert os.listdir(target["path"].parent) == []


def test_a_snapshot_without_chunks(target):
    with pytest.raises(RunError, match="no chunk came"), SnapshotWriter(**target):
        pass
    assert os.listdir(target["path"].parent) == []


def test_a_writer_is_used_in_a_with_block(target):
    with pytest.raises(RunError, match="use its writer in a with block"):
        SnapshotWriter(**target).write(columns(1))


def test_chunks_have_the_columns_of_the_first(tmp_path):
    with pytest.raises(RunError, match="a chunk has 'y', but the first had 'x'"):
        write_chunks({"path": tmp_path / "out.root"}, {"x": np.ones(2)}, {"y": np.ones(2)})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("chunk", "format", "message"),
    [
        ({}, "ttree", "needs at least one column"),
        ({"x": np.array([{1}], dtype=object)}, "ttree", "'x' of type object cannot be written"),
        ({"mu.pt": np.ones(2)}, "rntuple", "'mu.pt': an RNTuple allows no dot"),
    ],
)
def test_columns_that_no_file_can_hold(tmp_path, chunk, format, message):
    with pytest.raises(RunError, match=message):
        Table(chunk).to_root(tmp_path / "out.root", format=format)
    assert os.listdir(tmp_path) == []


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(RunError, match=r"run pip install 'flavorframe\[parquet\]'"):
        Table({"x": np.ones(2)}).to_parquet(tmp_path / "out.parquet")
    assert os.listdir(tmp_path) == []
