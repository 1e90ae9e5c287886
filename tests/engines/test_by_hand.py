"""Answers worked out by hand on a file of four events: for every engine, and for the oracle too.

| event | muons: pt (global?)             | triplets: mass, χ², mu1_idx, mu1_pt             |
| ----: | ------------------------------- | ----------------------------------------------- |
| 0     | 5.1 (yes), 3.5 (no), 3.5 (yes)  | 1.9, 4, 0, 5.1; 1.8, 1, 1, 3.5                  |
| 1     |                                 |                                                 |
| 2     | NaN (yes), 2.0 (no)             | 1.7, 2, −1, 2.0                                 |
| 3     | 4.0 (yes)                       | 2.0, NaN, 7, 9.0; 1.6, 3, 0, 4.0; 1.9, 3, 0, NaN |
"""

import math

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import AnalysisError, ExpressionError
from support import agreement, oracle

NAN = math.nan
events = ff.events()
t, muon = events.triplet, events.muon
pair = ff.pairs(muon)
first, second = pair.members
mixed = ff.pairs(t, muon)
link = muon.match(pt=t.mu1.pt)
light = t[t.mass < 1.85]


@pytest.fixture(params=ENGINES)
def engine(request):
    return get_engine(request.param)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("by_hand") / "four_events.root")


def write(path, events=4):
    """Write the first events of the table above, and return the path."""
    muons, triplets = [3, 0, 2, 1], [2, 0, 1, 3]

    def lists(counts, values, dtype=np.float64):
        return ak.unflatten(np.array(values, dtype), counts)[:events]

    content = {
        "run": np.array([1, 1, 2, 2], np.uint32)[:events],
        "HLT_One": np.array([True, True, False, False])[:events],
        "HLT_Two": np.array([False, False, False, True])[:events],
        "L1_One": np.array([False, True, True, True])[:events],
        "Muon": ak.zip(
            {
                "pt": lists(muons, [5.1, 3.5, 3.5, NAN, 2.0, 4.0], np.float32),
                "isGlobal": lists(muons, [1, 0, 1, 1, 0, 1], bool),
            }
        ),
        "triplet": ak.zip(
            {
                "mass": lists(triplets, [1.9, 1.8, 1.7, 2.0, 1.6, 1.9]),
                "vertex_chi2": lists(triplets, [4, 1, 2, NAN, 3, 3]),
                "mu1_idx": lists(triplets, [0, 1, -1, 7, 0, 0], np.int32),
                "mu1_pt": lists(triplets, [5.1, 3.5, 2.0, 9.0, 4.0, NAN]),
            }
        ),
    }
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        written["Events"].extend(content)
    return str(path)


def check(engine, file, selection, expected, **columns):
    """Check a snapshot's columns, and that the oracle says the same."""
    analysis = ff.Analysis(selection, rows=ff.snapshot(**columns))
    agreement.assert_right(engine, analysis, file)
    (rows,) = agreement.run(engine, analysis, file).tables["rows"]
    for name, values in zip(columns, expected, strict=True):
        np.testing.assert_array_equal(rows[name], values)


PER_EVENT = {
    "count of elements": (muon.count(), [3, 0, 2, 1]),
    "count of a condition": (muon.is_global.count(), [2, 0, 1, 1]),
    "count of pairs": (pair.count(), [3, 0, 1, 0]),
    "count of a part": (muon[muon.pt > 3].count(), [3, 0, 0, 1]),
    "any": ((muon.pt > 4.5).any(), [True, False, False, False]),
    "all": (muon.is_global.all(), [False, True, False, True]),
    "any of missing": (t.mu1.is_global.any(), [True, False, False, True]),
    "all of missing": ((t.mu1.is_global | (t.mass > 1.95)).all(), [False, True, False, True]),
    "sum": (t.mass.sum(), [3.7, 0.0, 1.7, 5.5]),
    "sum of NaN": (t.vertex_chi2.sum(), [5.0, 0.0, 2.0, NAN]),
    "sum skips missing": (ff.where(t.mu1.is_global, 1, 2).sum(), [3, 0, 0, 2]),
    "min": (t.vertex_chi2.min(), [1.0, NAN, 2.0, 3.0]),
    "max": (t.mass.max(), [1.9, NAN, 1.7, 2.0]),
    "argmin, first of equal": (t.vertex_chi2.argmin(), [1, NAN, 0, 1]),
    "argmax": (muon.pt.argmax(), [0, NAN, 1, 0]),
    "first": (t.vertex_chi2.first(), [4.0, NAN, 2.0, NAN]),
    "fired": (events.hlt.fired("HLT_One_v*", "HLT_T*"), [True, True, False, True]),
    "fired is of its menu": (events.hlt.fired("*_One"), [True, True, False, False]),
    "isin, a float not being a double": (muon.pt.isin(3.5, 5.1).count(), [2, 0, 0, 0]),
    "a constant": (muon.count() > ff.sqrt(4.0), [True, False, False, False]),
    "a branch": (events["triplet_mass"].max(), [1.9, NAN, 1.7, 2.0]),
    "a mask of the event": (muon[events["HLT_Two"]].count(), [0, 0, 0, 1]),
}


