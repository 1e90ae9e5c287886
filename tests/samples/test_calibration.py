"""The published selection, written out in numpy, gives the published mass plot."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from iminuit import Minuit
from iminuit.cost import ExtendedBinnedNLL
from scipy.stats import norm

from flavorframe.samples import Events, chunks
from flavorframe.samples.eras import ERAS, EVENTS_PER_FB

EDGES = np.linspace(1.65, 2.01, 63)
SIZE = 720_000
MUON_MASS = 0.1056583755


def delta_r(fields: dict[str, np.ndarray], one: str, other: str) -> np.ndarray:
    phi = fields[f"{one}_phi"] - fields[f"{other}_phi"]
    eta = fields[f"{one}_eta"] - fields[f"{other}_eta"]
    return np.hypot(eta, (phi + np.pi) % (2 * np.pi) - np.pi)


def collimated(fields: dict[str, np.ndarray], one: str, other: str) -> np.ndarray:
    distance = delta_r(fields, one, other)
    return (distance >= 1e-4) & (distance < 0.8)


def in_acceptance(fields: dict[str, np.ndarray], muon: str) -> np.ndarray:
    pt, eta = fields[f"{muon}_pt"], abs(fields[f"{muon}_eta"])
    return ((eta < 1.2) & (pt > 3.5)) | ((eta >= 1.2) & (eta < 2.4) & (pt > 2.0))


def phi_mass(fields: dict[str, np.ndarray]) -> np.ndarray:
    pt = fields["refit1_pt"], fields["refit2_pt"]
    eta = fields["refit1_eta"], fields["refit2_eta"]
    energy = [np.hypot(MUON_MASS, p * np.cosh(e)) for p, e in zip(pt, eta, strict=True)]
    cos = np.cos(fields["refit1_phi"] - fields["refit2_phi"]) + np.sinh(eta[0]) * np.sinh(eta[1])
    return np.sqrt(2 * (MUON_MASS**2 + energy[0] * energy[1] - pt[0] * pt[1] * cos))


def identified(events: Events, muon: str) -> np.ndarray:
    idx = events.triplet.fields[f"{muon}_idx"]
    good = np.append(events.muon.fields["isGlobal"] & events.muon.fields["isPF"], False)
    return good[np.where(idx >= 0, events.muon.offsets[events.triplet.event] + idx, -1)]


def track_near_beam(events: Events) -> np.ndarray:
    rows = events.track.offsets[events.triplet.event] + events.triplet.fields["track_idx"]
    dz, dxy = events.track.fields["dz"][rows], events.track.fields["dxy"][rows]
    return (abs(dz) < 20) & (abs(dxy) < 0.3)


def cuts(events: Events) -> dict[str, np.ndarray]:
    t, event = events.triplet.fields, events.triplet.event
    seeds = [v for k, v in events.l1.items() if k.startswith(("L1_DoubleMu", "L1_TripleMu"))]
    mass = phi_mass(t)
    return {
        "HLT": events.hlt["HLT_DoubleMu3_Trk_Tau3mu"][event],
        "L1": np.any(seeds, axis=0)[event],
        "mass": (t["mass"] >= 1.62) & (t["mass"] < 2.02),
        "PV tracks": t["pv_ntracks"] > 1,
        "significance": t["flight_significance"] > 2,
        "acceptance": in_acceptance(t, "mu1") & in_acceptance(t, "mu2") & (t["track_pt"] > 1.2),
        "ΔR": collimated(t, "mu1", "mu2")
        & collimated(t, "mu1", "track")
        & collimated(t, "mu2", "track"),
        "muon ID": identified(events, "mu1") & identified(events, "mu2"),
        "track IP": track_near_beam(events),
        "φ mass": (mass >= 1.00) & (mass < 1.04),
        "match": (t["mu1_trigger_dr"] < 0.03) & (t["mu2_trigger_dr"] < 0.03),
    }


def best(events: Events, passed: np.ndarray) -> np.ndarray:
    """Of each event's candidates that passed, the one with the lowest χ²."""
    rows = np.flatnonzero(passed)
    event = events.triplet.event[rows]
    order = np.lexsort((events.triplet.fields["vertex_chi2"][rows], event))
    return rows[order][np.diff(event[order], prepend=-1) > 0]


