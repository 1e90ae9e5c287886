"""The published Ds⁺ → φ(μμ)π⁺ notebook, stated exactly as it selects, with what is wrong in it.

It fills, bin for bin, the histogram that the notebook's C++ fills from the same file. Use it to
compare with results of that code; to measure something use ``dsphi.py``. What differs, and what
each difference costs, is in ``docs/published-analysis.md``, measured by
``published_differences.py``. Source: https://github.com/fsimone91/BPH_interactive_analysis.

The notebook stops with an error in an event with more muons than tracks; here such a muon fails.
"""

import numpy as np

import flavorframe as ff
from flavorframe import Expr

events = ff.events()
t, muon, track = events.triplet, events.muon, events.track


@ff.function
def single_delta_r(eta1, phi1, eta2, phi2):  # type: ignore[no-untyped-def]
    """ΔR in single precision, as the notebook's ``deltaR`` takes its arguments."""
    eta1, phi1, eta2, phi2 = (x.astype(np.float32) for x in (eta1, phi1, eta2, phi2))
    phi = abs(phi1 - phi2)
    phi = np.where(phi > np.float32(np.pi), phi - np.float32(2 * np.pi), phi)
    eta = abs(eta1 - eta2)
    return np.sqrt((phi * phi + eta * eta).astype(np.float64))


def single(number: float) -> float:
    """Return a constant as ``const float`` holds it."""
    return float(np.float32(number))


def in_acceptance(muon: Expr) -> Expr:
    """The acceptance of a muon."""
    eta = abs(muon.eta)
    return ((eta < 1.2) & (muon.pt > 3.5)) | ((eta >= 1.2) & (eta < 2.4) & (muon.pt > 2.0))


def collimated(a: Expr, b: Expr) -> Expr:
    """The window in ΔR, open at both ends."""
    dr = single_delta_r(a.eta, a.phi, b.eta, b.phi)
    return dr.between(single(1e-4), single(0.8), closed="none")


phi_mass = ff.mass(t.refit1, t.refit2, masses=single(0.10566))

# The indices that `match` finds are not used: `muon_id` returns entry i of its second argument for
# the i-th of them, and there is one for each muon. So muon i is asked together with track i.
identified = muon.is_global & muon.is_pf
track_of_same_number = track.at(muon.index)
impact = (track_of_same_number.dz < 20) & (track_of_same_number.dxy < 0.3)

trigger_match = (t.mu1.trigger_dr < 0.03) & (t.mu2.trigger_dr < 0.03)

# Each cut asks whether some triplet passes it, and no cut knows which ones passed another.
selection = (
    ff.Selection(events)
    .cut("HLT", events.hlt.fired("*HLT_DoubleMu3_Trk_Tau3mu_v*"))
    .cut("L1", events.l1.fired("*L1_DoubleMu*", "*L1_TripleMu*"))
    .cut(
        "triplet",
        (
            t.mass.between(1.62, 2.02, closed="none")
            & (t.pv_ntracks > 1)
            & (t.flight_significance > 2)
        ).any(),
    )
    .cut("acceptance", (in_acceptance(t.mu1) & in_acceptance(t.mu2) & (t.track.pt > 1.2)).any())
    .cut(
        "ΔR",
        (collimated(t.mu1, t.mu2) & collimated(t.mu1, t.track) & collimated(t.mu2, t.track)).any(),
    )
    .cut("muon ID and track IP", (identified & impact).any())
    .cut("φ mass", phi_mass.between(1.0, 1.04, closed="none").any())
    .cut("trigger match", trigger_match.any())
)

# Of all triplets of the event, those that failed included; std::min_element, which compares each
# with the lowest so far, never leaves a NaN that stands first.
first = t.vertex_chi2.first()
best = t.at(ff.where(first == first, t.vertex_chi2.argmin(), 0))

analysis = ff.Analysis(
    selection,
    mass=ff.hist(best.mass, bins=62, range=(1.65, 2.01), label="m(μμπ) [GeV]"),
    candidates=ff.snapshot(best.mass, events.run, events.luminosity_block, events.event),
)

models = {"mass": ff.fit.dsphi()}
