"""One row a candidate: what the layouts ``lhcb`` and ``belle2`` have in common (GeV, cm)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.samples.collisions import MUON_MASS, PION_MASS
from flavorframe.samples.kinematics import FourVector, from_pt_eta_phi
from flavorframe.samples.record import Array, Collection, Events

#: Numbers of particles, signed by the charge: Particle Data Group, Monte Carlo numbering scheme.
MUON_ID, PION_ID, PHI_ID = 13, 211, 333
PARENT_ID = {1: 431, 2: 411}

#: Share of muons, and of other particles taken for muons, that have a mark of identification.
_MARKS = {"isGlobal": (0.93, 0.40), "isPF": (0.95, 0.45), "isSoft": (0.94, 0.60)}


@dataclass(frozen=True)
class Daughter:
    """A particle of each candidate, shape (candidates,) throughout.

    Attributes:
        momentum: As measured, before the vertex fit [GeV].
        charge: Its charge, also where it is in no list.
        listed: Whether the event's list of muons or tracks has it.
        fields: What the candidate, or else that list, says of it; 0, or NaN, where it is in none.
        true_id: What it really is, a number of the Particle Data Group.
        mother_id: What it really comes from, likewise; 0 for neither φ nor D.
    """

    momentum: FourVector
    charge: Array
    listed: Array
    fields: dict[str, Array]
    true_id: Array
    mother_id: Array


@dataclass(frozen=True)
class Rows:
    """The candidates of events, event by event; events without any have no row.

    The muons are called by their charges; of two with the same, the harder is ``muplus``.
    """

    events: Events
    muplus: Daughter
    muminus: Daughter
    pion: Daughter

    @property
    def fields(self) -> dict[str, Array]:
        """The fields of the candidates."""
        return self.events.triplet.fields

    @property
    def number(self) -> Array:
        """The position of each candidate among those of its event."""
        triplet = self.events.triplet
        return np.arange(len(triplet.event)) - triplet.offsets[triplet.event]

    @property
    def momentum(self) -> FourVector:
        """The candidates' momenta [GeV]."""
        return from_pt_eta_phi(*(self.fields[name] for name in ("pt", "eta", "phi", "mass")))

    @property
    def sign(self) -> Array:
        """The sign of the candidates' charges."""
        return np.sign(self.fields["charge"])

    @property
    def true_id(self) -> Array:
        """What the candidates really are, a number of the Particle Data Group, or 0."""
        return self.sign * _chosen(self.fields["truth"], PARENT_ID)

    @property
    def pointing(self) -> Array:
        """Cosine of the angle between momentum and flight from the primary vertex."""
        momentum = self.momentum
        flown = [self.fields[f"vertex_{axis}"] - self.fields[f"pv_{axis}"] for axis in "xyz"]
        along = sum(a * b for a, b in zip(flown, momentum.direction, strict=True))
        return np.asarray(along / np.sqrt(sum(np.square(part) for part in flown)))

    def of_event(self, values: Array) -> Array:
        """Values of the events, repeated for each candidate."""
        return values[self.events.triplet.event]


def candidate_rows(events: Events) -> Rows:
    """Put the candidates of events in rows, with their daughters."""
    found, truth = events.triplet.fields, events.triplet.fields["truth"]
    first, second = (_known(events, name, events.muon) for name in ("mu1", "mu2"))
    track = _known(events, "track", events.track)
    pion_charge = np.where(track["charge"] != 0, track["charge"], np.sign(found["charge"]))
    charges = _muon_charges(found["charge"] - pion_charge, first["charge"], second["charge"])
    in_order = charges[0] >= charges[1]
    of_phi = np.where(truth > 0, PHI_ID, 0)
    sign = np.sign(found["charge"])
    is_muon = (found["track_pt"] == found["mu1_pt"]) | (found["track_pt"] == found["mu2_pt"])
    return Rows(
        events,
        _muon(_either(in_order, first, second), np.maximum(*charges), of_phi),
        _muon(_either(in_order, second, first), np.minimum(*charges), of_phi),
        _daughter(
            track,
            PION_MASS,
            pion_charge,
            np.where(is_muon, -MUON_ID, PION_ID),
            sign * _chosen(truth, PARENT_ID),
        ),
    )


def muon_likelihood(muon: Daughter) -> Array:
    """Difference of the log-likelihoods of a muon and of another particle; NaN if in no list.

    It is what the muon's marks of identification say.
    """
    total = np.where(muon.listed, 0.0, np.nan)
    for mark, (of_muons, of_others) in _MARKS.items():
        passed, failed = of_muons / of_others, (1 - of_muons) / (1 - of_others)
        total += np.log(np.where(muon.fields[mark], passed, failed))
    return total


def _known(events: Events, member: str, listed: Collection) -> dict[str, Array]:
    """All that candidates hold of a daughter, or find in the list of its event."""
    own = {
        name.removeprefix(f"{member}_"): values
        for name, values in events.triplet.fields.items()
        if name.startswith(f"{member}_")
    }
    places = np.flatnonzero(own["idx"] >= 0)
    rows = own["idx"][places] + listed.offsets[events.triplet.event[places]]
    others = {name: values for name, values in listed.fields.items() if name not in own}
    return own | {
        name: _put(values[rows], places, len(own["idx"])) for name, values in others.items()
    }


def _put(values: Array, places: Array, size: int) -> Array:
    result = np.full(size, np.nan if values.dtype.kind == "f" else 0, values.dtype)
    result[places] = values
    return result


def _muon_charges(pair: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """Charges of two muons of the given sum, of which one may be unknown, 0, or both."""
    of_pair = np.where(pair != 0, pair // 2, np.where(second != 0, -second, 1))
    first = np.where(first != 0, first, of_pair)
    return first, pair - first


def _either(condition: Array, one: dict[str, Array], other: dict[str, Array]) -> dict[str, Array]:
    return {name: np.where(condition, one[name], other[name]) for name in one}


def _muon(known: dict[str, Array], charge: Array, mother_id: Array) -> Daughter:
    return _daughter(known, MUON_MASS, charge, np.full(len(charge), -MUON_ID), mother_id)


def _daughter(
    known: dict[str, Array], mass: float, charge: Array, id_of_positive: Array, mother_id: Array
) -> Daughter:
    momentum = from_pt_eta_phi(known["pt"], known["eta"], known["phi"], mass)
    return Daughter(
        momentum=momentum,
        charge=charge,
        listed=known["idx"] >= 0,
        fields=known,
        true_id=charge * id_of_positive,
        mother_id=mother_id,
    )


def _chosen(truth: Array, by_label: dict[int, int]) -> Array:
    return np.select([truth == label for label in by_label], list(by_label.values()), 0)
