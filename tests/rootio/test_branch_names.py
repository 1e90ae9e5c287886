"""What branches are called: several of one name, in objects that are split, and odd characters."""

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines._rdataframe.runtime.root import root
from flavorframe.errors import BranchError, FileError

events = ff.events()

HITS = """
struct NamesOfBranchesHit { float x = 0; float y = 0; std::vector<float> parts; };
void names_of_branches(const char* path) {
  TFile file(path, "RECREATE");
  TTree tree("Events", "");
  NamesOfBranchesHit a, b;
  float x, odd;
  tree.Branch("first", &a);
  tree.Branch("second", &b);
  tree.Branch("third.", &b);
  tree.Branch("x", &x, "x/F");
  tree.Branch("of/ten", &odd, "odd/F");
  for (int i = 0; i < 4; i++) {
    a.x = i; b.x = 10 + i; x = 20 + i; odd = 30 + i;
    a.parts.assign(i, 1.f);
    b.parts.assign(1, 2.f);
    tree.Fill();
  }
  tree.Write();
}
"""


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """Return a file with the same sub-branches in several objects, and one of them at the top."""
    path = str(tmp_path_factory.mktemp("names") / "split.root")
    root().gInterpreter.Declare(HITS)
    root().names_of_branches(path)
    return path


def values(file, expression, engine="columnar"):
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=expression))
    result = analysis.run(ff.dataset(file), engine=engine, progress=False)
    return result["rows"].to_numpy()["x"].tolist()


@pytest.mark.root
@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_paths_reach_each_of_several_branches_of_one_name(split, engine):
    for name, first in {"first/x": 0, "second/x": 10, "third.x": 10, "x": 20, "of/ten": 30}.items():
        assert values(split, events[name], engine) == [first + i for i in range(4)], name
    assert values(split, events["third./third.x"], engine) == [10, 11, 12, 13]
    assert values(split, events["first/parts"].sum(), engine) == [0, 1, 2, 3]
    assert values(split, events["second/parts"].sum(), engine) == [2, 2, 2, 2]


@pytest.mark.root
@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
@pytest.mark.parametrize("expression", [events["y"], ff.parse("y + 1")])
def test_a_name_that_means_several_branches_is_refused(split, engine, expression):
    message = r"may be first/y or second/y: say which by events\['first/y'\]"
    with pytest.raises(BranchError, match=message):
        values(split, expression, engine)


