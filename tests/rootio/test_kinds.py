"""What branches hold: arrays, leaf lists, narrow numbers, objects and records, in both engines."""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._rootio.arrays import Lists, Nested, Strings
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.tree.interpretation import _holds_nothing
from flavorframe._rootio.vectors import component, is_vector
from flavorframe.engines._rdataframe.runtime.root import root
from flavorframe.errors import BranchError, FileError
from support import kinds
from support.compiled_part import needs_compiled

events = ff.events()


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("kinds") / "tree.root")
    root().gInterpreter.Declare(kinds.TREE)
    root().write_every_kind(path)
    return path


@pytest.fixture(scope="module")
def ntuple(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("kinds") / "ntuple.root")
    root().gInterpreter.Declare(kinds.NTUPLE)
    root().write_every_kind_of_field(path)
    return path


def as_lists(column):
    """Return a column of any depth as lists of Python."""
    if isinstance(column, Strings):
        return [column.categories[code] for code in column.codes]
    if not isinstance(column, Lists | Nested):
        return column.tolist()
    inner = as_lists(column.elements if isinstance(column, Lists) else column.inner)
    ends = np.cumsum(column.sizes).tolist()
    return [inner[end - size : end] for end, size in zip(ends, column.sizes.tolist(), strict=True)]


def read(file, branch, rows=None, start=0, stop=None):
    """Return what a file has of a branch at some events."""
    stop = file.events if stop is None else stop
    rows = np.arange(stop - start) if rows is None else np.array(rows)
    nested = file.schema.by_name[branch].shape == "nested"
    reader = file.read_nested if nested else file.read
    return as_lists(reader(branch, start, stop, rows, ReadStats()))


def assert_read(path, content):
    """Fail where a branch of a file is not read as it was written, in all events or in some."""
    file = RootFile(path)
    for name, expected in content.items():
        assert read(file, name) == expected, name
        assert read(file, name, [0, 2], 1, 4) == [expected[1], expected[3]], name


def rows(file, names, engine):
    """Return the values that an engine has of scalars, and the sums that it has of lists."""
    shapes = {branch.name: branch.shape for branch in RootFile(file).schema.branches}
    columns = {
        f"column_{i}": events[name] if shapes[name] == "scalar" else events[name].sum()
        for i, name in enumerate(names)
    }
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(**columns))
    result = analysis.run(ff.dataset(file), engine=engine, progress=False)
    found = result["rows"].to_numpy()
    return {name: found[f"column_{i}"].tolist() for i, name in enumerate(names)}


def summed(values):
    return {
        name: [sum(value) if isinstance(value, list) else value for value in content]
        for name, content in values.items()
    }


@pytest.mark.root
@pytest.mark.parametrize(
    "content", [kinds.IN_TREE | kinds.IN_TREE_COLUMNAR_ALONE, kinds.NESTED_IN_TREE], ids=len
)
def test_branches_are_read(tree, content):
    assert_read(tree, content)


@pytest.mark.root
@needs_compiled
def test_uproot_and_the_compiled_part_read_the_same(tree):
    file, compiled = RootFile(tree), set()
    for name in kinds.IN_TREE:
        try:
            fast = file._reader.read_compiled(name, 0, 5, np.arange(5), ReadStats())
        except LeftToUprootError:
            continue
        compiled.add(name)
        slow = file._reader.read_by_uproot(name, 0, 5, ReadStats())
        assert as_lists(fast) == as_lists(slow), name
    assert {"fixed", "flags", "half", "half_fixed", "half_list", "narrow", "cut"} <= compiled


@pytest.mark.root
@pytest.mark.parametrize(
    "content", [kinds.IN_NTUPLE | kinds.IN_NTUPLE_COLUMNAR_ALONE, kinds.NESTED_IN_NTUPLE], ids=len
)
def test_fields_are_read(ntuple, content):
    assert_read(ntuple, content)


@pytest.mark.root
@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_engines_take_them(tree, ntuple, engine):
    assert rows(tree, kinds.IN_TREE, engine) == summed(kinds.IN_TREE)
    assert rows(ntuple, kinds.IN_NTUPLE, engine) == summed(kinds.IN_NTUPLE)


