"""The ``belle2`` layout: one row a candidate, as basf2's ``variablesToNtuple`` writes it (GeV, cm).

Names and types are those of basf2's variables, with the aliases ``mup``, ``mum`` and ``pi`` for the
daughters. The truth is there in data too.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc

from flavorframe.samples.collisions import PARENT_MASS
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array, Events
from flavorframe.samples.rows import Daughter, Rows, candidate_rows, muon_likelihood
from flavorframe.samples.trees import Columns

TREE = "variables"

#: Run numbers of an experiment: basf2 counts runs within experiments, and has few bits for them.
RUNS_PER_EXPERIMENT = 10_000


def branches(events: Events) -> Columns:
    """Return the branches, one value a candidate each."""
    rows = candidate_rows(events)
    return {
        **_counters(rows),
        **_head(rows),
        **_muon("mup", rows.muplus),
        **_muon("mum", rows.muminus),
        **_pion(rows.pion),
    }


def _counters(rows: Rows) -> Columns:
    events = rows.events
    experiment, run = np.divmod(events.scalars["run"], RUNS_PER_EXPERIMENT)
    weight = events.scalars.get("genWeight", np.ones(len(events)))
    columns = {
        "__experiment__": experiment.astype(np.int32),
        "__run__": run.astype(np.int32),
        "__event__": events.scalars["event"].astype(np.uint32),
        "__production__": np.zeros(len(events), np.int32),
        "__ncandidates__": events.triplet.counts.astype(np.int32),
        "__weight__": weight.astype(np.float64),
        "nTracks": events.track.counts.astype(np.int32),
        "L1Trigger": np.any(list(events.l1.values()), axis=0).astype(np.float64),
    }
    repeated = {name: rows.of_event(values) for name, values in columns.items()}
    return {"__candidate__": rows.number.astype(np.int32), **repeated}


def _head(rows: Rows) -> Columns:
    fields = rows.fields
    measured = rows.muplus.momentum + rows.muminus.momentum + rows.pion.momentum
    return {
        "M": fields["mass"],
        "InvM": measured.mass,
        "dM": fields["mass"] - PARENT_MASS[1],
        **_momentum("", rows.momentum, fields),
        "charge": fields["charge"].astype(np.float64),
        "chiProb": gammaincc(fields["vertex_ndof"] / 2, fields["vertex_chi2"] / 2),
        **{axis: fields[f"vertex_{axis}"] for axis in "xyz"},
        **{f"IP{axis.upper()}": fields[f"pv_{axis}"] for axis in "xyz"},
        "dr": fields["flight_distance"],
        "distance": fields["flight3d_distance"],
        "significanceOfDistance": fields["flight3d_significance"],
        "cosAngleBetweenMomentumAndVertexVector": rows.pointing,
        "isSignal": (fields["truth"] == 1).astype(np.float64),
        "mcPDG": _matched(rows.true_id),
    }


def _momentum(prefix: str, momentum: FourVector, measured: dict[str, Array]) -> Columns:
    return {
        f"{prefix}p": momentum.magnitude,
        f"{prefix}pt": measured["pt"].astype(np.float64),
        f"{prefix}px": momentum.x,
        f"{prefix}py": momentum.y,
        f"{prefix}pz": momentum.z,
        f"{prefix}E": momentum.energy,
        f"{prefix}theta": np.arctan2(momentum.pt, momentum.z),
        f"{prefix}phi": measured["phi"].astype(np.float64),
    }


def _daughter(name: str, daughter: Daughter) -> Columns:
    return {
        **_momentum(f"{name}_", daughter.momentum, daughter.fields),
        f"{name}_charge": daughter.charge.astype(np.float64),
        f"{name}_d0": daughter.fields["dxy"],
        f"{name}_mcPDG": daughter.true_id.astype(np.float64),
        f"{name}_genMotherPDG": _matched(daughter.mother_id),
    }


def _muon(name: str, muon: Daughter) -> Columns:
    # The likelihood of a muon over the sum of it and that of another particle.
    return {**_daughter(name, muon), f"{name}_muonID": 1 / (1 + np.exp(-muon_likelihood(muon)))}


def _pion(pion: Daughter) -> Columns:
    return {
        **_daughter("pi", pion),
        "pi_d0Err": pion.fields["dxyErr"],
        "pi_z0": pion.fields["dz"],
        "pi_z0Err": pion.fields["dzErr"],
    }


def _matched(number: Array) -> Array:
    """Numbers of particles; NaN for none, as for what was matched with nothing generated."""
    return np.where(number != 0, number, np.nan)
