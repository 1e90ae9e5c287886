"""Baskets that several partitions share: read and decompressed once, with the same values."""

import shutil
import threading
import time
from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import Lists, Strings
from flavorframe._rootio.opening.local_file import LocalFile
from flavorframe._rootio.piece_cache import PieceCache
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.tree import basket_table
from flavorframe._rootio.tree.reader import TreeReader
from flavorframe.errors import FileError
from support.compiled_part import needs_compiled

CODECS = {"zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(1), "zstd": uproot.ZSTD(1),
          "lzma": uproot.LZMA(1), "none": None}  # fmt: skip
EVENTS = 60_000


def content_of(events, rng):
    """Return scalars and lists, the latter of a length that does not divide that of a block."""
    counts = rng.integers(0, 4, events)
    values = rng.normal(size=counts.sum()).astype(np.float32)
    return {
        "event": np.arange(events, dtype=np.uint64),
        "x": rng.normal(size=events).astype(np.float32),
        "flag": rng.random(events) < 0.3,
        "pt": ak.unflatten(values, counts),
        "charge": ak.unflatten(np.sign(values).astype(np.int8), counts),
    }


def write(path, parts, codec="zstd"):
    """Write each part as a basket of each branch."""
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        file.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in parts[0].items()})
        for part in parts:
            file["Events"].extend(part)
    return path


def cut(content, edges):
    """Return the content between neighbouring edges."""
    return [{k: x[a:b] for k, x in content.items()} for a, b in pairwise(edges)]


def read(path, branch, edges, rows=None):
    """Return a branch as it is read between neighbouring edges, by a file opened anew."""
    file, stats = RootFile(str(path)), ReadStats()
    found = []
    for start, stop in pairwise(edges):
        these = np.arange(start, stop) if rows is None else rows[(rows >= start) & (rows < stop)]
        found.append(as_lists(file.read(branch, start, stop, these - start, stats)))
    return ak.concatenate(found), stats


def as_lists(column):
    if not isinstance(column, Lists):
        return ak.Array(column)
    elements = column.elements
    if isinstance(elements, Strings):
        elements = [elements.categories[code] for code in elements.codes]
    return ak.unflatten(elements, column.sizes)


def random_edges(events, pieces, rng):
    return [0, *sorted(rng.choice(np.arange(1, events), pieces - 1, replace=False)), events]


@needs_compiled
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("system", [True, False], ids=["system", "packages"])
def test_values_where_baskets_and_partitions_end_anywhere(tmp_path, monkeypatch, codec, system):
    monkeypatch.setattr(basket_table, "MIN_BYTES", 0)
    rng = np.random.default_rng(1)
    content = content_of(3000, rng)
    compiled.native.system_codecs(system)
    try:
        for number in range(4):
            path = tmp_path / f"{number}.root"
            write(path, cut(content, random_edges(3000, 1 + number, rng)), codec)
            edges = random_edges(3000, 12, rng)
            rows = np.flatnonzero(rng.random(3000) < 0.1)
            for name, expected in content.items():
                assert ak.array_equal(read(path, name, edges)[0], expected, dtype_exact=False)
                found, _ = read(path, name, edges, rows)
                assert ak.array_equal(found, expected[rows], dtype_exact=False)
    finally:
        compiled.native.system_codecs(True)


def test_entries_may_lie_in_two_blocks(tmp_path):
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 4, 1_500_000)
    content = {
        "number": np.arange(3_000_001, dtype=np.uint64)[: len(counts)] * 3,
        "value": ak.unflatten(np.arange(counts.sum(), dtype=np.float64) % 1000, counts),
    }
    path = write(tmp_path / "blocks.root", [content])
    block = 0xFFFFFF  # the most that is compressed at once
    assert counts.sum() * 8 > block
    offsets = np.cumsum(counts) * 8 + 10 * np.arange(1, len(counts) + 1)
    middle = int(np.searchsorted(offsets, block))
    edges = [0, middle - 2, middle, middle + 1, middle + 5, len(counts)]
    for name, expected in content.items():
        found, stats = read(path, name, edges)
        assert ak.array_equal(found, expected, dtype_exact=False)
        assert stats.bytes < 1.01 * RootFile(str(path)).compressed_bytes(name)


@pytest.mark.root
def test_baskets_of_root(tmp_path, monkeypatch):
    ROOT = pytest.importorskip("ROOT")
    monkeypatch.setattr(basket_table, "MIN_BYTES", 0)
    path = str(tmp_path / "root.root")
    frame = ROOT.RDataFrame(5000)
    frame = frame.Define("x", "float(rdfentry_) / 7").Define(
        "v", "ROOT::RVecF v; for (int i = 0; i < int(rdfentry_ % 4); i++) v.push_back(i); return v;"
    )
    frame = frame.Define("s", 'std::vector<std::string>{"HLT_" + std::to_string(rdfentry_ % 3)}')
    options = ROOT.RDF.RSnapshotOptions()
    options.fAutoFlush = 5000
    frame.Snapshot("Events", path, ["x", "v", "s"], options)
    edges = [0, 1, 17, 2500, 4999, 5000]
    entry = np.arange(5000)
    expected = {
        "x": (entry / 7).astype(np.float32),
        "v": ak.unflatten(
            np.concatenate([np.arange(i % 4, dtype=np.float32) for i in entry]), entry % 4
        ),
        "s": ak.Array([[f"HLT_{i % 3}"] for i in entry]),
    }
    for name, values in expected.items():
        assert ak.array_equal(read(path, name, edges)[0], values, dtype_exact=False)