@dataclass
class Selected:
    """Candidates that pass the cuts up to each, events with candidates; the best candidates."""

    passed: dict[str, int]
    events: int
    mass: np.ndarray
    truth: np.ndarray


def select(events: Events) -> Selected:
    alive = np.ones(events.triplet.counts.sum(), bool)
    passed = {"all": len(alive)}
    for name, cut in cuts(events).items():
        alive &= cut
        passed[name] = int(alive.sum())
    rows = best(events, alive)
    fields = events.triplet.fields
    with_candidates = int((events.triplet.counts > 0).sum())
    return Selected(passed, with_candidates, fields["mass"][rows], fields["truth"][rows])


@pytest.fixture(scope="module")
def selected() -> Selected:
    parts = [select(piece) for piece in chunks(SIZE, seed=4)]
    return Selected(
        {name: sum(part.passed[name] for part in parts) for name in parts[0].passed},
        sum(part.events for part in parts),
        np.concatenate([part.mass for part in parts]),
        np.concatenate([part.truth for part in parts]),
    )


def expected(x, background, slope, dplus, dplus_mass, ds, ds_mass, sigma):
    shape = np.expm1(-slope * (x - 1.65)) / np.expm1(-slope * 0.36)
    peaks = dplus * norm.cdf(x, dplus_mass, sigma) + ds * norm.cdf(x, ds_mass, sigma)
    return background * shape + peaks


@pytest.fixture(scope="module")
def fit(selected) -> Minuit:
    counts, _ = np.histogram(selected.mass, EDGES)
    start = (0.9 * counts.sum(), 1.2, 0.03 * counts.sum(), 1.87, 0.07 * counts.sum(), 1.968, 0.012)
    minuit = Minuit(ExtendedBinnedNLL(counts, EDGES, expected), *start)
    minuit.migrad()
    minuit.hesse()
    assert minuit.valid
    return minuit


def test_every_cut_removes_something_and_none_everything(selected):
    passed = list(selected.passed.values())
    ratios = [after / before for before, after in itertools.pairwise(passed)]
    assert all(0.3 < ratio < 1.0 for ratio in ratios)
    assert 0.08 < len(selected.mass) / selected.events < 0.15


def test_the_published_plot(fit):
    """Heights per bin at the published luminosity, read off the published plot."""
    full = ERAS["2017B"].lumi * EVENTS_PER_FB / SIZE
    width = full * (EDGES[1] - EDGES[0])
    value = fit.values
    at_low_edge = width * value["background"] * value["slope"] / -np.expm1(-value["slope"] * 0.36)
    peak = width / (np.sqrt(2 * np.pi) * value["sigma"])
    assert at_low_edge == pytest.approx(1250, rel=0.06)
    assert at_low_edge * np.exp(-value["slope"] * 0.36) == pytest.approx(820, rel=0.06)
    assert peak * value["ds"] == pytest.approx(980, rel=0.15)
    assert peak * value["dplus"] == pytest.approx(360, rel=0.35)


def test_the_peaks(fit):
    assert fit.values["sigma"] == pytest.approx(0.012, abs=0.0015)
    assert fit.values["ds_mass"] == pytest.approx(1.96835, abs=0.002)
    assert fit.values["dplus_mass"] == pytest.approx(1.86966, abs=0.005)


def test_the_fit_finds_the_true_yields(fit, selected):
    inside = (selected.mass > EDGES[0]) & (selected.mass < EDGES[-1])
    for name, label in (("ds", 1), ("dplus", 2)):
        true = (selected.truth[inside] == label).sum()
        assert abs(fit.values[name] - true) < 3.5 * fit.errors[name]
