"""Ntuples with one row a candidate: LHCb's, by DaVinci or FunTuple, and Belle II's, by basf2.

The candidates are the collection ``candidate``: ``events.candidate.B_M``, or ``….muplus.PT`` for
``muplus_PT``. Sources of the names: LHCb's DaVinci documentation,
https://lhcb-davinci.docs.cern.ch, and Belle II's basf2, https://software.belle2.org
(``variablesToNtuple``).
"""

from __future__ import annotations

from flavorframe.layouts.declared import Layout
from flavorframe.layouts.declaring import layout

EVENT = [
    "GpsTime", "GPSTIME", "BCID", "BCType", "BUNCHCROSSING_*", "OdinTCK", "ODINTCK", "L0DUTCK",
    "HLT1TCK", "HLT2TCK", "Polarity", "nPV", "nPVs", "PV[XYZ]", "nTracks", "nSPDHits",
    "n*Tracks", "n*Clusters", "totCandidates", "L0*Decision", "Hlt[12]*Decision",
]  # fmt: skip


def _lhcb(name: str, run: str, event: str) -> Layout:
    """Return LHCb's layout, with what the branches of run and event number are called."""
    return layout(
        name,
        recognised_by=[run, event, "*_P[TX]"],
        event={"run": run, "event": event, "n_primary_vertices": "nPVs"},
        triggers={"hlt": {"branches": ["Hlt[12]*Decision"]}, "l1": {"branches": ["L0*Decision"]}},
        units={"energy": "MeV", "length": "mm"},
        rows={"key": [run, event], "event": [run, event, *EVENT]},
    )


LHCB = _lhcb("lhcb", "runNumber", "eventNumber")
LHCB_RUN3 = _lhcb("lhcb_run3", "RUNNUMBER", "EVENTNUMBER")

BELLE2 = layout(
    "belle2",
    recognised_by=["__experiment__", "__run__", "__event__", "__candidate__"],
    event={"experiment": "__experiment__", "run": "__run__", "event": "__event__"},
    rows={
        "key": ["__experiment__", "__run__", "__event__"],
        "event": [
            "__experiment__", "__run__", "__event__", "__production__", "__ncandidates__",
            "nTracks", "nCleanedTracks*",
        ],
    },
)  # fmt: skip
