"""The bulk reader against uproot's own interpretation, and against damage."""

import os
import re
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import Lists, Strings
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile
from flavorframe.errors import FileError
from support.compiled_part import needs_compiled
from support.reference import MORE

CODECS = {"zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(1), "zstd": uproot.ZSTD(1),
          "lzma": uproot.LZMA(1), "none": None}  # fmt: skip
EVENTS = 300
FLIPS = 120 * MORE
"""How often a byte is changed."""


def write(path, codec):
    """Write scalars and lists of every width, in three rounds of baskets."""
    rng = np.random.default_rng(7)
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        for step in range(3):
            counts = rng.integers(0, 5, EVENTS // 3)
            values = rng.normal(size=counts.sum()) * 10
            content = {"event": np.arange(EVENTS // 3, dtype=np.uint64) + step * EVENTS // 3}
            for dtype in (np.bool_, np.int8, np.int16, np.uint32, np.int64, np.float32, np.float64):
                name = np.dtype(dtype).name
                content[f"flat_{name}"] = rng.integers(0, 2, EVENTS // 3).astype(dtype)
                content[f"list_{name}"] = ak.unflatten(values.astype(dtype), counts)
            if step == 0:
                file.mktree("Events", {name: ak.type(x) for name, x in content.items()})
            file["Events"].extend(content)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codecs")
    return {codec: write(folder / f"{codec}.root", codec) for codec in CODECS}


def whole(column):
    """Return the lengths of a column's lists, and all its values."""
    if not isinstance(column, Lists):
        return None, column
    return column.sizes, column.elements


def everything(file, branch):
    """Return a whole column."""
    return file.read(branch, 0, file.events, np.arange(file.events), ReadStats())


def assert_same(fast, slow):
    (fast_sizes, fast), (slow_sizes, slow) = whole(fast), whole(slow)
    np.testing.assert_array_equal(fast_sizes, slow_sizes)
    if isinstance(fast, Strings):
        words = [[x.categories[code] for code in x.codes] for x in (fast, slow)]
        assert words[0] == words[1]
    else:
        assert fast.dtype == slow.dtype
        np.testing.assert_array_equal(fast, slow)


def assert_reads_like_uproot(file):
    """Compare all branches that the bulk reader knows, over several ranges; return how many."""
    known, rng = 0, np.random.default_rng(11)
    ranges = [(0, file.events), (file.events // 3, file.events // 2), (file.events, file.events)]
    for branch in file.schema.branches:
        if "other" in (branch.kind, branch.shape):
            continue
        for start, stop in ranges:
            for share in (1, 0.2):
                rows = np.flatnonzero(rng.random(stop - start) < share)
                try:
                    fast = file._reader.read_compiled(branch.name, start, stop, rows, ReadStats())
                except LeftToUprootError:
                    continue
                known += 1
                slow = file._reader.read_by_uproot(branch.name, start, stop, ReadStats())
                assert_same(fast, slow[rows])
    return known


@needs_compiled
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("system", [True, False], ids=["system", "packages"])
def test_reads_like_uproot(written, codec, system):
    compiled.native.system_codecs(system)
    try:
        assert assert_reads_like_uproot(RootFile(str(written[codec]))) == 2 * 3 * 22
    finally:
        compiled.native.system_codecs(True)


@needs_compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["nano_dy.root", "nano_dimuon.root", "nano_dy_empty.root", "treemaker.root"]
)
def test_reads_real_files_like_uproot(name):
    if "FLAVORFRAME_DATA" not in os.environ:
        pytest.skip("FLAVORFRAME_DATA, the folder of real files, is not set")
    assert assert_reads_like_uproot(RootFile(str(Path(os.environ["FLAVORFRAME_DATA"]) / name))) > 99


def test_any_range_is_the_slice_of_the_whole(written):
    file = RootFile(str(written["zstd"]))
    sizes, elements = whole(everything(file, "list_float64"))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    for start, stop in [(0, 1), (99, 101), (100, 200), (250, 300), (17, 17)]:
        rows = np.arange(stop - start)
        part = file.read("list_float64", start, stop, rows, ReadStats())
        np.testing.assert_array_equal(part.sizes, sizes[start:stop])
        np.testing.assert_array_equal(part.elements, elements[offsets[start] : offsets[stop]])


@needs_compiled
def test_baskets_without_a_living_event_are_not_read(written):
    file, stats, less = RootFile(str(written["zstd"])), ReadStats(), ReadStats()
    file.read("list_int64", 0, EVENTS, np.arange(EVENTS), stats)
    file.read("list_int64", 0, EVENTS, np.array([3, 299]), less)
    with uproot.open(written["zstd"]) as opened:
        sizes = opened["Events/list_int64"].member("fBasketBytes")
    assert stats.bytes == sum(sizes[:3])
    assert less.bytes == sizes[0] + sizes[2]


@needs_compiled
def test_a_file_that_shrinks_while_it_is_read_is_an_error(written, tmp_path):
    path = tmp_path / "shrinks.root"
    path.write_bytes(written["zstd"].read_bytes())
    file = RootFile(str(path))
    everything(file, "event")
    os.truncate(path, 200)
    with pytest.raises(FileError, match=r"branch event .* basket 0: the file ends \d+ bytes"):
        everything(file, "event")


def test_common_edges_are_where_all_baskets_begin(written):
    file = RootFile(str(written["zstd"]))
    assert file.common_edges(("event", "list_int8")) == (0, 100, 200, 300)


def read_all(path):
    """Return the bytes of every branch, or raise what the reader raises."""
    file = RootFile(str(path))
    columns = []
    for branch in file.schema.branches:
        column = everything(file, branch.name)
        columns += [part.tobytes() for part in whole(column) if part is not None]
    return columns


def compressed_baskets(path):
    """Yield where the baskets lie that are compressed, and therefore have checksums."""
    with uproot.open(path) as file:
        for branch in file["Events"].branches:
            for i in range(branch.num_baskets):
                key = branch.basket_key(i)
                if key.fNbytes - key.fKeylen < key.fObjlen:
                    start = branch.member("fBasketSeek")[i]
                    yield start, start + key.fNbytes


@needs_compiled
@pytest.mark.parametrize("codec", ["zlib", "lz4"])
def test_a_flipped_byte_in_a_basket_is_an_error_or_harmless(written, tmp_path, codec):
    original = written[codec].read_bytes()
    expected = read_all(written[codec])
    spans = list(compressed_baskets(written[codec]))
    rng = np.random.default_rng(3)
    errors = 0
    for _ in range(FLIPS):
        start, stop = spans[rng.integers(len(spans))]
        content = bytearray(original)
        content[rng.integers(start, stop)] ^= rng.integers(1, 256)
        path = tmp_path / "mutated.root"
        path.write_bytes(content)
        try:
            assert read_all(path) == expected
        except FileError as error:
            assert "basket" in str(error)
            errors += 1
    assert errors > FLIPS / 2


@pytest.mark.parametrize("codec", ["zlib", "lz4", "zstd", "lzma"])
def test_no_mutation_crashes_or_hangs(written, tmp_path, codec):
    original = written[codec].read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(50 * MORE):
        content = bytearray(original)
        for _ in range(rng.integers(1, 6)):
            place = rng.integers(len(content) - 8)
            content[place : place + 4] = rng.bytes(4)
        path = tmp_path / "mutated.root"
        path.write_bytes(content[: rng.integers(100, len(content) + 1)])
        try:
            read_all(path)
        except FileError:
            continue


def test_a_damaged_file_does_not_spoil_the_others(written, tmp_path):
    content = written["none"].read_bytes()
    with uproot.open(written["none"]) as file:
        tree = file.key("Events").fSeekKey
    first = re.compile(rb"TBranch\x00....\x00\x0d", re.DOTALL)
    version = first.search(content, tree).end() - 2
    path = tmp_path / "damaged.root"
    path.write_bytes(content[:version] + b"\x00\x63" + content[version + 2 :])
    models = uproot.classes["TBranch"].known_versions
    before = dict(models)
    RootFile(str(path))  # of a version that nobody has written
    assert {version: models[version] for version in before} == before
    assert read_all(written["zstd"]) == read_all(written["none"])


@needs_compiled
def test_errors_name_file_branch_and_basket(written, tmp_path):
    content = bytearray(written["zlib"].read_bytes())
    with uproot.open(written["zlib"]) as file:
        place = file["Events/list_float32"].member("fBasketSeek")[1]
    content[place + 100 : place + 110] = b"\0" * 10
    path = tmp_path / "damaged.root"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"damaged.root: branch list_float32 .* basket 1: it does"):
        read_all(path)


@needs_compiled
def test_a_codec_that_nobody_has(written, tmp_path):
    content = bytearray(written["zlib"].read_bytes())
    with uproot.open(written["zlib"]) as file:
        branch = file["Events/list_float32"]
        place = branch.member("fBasketSeek")[0]
        key = branch.basket_key(0).fKeylen
    content[place + key : place + key + 2] = b"QQ"
    path = tmp_path / "codec.root"
    path.write_bytes(content)
    with pytest.raises(
        FileError,
        match="branch list_float32 .* basket 0: its compression b'QQ' is none that ROOT has",
    ):
        read_all(path)
