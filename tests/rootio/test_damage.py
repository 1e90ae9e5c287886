"""What is damaged, odd or no file at all costs itself: the run goes on, and the rest is exact."""

import os
import random
import shutil
import socket
import struct

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._files.remote import access
from flavorframe._rootio import codecs, compiled
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.tree.basket_table import BasketTable
from flavorframe.errors import BranchError, FileError
from support.compiled_part import needs_compiled

ENGINES = ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)]
EVENTS = 900
CODECS = {"zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(1), "zstd": uproot.ZSTD(1),
          "lzma": uproot.LZMA(1), "none": None}  # fmt: skip

event = ff.events()
muon = event.muon
analysis = ff.Analysis(
    ff.Selection(muon).cut("pt", muon.pt > 1).cut("x", event["x"] < 1),
    rows=ff.snapshot(muon.pt, event["x"]),
)


def columns():
    rng = np.random.default_rng(1)
    pt = ak.unflatten(rng.normal(size=1800).round(1).astype(np.float32), [2] * EVENTS)
    return {"x": rng.normal(size=EVENTS).round(2), "Muon_pt": pt}


def write_tree(path, codec, content):
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        file.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        for start in range(0, EVENTS, 300):
            file["Events"].extend({name: x[start : start + 300] for name, x in content.items()})
    return path


def write_ntuple(path, codec, content):
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        file.mkrntuple("Events", content)
    return path


def write_by_root(path, source, codec):
    from flavorframe.engines._rdataframe.runtime.root import root

    options = root().RDF.RSnapshotOptions()
    options.fOutputFormat = root().RDF.ESnapshotOutputFormat.kRNTuple
    options.fCompressionAlgorithm = {"none": 0, "zlib": 1, "lz4": 4, "zstd": 5}[codec]
    options.fCompressionLevel = 0 if codec == "none" else 1
    frame = root().RDataFrame("Events", str(source))
    frame.Snapshot("Events", str(path), list(columns()), options)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damage")


@pytest.fixture(scope="module")
def good(folder):
    return write_tree(folder / "good.root", "zlib", columns())


def run(*files, engine="columnar", what=analysis):
    data = ff.dataset([str(file) for file in files])
    return what.run(data, engine=engine, progress=False, cache=False, threads=1)


def copy_of(path, name):
    return shutil.copy(path, path.with_name(name))


def counts(result):
    return [(row.name, row.events, row.candidates) for row in result.cutflow]


def assert_costs_itself(good, bad, engine="columnar", what=analysis):
    """Assert that a file between two good ones is a failure, and return why."""
    other = copy_of(good, "other.root")
    found = run(good, bad, other, engine=engine, what=what)
    assert [failure.file for failure in found.failures] == [str(bad)]
    assert counts(found) == counts(run(good, other, what=what))
    return found.failures[0].reason


# Files


def kinds(folder):
    """Yield paths that are there, and no files; what messages call them."""
    os.mkfifo(folder / "pipe.root")
    yield folder / "pipe.root", "a named pipe"
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket must be short
        made.bind("socket.root")
        os.chdir(here)
    yield folder / "socket.root", "a socket"
    yield "/dev/null", "a device"


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_file_is_not_waited_for(good, tmp_path, engine):
    for path, kind in kinds(tmp_path):
        assert (
            assert_costs_itself(good, path, engine)
            == f"it is {kind}, not a file: only files can be read."
        )
        with pytest.raises(FileError, match=kind):
            ff.inspect(path)
    with pytest.raises(FileError, match="a folder"):
        ff.inspect(tmp_path)


@pytest.mark.parametrize(
    "name", ["a.root:v2.root", "a.root::b.root", "b.root:Events", "c.root?#[1]"]
)
def test_names_are_not_taken_apart(good, tmp_path, name):
    path = shutil.copy(good, tmp_path / name)
    assert ff.inspect(path).events == EVENTS
    data = ff.Dataset("named", None, (str(path),))
    assert counts(analysis.run(data, progress=False)) == counts(run(good))


def test_a_name_with_a_tree_is_no_file(good):
    with pytest.raises(FileError, match="good.root:Events: there is no such file"):
        RootFile(f"{good}:Events")


def test_files_are_closed_that_are_no_longer_used(good):
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(20):
        RootFile(str(good)).schema  # noqa: B018
    assert len(set(os.listdir("/proc/self/fd")) - before) < 5


# Branches


def with_entries(path, original, behind, before, after):
    """Write a copy in which the number of entries that follows some bytes is another."""
    raw, number = original.read_bytes(), struct.pack(">q", before)
    start = raw.index(behind)
    head, *others = raw[start:].split(number, 2 if behind.startswith(b"\x01") else 1)
    changed = number.join([head, *others[:-1]]) + struct.pack(">q", after) + others[-1]
    path.write_bytes(raw[:start] + changed)
    return path


