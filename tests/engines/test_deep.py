"""Expressions of thousands of nodes: lists of runs, long sums, nested functions, links, parts."""

import functools
import operator
import subprocess
import sys

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._shipping.user_code import packed
from flavorframe.engines import ENGINES, get_engine
from flavorframe.engines._columnar import depth, named, view
from flavorframe.engines._columnar.caching import survivors
from flavorframe.engines._rdataframe.codegen import scope, translate
from support import agreement, hard_numbers as wild
from support.reference import LAYOUTS, check_random

NAN = np.nan
DEPTH = {"columnar": 3000, "rdataframe": 200}
"""How deep expressions are tried: compilers are slow."""

events = ff.events()
t, muon = events.triplet, events.muon
next_number = ff.cpp(
    "double next_number(double x) { return x + 1; }", python=lambda numbers: numbers + 1
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the path of four events, with 3, 0, 2 and 1 muons and 2, 0, 1 and 3 triplets."""

    def lists(counts, values, dtype=np.float64):
        return ak.unflatten(np.array(values, dtype), counts)

    muons, triplets = [3, 0, 2, 1], [2, 0, 1, 3]
    content = {
        "run": np.array([1, 1, 2, 2], np.uint32),
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
    path = tmp_path_factory.mktemp("deep") / "four_events.root"
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        written["Events"].extend(content)
    return str(path)


# Trees are evaluated alike whether they are deep or not


@pytest.fixture
def all_is_deep(monkeypatch):
    """Have every tree taken for a deep one, and see that nothing was made ready in vain."""
    for module in (depth, named, survivors, view):
        monkeypatch.setattr(module, "MAX_RECURSION", 1)
    views = []
    make = view.View.__init__

    def noted(self, *values, **options):
        make(self, *values, **options)
        views.append(self)

    monkeypatch.setattr(view.View, "__init__", noted)
    yield
    assert views
    assert not any(each._computed_ahead for each in views)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_deep_trees_mean_what_shallow_ones_do(sample, layout, all_is_deep):
    check_random(sample(layout), examples=15)


@pytest.mark.slow
@pytest.mark.parametrize("write", [wild.write_nano, wild.write_bph], ids=["nano", "bph"])
def test_deep_trees_of_hard_numbers(tmp_path, write, all_is_deep):
    check_random(write(tmp_path / "wild.root", events=300), examples=40)


@pytest.mark.root
def test_deep_trees_in_cpp(tmp_path, monkeypatch):
    for module in (scope, translate):
        monkeypatch.setattr(module, "DEEP", 1)
    check_random(
        wild.write_nano(tmp_path / "wild.root", events=300), examples=10, engine="rdataframe"
    )


# Deep expressions


def runs(depth):
    """Conditions that lean to the left."""
    return functools.reduce(operator.or_, [events.run == 2 + i for i in range(depth)])


def runs_to_the_right(depth):
    found = events.run == 2
    for i in range(depth):
        found = (events.run == 3 + i) | found
    return found


def no_runs(depth):
    return functools.reduce(operator.and_, [events.run != 2 + i for i in range(depth)])


def total(depth):
    return sum((events.run for _ in range(depth - 1)), events.run) - depth


def alternating(depth):
    """Return 1 − (1 − (1 − …)), which leans to the right."""
    found = events.run
    for _ in range(2 * (depth // 2)):
        found = 1 - found
    return found


def nested(depth):
    found = events.run
    for _ in range(depth):
        found = next_number(found)
    return found - depth


def links(depth):
    """Follow links that begin at the second muon: those of events without one are missing."""
    found = events.run * 0 + 1
    for _ in range(depth):
        found = ff.where(muon.at(found).is_global, 0, 1)
    return found


def parts(depth):
    """Count muons of more than 3 GeV, part of a part of …"""
    part = muon
    for i in range(depth // 20):
        part = part[part.pt > 3 * (i + 1) / (depth // 20)]
    return part.count()


def reductions(depth):
    """Look for the largest of those that are not larger than the largest of …"""
    found = muon.pt.max()
    for _ in range(depth // 12):
        found = muon[muon.pt <= found].pt.max()
    return found


def doubled(depth):
    """Use each value twice: the formula would be longer than there are atoms."""
    found = events.run
    for _ in range(depth):
        found = found + found - found
    return found


EXPECTED = {
    runs: [False, False, True, True],
    runs_to_the_right: [False, False, True, True],
    no_runs: [True, True, False, False],
    total: lambda depth: np.array([1, 1, 2, 2]) * depth - depth,
    alternating: [1, 1, 2, 2],
    nested: [1, 1, 2, 2],
    links: [1, NAN, 1, NAN],
    parts: [3, 0, 0, 1],
    reductions: [np.float32(5.1), NAN, 2.0, 4.0],
    doubled: [1, 1, 2, 2],
}


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
@pytest.mark.parametrize("engine", ENGINES)
def test_values(file, engine, make):
    depth, expected = DEPTH[engine], EXPECTED[make]
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(value=make(depth)))
    (rows,) = agreement.run(get_engine(engine), analysis, file).tables["rows"]
    expected = expected(depth) if callable(expected) else expected
    np.testing.assert_array_equal(rows["value"], expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_cuts_of_candidates_and_their_links(file, engine):
    """A link is counted once however deep it is, and of those that are asked alone."""
    link = muon.match(pt=t.mu1.pt)
    deep = functools.reduce(operator.or_, [t.mass > 3 + i for i in range(100)], link.is_global)
    selection = ff.Selection(t).cut("chi2", t.vertex_chi2 < 3.5).cut("deep", deep)
    shallow = ff.Selection(t).cut("chi2", t.vertex_chi2 < 3.5).cut("deep", link.is_global)
    found, expected = (
        agreement.run(get_engine(engine), ff.Analysis(each, m=ff.hist(t.mass, bins=[1, 2])), file)
        for each in (selection, shallow)
    )
    assert found.links == expected.links
    assert [(r.events, r.candidates) for r in found.cutflow] == [
        (r.events, r.candidates) for r in expected.cutflow
    ]


def test_a_deep_cut_is_known_again(file, tmp_path):
    """What is kept of a deep cut is found again, by an equal one."""
    results = []
    for _ in range(2):
        selection = ff.Selection(t).cut("runs", runs(2000)).cut("sum", (t.mass + total(2000)) > 0)
        analysis = ff.Analysis(selection, mass=ff.hist(t.mass, bins=4, range=(1.6, 2)))
        results.append(analysis.run(ff.dataset(file), cache=tmp_path, progress=False))
    assert results[0].cutflow == results[1].cutflow
    assert results[0].cutflow.rows[-1].candidates == 4


def test_another_process_gets_it(file, tmp_path):
    """A deep analysis is taken to a process of its own, as to workers and detached runs."""
    selection = ff.Selection(events).cut("runs", runs(3000)).cut("nested", nested(3000) > 0)
    analysis = ff.Analysis(selection, rows=ff.snapshot(value=links(3000)))
    sent = tmp_path / "sent"
    sent.write_bytes(packed(analysis))
    program = (
        "import sys, flavorframe as ff; from flavorframe._shipping.user_code import unpacked;"
        "analysis = unpacked(open(sys.argv[1], 'rb').read());"
        "result = analysis.run(ff.dataset(sys.argv[2]), progress=False);"
        "print(result.cutflow.rows[-1].events, result.provenance.plan == sys.argv[3])"
    )
    arguments = [sys.executable, "-c", program, str(sent), file, analysis.plan.digest]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["2", "True"]
