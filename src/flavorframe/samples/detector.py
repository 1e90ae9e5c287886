"""What the detector makes of the particles: muons and tracks, with resolution, losses and fakes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from flavorframe.samples.collisions import Collisions, companions
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array, Decay

#: Relative resolution of pt at η = 0 and its growth with |η|; resolution of the angles [rad].
PT_RESOLUTION, PT_RESOLUTION_SLOPE = 0.0063, 0.0030
ANGLE_RESOLUTION = 0.0006

#: Muons that are not the decay's: share of events with one near it, and with one elsewhere.
NEAR_MUONS: dict[Decay, float] = {"dsphipi": 0.05, "tau3mu": 0.25}
FAR_MUONS = 0.12

#: Random tracks near a dimuon: Poisson about a log-normal mean, whose tail makes busy events.
COMPANIONS_MEDIAN, COMPANIONS_WIDTH, COMPANIONS_MAX = 1.4, 0.9, 60.0
FAR_TRACKS = 0.8

#: Rare things made on purpose, because real files have them and analyses stumble over them.
EQUAL_PT_RATE = 0.002  # of the dimuon's first muon: another muon with exactly its pt
UNLISTED_RATE = 0.002  # of the dimuon's muons: candidates have it, the event's list has not
MUON_AS_TRACK_RATE = 0.05  # of the dimuon's muons: also in the list of tracks


@dataclass(frozen=True)
class Particles:
    """Reconstructed particles of all events, by event and falling pt.

    ``role`` says where a muon comes from: 0 and 1 the dimuon, 2 near it, 3 elsewhere, 4 made to
    have the pt of another, 5 the third of τ → 3μ; and a track: 0 the parent's pion, 1 a
    muon, 2 and 3 as for muons.
    """

    event: Array
    role: Array
    pt: Array
    eta: Array
    phi: Array
    charge: Array

    def __getitem__(self, rows: Array) -> Particles:
        return Particles(*(getattr(self, field.name)[rows] for field in fields(self)))

    def __len__(self) -> int:
        return len(self.event)

    def of_role(self, role: int, events: int) -> Array:
        """The row of each event's particle of this role, -1 if none, shape (events,)."""
        row = np.full(events, -1)
        mine = np.flatnonzero(self.role == role)
        row[self.event[mine]] = mine
        return row

    def position(self, listed: Array) -> Array:
        """Where each particle is in its event's list of the ``listed`` ones; -1 if it is not."""
        before = np.cumsum(listed) - listed
        position = before - before[np.searchsorted(self.event, self.event)]
        # Of two with equal pt the first, which is what a search by pt finds.
        position[1:] -= (np.diff(self.event) == 0) & (np.diff(self.pt) == 0)
        return np.where(listed, position, -1)


def reconstruct_muons(rng: np.random.Generator, truth: Collisions) -> Particles:
    """Measure the muons of each event: the decay's, and a few that have nothing to do with it."""
    events, (first, second) = np.arange(len(truth.process)), truth.muons
    found = [
        _measured(rng, first, events, 0, truth.charge),
        _measured(rng, second, events, 1, -truth.charge),
        _extra_muons(rng, truth.dimuon, role=2, rate=NEAR_MUONS[truth.decay], spread=0.25),
        _extra_muons(rng, truth.dimuon, role=3, rate=FAR_MUONS, spread=1.5),
    ]
    if truth.decay == "tau3mu":
        found.append(_measured(rng, truth.third, events, 5, truth.charge))
    muons = _joined(*found)
    # In single precision as in the real files, where candidates hold the same pt as a double.
    single = {name: getattr(muons, name).astype(np.float32) for name in ("pt", "eta", "phi")}
    muons = replace(muons, **single)
    muons = muons[_muon_is_seen(rng, muons)]
    return _in_order(_joined(muons, _equal_pt_muons(rng, muons)))


def reconstruct_tracks(rng: np.random.Generator, truth: Collisions, muons: Particles) -> Particles:
    """Measure the charged tracks of each event, among them a few that are muons again."""
    events = np.arange(len(truth.process))
    mean = rng.lognormal(np.log(COMPANIONS_MEDIAN), COMPANIONS_WIDTH, len(events))
    near = np.repeat(events, rng.poisson(np.minimum(mean, COMPANIONS_MAX)))
    pions = []
    if truth.decay == "dsphipi":
        pions.append(_measured(rng, truth.third, events, 0, truth.charge))
    tracks = _joined(
        *pions,
        _muons_as_tracks(rng, muons),
        _measured(rng, companions(rng, truth.dimuon[near]), near, 2, _signs(rng, len(near))),
        _far_tracks(rng, events),
    )
    seen = (tracks.pt > 1.0) & (abs(tracks.eta) < 2.5) & (rng.random(len(tracks)) < 0.95)
    return _in_order(tracks[seen])


