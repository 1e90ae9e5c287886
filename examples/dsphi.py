"""Ds⁺ → φ(μμ)π⁺, the normalisation channel of the search for τ → 3μ.

Two collimated muons from a φ and a track make a candidate. Trigger and candidate cuts, muon
identification and the φ mass select them; of each event the candidate of the best vertex is kept.
The Ds⁺ and the Cabibbo-suppressed D⁺ are fitted over a smooth background.
"""

import flavorframe as ff
from flavorframe import Expr

events = ff.events()  # names only; files are opened, and their layout recognised, by run()
t = events.triplet  # t.mu1.pt is stored with the triplet; t.mu1.is_global is looked up

phi_mass = ff.mass(t.refit1, t.refit2, masses=ff.MUON_MASS)


def in_acceptance(muon: Expr) -> Expr:
    """Where CMS reconstructs and triggers on muons."""
    eta = abs(muon.eta)
    return ((eta < 1.2) & (muon.pt > 3.5)) | (eta.between(1.2, 2.4) & (muon.pt > 2.0))


def collimated(a: Expr, b: Expr) -> Expr:
    """Close to each other, and not the same track twice."""
    return ff.delta_r(a, b).between(1e-4, 0.8)


selection = (
    ff.Selection(t)
    .cut("HLT", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
    .cut("L1", events.l1.fired("L1_DoubleMu*", "L1_TripleMu*"))
    .cut("2μ+track mass", t.mass.between(1.62, 2.02))
    .cut("PV tracks", t.pv_ntracks > 1)
    .cut("flight significance", t.flight_significance > 2)
    .cut("acceptance", in_acceptance(t.mu1) & in_acceptance(t.mu2) & (t.track.pt > 1.2))
    .cut("ΔR", collimated(t.mu1, t.mu2) & collimated(t.mu1, t.track) & collimated(t.mu2, t.track))
    .cut("muon ID", t.mu1.is_global & t.mu1.is_pf & t.mu2.is_global & t.mu2.is_pf)
    .cut("track IP", (abs(t.track.dz) < 20) & (abs(t.track.dxy) < 0.3))
    .cut("φ mass", phi_mass.between(1.00, 1.04))
    .cut("trigger match", (t.mu1.trigger_dr < 0.03) & (t.mu2.trigger_dr < 0.03))
    .best(lowest=t.vertex_chi2)
)

analysis = ff.Analysis(
    selection,
    mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m(μμπ) [GeV]"),
    phi=ff.hist(phi_mass, bins=80, range=(0.9, 1.2), label="m(μμ) [GeV]", without="φ mass"),
    candidates=ff.snapshot(t.mass, t.vertex_chi2, events.run, phi_mass=phi_mass),
)

models = {"mass": ff.fit.dsphi()}