def test_what_uproot_reads_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(TreeReader, "read_compiled", left_to_uproot)
    content = content_of(EVENTS, np.random.default_rng(4))
    path = write(tmp_path / "unusual.root", cut(content, [0, 20_000, 22_000, EVENTS]))
    edges = [0, 1, 5000, 19_000, 25_000, 40_000, EVENTS]
    asked, read_bytes = [], LocalFile._bytes
    monkeypatch.setattr(
        LocalFile,
        "_bytes",
        lambda self, start, stop: asked.append(stop - start) or read_bytes(self, start, stop),
    )
    for name in ("x", "pt"):
        assert ak.array_equal(read(path, name, edges)[0], content[name], dtype_exact=False)
    sizes = [RootFile(str(path)).compressed_bytes(name) for name in ("x", "pt")]
    assert sum(asked) < 1.1 * sum(sizes) + 50_000


def left_to_uproot(*_):
    raise LeftToUprootError("for this test")


def histogram():
    e = ff.events()
    selection = ff.Selection(e).cut("flag", e["flag"])
    return ff.Analysis(selection, x=ff.hist(e["x"], bins=20, range=(-3, 3)))


def assert_right(result, content):
    counts, _ = np.histogram(content["x"][content["flag"]], 20, (-3, 3))
    np.testing.assert_array_equal(result["x"].values(), counts)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a file of three large baskets a branch, and what is in it."""
    content = content_of(20 * EVENTS, np.random.default_rng(3))
    content = {name: content[name] for name in ("x", "flag")}
    path = tmp_path_factory.mktemp("large") / "large.root"
    return write(path, cut(content, [0, 7 * EVENTS, 18 * EVENTS, 20 * EVENTS])), content


@needs_compiled
@pytest.mark.parametrize("threads", [1, 8])
def test_each_basket_is_read_and_decompressed_once(large, monkeypatch, threads):
    path, content = large
    calls, decompress = [], compiled.native.decompress
    monkeypatch.setattr(compiled.native, "decompress", lambda *a: calls.append(a) or decompress(*a))
    result = histogram().run(
        ff.dataset(path), threads=threads, partition_size=EVENTS // 4, progress=False, cache=False
    )
    assert_right(result, content)
    assert result.timing.bytes_read < 1.05 * path.stat().st_size
    assert len(calls) <= 2 * 3


def test_a_server_sends_each_basket_once(large, web, tmp_path):
    path, content = large
    shutil.copy(path, tmp_path)
    result = histogram().run(
        ff.dataset(f"{web.url}/{path.name}"), partition_size=EVENTS, threads=4, progress=False,
        cache=False,
    )  # fmt: skip
    assert_right(result, content)
    assert web.sent < 1.2 * path.stat().st_size


@needs_compiled
def test_damage_is_told_of_the_basket(large, tmp_path):
    parts = cut(large[1], [0, 7 * EVENTS, 18 * EVENTS, 20 * EVENTS])
    path = write(tmp_path / "zlib.root", parts, "zlib")
    with uproot.open(path) as file:
        place = int(file["Events/x"].member("fBasketSeek")[1])
    for offset, told in [(0, "basket 1: its key says"), (2000, "basket 1: it does not decompress")]:
        content = bytearray(path.read_bytes())
        content[place + offset : place + offset + 20] = bytes(20)
        damaged = tmp_path / "damaged.root"
        damaged.write_bytes(content)
        file = RootFile(str(damaged))
        with pytest.raises(FileError, match=f"branch x .* {told}"):
            file.read("x", 8 * EVENTS, 9 * EVENTS, np.arange(EVENTS), ReadStats())
        file.read("x", 0, 7 * EVENTS, np.arange(7 * EVENTS), ReadStats())


def test_one_makes_what_others_wait_for():
    cache, made = PieceCache(100), []

    def make():
        time.sleep(0.05)
        made.append(1)
        return "value", 10

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.get("key", make))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["value"] * 5
    assert made == [1]


def test_what_was_not_used_for_longest_is_given_up():
    cache, made = PieceCache(100), []

    def get(key):
        return cache.get(key, lambda: (made.append(key) or key, 40))

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]


def test_what_is_larger_than_all_that_is_kept_is_given_up_at_once():
    cache, made = PieceCache(100), []
    for _ in range(2):
        cache.get("key", lambda: (made.append(1), 1000))
    assert made == [1, 1]


def test_errors_are_not_kept():
    cache = PieceCache(100)

    def fail():
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        cache.get("key", fail)
    assert cache.get("key", lambda: ("value", 1)) == "value"