@pytest.mark.parametrize("name", PER_EVENT)
def test_value_of_the_event(engine, file, name):
    expression, expected = PER_EVENT[name]
    check(engine, file, ff.Selection(events), [expected], x=expression)


PER_TRIPLET = {
    "index": (t.index, [0, 1, 0, 0, 1, 2]),
    "repeated": (muon.count(), [3, 3, 2, 1, 1, 1]),
    "by index": (t.mu1.is_global, [1, 0, NAN, NAN, 1, 1]),
    "negated": (~t.mu1.is_global, [0, 1, NAN, NAN, 0, 0]),
    "or": (t.mu1.is_global | (t.mass > 1.95), [1, 0, NAN, 1, 1, 1]),
    "and": (t.mu1.is_global & (t.mass > 1.95), [0, 0, 0, NAN, 0, 0]),
    "by value, float as double": (link.is_global, [1, 0, 0, NAN, 1, NAN]),
    "found": (link.found, [1, 1, 1, 0, 1, 0]),
    "not found": (~link.found, [0, 0, 0, 1, 0, 1]),
    "at, out of range": (muon.at(t.index + 1).pt, [3.5, 3.5, 2.0, NAN, NAN, NAN]),
    "comparison with NaN": (t.vertex_chi2 < 3.5, [False, True, True, False, True, True]),
    "its negation": (~(t.vertex_chi2 < 3.5), [True, False, False, True, False, False]),
    "not equal to NaN": (t.vertex_chi2 != 1, [True, False, True, False, True, True]),
    "half-open": (t.mass.between(1.7, 1.9), [False, True, True, False, False, False]),
    "closed": (t.mass.between(1.7, 1.9, closed="both"), [True, True, True, False, False, True]),
    "isin": (t.vertex_chi2.isin(1, 3), [False, True, False, False, True, True]),
    "where": (ff.where(t.mass > 1.85, t.index, -1), [0, -1, -1, 0, -1, 2]),
    "where, missing": (ff.where(t.mu1.is_global, 1, 0), [1, 0, NAN, NAN, 1, 1]),
    "a branch": (events["triplet_mass"] - t.mass, [0, 0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("name", PER_TRIPLET)
def test_value_of_the_candidate(engine, file, name):
    expression, expected = PER_TRIPLET[name]
    check(engine, file, ff.Selection(t), [expected], x=expression)


def test_pairs_of_one_collection_come_once(engine, file):
    expected = [5.1, 5.1, 3.5, NAN], [3.5, 3.5, 3.5, 2.0], [1, 1, 0, 1], [0, 1, 1, 0]
    check(
        engine, file, ff.Selection(pair), np.float32(expected),
        a=first.pt, b=second.pt, a_global=first.is_global, b_global=second.is_global,
    )  # fmt: skip


def test_pairs_of_two_collections(engine, file):
    a, b = mixed.members
    expected = (
        [1.9] * 3 + [1.8] * 3 + [1.7] * 2 + [2.0, 1.6, 1.9],
        [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1],
    )
    check(engine, file, ff.Selection(mixed), expected, mass=a.mass, other=b.is_global)


def test_candidates_may_be_pairs(engine, file):
    selection = ff.Selection(pair).cut("pt", first.pt > 4).best(lowest=second.is_global)
    check(engine, file, selection, ([0], [False]), i=pair.index, g=second.is_global)


def test_candidates_may_be_a_part(engine, file):
    selection = ff.Selection(light).cut("χ²", light.vertex_chi2 > 1.5)
    expected = [1.7, 1.6], [0, 0], [NAN, 1], [1, 1], [1, 3]
    columns = {
        "mass": light.mass,
        "index": light.index,
        "mu1": light.mu1.is_global,
        "left": light.count(),
        "all": t.count(),
    }
    check(engine, file, selection, expected, **columns)


def test_cuts_are_on_one_candidate(engine, file):
    selection = ff.Selection(t).cut("mass", t.mass > 1.85).cut("χ²", t.vertex_chi2 < 3.5)
    check(engine, file, selection, [[1.9], [2]], mass=t.mass, run=events.run)


def test_events_without_candidates_live_until_one_is_cut_on(engine, file):
    selection = ff.Selection(t).cut("run", events.run == 1).cut("mass", t.mass > 0)
    cutflow = agreement.run(engine, ff.Analysis(selection), file).cutflow
    assert [(row.events, row.candidates) for row in cutflow] == [(4, 6), (2, 2), (1, 2)]


def test_missing_condition_and_its_negation_drop_the_candidate(engine, file):
    for condition, left in ((t.mu1.is_global, 3), (~t.mu1.is_global, 1)):
        analysis = ff.Analysis(ff.Selection(t).cut("mu1", condition))
        assert agreement.run(engine, analysis, file).cutflow[-1].candidates == left


def test_reductions_see_survivors_and_links_the_file(engine, file):
    selection = ff.Selection(t).cut("mass", t.mass < 1.95)
    expected = [1.9, 1.9, 1.7, 1.9, 1.9], [0, 0, 0, 2, 2], [2, 2, 1, 2, 2], [1.9, 1.9, 1.7, 2, 2]
    check(
        engine, file, selection, expected, max=t.mass.max(), argmax=t.mass.argmax(),
        count=t.count(), first=t.at(t.count() * 0).mass,
    )  # fmt: skip


def test_reductions_are_taken_anew_after_each_cut(engine, file):
    not_heaviest = t.mass < t.mass.max()
    selection = ff.Selection(t).cut("first", not_heaviest).cut("again", not_heaviest | (t.mass > 2))
    cutflow = agreement.run(engine, ff.Analysis(selection), file).cutflow
    assert [row.candidates for row in cutflow] == [6, 3, 1]
    check(engine, file, selection, [[1.6], [1.6]], mass=t.mass, max=t.mass.max())


def test_mask_of_a_part_sees_the_file(engine, file):
    selection = ff.Selection(t).cut("mass", t.mass < 1.95)
    heaviest = t[t.mass == t.mass.max()]
    expected = [1, 1, 1, 0, 0], [3.7, 3.7, 1.7, 3.5, 3.5]
    check(engine, file, selection, expected, n=heaviest.count(), sum=t.mass.sum())


def test_best_is_chosen_among_survivors(engine, file):
    best = ff.Selection(t).cut("mass", t.mass != 1.8).best(lowest=t.vertex_chi2)
    check(engine, file, best, [[1.9, 1.7, 1.6]], mass=t.mass)
    best = ff.Selection(t).cut("mass", t.mass > 1.95).best(highest=t.vertex_chi2)
    check(engine, file, best, [[2.0]], mass=t.mass)


def test_left_out_cut(engine, file):
    selection = ff.Selection(t).cut("mass", t.mass > 1.85).best(lowest=t.vertex_chi2)
    mass = ff.hist(t.mass, bins=[1.55, 1.65, 1.75, 1.85, 1.95], without="mass")
    analysis = ff.Analysis(selection, mass=mass, kept=ff.hist(t.mass, bins=4, range=(1.55, 1.95)))
    agreement.assert_right(engine, analysis, file)
    found = agreement.run(engine, analysis, file)
    assert found.histograms["mass"].view(flow=True).tolist() == [0, 1, 1, 1, 0, 0]
    assert found.histograms["kept"].view(flow=True).tolist() == [0, 0, 0, 0, 2, 0]


def test_missing_and_nan_go_to_the_overflow_bin(engine, file):
    analysis = ff.Analysis(
        ff.Selection(t),
        chi2=ff.hist(t.vertex_chi2, bins=2, range=(2, 4)),
        linked=ff.hist(t.mu1.is_global, bins=[0, 1, 2]),
    )
    agreement.assert_right(engine, analysis, file)
    found = agreement.run(engine, analysis, file).histograms
    assert found["chi2"].view(flow=True).tolist() == [1, 1, 2, 2]
    assert found["linked"].view(flow=True).tolist() == [0, 1, 3, 2]


def test_weights_count_from_their_place_on(engine, file):
    selection = (
        ff.Selection(t)
        .weight("event", events.run)
        .cut("mass", t.mass > 1.65)
        .weight("candidate", t.index + 2)
        .best(lowest=t.vertex_chi2)
    )
    analysis = ff.Analysis(
        selection,
        runs=ff.hist(events.run, bins=[1, 2, 3]),
        muons=ff.hist(muon.pt, bins=[0, 10]),
        rows=ff.snapshot(t.mass),
    )
    agreement.assert_right(engine, analysis, file)
    found = agreement.run(engine, analysis, file)
    sums = [(row.sumw_events, row.sumw_candidates, row.sumw2_candidates) for row in found.cutflow]
    assert sums == [(4, 6, 6), (6, 10, 18), (5, 8, 14), (None, 21, 109), (15, 15, 89)]
    assert found.histograms["runs"].view()["value"].tolist() == [3, 12]
    assert found.histograms["muons"].view(flow=True)["value"].tolist() == [0, 21, 4]
    assert found.tables["rows"][0]["weight"].tolist() == [3, 4, 8]


def test_weights_are_doubles_whatever_is_stored(engine, tmp_path):
    path, big, tenth = str(tmp_path / "weights.root"), 4_000_000_000, np.float32(0.1)
    content = {
        "run": np.full(1000, big, np.uint32),
        "Muon": ak.zip({"pt": ak.unflatten(np.full(1000, tenth), np.ones(1000, int))}),
    }
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        written["Events"].extend(content)
    by_run = ff.Selection(muon).weight("weight", events.run)
    by_pt = ff.Selection(muon).weight("weight", muon.pt)
    for selection, weight in ((by_run, big), (by_pt, float(tenth))):
        row = agreement.run(engine, ff.Analysis(selection), path).cutflow["weight"]
        assert row.sumw_candidates == pytest.approx(1000 * weight, rel=1e-12)
        assert row.sumw2_candidates == pytest.approx(1000 * weight**2, rel=1e-12)


def test_links_are_counted(engine, file):
    analysis = ff.Analysis(ff.Selection(t).cut("heavy", t.mass > 1.65).cut("link", link.found))
    assert list(agreement.run(engine, analysis, file).links.values()) == [(5, 2, 1)]


def test_mask_of_another_collection_is_refused(engine, file):
    for collection in (muon, ff.pairs(muon)):
        some = collection[events["triplet_mass"]].count() > 0
        with pytest.raises(ExpressionError, match="triplet"):
            agreement.run(engine, ff.Analysis(ff.Selection(events).cut("some", some)), file)


def test_weighted_candidates_do_not_weigh_events(engine, file):
    selection = ff.Selection(t).weight("candidate", t.mass)
    analysis = ff.Analysis(selection, run=ff.hist(events.run, bins=[1, 2, 3]))
    with pytest.raises(AnalysisError, match="best"):
        agreement.run(engine, analysis, file)


def test_infinite_weights_do_not_warn(engine, file):
    selection = ff.Selection(t).weight("infinite", 1 / (t.index * 0)).weight("zero", t.index * 0)
    agreement.assert_right(engine, ff.Analysis(selection, rows=ff.snapshot(t.mass)), file)


def test_many_trigger_paths(engine, tmp_path):
    path, names = str(tmp_path / "menu.root"), [f"HLT_Path{i}" for i in range(600)]
    with uproot.recreate(path) as written:
        written.mktree("Events", dict.fromkeys(names, "bool"))
        written["Events"].extend({name: np.array([False, name == names[-1]]) for name in names})
    analysis = ff.Analysis(ff.Selection(events).cut("HLT", events.hlt.fired("HLT_Path*")))
    assert agreement.assert_right(engine, analysis, path).cutflow[-1].events == 1


def test_names_where_a_partition_has_none(tmp_path):
    path = str(tmp_path / "names.root")
    with uproot.recreate(path) as written:
        names = ak.Array([["a", "bb"], ["c"], [], []])
        written.mkrntuple("Events", {"Muon_name": names, "Jet_pt": ak.Array([[1.0]] * 4)})
    jet = events.jet
    named = muon.at(jet.index).name.startswith("a", "c")
    analysis = ff.Analysis(ff.Selection(jet).cut("named", named))
    for size in (4, 1):
        found = analysis.run(ff.dataset(path), partition_size=size, progress=False)
        assert found.cutflow["named"].candidates == 2


def test_no_events_have_the_columns_of_some(file, tmp_path):
    analysis = ff.Analysis(ff.Selection(t).weight("two", 2.0), rows=ff.snapshot(t.mass))
    empty = write(tmp_path / "no_events.root", events=0)
    some, none = (analysis.run(ff.dataset(f), progress=False) for f in (file, empty))
    assert list(none.rows) == list(some.rows) == ["mass", "weight"]
    assert len((some + none).rows) == 6


def test_weighted_candidates_are_shown(file):
    analysis = ff.Analysis(ff.Selection(t).weight("index", t.index))
    assert "index" in repr(analysis.run(ff.dataset(file), progress=False))


def test_oracle_bins():
    """Bins are half-open, and what is in none of them is in the flow."""
    regular = ff.axis(t.mass, bins=4, range=(0, 1))
    variable = ff.axis(t.mass, bins=[0, 0.25, 0.5, 0.75, 1])
    for x, place in ((-0.1, -1), (0, 0), (0.25, 1), (0.999, 3), (1, 4), (NAN, 4), (math.inf, 4)):
        assert oracle.bin_index(regular, x) == oracle.bin_index(variable, x) == place
