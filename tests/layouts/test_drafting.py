"""Drafts of layouts: what a file tells of collections, links, rows and units."""

import os
import shutil
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import LayoutError
from flavorframe.layouts.files import read_layout
from flavorframe.layouts.registry import find_layout, recognise
from flavorframe.layouts.triggers import Trigger
from support.renamed import renamed

events = ff.events()
t = events.triplet
DATA = os.environ.get("FLAVORFRAME_DATA", "")
FILES = ["nano_dimuon.root", "nano_dy_empty.root", "treemaker.root",
         "Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root"]  # fmt: skip


def drafted(file, folder):
    path = folder / "mine.toml"
    ff.inspect(file).write_layout(path)
    return read_layout(path), path.read_text()


def write(path, **content):
    with uproot.recreate(path) as file:
        file.mktree("T", {name: ak.type(array).content for name, array in content.items()})
        file["T"].extend(content)
    return path


@pytest.mark.parametrize("name", FILES)
def test_drafts_of_real_files_can_be_used_at_once(name, tmp_path):
    if not DATA:
        pytest.skip("FLAVORFRAME_DATA names no folder with real files")
    file = Path(DATA) / name
    layout, _ = drafted(file, tmp_path)
    inspection = ff.inspect(file, layout=layout)
    assert not inspection.missing
    known = {name: fields for name, fields in inspection.collections.items() if name != "event"}
    assert set(known) == set(layout.collections)
    assert all(field.name for fields in known.values() for field in fields)
    named = ff.events(layout)
    sizes = {name: getattr(named, name).count() for name in layout.collections}
    analysis = ff.Analysis(ff.Selection(named), rows=ff.snapshot(**sizes))
    found = analysis.run(ff.dataset(file, layout=layout), progress=False)
    tree = uproot.open(file)[inspection.tree]
    for name, rule in layout.collections.items():
        stored = [branch for branch in rule.fields.values() if branch in tree]
        for branch in stored[:1]:  # parts of ROOT's vectors are no branches to uproot
            assert found.rows[name].tolist() == ak.num(tree[branch].array()).to_list()


@pytest.mark.parametrize("form", ["nano", "nano-rntuple", "bph"])
def test_a_draft_of_a_sample_finds_what_the_layout_of_this_package_says(sample, tmp_path, form):
    file = sample(form)
    layout, text = drafted(file, tmp_path)
    built_in = ff.inspect(file)
    known = {b.branch: c for c, fields in built_in.collections.items() for b in fields}
    for rule in layout.collections.values():
        assert len({known[branch].split("_")[0].lower() for branch in rule.fields.values()}) == 1
    by_rule = {} if form == "bph" else {"run": "run", "event": "event"}
    assert layout.event == {**find_layout(built_in.layout).event, **by_rule}
    assert (layout.units.energy, layout.units.length) == ("GeV", "cm")
    triplet = "triplet2" if form == "bph" else "triplet"
    links = {name: link.to for name, link in layout.collections[triplet].links.items()}
    members = ("mu01", "mu02", "tr") if form == "bph" else ("mu1", "mu2", "track")
    assert links == dict(zip(members, ("muon", "muon", "track"), strict=True))
    assert "% " in text


@pytest.mark.parametrize("form", ["nano", "bph"])
def test_counts_by_a_draft_are_those_by_the_layout_of_this_package(sample, tmp_path, form):
    layout, _ = drafted(sample(form), tmp_path)
    drawn = getattr(ff.events(layout), "triplet2" if form == "bph" else "triplet")
    first = drawn.mu01 if form == "bph" else drawn.mu1
    ours = ff.Selection(t).cut("mass", t.mass > 1.7).cut("global", t.mu1.is_global)
    theirs = ff.Selection(drawn).cut("mass", drawn.mass > 1.7).cut("global", first.is_global)
    expected = ff.Analysis(ours).run(ff.dataset(sample(form)), progress=False)
    found = ff.Analysis(theirs).run(ff.dataset(sample(form), layout=layout), progress=False)
    assert [(r.events, r.candidates) for r in found.cutflow] == [
        (r.events, r.candidates) for r in expected.cutflow
    ]
    assert 0 < found.cutflow[2].candidates < found.cutflow[1].candidates