@pytest.mark.root
@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_engines_take_lists_in_lists(tree, ntuple, engine):
    for file, name in (*((tree, name) for name in kinds.NESTED_IN_TREE), (ntuple, "inner")):
        sums = getattr(events, name).nested("x")[name].sum()
        analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(largest=sums.max()))
        if engine == "rdataframe" and name != "inner":
            with pytest.raises(BranchError, match=f"branch {name} holds .* engine='columnar'"):
                analysis.run(ff.dataset(file), engine=engine, progress=False)
            continue
        expected = [[sum(each) for each in lists] for lists in kinds.NESTED_IN_TREE[name]]
        largest = [max(each) if each else math.nan for each in expected]
        found = analysis.run(ff.dataset(file), engine=engine, progress=False).rows
        assert found["largest"].tolist() == pytest.approx(largest, nan_ok=True), name


@pytest.mark.root
def test_what_rdataframe_cannot_read_is_refused_by_name(tree, ntuple):
    for file, content in (
        (tree, kinds.IN_TREE_COLUMNAR_ALONE),
        (ntuple, kinds.IN_NTUPLE_COLUMNAR_ALONE),
    ):
        assert rows(file, content, "columnar") == summed(content)
        for name in content:
            with pytest.raises(BranchError, match=rf"branch {name} .* with engine='columnar'"):
                rows(file, [name], "rdataframe")


@pytest.mark.root
def test_objects_that_uproot_cannot_take_apart_are_told_with_what_helps(tree):
    expected = summed(kinds.IN_TREE_RDATAFRAME_ALONE)
    assert rows(tree, expected, "rdataframe") == expected
    message = r"branch momenta.energy of .*cannot take the objects apart .* engine='rdataframe'"
    with pytest.raises(FileError, match=message):
        read(RootFile(tree), "momenta.energy")


@pytest.mark.root
def test_a_range_of_pi_is_read_as_root_reads_it(tree):
    (first, *_), *_ = read(RootFile(tree), "narrow_list", [1])
    root().gROOT.ProcessLine(f'TFile* kinds_file = TFile::Open("{tree}");')
    root().gROOT.ProcessLine('kinds_file->Get<TTree>("Events")->Draw("narrow_list", "", "goff");')
    assert first == root().kinds_file.Get("Events").GetV1()[0]
    assert first == pytest.approx(0, abs=1e-8)


@pytest.mark.root
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("counted", r"lists in lists, float\[\]\[2\]: .*events.n.nested.*\['counted'\]"),
        ("p4", r"p4 holds objects \(TLorentzVector\): .* their members, p4.px, p4.py, p4.pz, p4.e"),
        ("tracks.fBits", "tracks.fBits is not readable .* where objects are referred to"),
    ],
)
def test_others_are_refused_by_name(tree, asked, message):
    for engine in ("columnar", "rdataframe"):
        analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=events[asked].sum()))
        with pytest.raises(BranchError, match=message):
            analysis.run(ff.dataset(tree), engine=engine, progress=False)


@pytest.mark.root
def test_fields_of_several_types_are_refused_alone(ntuple):
    with pytest.raises(BranchError, match="either is not readable .* may be of another type"):
        rows(ntuple, ["either"], "columnar")
    assert ff.inspect(ntuple).others == ("either",)


@pytest.mark.root
def test_inspect_shows_members_and_lists_of_lists(tree):
    found = ff.inspect(tree)
    fields = {field.branch: field for fields in found.collections.values() for field in fields}
    assert {*kinds.IN_TREE, *kinds.NESTED_IN_TREE} <= fields.keys()
    assert (fields["counted"].shape, fields["counted"].type) == ("nested", "float[][2]")
    assert (fields["narrow_fixed"].shape, fields["narrow_fixed"].type) == ("list", "Double32_t[3]")
    assert "fixed" in found.collections
    assert found.others == ("tracks.fBits",)


@pytest.mark.root
@pytest.mark.parametrize("name", ["tracks.energy", "tracks.fE", "tracks/tracks.fE"])
def test_components_of_vectors_have_their_own_names_too(tree, name):
    assert rows_of(tree, events[name].sum()) == summed(kinds.IN_TREE)["tracks.energy"]
    assert rows_of(tree, events.tracks.energy.sum()) == summed(kinds.IN_TREE)["tracks.energy"]


def rows_of(file, expression):
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=expression))
    return analysis.run(ff.dataset(file), progress=False)["rows"].to_numpy()["x"].tolist()


