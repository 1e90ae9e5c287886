"""The published notebook: our statement of it against its C++ told once more, event by event."""

import math
from pathlib import Path

import numpy as np
import pytest
import uproot

import flavorframe as ff
import published_differences as differences
import published_notebook as notebook
from flavorframe import samples

pytestmark = pytest.mark.xdist_group("root")
READ = "/run|lumi|evt|Triplet.*|RefittedPV2.*|FlightDist.*|Mu.*|Track_.*|Tr_.*|RefTr.*|Trigger_.*/"
TRIGGERS = ("HLT_DoubleMu3_Trk_Tau3mu_v",), ("L1_DoubleMu", "L1_TripleMu")


def told(event):
    """Return the mass that the notebook fills of an event, or None where it fills none."""
    for level, parts in zip(("hlt", "l1"), TRIGGERS, strict=True):
        decided = zip(event[f"Trigger_{level}name"], event[f"Trigger_{level}decision"], strict=True)
        if not any(on == 1 and any(part in name for part in parts) for name, on in decided):
            return None
    for passes in (in_window, in_acceptance, collimated, on_the_phi, near_a_trigger_muon):
        if not any(passes(event, i) for i in range(len(event["Triplet2_Mass"]))):
            return None
    if not any(muon_and_track(event, i) for i in range(len(event["MuonPt"]))):
        return None
    return event["Triplet2_Mass"][min_element(event["TripletVtx2_Chi2"])]


def in_window(e, i):
    return (
        1.62 < e["Triplet2_Mass"][i] < 2.02
        and e["RefittedPV2_NTracks"][i] > 1
        and e["FlightDistBS_SV_Significance"][i] > 2
    )


def in_acceptance(e, i):
    def accepted(muon):
        eta, pt = abs(e[f"{muon}_Eta"][i]), e[f"{muon}_Pt"][i]
        return (eta < 1.2 and pt > 3.5) or (1.2 <= eta < 2.4 and pt > 2.0)

    return accepted("Mu01") and accepted("Mu02") and e["Tr_Pt"][i] > 1.2


def collimated(e, i):
    def distance(a, b):
        eta1, eta2, phi1, phi2 = (
            np.float32(e[f"{x}_{angle}"][i]) for angle in ("Eta", "Phi") for x in (a, b)
        )
        phi = abs(phi1 - phi2)
        if phi > np.float32(math.pi):
            phi -= np.float32(2 * math.pi)
        return math.sqrt(phi * phi + abs(eta1 - eta2) ** 2)

    low, high = float(np.float32(0.0001)), float(np.float32(0.8))
    pairs = ("Mu01", "Mu02"), ("Mu01", "Tr"), ("Mu02", "Tr")
    return all(low < distance(a, b) < high for a, b in pairs)


def muon_and_track(e, i):
    """The notebook reads past the last track, and then stops; here that muon fails."""
    if not (e["Muon_isGlobal"][i] and e["Muon_isPF"][i]) or i >= len(e["Track_dz"]):
        return False
    return e["Track_dz"][i] < 20 and e["Track_dxy"][i] < 0.3


def on_the_phi(e, i):
    m = float(np.float32(0.10566))
    energy = px = py = pz = 0.0
    for track in ("RefTrack1", "RefTrack2"):
        pt, eta, phi = (e[f"{track}_{x}"][i] for x in ("Pt", "Eta", "Phi"))
        x, y, z = pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)
        energy += math.sqrt(x * x + y * y + z * z + m * m)
        px, py, pz = px + x, py + y, pz + z
    return 1.0 < math.sqrt(max(0.0, energy**2 - px**2 - py**2 - pz**2)) < 1.04


def near_a_trigger_muon(e, i):
    return all(e[f"Mu{muon}_dRtriggerMatch_2017"][i] < np.float64(0.03) for muon in (1, 2))


def min_element(values):
    lowest = 0
    for i, value in enumerate(values):
        if value < values[lowest]:
            lowest = i
    return lowest


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the path of a file whose events have numbers of their own."""
    path = tmp_path_factory.mktemp("published") / "ntuple.root"
    return samples.write_file(path, events=[samples.generate(9000, seed=3)], layout="bph")


@pytest.fixture(scope="module")
def masses(file):
    """Return the mass that each selected event fills, by run, luminosity block and event."""
    rows = uproot.open(file)["Tree3Mu/ntuple"].arrays(filter_name=READ).to_list()
    found = [(told(row), row) for row in rows]
    return {(r["run"], r["lumi"], r["evt"]): mass for mass, r in found if mass is not None}


def test_fills_what_the_notebook_fills(file, masses):
    result = notebook.analysis.run(ff.dataset(file), progress=False)
    assert differences.by_event(result.candidates) == masses
    expected, _ = np.histogram(list(masses.values()), result.mass.axes[0].edges)
    np.testing.assert_array_equal(result.mass.values(), expected)
    assert len(masses) > 300


def test_some_events_fill_a_triplet_that_failed(file, masses):
    meant = differences.run(differences.VARIANTS["as it is meant"], ff.dataset(file))
    right = differences.by_event(meant.rows)
    common = right.keys() & masses.keys()
    assert sum(right[event] != masses[event] for event in common) > 0.2 * len(common)
    assert len(masses) > 1.2 * len(right)


def test_the_table_has_a_line_for_each_difference_and_the_page_has_the_same(file):
    lines = differences.table(ff.dataset(file))
    page = (Path(__file__).parents[1] / "docs" / "published-analysis.md").read_text("utf-8")
    assert lines[0] in page
    for name, line in zip(differences.VARIANTS, lines[2:], strict=True):
        assert line.startswith(f"| {name} |")
        assert f"\n| {name} |" in page
    (meant, published) = (lines[2].split("|"), lines[-1].split("|"))
    assert int(published[2].replace(",", "")) > int(meant[2].replace(",", "")) > 0