def test_collections_are_found_though_names_tell_nothing(sample, tmp_path):
    declaration = renamed(sample("nano"), tmp_path / "own.root")
    layout, _ = drafted(tmp_path / "own.root", tmp_path)
    wanted = {frozenset(c["fields"].values()) for c in declaration["collections"].values()}
    found = {frozenset(rule.fields.values()) for rule in layout.collections.values()}
    indices = {
        link["index"]
        for link in declaration["collections"]["triplet"]["links"].values()
        if "index" in link
    }
    assert {group - indices for group in found} == wanted


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("lhcb", ("runNumber", "eventNumber")),
        ("belle2", ("__experiment__", "__run__", "__event__")),
    ],
)
def test_rows_that_are_candidates(sample, tmp_path, form, key):
    layout, _ = drafted(sample(form), tmp_path)
    built_in = find_layout(form)
    assert layout.rows is not None
    assert layout.rows.key == key == built_in.rows.key
    assert layout.units == built_in.units
    schema = opened_schema(sample(form))
    assert recognise(schema, layout) is layout
    particles = [branch for branch in layout.rows.event if branch.endswith(("_M", "_PT", "_p"))]
    assert not particles
    assert "nTracks" in layout.rows.event


@pytest.mark.parametrize(("form", "mass"), [("lhcb", "Ds_M"), ("belle2", "M")])
def test_counts_of_rows_by_a_draft_are_those_by_the_layout_of_this_package(
    sample, tmp_path, form, mass
):
    layout, _ = drafted(sample(form), tmp_path)
    assert layout.collections["candidate"].fields["m"] == mass
    found, expected = (
        ff.Analysis(
            ff.Selection(events.candidate)
            .cut("mass", x > 1.75 * ff.GeV)
            .cut("run", events.run > 0)
            .best(highest=x)
        ).run(ff.dataset(sample(form), layout=each), progress=False)
        for x, each in ((ff.events(layout).candidate.m, layout), (events[mass], None))
    )
    assert [(row.events, row.candidates) for row in found.cutflow] == [
        (row.events, row.candidates) for row in expected.cutflow
    ]
    assert 0 < found.cutflow[3].candidates < found.cutflow[1].candidates


def opened_schema(file):
    from flavorframe._rootio.root_file import RootFile

    return RootFile(str(file)).schema


SPELLINGS = [
    ("run", "luminosityBlock", "event"),
    ("EventInfoAux.runNumber", "EventInfoAux.lumiBlock", "EventInfoAux.eventNumber"),
    ("runNumber", "lbn", "eventNumber"),
    ("RUNNUMBER", "lumi", "EVENTNUMBER"),
    ("__run__", "lumi_block", "__event__"),
    ("RunNum", "LumiBlockNum", "EvtNum"),
    ("run_number", "lumiSection", "event_number"),
]


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: names[0])
def test_run_lumi_and_event_are_known_as_experiments_spell_them(tmp_path, names):
    columns = {name: np.arange(5) for name in names} | {"other": np.arange(5.0)}
    layout, text = drafted(write(tmp_path / "a.root", **columns), tmp_path)
    assert layout.event == dict(zip(("run", "luminosity_block", "event"), names, strict=True))
    assert "# other" in text


def lists(rng, counts, low=2.0, high=90.0):
    return ak.unflatten(rng.uniform(low, high, counts.sum()), counts)


def muons_and_pairs():
    """Return the muons and pairs of events, the muons' pt, and that of the pairs' own muons.

    Of the latter one is always that of the first muon, and one in three of four pairs.
    """
    rng = np.random.default_rng(3)
    muons, pairs = rng.integers(2, 6, 500), rng.integers(0, 4, 500)
    pt = lists(rng, muons)
    first = ak.unflatten(np.repeat(pt[:, 0].to_numpy(), pairs), pairs)
    half = ak.where(lists(rng, pairs, 0, 1) < 0.75, first, lists(rng, pairs))
    return rng, muons, pairs, pt, first, half


def test_links_by_value_tell_how_many_were_found(tmp_path):
    rng, muons, pairs, pt, first, half = muons_and_pairs()
    path = write(
        tmp_path / "a.root",
        MuonPt=pt, MuonEta=lists(rng, muons),
        Mu1_Pt=first, Mu1_Eta=lists(rng, pairs),
        Mu2_Pt=half, Mu2_Eta=lists(rng, pairs),
        Pair_Mass=lists(rng, pairs),
    )  # fmt: skip
    layout, text = drafted(path, tmp_path)
    (link,) = layout.collections["pair"].links.values()
    assert (link.to, link.equal) == ("muon", (("pt", "mu1.pt"),))
    assert 'mu1 = { to = "muon", equal = { pt = "mu1.pt" } }  # 100 % of ' in text
    assert '# perhaps a link: mu2 = { to = "muon", equal = { pt = "mu2.pt" } }' in text