def are_listed(rng: np.random.Generator, muons: Particles) -> Array:
    """Which muons are in the event's list; a rare few are known to candidates only."""
    lost = (rng.random(len(muons)) < UNLISTED_RATE) & (muons.role < 2)
    # A lost muon must not be found again by a pt that was copied from it.
    copied = np.isin(muons.event, muons.event[muons.role == 4])
    return ~lost | copied


def _measured(
    rng: np.random.Generator, true: FourVector, event: Array, role: int, charge: Array
) -> Particles:
    size, eta = len(event), true.eta
    width = PT_RESOLUTION + PT_RESOLUTION_SLOPE * abs(eta)
    return Particles(
        event=event,
        role=np.full(size, role),
        pt=true.pt * (1 + width * rng.standard_normal(size)),
        eta=eta + ANGLE_RESOLUTION * rng.standard_normal(size),
        phi=_wrapped(true.phi + ANGLE_RESOLUTION * rng.standard_normal(size)),
        charge=charge,
    )


def _extra_muons(
    rng: np.random.Generator, dimuon: FourVector, *, role: int, rate: float, spread: float
) -> Particles:
    event = np.flatnonzero(rng.random(len(dimuon.x)) < rate)
    near, size = dimuon[event], len(event)
    return Particles(
        event=event,
        role=np.full(size, role),
        pt=2.0 + rng.exponential(2.5, size),
        eta=near.eta + spread * rng.standard_normal(size),
        phi=_wrapped(near.phi + spread * rng.standard_normal(size)),
        charge=_signs(rng, size),
    )


def _muon_is_seen(rng: np.random.Generator, muons: Particles) -> Array:
    # To reach the chambers a muon needs almost 3 GeV in the barrel, and less in the endcaps.
    central = abs(muons.eta) < 1.2
    above = (muons.pt - np.where(central, 2.8, 1.7)) / np.where(central, 0.3, 0.2)
    efficiency = 0.97 / (1 + np.exp(-np.clip(above, -30, 30)))
    return (rng.random(len(muons)) < efficiency) & (abs(muons.eta) < 2.5)


def _equal_pt_muons(rng: np.random.Generator, muons: Particles) -> Particles:
    copied = muons[(muons.role == 0) & (rng.random(len(muons)) < EQUAL_PT_RATE)]
    size = len(copied)
    return replace(
        copied,
        role=np.full(size, 4),
        eta=rng.uniform(-2.4, 2.4, size).astype(np.float32),
        phi=rng.uniform(-np.pi, np.pi, size).astype(np.float32),
        charge=-copied.charge,
    )


def _muons_as_tracks(rng: np.random.Generator, muons: Particles) -> Particles:
    again = muons[(muons.role < 2) & (rng.random(len(muons)) < MUON_AS_TRACK_RATE)]
    return replace(again, role=np.ones_like(again.role))


def _far_tracks(rng: np.random.Generator, events: Array) -> Particles:
    event = np.repeat(events, rng.poisson(FAR_TRACKS, len(events)))
    size = len(event)
    return Particles(
        event=event,
        role=np.full(size, 3),
        pt=1.0 + 0.8 * rng.pareto(3.0, size),
        eta=rng.uniform(-2.5, 2.5, size),
        phi=rng.uniform(-np.pi, np.pi, size),
        charge=_signs(rng, size),
    )


def _wrapped(phi: Array) -> Array:
    return (phi + np.pi) % (2 * np.pi) - np.pi


def _signs(rng: np.random.Generator, size: int) -> Array:
    return rng.choice([-1, 1], size)


def _in_order(particles: Particles) -> Particles:
    # Stable, so that of two muons with equal pt the copied one comes first.
    return particles[np.lexsort((-particles.pt, particles.event))]


def _joined(*parts: Particles) -> Particles:
    names = [field.name for field in fields(Particles)]
    return Particles(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
