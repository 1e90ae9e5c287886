"""RNTuples read by page: what is read of large clusters, and the same values as uproot's."""

import shutil
from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._rootio import compiled
from flavorframe._rootio.ntuple.checksums import CheckedNTuple
from flavorframe._rootio.ntuple.clusters import Clusters
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile
from flavorframe.errors import FileError
from support.compiled_part import needs_compiled

ROOT_WRITES = """
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <ROOT/RNTupleWriteOptions.hxx>
void write_pages(const char *path, long events, int compression, long page, long cluster)
{
    auto model = ROOT::RNTupleModel::Create();
    auto event = model->MakeField<std::uint64_t>("event");
    auto number = model->MakeField<std::int32_t>("number");
    auto x = model->MakeField<float>("x");
    auto flag = model->MakeField<bool>("flag");
    auto name = model->MakeField<std::string>("name");
    auto pt = model->MakeField<std::vector<float>>("pt");
    auto hits = model->MakeField<std::vector<std::int16_t>>("hits");
    auto paths = model->MakeField<std::vector<std::string>>("paths");
    auto passed = model->MakeField<std::vector<bool>>("passed");
    auto pair = model->MakeField<std::array<float, 2>>("pair");
    ROOT::RNTupleWriteOptions options;
    options.SetCompression(compression);
    options.SetInitialUnzippedPageSize(page / 2);
    options.SetMaxUnzippedPageSize(page);
    auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path, options);
    for (long i = 0; i < events; i++) {
        *event = i;
        *number = 1000 - 7 * i;
        *x = (i * 7919 % 1000) / 8.f;
        *flag = i % 3 == 0;
        *name = "run" + std::to_string(i % 5);
        pt->assign(i % 4, i / 4.f);
        hits->assign(i % 3, -i);
        paths->assign(i % 2, "HLT_" + std::to_string(i % 7));
        passed->assign(i % 5, i % 2 == 0);
        *pair = {float(i), float(-i)};
        writer->Fill();
        if (i % cluster == cluster - 1)
            writer->CommitCluster();
    }
}
"""
EVENTS = 4000
ZSTD = uproot.ZSTD(1)


def write_by_root(path, compression=505, page=1024, cluster=EVENTS, events=EVENTS):
    ROOT = pytest.importorskip("ROOT")
    if not hasattr(ROOT, "write_pages"):
        assert ROOT.gInterpreter.Declare(ROOT_WRITES)
    ROOT.write_pages(str(path), events, compression, page, cluster)
    return path


def write_by_uproot(path, events, codec=ZSTD, clusters=1):
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 4, events)
    content = {
        "x": rng.normal(size=events).astype(np.float32),
        "flag": rng.random(events) < 0.3,
        "pt": ak.unflatten(rng.normal(size=counts.sum()), counts),
        "name": ak.Array([f"run{i % 5}" for i in range(events)]),
    }
    with uproot.recreate(path, compression=codec) as file:
        types = {"x": "float32", "flag": "bool", "pt": "var * float64", "name": "string"}
        written = file.mkrntuple("Events", types)
        edges = np.linspace(0, events, clusters + 1).astype(int)
        for start, stop in pairwise(edges):
            written.extend({name: values[start:stop] for name, values in content.items()})
    return path


def assert_reads_like_uproot(path, rng):
    """Compare ranges that begin and end anywhere with what uproot reads of all events."""
    file = RootFile(str(path))
    edges = [0, *sorted(rng.choice(np.arange(1, file.events), 9, replace=False)), file.events]
    ranges = [*pairwise(edges), (0, file.events), (5, 5), (file.events, file.events)]
    with uproot.open(path) as opened:
        for field in opened["Events"].fields:
            expected = field.array()
            for start, stop in ranges:
                found = file._reader.clusters.read(
                    file._reader._fields[field.name], start, stop, ReadStats()
                )
                assert ak.array_equal(found, expected[start:stop], dtype_exact=False), field.name


@pytest.mark.root
@pytest.mark.parametrize("compression", [0, 101, 404, 505])
@pytest.mark.parametrize("cluster", [EVENTS, 1500, 100])
def test_any_range_of_what_root_writes(tmp_path, compression, cluster):
    path = write_by_root(tmp_path / "root.root", compression, cluster=cluster)
    assert_reads_like_uproot(path, np.random.default_rng(compression + cluster))


@pytest.mark.parametrize("codec", [None, uproot.ZLIB(1), uproot.LZ4(1), uproot.ZSTD(1)])
@pytest.mark.parametrize("clusters", [1, 3, 50])
def test_any_range_of_what_uproot_writes(tmp_path, codec, clusters):
    path = write_by_uproot(tmp_path / "uproot.root", 20_000, codec, clusters)
    assert_reads_like_uproot(path, np.random.default_rng(clusters))


