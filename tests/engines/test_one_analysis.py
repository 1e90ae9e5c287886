"""One analysis, unchanged, on the same collisions as the ntuples of four groups."""

import pytest

import flavorframe as ff
from flavorframe import samples

EVENTS = 3000

LAYOUTS = {
    "bph": None,
    "nano": None,
    "lhcb": ff.layout(
        "ours at LHCb",
        rows={"key": ["runNumber", "eventNumber"], "candidates": "triplet", "event": ["n*Tracks"]},
        event={"run": "runNumber", "event": "eventNumber"},
        collections={
            "triplet": {
                "fields": {
                    "mass": "Ds_M",
                    "pt": "Ds_PT",
                    "charge": "Ds_Q",
                    "mu1.pt": "muplus_PT",
                    "mu2.pt": "muminus_PT",
                    "track.pt": "piplus_PT",
                }
            }
        },
        units={"energy": "MeV", "length": "mm"},
    ),
    "belle2": ff.layout(
        "ours at Belle II",
        rows={"key": ["__experiment__", "__run__", "__event__"], "candidates": "triplet"},
        event={"event": "__event__"},
        collections={
            "triplet": {
                "fields": {
                    "mass": "M",
                    "pt": "pt",
                    "charge": "charge",
                    "mu1.pt": "mup_pt",
                    "mu2.pt": "mum_pt",
                    "track.pt": "pi_pt",
                }
            }
        },
    ),
}


def analysis():
    events = ff.events()
    t = events.triplet
    softer = ff.minimum(t.mu1.pt, t.mu2.pt)
    selection = (
        ff.Selection(t)
        .cut("mass", t.mass.between(1.62 * ff.GeV, 2.02 * ff.GeV))
        .cut("muons", softer > 2 * ff.GeV)
        .cut("pion", t.track.pt > 1.2 * ff.GeV)
        .cut("few", t.mass.count() < 40)
        .cut("charge", abs(t.charge) == 1)
        .best(highest=t.pt)
    )
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass / ff.GeV, bins=40, range=(1.6, 2.1), without="mass"),
        rows=ff.snapshot(events.event, m=t.mass / ff.GeV),
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results in each layout."""
    folder, events = tmp_path_factory.mktemp("four"), samples.generate(EVENTS, seed=11)
    found = {}
    for name, layout in LAYOUTS.items():
        if name == "bph":
            pytest.importorskip("ROOT", reason="layout 'bph' is written by ROOT")
        file = folder / f"{name}.root"
        samples.write_file(file, events=events, layout=name, entries_per_cluster=200)
        found[name] = analysis().run(ff.dataset(file, layout=layout), progress=False)
    return found


def test_counts_are_the_same(results):
    counts = {
        name: [(row.events, row.candidates) for row in result.cutflow.rows[1:]]
        for name, result in results.items()
    }
    assert counts["nano"][-1][0] > 300
    assert all(each == counts["nano"] for each in counts.values())
    of_all = {name: result.cutflow[0].candidates for name, result in results.items()}
    assert len(set(of_all.values())) == 1


def test_histograms_and_rows_are_the_same(results):
    masses = {tuple(result.mass.values(flow=True).tolist()) for result in results.values()}
    assert len(masses) == 1
    rows = {name: result.rows.columns for name, result in results.items()}
    for name in LAYOUTS:
        assert rows[name]["event"].tolist() == rows["nano"]["event"].tolist()
        assert rows[name]["m"] == pytest.approx(rows["nano"]["m"], rel=1e-6)


def test_units_are_those_of_the_files(results):
    told = {name: result.provenance.energy for name, result in results.items()}
    assert told == {"bph": "GeV", "nano": "GeV", "lhcb": "MeV", "belle2": "GeV"}
