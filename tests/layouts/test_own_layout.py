"""A file in a layout of one's own: the same numbers as with names that are built in."""

import json
import shutil

import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import BranchError, DatasetError, ExpressionError, LayoutError
from support.analyses import assert_same_bits, weighted
from support.reference import published, thorough
from support.renamed import renamed

events = ff.events()
t = events.triplet


@pytest.fixture(scope="module")
def own(sample, tmp_path_factory):
    """Return the path of the nano sample with other names, and what declares its layout."""
    path = tmp_path_factory.mktemp("own") / "own.root"
    return path, renamed(sample("nano"), path)


@pytest.fixture
def mine(own):
    """Return the layout of that file."""
    return ff.layout("mine", **own[1])


def as_toml(declaration):
    """Return a declaration as TOML: what JSON calls an object is an inline table."""

    def value(x):
        if isinstance(x, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in x.items()) + "}"
        return json.dumps(x)

    return "".join(f"{key} = {value(x)}\n" for key, x in declaration.items())


@pytest.fixture
def toml(own, tmp_path):
    """Return the layout as a TOML file."""
    path = tmp_path / "mine.toml"
    path.write_text(as_toml({"name": "mine", **own[1]}))
    return path


def run(analysis, data, **options):
    return analysis.run(data, progress=False, **options)


@pytest.mark.parametrize("analysis", [published(), thorough()], ids=["published", "thorough"])
def test_other_names_give_the_same_numbers(sample, own, mine, analysis):
    expected = run(analysis, ff.dataset(sample("nano")))
    found = run(analysis, ff.dataset(own[0], layout=mine))
    assert found.cutflow[-1].candidates > 0
    for one, two in zip(found.cutflow, expected.cutflow, strict=True):
        assert (one.events, one.candidates) == (two.events, two.candidates)
        assert one.sumw_candidates == pytest.approx(two.sumw_candidates, rel=1e-12, nan_ok=True)
    np.testing.assert_allclose(found.mass.values(), expected.mass.values(), rtol=1e-12)


@pytest.mark.root
def test_a_layout_of_ones_own_is_certified(own, mine):
    certificate = ff.certify(published(), ff.dataset(own[0], layout=mine))
    assert certificate.agrees
    assert certificate.events == 1200


def test_a_layout_is_named_in_many_ways(own, mine, toml, monkeypatch):
    assert ff.dataset(own[0], layout=mine) == ff.dataset(own[0], layout=toml)
    assert ff.dataset(own[0], layout=mine) == ff.dataset(own[0], layout=str(toml))
    monkeypatch.chdir(toml.parent)
    assert ff.dataset(own[0], layout=mine) == ff.dataset(own[0], layout="mine.toml")
    monkeypatch.setenv("HOME", str(toml.parent))
    assert ff.dataset(own[0], layout=mine) == ff.dataset(own[0], layout="~/mine.toml")
    assert ff.dataset(own[0], layout="bph").tree == "Tree3Mu/ntuple"
    assert repr(ff.dataset("a.root", layout=mine)).endswith("tree 'things/tuple', layout 'mine'")


def test_a_layout_that_is_none_is_refused(own):
    with pytest.raises(LayoutError, match="There is no layout 'nanoo'. Did you mean 'nano'"):
        ff.dataset(own[0], layout="nanoo")
    with pytest.raises(LayoutError, match="layout=7 is no layout"):
        ff.dataset(own[0], layout=7)


def test_a_catalogue_names_a_layout_beside_it(own, toml, tmp_path):
    shutil.copy(own[0], tmp_path)
    entry = {"type": "data", "files": "own.root", "layout": "mine.toml"}
    (tmp_path / "catalog.json").write_text(json.dumps({"A": entry, "B": entry | {"layout": "bph"}}))
    catalog = ff.catalog(tmp_path / "catalog.json")
    assert catalog["A"].layout == ff.dataset("a.root", layout=toml).layout
    assert catalog["B"].layout.name == "bph"
    assert run(published(), catalog["A"]).cutflow[-1].candidates > 0


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("other.toml", "cannot read the layout"),
        ("nanoo", "There is no layout 'nanoo'"),
        ("bad.toml", r"bad.toml, line 2: unknown key 'evnt'"),
    ],
)
def test_a_layout_that_a_catalogue_cannot_have(tmp_path, layout, message):
    (tmp_path / "bad.toml").write_text('name = "bad"\nevnt = {}\n')
    entry = {"A": {"type": "data", "files": "a.root", "layout": layout}}
    with pytest.raises(LayoutError, match=rf"era 'A', key 'layout': .*{message}"):
        ff.catalog(entry, base=tmp_path)