@pytest.fixture(scope="module")
def plain(folder):
    content = {"x": np.arange(777.0), "y": np.arange(777.0)}
    with uproot.recreate(folder / "plain.root", compression=None) as file:
        file.mktree("Events", {"x": "float64", "y": "float64"})
        file["Events"].extend(content)
    return folder / "plain.root"


def of_branch(name):
    return ff.Analysis(ff.Selection(event).cut("last", event[name] >= 776))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_branch_that_is_shorter_than_its_tree(plain, tmp_path, engine):
    short = with_entries(tmp_path / "short.root", plain, b"\x01y\x03y/D", 777, 770)
    reason = assert_costs_itself(plain, short, engine, of_branch("y"))
    assert reason == (
        "branch y has 770 entries, and tree Events has 777: it was not filled to the end."
    )
    assert run(short, engine=engine, what=of_branch("x")).cutflow["last"].events == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tree_that_is_longer_than_its_branches(plain, tmp_path, engine):
    long = with_entries(tmp_path / "long.root", plain, b"root", 777, 780)
    reason = assert_costs_itself(plain, long, engine, of_branch("x"))
    assert "the tree has 780 events, and its longest branch, x, has 777 entries" in reason


@pytest.mark.root
def test_an_odd_branch_does_not_hide_the_others(tmp_path):
    from flavorframe.engines._rdataframe.runtime.root import root

    root().gInterpreter.Declare("""
    void write_odd_branch(const char* path) {
      TFile file(path, "RECREATE"); TTree tree("Events", "");
      struct { float x[3][2]; float y[3][2]; } hits = {}; double m = 5.28;
      tree.Branch("hits", &hits, "x[3][2]/F:y[3][2]/F"); tree.Branch("m", &m, "m/D");
      for (int i = 0; i < 3; i++) tree.Fill();
      tree.Write();
    }""")
    path = str(tmp_path / "odd.root")
    root().write_odd_branch(path)
    assert ff.inspect(path).others == ("hits",)
    assert (
        run(path, what=ff.Analysis(ff.Selection(event).cut("m", event["m"] > 5)))
        .cutflow["m"]
        .events
        == 3
    )
    with pytest.raises(
        BranchError, match=r"Branch hits is not readable by expressions: \('V', 16\) \(KeyError"
    ):
        run(path, what=ff.Analysis(ff.Selection(event).cut("hits", event["hits"] > 5)))


@pytest.mark.root
def test_damaged_descriptions_of_classes(good, tmp_path):
    """Uproot asks for them only once it has seen a file with the same classes."""
    from flavorframe.engines._rdataframe.runtime.root import root

    root().gInterpreter.Declare("""
    #include <deque>
    void write_deque_branch(const char* path) {
      TFile file(path, "RECREATE"); TTree tree("Events", "");
      std::deque<float> d; double x = 1;
      tree.Branch("d", &d); tree.Branch("x", &x);
      for (int i = 0; i < 20; i++) { d.push_back(i); tree.Fill(); }
      tree.Write();
    }""")
    path, damaged = tmp_path / "deque.root", tmp_path / "damaged.root"
    root().write_deque_branch(str(path))
    with uproot.open(path) as opened:
        at = opened.file.fSeekInfo + opened.file.fNbytesInfo // 2
    raw = bytearray(path.read_bytes())
    raw[at : at + 16] = bytes(16)
    damaged.write_bytes(raw)
    what = ff.Analysis(ff.Selection(event).cut("x", event["x"] > 0))
    found = run(path, damaged, shutil.copy(path, tmp_path / "again.root"), what=what)
    assert found.cutflow["x"].events == 60


def test_what_the_bulk_reader_does_not_know_is_left_to_uproot(good, monkeypatch):
    expected = run(good).rows

    def of(branch):
        raise LeftToUprootError("baskets embedded in the tree")

    monkeypatch.setattr(BasketTable, "of", of)
    found = run(shutil.copy(good, good.with_name("unusual.root"))).rows
    assert all(np.array_equal(found[name], expected[name]) for name in ("pt", "x"))


# Checksums


@pytest.mark.root
@pytest.mark.parametrize("codec", ["none", "zlib", "lz4", "zstd"])
def test_pages_are_compared_with_their_checksums(good, tmp_path, codec):
    path = write_by_root(tmp_path / "pages.root", good, codec)
    expected = run(path).rows
    with uproot.open(path) as file:
        ntuple = file["Events"]
        read = [c.idx for c in ntuple.column_records
                if ntuple.field_records[c.field_id].field_name != "nMuon_pt"]  # fmt: skip
        lists = [cluster[i].pages for cluster in ntuple.page_link_list for i in read]
    places = [page.locator for pages in lists for page in pages]
    rng = random.Random(codec)
    for number in range(40):
        place = rng.choice(places)
        raw = bytearray(path.read_bytes())
        raw[place.offset + rng.randrange(place.num_bytes + 8)] ^= 1 << rng.randrange(8)
        damaged = tmp_path / f"flipped{number}.root"
        damaged.write_bytes(raw)
        with pytest.raises(FileError, match=r"branch \w+ .* the checksum of the page at byte \d+"):
            run(damaged)
    assert np.array_equal(run(path).rows["pt"], expected["pt"])


