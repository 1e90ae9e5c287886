"""Every engine against the oracle: the published selection, random ones, and corner cases."""

import os
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe import samples
from flavorframe.engines import ENGINES, get_engine
from support import agreement, hard_numbers as wild, oracle
from support.reference import LAYOUTS, check_random, published, thorough

events = ff.events()
t, muon, track = events.triplet, events.muon, events.track


@pytest.fixture(params=ENGINES)
def engine(request):
    return get_engine(request.param)


# The published selection


@pytest.mark.parametrize("layout", LAYOUTS)
def test_published_selection(engine, sample, layout):
    answer = agreement.assert_right(engine, published(), sample(layout))
    assert answer.cutflow[-1].candidates > 10


def test_layouts_agree(engine, sample):
    found = [agreement.run(engine, published(), str(sample(layout))) for layout in ("nano", "bph")]
    assert [(r.events, r.candidates) for r in found[0].cutflow] == [
        (r.events, r.candidates) for r in found[1].cutflow
    ]


# Random selections


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_random_selections(sample, layout):
    check_random(sample(layout), examples=40)


@pytest.mark.slow
@pytest.mark.parametrize("write", [wild.write_nano, wild.write_bph], ids=["nano", "bph"])
def test_random_selections_of_hard_numbers(tmp_path, write):
    more = ("whole", "words") if write is wild.write_bph else ("whole",)
    file = write(tmp_path / "wild.root", events=300)
    check_random(file, examples=50)
    check_random(file, examples=80, more=more)


# Corner cases


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", samples.CORNER_CASES)
def test_corner_case(corner_case, case, layout):
    file = corner_case(case, layout)
    for analysis in (published(), thorough()):
        found = analysis.run(ff.dataset(file), progress=False)
        answer = oracle.evaluate(analysis, oracle.open_file(str(file)))
        agreement.assert_agree(analysis, found, answer)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_partitions_and_threads_do_not_matter(sample, layout):
    file, analysis = sample(layout, events=150), thorough()
    answer = oracle.evaluate(analysis, oracle.open_file(str(file)))
    for size, threads in ((1, 1), (7, 1), (7, 2), (10_000, 1)):
        found = analysis.run(ff.dataset(file), partition_size=size, threads=threads, progress=False)
        agreement.assert_agree(analysis, found, answer)


# Real files


def real(name):
    folder = os.environ.get("FLAVORFRAME_DATA")
    if folder is None:
        pytest.skip("FLAVORFRAME_DATA, the folder of real files, is not set")
    return Path(folder) / name


def dimuons(*columns, **cuts):
    """Return opposite-charge pairs of muons and their mass."""
    pair = ff.pairs(muon)
    a, b = pair.members
    mass = ff.mass(a, b)
    selection = ff.Selection(pair).cut("charge", a.charge * b.charge < 0)
    for name, cut in cuts.items():
        selection = selection.cut(name, cut)
    return ff.Analysis(
        selection.cut("mass", mass > 2).best(highest=a.pt + b.pt),
        mass=ff.hist(mass, bins=60, range=(2, 122)),
        low=ff.hist(mass, bins=[0, 1, 2, 4], without="mass"),
        pairs=ff.snapshot(*columns, mass=mass, pt1=a.pt, pt2=b.pt, n=muon.count()),
    )


@pytest.mark.parametrize("name", ["nano_dy.root", "nano_dimuon.root", "nano_dy_rntuple.root"])
def test_real_nano(engine, name):
    jet, electron = events.jet, events.electron
    file = real(name)
    trigger = events.hlt.fired("HLT_IsoMu24*", "HLT_Mu50_v*")
    agreement.assert_right(engine, dimuons(events.run, trigger=trigger), file)
    selection = (
        ff.Selection(jet)
        .cut("pt", (jet.pt > 20) & (abs(jet.eta) < 2.5))
        .cut("muon", ~jet.muon1.is_global | (jet.muon1.pt < 15) | (electron.count() == 1))
        .best(highest=jet.pt)
    )
    analysis = ff.Analysis(
        selection,
        pt=ff.hist(jet.pt, bins=20, range=(0, 100), without="pt"),
        leading=ff.hist(muon.pt.max(), bins=20, range=(0, 100)),
        jets=ff.snapshot(jet.pt, own=jet.muon1.pt, other=muon.at(jet["Jet_muonIdx2"]).eta),
    )
    agreement.assert_right(engine, analysis, file)


def test_real_empty_file():
    analysis, file = dimuons(), real("nano_dy_empty.root")
    found = analysis.run(ff.dataset(file), progress=False)
    agreement.assert_agree(analysis, found, oracle.evaluate(analysis, oracle.open_file(str(file))))
    assert found.events == 0


def test_real_collisions(engine):
    file = real("Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root")
    answer = agreement.assert_right(engine, dimuons(), file)
    assert answer.cutflow[-1].candidates > 400


def test_real_file_without_layout(engine):
    muons, jets = events.muons, events.jets
    pt, tight = muons["Muons.fCoordinates.fPt"], muons["Muons_tightID"]
    selection = (
        ff.Selection(jets)
        .cut("HT", events["HT"] > 200)
        .cut("pt", jets["Jets.fCoordinates.fPt"] > 40)
        .cut("no muon", (tight & (pt > 10)).count() < 2)
    )
    analysis = ff.Analysis(
        selection,
        csv=ff.hist(events["Jets_bDiscriminatorCSV"], bins=10, range=(0, 1)),
        jets=ff.snapshot(
            events["EvtNum"],
            events["Jets.fCoordinates.fEta"],
            n=muons.count(),
            tight=muons[tight].count(),
            pt=pt.sum(),
        ),
    )
    answer = agreement.assert_right(engine, analysis, real("treemaker.root"))
    assert answer.cutflow[-1].candidates > 10
