"""Analyses that every engine is tried on, and random ones."""

import os

from hypothesis import HealthCheck, given, settings, strategies as st

import dsphi
import flavorframe as ff
from flavorframe.engines import get_engine
from support import agreement, oracle, random_selections

events = ff.events()
t, muon = events.triplet, events.muon

LAYOUTS = ("nano", "nano-rntuple", "bph")
EVENTS = 40
"""How many events a random selection is tried on."""
MORE = int(os.environ.get("FLAVORFRAME_THOROUGH", "1"))
"""How many times as many random selections are tried."""


def published():
    """Return Ds⁺ → φ(μμ)π⁺, as in the project's first example."""
    return ff.Analysis(
        dsphi.selection,
        mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m(μμπ) [GeV]"),
        phi=ff.hist(dsphi.phi_mass, bins=80, range=(0.9, 1.2), without="φ mass"),
        candidates=ff.snapshot(t.mass, t.vertex_chi2, phi_mass=dsphi.phi_mass),
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


def check_random(file, examples, engine="columnar", more=(), layout=None):
    """Try random selections on random events of a file, the same ones in each run.

    ``examples`` is their number, times the number in the environment's FLAVORFRAME_THOROUGH.
    ``more`` is what the file has beside the vocabulary that all share.
    """

    @settings(
        max_examples=examples * MORE,
        derandomize=True,
        report_multiple_bugs=False,  # one is enough, and found sooner
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        random_selections.analyses(more=more),
        st.integers(0, oracle.open_file(str(file)).events - EVENTS),
    )
    def check(analysis, start):
        answer = oracle.evaluate(analysis, oracle.open_file(str(file)), start, start + EVENTS)
        stop = start + EVENTS
        found = agreement.run(get_engine(engine), analysis, str(file), start, stop, layout=layout)
        agreement.assert_agree(analysis, found, answer)

    check()