@needs_compiled
def test_a_page_of_several_blocks(tmp_path):
    path = tmp_path / "blocks.root"
    values = np.arange(5_000_000, dtype=np.int64)
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": values})
    file, stats = RootFile(str(path)), ReadStats()
    middle = 0xFFFFFF // 8
    for start, stop in pairwise([0, middle - 1, middle + 1, 4_000_000, 5_000_000]):
        found = file.read("x", start, stop, np.arange(stop - start), stats)
        np.testing.assert_array_equal(found, values[start:stop])
    assert stats.bytes < 1.01 * file.compressed_bytes("x")


def test_where_nothing_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "native", None)
    path = write_by_uproot(tmp_path / "uproot.root", 20_000, ZSTD)
    assert_reads_like_uproot(path, np.random.default_rng(1))


def test_clusters_are_where_partitions_end(tmp_path):
    path = write_by_uproot(tmp_path / "edges.root", 3000, clusters=3)
    assert RootFile(str(path)).common_edges(("x", "pt")) == (0, 1000, 2000, 3000)


def histogram():
    e = ff.events()
    selection = ff.Selection(e).cut("flag", e["flag"])
    return ff.Analysis(selection, x=ff.hist(e["x"], bins=20, range=(-3, 130)))


def expected(path):
    with uproot.open(path) as file:
        read = file["Events"].arrays(["x", "flag"])
    return np.histogram(read.x[read.flag], 20, (-3, 130))[0]


@needs_compiled
@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize(
    "write", [pytest.param(write_by_root, marks=pytest.mark.root), write_by_uproot]
)
def test_each_page_is_read_once(tmp_path, monkeypatch, write, threads):
    path = write(tmp_path / "once.root", events=40_000)
    read = []
    locate = CheckedNTuple.read_locator
    monkeypatch.setattr(
        CheckedNTuple,
        "read_locator",
        lambda self, loc, size: read.append(loc.offset) or locate(self, loc, size),
    )
    result = histogram().run(
        ff.dataset(path), threads=threads, partition_size=777, progress=False, cache=False
    )
    np.testing.assert_array_equal(result["x"].values(), expected(path))
    assert len(set(read)) == len(read)
    sizes = [RootFile(str(path)).compressed_bytes(name) for name in ("x", "flag")]
    assert result.timing.bytes_read == pytest.approx(sum(sizes), rel=0.05)


@needs_compiled
def test_a_server_sends_each_page_once(tmp_path, web):
    path = write_by_uproot(tmp_path / "served.root", 100_000)
    sizes = [RootFile(str(path)).compressed_bytes(name) for name in ("x", "flag")]
    result = histogram().run(
        ff.dataset(f"{web.url}/served.root"), partition_size=5000, threads=4, progress=False,
        cache=False,
    )  # fmt: skip
    np.testing.assert_array_equal(result["x"].values(), expected(path))
    assert web.sent < 1.2 * sum(sizes) + 20_000


@pytest.mark.root
def test_unusual_fields_are_read_once_a_cluster(tmp_path, monkeypatch):
    path = write_by_root(tmp_path / "unusual.root")
    monkeypatch.setattr(Clusters, "_column", left_to_uproot)
    file, stats = RootFile(str(path)), ReadStats()
    found = [
        file.read("pt", start, stop, np.arange(stop - start), stats)
        for start, stop in pairwise([0, 10, 1000, 3999, 4000])
    ]
    with uproot.open(path) as opened:
        values = opened["Events/pt"].array()
    np.testing.assert_array_equal(
        np.concatenate([part.elements for part in found]), ak.flatten(values)
    )
    assert stats.bytes == file.compressed_bytes("pt")


def left_to_uproot(*_):
    raise LeftToUprootError("for this test")


def test_damage_is_told_of_the_branch(tmp_path):
    path = write_by_uproot(tmp_path / "whole.root", 100_000, uproot.ZLIB(1))
    with uproot.open(path) as file:
        ntuple = file["Events"]
        (column,) = [c.idx for c in ntuple.column_records if c.field_id == ntuple["x"].field_id]
        place = ntuple.page_link_list[0][column].pages[0].locator.offset
    content = bytearray(path.read_bytes())
    content[place + 1000 : place + 1020] = bytes(20)
    damaged = tmp_path / "damaged.root"
    damaged.write_bytes(content)
    with pytest.raises(FileError, match=r"damaged.root: branch x of tree Events cannot be read"):
        RootFile(str(damaged)).read("x", 50, 90, np.arange(40), ReadStats())


def test_lists_that_are_longer_than_what_they_hold(tmp_path):
    path = tmp_path / "long.root"
    lists = ak.Array([[1.0, 2.0]] * 1000)
    with uproot.recreate(path, compression=None) as file:
        file.mkrntuple("Events", {"v": lists})
    with uproot.open(path) as file:
        place = file["Events"].page_link_list[0][0].pages[0].locator.offset
    content = bytearray(path.read_bytes())
    for entry, value in [(500, 2**40), (500, 3)]:
        content[place + 8 * entry : place + 8 * entry + 8] = value.to_bytes(8, "little")
        damaged = shutil.copy(path, tmp_path / f"{value}.root")
        damaged.write_bytes(content)
        with pytest.raises(FileError, match="its lists do not fit its values"):
            RootFile(str(damaged)).read("v", 490, 501, np.arange(11), ReadStats())