@pytest.mark.root
def test_inspect_lists_paths_where_names_repeat(split):
    names = [field.branch for fields in ff.inspect(split).collections.values() for field in fields]
    assert {"first/x", "second/x", "third.x", "x", "first/parts"} <= set(names)
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Return a file with two branches of one path, and another branch."""
    path = tmp_path_factory.mktemp("names") / "twins.root"
    content = {"x1": np.arange(3.0), "x2": np.arange(3.0) + 100, "y": np.arange(3.0)}
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: array.dtype for name, array in content.items()})
        file["Events"].extend(content)
    path.write_bytes(path.read_bytes().replace(b"\x02x2", b"\x02x1"))
    return str(path)


@pytest.mark.parametrize("engine", ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)])
@pytest.mark.parametrize("expression", [events["x1"], ff.parse("x1 > 1")])
def test_of_branches_of_one_path_none_is_chosen(twins, engine, expression):
    with pytest.raises(BranchError, match="has 2 branches of the one path 'x1'"):
        values(twins, expression, engine)
    assert values(twins, events["y"], engine) == [0, 1, 2]


def test_inspect_tells_of_branches_of_one_path(twins):
    found = ff.inspect(twins)
    assert [field.branch for field in found.collections["event"]] == ["y"]
    assert found.others == ("x1",)


@pytest.mark.parametrize("write", ["mktree", "mkrntuple"])
def test_names_that_begin_with_underscores(tmp_path, write):
    content = {"__event__": np.arange(3), "_0": np.arange(3) + 10, "M": np.arange(3.0)}
    with uproot.recreate(tmp_path / "belle.root") as file:
        if write == "mktree":
            file.mktree("Events", {name: array.dtype for name, array in content.items()})
            file["Events"].extend(content)
        else:
            file.mkrntuple("Events", content)
    assert values(tmp_path / "belle.root", events["__event__"]) == [0, 1, 2]
    assert values(tmp_path / "belle.root", events["_0"]) == [10, 11, 12]


NTUPLES = """
void write_ntuples(const char* path, bool more) {
  TFile file(path, "RECREATE");
  auto* single = new TNtuple("nt_0", "", "x:y");
  for (int i = 0; i < 3; i++) single->Fill(i, 10 * i);
  single->Write();
  if (!more) return;
  file.mkdir("inner")->cd();
  auto* pair = new TNtupleD("nt_1", "", "x:y");
  for (int i = 0; i < 3; i++) pair->Fill(i, 10 * i);
  pair->Write();
}
void write_chain(const char* path, const char* listed) {
  TChain chain("nt_0");
  chain.Add(listed);
  TFile file(path, "RECREATE");
  chain.Write("chain");
}
"""


@pytest.fixture(scope="module")
def ntuples(tmp_path_factory):
    """Return a file with trees of other classes: a TNtuple, and a TNtupleD in a folder."""
    path = str(tmp_path_factory.mktemp("names") / "ntuples.root")
    root().gInterpreter.Declare(NTUPLES)
    root().write_ntuples(path, True)
    return path


@pytest.mark.root
def test_ntuples_are_trees(ntuples):
    with pytest.raises(FileError, match=r"holds the trees nt_0, inner/nt_1: say which with tree="):
        ff.inspect(ntuples)
    with pytest.raises(FileError, match=r"no tree 'nt'. It holds nt_0, inner/nt_1."):
        ff.inspect(ntuples, "nt")
    for tree in ("nt_0", "inner/nt_1"):
        analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(y=events["y"]))
        result = analysis.run(ff.dataset(ntuples, tree=tree), progress=False)
        assert result["rows"].to_numpy()["y"].tolist() == [0, 10, 20]


@pytest.mark.root
def test_a_single_ntuple_is_found(ntuples, tmp_path):
    single = str(tmp_path / "single.root")
    root().write_ntuples(single, False)
    assert values(single, events["y"]) == [0, 10, 20]


@pytest.mark.root
@pytest.mark.parametrize("tree", [None, "chain"])
def test_a_chain_is_no_tree_of_its_own(ntuples, tmp_path, tree):
    path = str(tmp_path / "chain.root")
    root().write_chain(path, ntuples)
    with pytest.raises(FileError, match="chain is a TChain, which lists trees of other files"):
        ff.inspect(path, tree)


REFERENCED = """
#include <TRef.h>
void write_referenced(const char* path) {
  const auto level = gErrorIgnoreLevel;
  gErrorIgnoreLevel = kError;  // of what the streamer of TVector2 is like
  TFile file(path, "RECREATE");
  TTree tree("Events", "");
  TClonesArray points("TVector2", 10);
  tree.Branch("points", &points);
  for (int i = 0; i < 4; i++) {
    points.Clear("C");
    for (int j = 0; j < 2 * i; j++) { TRef reference; reference = new (points[j]) TVector2(j, i); }
    tree.Fill();
  }
  tree.Write();
  gErrorIgnoreLevel = level;
}
"""


@pytest.mark.root
def test_bits_that_a_number_may_follow_are_not_read(tmp_path):
    path = str(tmp_path / "referenced.root")
    root().gInterpreter.Declare(REFERENCED)
    root().write_referenced(path)
    message = "points.fBits is not readable .* where objects are referred to"
    with pytest.raises(BranchError, match=message):
        values(path, events["points.fBits"].first())
    assert "points.fBits" in ff.inspect(path).others
    assert values(path, events["points.fY"].sum()) == [0, 2, 8, 18]
