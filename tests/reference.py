"""Analyses that every engine is tried on, and random ones."""

from hypothesis import HealthCheck, given, settings, strategies as st

import agreement
import flavorframe as ff
import oracle
import random_selections
from flavorframe.engine import get_engine

events = ff.events()
t, muon = events.triplet, events.muon

LAYOUTS = ("nano", "nano-rntuple", "bph")
EVENTS = 40
"""How many events a random selection is tried on."""


def published():
    """Return Ds⁺ → φ(μμ)π⁺, as in the project's first example."""
    phi_mass = ff.mass(t.refit1, t.refit2, masses=ff.MUON_MASS)

    def in_acceptance(muon):
        eta = abs(muon.eta)
        return ((eta < 1.2) & (muon.pt > 3.5)) | (eta.between(1.2, 2.4) & (muon.pt > 2.0))

    def collimated(a, b):
        return ff.delta_r(a, b).between(1e-4, 0.8)

    pairs = collimated(t.mu1, t.mu2) & collimated(t.mu1, t.track) & collimated(t.mu2, t.track)
    selection = (
        ff.Selection(t)
        .cut("HLT", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
        .cut("L1", events.l1.fired("L1_DoubleMu*", "L1_TripleMu*"))
        .cut("2μ+track mass", t.mass.between(1.62, 2.02))
        .cut("PV tracks", t.pv_ntracks > 1)
        .cut("flight significance", t.flight_significance > 2)
        .cut("acceptance", in_acceptance(t.mu1) & in_acceptance(t.mu2) & (t.track.pt > 1.2))
        .cut("ΔR", pairs)
        .cut("muon ID", t.mu1.is_global & t.mu1.is_pf & t.mu2.is_global & t.mu2.is_pf)
        .cut("track IP", (abs(t.track.dz) < 20) & (abs(t.track.dxy) < 0.3))
        .cut("φ mass", phi_mass.between(1.00, 1.04))
        .cut("trigger match", (t.mu1.trigger_dr < 0.03) & (t.mu2.trigger_dr < 0.03))
        .best(lowest=t.vertex_chi2)
    )
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m(μμπ) [GeV]"),
        phi=ff.hist(phi_mass, bins=80, range=(0.9, 1.2), without="φ mass"),
        candidates=ff.snapshot(t.mass, t.vertex_chi2, phi_mass=phi_mass),
    )


def thorough():
    """Return an analysis that has a bit of everything."""
    selection = (
        ff.Selection(t)
        .weight("vertices", 1 + 0.01 * events.n_primary_vertices)
        .cut("some muon", (muon.pt > 2).any() | (muon.count() == 0))
        .cut("mass", ~(t.mass < 1.65))
        .weight("muon", ff.where(t.mu1.is_global, 0.9, 1.1))
        .cut("others", (t.mass.count() < 400) & (t.mu1.is_pf | (t.vertex_chi2 < 30)))
        .best(highest=t.pt)
    )
    a, b = ff.pairs(muon[muon.is_global]).members
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1), without="mass"),
        dimuon=ff.hist(ff.mass(a, b, masses=ff.MUON_MASS), bins=[0, 1, 3, 10]),
        rows=ff.snapshot(t.mass, t.mu1.charge, best=t.pt.argmax(), dr=ff.delta_r(t.mu1, t.track)),
    )


def check_random(file, examples, engine="columnar"):
    """Try random selections on random events of a file, the same ones in each run."""

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        report_multiple_bugs=False,  # one is enough, and found sooner
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        random_selections.analyses(), st.integers(0, oracle.open_file(str(file)).events - EVENTS)
    )
    def check(analysis, start):
        answer = oracle.evaluate(analysis, oracle.open_file(str(file)), start, start + EVENTS)
        found = agreement.run(get_engine(engine), analysis, str(file), start, start + EVENTS)
        agreement.assert_agree(analysis, found, answer)

    check()