def test_datasets_of_different_layouts_do_not_add_up(own, mine):
    a, b = (ff.dataset(f"{x}.root", name=x, tree="T", layout=mine) for x in "ab")
    assert (a + b).layout == mine
    with pytest.raises(DatasetError, match="differ in layout, mine and None"):
        a + ff.dataset("c.root", tree="T")
    changed = ff.layout("mine", **own[1] | {"units": {"energy": "MeV"}})
    with pytest.raises(DatasetError, match=r"differ in what the layout declares, Layout 'mine'"):
        a + ff.dataset("c.root", tree="T", layout=changed)


def declared(own, **changes):
    """Return the dataset of the file with some of its layout declared otherwise."""
    return ff.dataset(own[0], layout=ff.layout("mine", **own[1] | changes))


def test_a_file_of_another_layout_is_refused(sample, mine):
    with pytest.raises(BranchError, match=r"not of layout mine, which is recognised by the branch"):
        run(published(), ff.dataset(sample("nano"), tree="Events", layout=mine))


def test_a_declared_branch_that_a_file_lacks(own, toml):
    lacking = own[1]["collections"]["triplet"]["fields"]["mass"]
    text = toml.read_text().replace(f'"mass": "{lacking}"', f'"mass": "{lacking}x"')
    text = text.replace(f'"mass" = "{lacking}"', f'"mass" = "{lacking}x"')
    toml.write_text(text)
    line = 1 + text[: text.index(f"{lacking}x")].count("\n")
    with pytest.raises(BranchError) as error:
        run(published(), ff.dataset(own[0], layout=toml))
    assert f"{toml}, line {line} it is branch {lacking}x, which the tree does not have. " in str(
        error.value
    )
    assert f"Did you mean '{lacking}'" in str(error.value)


def test_a_declared_branch_is_told_by_the_layout_where_there_is_no_file(own):
    data = declared(own, collections={"triplet": {"fields": {"mass": "nope"}}})
    with pytest.raises(BranchError, match="By layout mine it is branch nope"):
        run(ff.Analysis(ff.Selection(t).cut("m", t.mass > 1)), data)


def with_link(own, name, link):
    collections = own[1]["collections"]
    triplet = collections["triplet"]
    links = triplet["links"] | {name: link}
    return declared(own, collections=collections | {"triplet": triplet | {"links": links}})


@pytest.mark.parametrize(
    ("link", "error", "message"),
    [
        ({"to": "muons", "index": "{mu2}"}, BranchError, "muons.is_global is not in tree"),
        ({"to": "muon", "index": "nope"}, BranchError, "has no branch 'nope'"),
        ({"to": "muon", "equal": {"ptt": "mu1.pt"}}, BranchError, "muon.ptt is not in tree"),
        ({"to": "muon", "equal": {"pt": "mu1.ptt"}}, BranchError, "is behind the link itself"),
        ({"to": "muon", "equal": {"pt": "track"}}, BranchError, "is a link to another object"),
    ],
)
def test_a_link_that_cannot_be_made_is_told_with_its_place(own, link, error, message):
    mu2 = own[1]["collections"]["triplet"]["links"]["mu2"]["index"]
    link = {key: mu2 if value == "{mu2}" else value for key, value in link.items()}
    analysis = ff.Analysis(ff.Selection(t).cut("global", t.mu1.is_global))
    with pytest.raises(error, match=f"Cut 'global': .*{message}") as raised:
        run(analysis, with_link(own, "mu1", link))
    assert str(raised.value).endswith("The link triplet.mu1 is declared by layout mine.")


def test_an_index_with_one_value_an_event_is_no_link(own):
    data = with_link(own, "mu1", {"to": "muon", "index": own[1]["event"]["run"]})
    with pytest.raises((BranchError, ExpressionError), match="has one value per event"):
        run(ff.Analysis(ff.Selection(t).cut("global", t.mu1.is_global)), data)