@pytest.mark.parametrize("events_in_basket", [10, 40_000])
def test_fixed_arrays_in_parts_of_large_baskets(tmp_path, events_in_basket):
    values = np.random.default_rng(2).normal(size=(events_in_basket, 3)).astype(np.float32)
    with uproot.recreate(tmp_path / "fixed.root") as file:
        file.mktree("Events", {"x": np.dtype((np.float32, (3,)))})
        file["Events"].extend({"x": values})
    found = RootFile(str(tmp_path / "fixed.root"))
    assert found.schema.by_name["x"].length == 3
    some = [1, events_in_basket // 2 - 2]
    part = read(found, "x", some, 1, events_in_basket - 1)
    assert part == values[1:][some].tolist()


def test_lists_of_lists_are_those_of_awkward(tmp_path):
    rng = np.random.default_rng(5)
    inner = ak.unflatten(rng.normal(size=5000), rng.multinomial(5000, np.full(900, 1 / 900)))
    nested = ak.unflatten(inner, rng.multinomial(900, np.full(300, 1 / 300)))
    deeper = ak.unflatten(nested, [100, 0, 200])
    for name, array in {"nested": nested, "deeper": deeper}.items():
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file.mkrntuple("Events", {name: array})
        file = RootFile(str(tmp_path / f"{name}.root"))
        assert file.schema.by_name[name].shape == "nested"
        assert read(file, name) == array.tolist()
        assert read(file, name, [0, 2]) == array[[0, 2]].tolist()


@pytest.mark.parametrize("name", ["treemaker.root", "nano_dy.root"])
def test_real_objects_are_what_uproot_has(name):
    if "FLAVORFRAME_DATA" not in os.environ:
        pytest.skip("FLAVORFRAME_DATA, the folder of real files, is not set")
    file, compared = RootFile(str(Path(os.environ["FLAVORFRAME_DATA"]) / name)), 0
    for branch in file.schema.branches:
        if branch.kind != "other" and (branch.path or branch.shape == "nested"):
            array = file._reader._branches[branch.name].array()
            for member in branch.member:
                array = array[member]
            assert read(file, branch.name) == array.tolist(), branch.name
            compared += 1
    assert compared == {"treemaker.root": 72, "nano_dy.root": 0}[name]


@pytest.mark.parametrize(
    ("classname", "member", "expected"),
    [
        ("ROOT::Math::LorentzVector<ROOT::Math::PxPyPzE4D<float> >", "fCoordinates.fT", "energy"),
        (
            "ROOT::Math::DisplacementVector3D<ROOT::Math::Cartesian3D<double>>",
            "fCoordinates.fX",
            "x",
        ),
        ("TLorentzVector", "fBits", ""),
        ("MyClass", "fP.fX", ""),
    ],
)
def test_names_of_components(classname, member, expected):
    assert component(classname, member) == expected
    assert is_vector(classname) == (classname != "MyClass")


@pytest.mark.root
@pytest.mark.parametrize("format", ["ttree", "rntuple"])
@pytest.mark.parametrize("kind", ["tree", "ntuple"])
def test_skims_keep_what_expressions_can_take(request, tmp_path, kind, format):
    source, path = request.getfixturevalue(kind), str(tmp_path / "skim.root")
    analysis = ff.Analysis(ff.Selection(events), skim=ff.skim(path=path, format=format))
    result = analysis.run(ff.dataset(source), progress=False)
    stored, copied = RootFile(source), RootFile(path)
    told = " ".join(result.warnings)
    assert "leaves out" in told
    readable = {name for name, info in stored.schema.by_name.items() if info.is_readable}
    readable -= {name for name in readable if stored.schema.by_name[name].member}
    kept = readable & copied.schema.by_name.keys()
    refused = {n for n in readable if format == "rntuple" and "." in n}
    assert len(kept) > 2  # most of the RNTuple are members of records, whose names have dots
    assert {name for name in readable - kept - refused
            if stored.schema.by_name[name].kind != "string"} == set()  # fmt: skip
    for name in kept:
        np.testing.assert_equal(read(copied, name), read(stored, name), name)


def test_classes_of_which_a_file_has_no_member():
    def streamer(*elements):
        return {1: SimpleNamespace(elements=[SimpleNamespace(**each) for each in elements])}

    listed = {"classname": "TStreamerSTL", "name": "This", "title": "<Jet> Used to call the proper"}
    base = {"classname": "TStreamerBase", "name": "Base", "title": ""}
    member = {"classname": "TStreamerBasicType", "name": "pt", "title": ""}
    known = {"Jets": streamer(listed), "Jet": streamer(base), "Base": streamer()}
    assert _holds_nothing(SimpleNamespace(streamers=known), "Jets")
    for changed in ({"Base": streamer(member)}, {"Jet": streamer(base, member)}):
        assert not _holds_nothing(SimpleNamespace(streamers=known | changed), "Jets")
    assert not _holds_nothing(SimpleNamespace(streamers={"Jets": streamer(listed)}), "Jets")
