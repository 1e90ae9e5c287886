"""The ``lhcb`` layout: one row a candidate, as DaVinci's tuple tools write it (MeV, mm).

Names and types are those of ``TupleToolKinematic``, ``TupleToolGeometry``, ``TupleToolPid``,
``TupleToolEventInfo``, ``TupleToolRecoStats``, ``TupleToolTISTOS`` and their like; ``ETA``, ``PHI``
and ``Q`` are what users add by LoKi functors. The truth is there in data too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flavorframe.samples.collisions import MUON_MASS, PION_MASS
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array, Events
from flavorframe.samples.rows import (
    MUON_ID,
    PARENT_ID,
    PION_ID,
    Daughter,
    Rows,
    candidate_rows,
    muon_likelihood,
)
from flavorframe.samples.trees import Columns
from flavorframe.samples.triggers import ANALYSIS_PATH

TREE = "DsTuple/DecayTree"

#: What a GeV is in MeV, and a cm in mm.
MEV, MM = 1000.0, 10.0

#: ``PID…`` of a particle without information on it.
NO_PID = -1000.0

#: Time of the first event, in 2017, and between two of them [µs since 6 January 1980].
FIRST_TIME, TIME_BETWEEN = 1_180_000_000_000_000, 233_100

#: A muon of a candidate is one that fired the trigger if it is so near to one [ΔR].
MATCHED = 0.03


class Line(NamedTuple):
    """A trigger line: the path or seed that decides for it, and how many muons it looks at."""

    decided_by: str
    muons: int


LINES = {
    "L0MuonDecision": Line("L1_SingleMu22", 1),
    "L0DiMuonDecision": Line("L1_DoubleMu4_SQ_OS_dR_Max1p2", 2),
    "Hlt1TrackMuonDecision": Line("HLT_Mu8", 1),
    "Hlt1SingleMuonHighPTDecision": Line("HLT_Mu17", 1),
    "Hlt1DiMuonLowMassDecision": Line("HLT_Dimuon0_LowMass", 2),
    "Hlt2RareCharmD2PiMuMuOSDecision": Line("HLT_DoubleMu3_Trk_Tau3mu", 2),
    "Hlt2DiMuonDetachedJPsiDecision": Line("HLT_DoubleMu4_3_Jpsi_Displaced", 2),
}


def branches(events: Events) -> Columns:
    """Return the branches, one value a candidate each."""
    rows = candidate_rows(events)
    return {
        **_event(rows),
        **_head(rows),
        **_muon("muplus", rows.muplus),
        **_muon("muminus", rows.muminus),
        **_pion(rows),
        **_trigger(rows),
    }


def _event(rows: Rows) -> Columns:
    events = rows.events
    run, number = events.scalars["run"], events.scalars["event"]
    counts = events.triplet.counts
    # The magnet's field is turned from run to run.
    polarity = np.where(run % 2 == 1, 1, -1)
    columns: dict[str, Array] = {
        "runNumber": run.astype(np.uint32),
        "eventNumber": number.astype(np.uint64),
        "totCandidates": counts.astype(np.uint64),
        "GpsTime": (FIRST_TIME + TIME_BETWEEN * number).astype(np.uint64),
        "Polarity": polarity.astype(np.int16),
        "nPVs": events.scalars["PV_npvs"].astype(np.int32),
        "nTracks": events.track.counts.astype(np.int32),
        "nMuonTracks": events.muon.counts.astype(np.int32),
    }
    repeated = {name: rows.of_event(values) for name, values in columns.items()}
    return {"nCandidate": rows.number.astype(np.uint32), **repeated}


def _head(rows: Rows) -> Columns:
    fields = rows.fields
    position = {
        f"Ds_{name}_{axis.upper()}": MM * fields[f"{point}_{axis}"]
        for name, point in (("ENDVERTEX", "vertex"), ("OWNPV", "pv"))
        for axis in "xyz"
    }
    # A failed fit has no degrees of freedom; a primary vertex has 2 n - 3 of n tracks.
    ndof = np.nan_to_num(fields["vertex_ndof"]).astype(np.int32)
    return {
        "Ds_M": MEV * fields["mass"],
        **_momentum("Ds", rows.momentum, fields),
        "Ds_Q": fields["charge"].astype(np.float64),
        "Ds_ID": (PARENT_ID[1] * rows.sign).astype(np.int32),
        "Ds_TRUEID": rows.true_id.astype(np.int32),
        **position,
        "Ds_ENDVERTEX_CHI2": fields["vertex_chi2"],
        "Ds_ENDVERTEX_NDOF": ndof,
        "Ds_OWNPV_NDOF": 2 * fields["pv_ntracks"] - np.int32(3),
        "Ds_FD_OWNPV": MM * fields["flight3d_distance"],
        "Ds_FDCHI2_OWNPV": np.square(fields["flight3d_significance"]),
        "Ds_DIRA_OWNPV": rows.pointing,
    }


def _momentum(name: str, momentum: FourVector, measured: dict[str, Array]) -> Columns:
    return {
        f"{name}_P": MEV * momentum.magnitude,
        f"{name}_PT": MEV * measured["pt"].astype(np.float64),
        f"{name}_PX": MEV * momentum.x,
        f"{name}_PY": MEV * momentum.y,
        f"{name}_PZ": MEV * momentum.z,
        f"{name}_PE": MEV * momentum.energy,
        f"{name}_ETA": measured["eta"].astype(np.float64),
        f"{name}_PHI": measured["phi"].astype(np.float64),
    }


def _daughter(name: str, daughter: Daughter, id_of_positive: int, mass: float) -> Columns:
    return {
        f"{name}_M": np.full(len(daughter.charge), MEV * mass),
        **_momentum(name, daughter.momentum, daughter.fields),
        f"{name}_ID": (id_of_positive * daughter.charge).astype(np.int32),
        f"{name}_TRUEID": daughter.true_id.astype(np.int32),
        f"{name}_MC_MOTHER_ID": daughter.mother_id.astype(np.int32),
    }


def _muon(name: str, muon: Daughter) -> Columns:
    return {
        **_daughter(name, muon, -MUON_ID, MUON_MASS),
        f"{name}_isMuon": muon.fields["isGlobal"],
        f"{name}_PIDmu": np.nan_to_num(muon_likelihood(muon), nan=NO_PID),
        # Of a muon the record has only the transverse part.
        f"{name}_IP_OWNPV": MM * abs(muon.fields["dxy"]),
    }


def _pion(rows: Rows) -> Columns:
    fields = rows.pion.fields
    along = fields["dz"] - rows.fields["pv_z"]
    across = along / np.cosh(fields["eta"])
    return {
        **_daughter("piplus", rows.pion, PION_ID, PION_MASS),
        "piplus_IP_OWNPV": MM * np.hypot(fields["dxy"], across),
        "piplus_IPCHI2_OWNPV": np.square(fields["dxy"] / fields["dxyErr"])
        + np.square(along / fields["dzErr"]),
        "piplus_TRACK_CHI2NDOF": fields["normalizedChi2"],
    }


def _trigger(rows: Rows) -> Columns:
    """Decisions of events, and of each candidate: Dec, TIS and TOS.

    TOS is a decision for which the candidate's own muons suffice, TIS one for which they do not.
    """
    decided = rows.events.l1 | rows.events.hlt
    columns: Columns = {}
    for name, line in LINES.items():
        fired = rows.of_event(decided[line.decided_by])
        kind = "trigger_dr" if line.decided_by == ANALYSIS_PATH else "any_trigger_dr"
        on_signal = fired & (_matched(rows, kind) >= line.muons)
        columns |= {
            name: fired.astype(np.int32),
            f"Ds_{name}_Dec": fired,
            f"Ds_{name}_TIS": fired & ~on_signal,
            f"Ds_{name}_TOS": on_signal,
        }
    return columns


def _matched(rows: Rows, kind: str) -> Array:
    matched = [muon.fields[kind] < MATCHED for muon in (rows.muplus, rows.muminus)]
    return np.asarray(np.sum(matched, axis=0))