def test_a_link_that_is_not_sure_is_a_comment_alone(tmp_path):
    rng, _, pairs, pt, _, half = muons_and_pairs()
    columns = {"Muon_pt": pt, "Pair_mass": lists(rng, pairs), "Pair_mu1_pt": half}
    columns["Pair_mu1_eta"] = lists(rng, pairs)
    layout, text = drafted(write(tmp_path / "a.root", **columns), tmp_path)
    assert not layout.collections["pair"].links
    hint = "\n# [collections.pair.links]\n# perhaps a link: mu1 = "
    assert hint in text
    (tmp_path / "mine.toml").write_text(
        text.replace(hint, hint.replace("# perhaps a link: ", "").replace("# ", ""))
    )
    assert list(read_layout(tmp_path / "mine.toml").collections["pair"].links) == ["mu1"]


def test_an_index_beyond_the_end_is_no_link(tmp_path):
    rng, ones = np.random.default_rng(3), np.ones(300, int)
    counts = rng.integers(1, 5, 300)
    path = write(
        tmp_path / "a.root",
        Muon_pt=lists(rng, counts), Jet_pt=lists(rng, ones), Jet_eta=lists(rng, ones),
        Jet_muonIdx=ak.unflatten(np.zeros(300, int), ones),
        Jet_muonIdx2=ak.unflatten(np.full(300, 7), ones),
    )  # fmt: skip
    layout, _ = drafted(path, tmp_path)
    assert list(layout.collections["jet"].links) == ["muon"]
    assert layout.collections["jet"].links["muon"].index == "Jet_muonIdx"


def test_lengths_that_are_equal_by_chance_do_not_join(tmp_path):
    two = ak.Array([[1.0, 2.0]] * 300)
    few = ak.Array([[1.0], [], [2.0, 3.0]])
    always = drafted(write(tmp_path / "a.root", Muon_pt=two, Jet_pt=two), tmp_path)[0]
    assert list(always.collections) == ["muon", "jet"]
    (tmp_path / "mine.toml").unlink()
    some = drafted(write(tmp_path / "b.root", Muon_pt=few, Jet_pt=few), tmp_path)[0]
    assert list(some.collections) == ["muon", "jet"]


def test_units_are_guessed_by_the_size_of_momenta(tmp_path):
    pt = ak.Array([[4200.0, 2500.0], [], [31000.0]])
    layout, _ = drafted(write(tmp_path / "a.root", Muon_pt=pt), tmp_path)
    assert (layout.units.energy, layout.units.length) == ("MeV", "mm")


def test_triggers_and_names_that_toml_must_quote(tmp_path):
    columns = {"HLT_Mu8": np.ones(3, bool), "L0MuonDecision": np.ones(3, bool)}
    lists_ = {"x[y].pt": ak.Array([[1.0], [], [2.0]]), "class_pass": ak.Array([[1.0], [], [2.0]])}
    layout, text = drafted(write(tmp_path / "a.root", **columns, **lists_), tmp_path)
    assert layout.triggers == {
        "hlt": Trigger(branches=("HLT_*",)),
        "l1": Trigger(branches=("L0*Decision",)),
    }
    assert layout.collections["class_"].fields == {"pass_": "class_pass"}
    assert '"x[y].pt"' in text


def test_what_cannot_be_read_is_told(tmp_path, sample):
    if not DATA:
        pytest.skip("FLAVORFRAME_DATA names no folder with real files")
    _, text = drafted(Path(DATA) / "treemaker.root", tmp_path)
    assert "# Not readable by expressions:\n#   Electrons: vector<ROOT::Math::Lorentz" in text


def test_a_draft_is_not_written_over_a_file(sample, tmp_path):
    found = ff.inspect(sample("nano"))
    path = tmp_path / "mine.toml"
    assert found.write_layout(path) == str(path)
    with pytest.raises(LayoutError, match="mine.toml is there already: give another name"):
        found.write_layout(path)
    with pytest.raises(LayoutError, match=r"mine.txt should end with .toml"):
        found.write_layout(tmp_path / "mine.txt")
    with pytest.raises(ff.errors.OutputError, match="none"):
        found.write_layout(tmp_path / "none" / "mine.toml")
    shutil.rmtree(tmp_path)