def test_values_of_the_event_that_a_layout_declares_are_known(own):
    names = own[1]["event"]
    event = {"my_run": names["run"], "vertices.good": names["n_primary_vertices"]}
    layout = ff.layout("mine", **own[1] | {"event": event})
    known = ff.events(layout)
    assert {"my_run", "vertices", "triplet", "hlt"} <= set(dir(known))
    assert {"mass", "mu1", "track"} <= set(dir(known.triplet))
    good = ff.Selection(events).cut("good", (known.my_run > 0) & (known.vertices.good > 1))
    expected = ff.Selection(events).cut("good", events[names["n_primary_vertices"]] > 1)
    data = ff.dataset(own[0], layout=layout)
    counts = [run(ff.Analysis(each), data).cutflow[-1].events for each in (good, expected)]
    assert 0 < counts[0] == counts[1]
    with pytest.raises(ExpressionError):  # without the layout it is a collection
        events.my_run > 0  # noqa: B015


def test_collections_may_be_spelt_otherwise(own):
    collections = own[1]["collections"]
    data = declared(own, collections=collections | {"Fat_Jet": {"fields": {"pt": "nope"}}})
    jets = ff.Analysis(ff.Selection(events).cut("jets", events.fat_jet.pt.sum() > 1))
    with pytest.raises(BranchError, match="By layout mine it is branch nope"):
        run(jets, data)


def test_a_result_that_was_saved_keeps_its_layout(own, mine, tmp_path):
    result = run(published(), ff.dataset(own[0], layout=mine), output=tmp_path / "out")
    (loaded,) = ff.load(tmp_path / "out").values()
    assert loaded.dataset == result.dataset
    assert loaded.dataset.layout == mine
    again = run(published(), loaded.dataset)
    assert again.cutflow == result.cutflow


def test_resuming_reads_in_the_same_layout(own, mine, tmp_path):
    paths = [tmp_path / f"{i}.root" for i in range(2)]
    for path in paths:
        shutil.copy(own[0], path)
    data, hidden = ff.dataset(paths, layout=mine), tmp_path / "hidden"
    whole = run(weighted(), data)
    paths[1].rename(hidden)
    partial = run(weighted(), data)
    run(weighted(), data, output=tmp_path / "out")
    hidden.rename(paths[1])
    assert_same_bits(partial.resume(progress=False), whole)
    (loaded,) = ff.load(tmp_path / "out").values()
    assert len(loaded.failures) == 1
    assert loaded.resume(progress=False).cutflow == whole.cutflow


PACKAGE = """
import flavorframe as ff

mine = ff.layout("theirs", **{declaration!r})
broken = 1 / 0 if {broken} else "no layout"
"""


@pytest.fixture
def package(own, tmp_path, monkeypatch):
    """Return a function that installs a package with layouts, for this test."""
    from flavorframe.layouts import registry

    def install(declaration=own[1], **entries):
        text = "".join(f"{name} = theirs:{what}\n" for name, what in entries.items())
        info = tmp_path / "theirs-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[flavorframe.layouts]\n{text}")
        broken = "broken" in entries and entries["broken"] == "broken"
        (tmp_path / "theirs.py").write_text(PACKAGE.format(declaration=declaration, broken=broken))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, "theirs", raising=False)

    def forget():
        registry._installed.cache_clear()
        registry.recognise.cache_clear()

    forget()
    yield lambda *given, **entries: (install(*given, **entries), forget())
    monkeypatch.undo()
    forget()


def test_an_installed_layout_is_recognised_and_known_by_its_name(own, package):
    package(theirs="mine")
    result = run(published(), ff.dataset(own[0]))
    assert result.cutflow[-1].candidates > 0
    assert ff.inspect(own[0]).layout == "theirs"
    assert ff.dataset(own[0], layout="theirs").layout == ff.layout("theirs", **own[1])
    with pytest.raises(LayoutError, match="Did you mean 'theirs'"):
        ff.dataset(own[0], layout="theirss")


def test_an_installed_layout_comes_before_that_of_nanoaod(sample, package):
    assert ff.inspect(sample("nano")).layout == "nano"
    package({"recognised_by": ["run", "triplet_mass"]}, theirs="mine")
    assert ff.inspect(sample("nano")).layout == "theirs"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("broken", r"Layout 'broken' of theirs:broken cannot be loaded: ZeroDivisionError"),
        ("missing", r"Layout 'broken' of theirs:missing cannot be loaded: AttributeError"),
        ("ff", r"Layout 'broken' of theirs:ff is <module 'flavorframe'.*: it should be what"),
    ],
)
def test_an_installed_layout_that_cannot_be_loaded(own, package, what, message):
    package(broken=what)
    with pytest.raises(LayoutError, match=message):
        ff.inspect(own[0])
    with pytest.raises(LayoutError, match=message):
        ff.dataset(own[0], layout="theirs")