@pytest.mark.parametrize("where", ["header", "footer", "a list of pages"])
def test_what_describes_an_ntuple_is_compared_with_its_checksum(good, tmp_path, where):
    path = write_ntuple(tmp_path / "ntuple.root", "none", columns())
    with uproot.open(path) as file:
        ntuple = file["Events"]
        link = ntuple.footer.cluster_group_records[0].page_list_link.locator
        at = {"header": ntuple.member("fSeekHeader") + 40,
              "footer": ntuple.member("fSeekFooter") + 40,
              "a list of pages": link.offset + 30}[where]  # fmt: skip
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    assert (
        f"the checksum of {'' if ' ' in where else 'the '}{where} is wrong"
        in assert_costs_itself(good, path)
    )


def test_lists_that_do_not_fit_their_values(good, tmp_path):
    path = write_ntuple(tmp_path / "lists.root", "none", columns())
    with uproot.open(path) as file:
        ntuple = file["Events"]
        (index,) = [
            c.idx
            for c in ntuple.column_records
            if ntuple.field_records[c.field_id].field_name == "Muon_pt"
        ]
        place = ntuple.page_link_list[0][index].pages[0].locator
    raw = bytearray(path.read_bytes())
    raw[place.offset + 80 : place.offset + 88] = b"\xff" * 8
    path.write_bytes(raw)
    assert "its lists do not fit its values" in assert_costs_itself(good, path)


# What is not the file's fault


@needs_compiled
@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_a_codec_cannot_help_is_no_damage(good, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setitem(codecs.CODECS, b"ZL", fail)
    compiled.native.system_codecs(False)
    try:
        with pytest.raises(error):
            run(good)
    finally:
        compiled.native.system_codecs(True)


@needs_compiled
def test_a_panic_of_a_library_is_damage(good, monkeypatch):
    class PanicException(BaseException):  # as Rust's are
        pass

    def fail(*arguments):
        raise PanicException("index out of bounds")

    monkeypatch.setitem(codecs.CODECS, b"ZL", fail)
    compiled.native.system_codecs(False)
    try:
        with pytest.raises(FileError, match="index out of bounds"):
            run(good)
    finally:
        compiled.native.system_codecs(True)


# Anything


def damaged(raw, rng):
    """Return bytes with some flipped, zeroed, cut off, or written twice."""
    raw = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, width = rng.randrange(len(raw)), rng.choice((1, 4, 16, 200))
        if rng.random() < 0.4:  # where files describe themselves
            at = rng.choice((rng.randrange(900), len(raw) - 1 - rng.randrange(min(9000, len(raw)))))
        kind = rng.choice(("flip", "flip", "zero", "ones", "random", "copy", "cut"))
        span = slice(at, at + len(raw[at : at + width]))
        if kind == "flip":
            raw[at] ^= 1 << rng.randrange(8)
        elif kind == "cut":
            del raw[max(at, 950) :]
        elif kind == "copy":
            start = rng.randrange(len(raw) - width)
            raw[span] = raw[start : start + span.stop - span.start]
        else:
            fill = {"zero": bytes, "ones": lambda n: b"\xff" * n, "random": rng.randbytes}[kind]
            raw[span] = fill(span.stop - span.start)
    return bytes(raw)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("write", [write_tree, write_ntuple], ids=["ttree", "rntuple"])
def test_no_damage_ends_a_run_or_touches_other_files(good, tmp_path, write, codec):
    original = write(tmp_path / "original.root", codec, columns()).read_bytes()
    other = copy_of(good, "other.root")
    rng = random.Random(codec)
    expected = counts(run(good, other))
    refused = 0
    for number in range(100):
        bad = tmp_path / f"bad{number}.root"
        bad.write_bytes(damaged(original, rng))
        found = run(good, bad, other)
        assert {failure.file for failure in found.failures} <= {str(bad)}
        if found.failures:
            assert counts(found) == expected
            refused += 1
    assert refused > 30


def test_access_does_not_split_urls_either(monkeypatch):
    asked = []
    monkeypatch.setattr(uproot, "open", lambda path, **options: asked.append(path))
    access.open_remote("http://127.0.0.1:1/a.root:v2.root")
    assert asked == [{"http://127.0.0.1:1/a.root:v2.root": None}]
