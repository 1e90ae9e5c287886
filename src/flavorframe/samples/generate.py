"""Events from collisions, detector, candidates and trigger, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from flavorframe.errors import SampleError
from flavorframe.samples.candidates import combine
from flavorframe.samples.collisions import Collisions, collide, draw_processes
from flavorframe.samples.columns import (
    as_collection,
    isolation_columns,
    muon_columns,
    scalar_columns,
    track_columns,
    triplet_columns,
)
from flavorframe.samples.detector import are_listed, reconstruct_muons, reconstruct_tracks
from flavorframe.samples.eras import Era, era_named
from flavorframe.samples.gen_particles import (
    gen_particle_columns,
    muon_gen_index,
    track_gen_index,
)
from flavorframe.samples.record import Collection, Decay, Events, Kind, concatenate
from flavorframe.samples.triggers import decide, match
from flavorframe.samples.vertices import fit_vertices, primary_vertices

#: Events made at once: bounds the memory, and fits the processor's cache.
CHUNK = 10_000

#: Event numbers that a file has to itself, so that no two events of an era share one, and the
#: number of files that these allow for: real event numbers have 32 bits.
EVENT_NUMBERS = 10_000_000
MAX_FILES = 2**32 // EVENT_NUMBERS


def generate(
    events: int,
    *,
    era: str = "2017B",
    seed: int = 2017,
    kind: Kind = "data",
    file: int = 0,
    decay: Decay = "dsphipi",
) -> Events:
    """Generate events of Ds⁺ → φ(μμ)π⁺ or τ → 3μ and backgrounds, with known truth.

    The same arguments give the same events, and fewer events are the first ones of more.

    Args:
        events: How many events.
        era: Era of data taking, one of ``ERAS``: it decides about runs and triggers.
        seed: Seed of the random numbers.
        kind: "data", or "simulation", which is signal only, with the true number of interactions
            and weights.
        file: Number of the file in its era; files of different numbers have different events.
        decay: "dsphipi", with candidates of two muons and a track, or "tau3mu", with candidates
            of three muons, which are backgrounds in data and τ → 3μ in simulation.

    Returns:
        Columns of the events, muons, tracks and candidates; momenta and masses in GeV, lengths in
        cm.

    Raises:
        SampleError: For an unknown era, kind or decay, and for a number that is negative or too
            large.

    Example:
        >>> events = generate(1000, seed=1)
        >>> len(events), bool((events.triplet.fields["truth"] == 1).any())
        (1000, True)
    """
    pieces = chunks(events, era=era, seed=seed, kind=kind, file=file, decay=decay)
    return concatenate(list(pieces))


def chunks(
    events: int,
    *,
    era: str = "2017B",
    seed: int = 2017,
    kind: Kind = "data",
    file: int = 0,
    decay: Decay = "dsphipi",
) -> Iterator[Events]:
    """Return an iterator over what `generate` returns, at most ``CHUNK`` events at a time.

    There is at least one piece: no events have columns too. Arguments and errors are those of
    `generate`.

    Example:
        >>> sum(len(piece) for piece in chunks(12_000))
        12000
    """
    period = era_named(era)
    check_kind(kind)
    check_decay(decay)
    for name, number in (("events", events), ("seed", seed), ("file", file)):
        if number < 0:
            raise SampleError(f"{name}={number} must not be negative")
    for name, number, most in (("events", events, EVENT_NUMBERS), ("file", file, MAX_FILES - 1)):
        if number > most:
            raise SampleError(f"{name}={number} must be at most {most}, to number the events")
    return _chunks(events, period, seed, kind, file, decay)


def check_kind(kind: Kind) -> None:
    """Raise SampleError for a kind of sample that does not exist."""
    if kind not in get_args(Kind):
        raise SampleError(f"kind={kind!r} must be one of {', '.join(get_args(Kind))}")


def check_decay(decay: Decay) -> None:
    """Raise SampleError for a decay of which no sample can be made."""
    if decay not in get_args(Decay):
        raise SampleError(f"decay={decay!r} must be one of {', '.join(get_args(Decay))}")


def _chunks(
    events: int, era: Era, seed: int, kind: Kind, file: int, decay: Decay
) -> Iterator[Events]:
    for number, start in enumerate(range(0, max(events, 1), CHUNK)):
        entropy = [seed, era.number, get_args(Kind).index(kind), file, number]
        if decay != "dsphipi":
            entropy.append(get_args(Decay).index(decay))
        rng = np.random.default_rng(np.random.SeedSequence(entropy))
        first = file * EVENT_NUMBERS + start
        yield _chunk(rng, era, kind, decay, first=first).head(events - start)


def _chunk(rng: np.random.Generator, era: Era, kind: Kind, decay: Decay, first: int) -> Events:
    scalars = scalar_columns(rng, era, kind, np.arange(first, first + CHUNK))
    collisions = collide(rng, draw_processes(rng, kind, CHUNK, decay), decay)
    pv = primary_vertices(rng, CHUNK)
    muons = reconstruct_muons(rng, collisions)
    tracks = reconstruct_tracks(rng, collisions, muons)
    found = combine(rng, collisions, muons, tracks)
    vertex = fit_vertices(rng, found, pv[found.event], collisions.flight[found.event])
    trigger = decide(rng, scalars["run"], muons, found, vertex["flight_significance"])
    listed = are_listed(rng, muons)
    muon = muon_columns(rng, muons, listed, collisions, kind) | match(rng, muons, trigger.hlt)
    track = track_columns(rng, tracks, collisions, pv)
    triplet = triplet_columns(rng, found, muon, track, decay) | vertex
    if decay == "tau3mu":
        triplet |= isolation_columns(rng, found, vertex["flight3d_significance"])
    if kind == "simulation":
        muon["genPartIdx"] = muon_gen_index(muons, decay)
        track["genPartIdx"] = track_gen_index(tracks, collisions)
    in_list = {name: values[listed] for name, values in muon.items()}
    return Events(
        kind=kind,
        scalars=scalars,
        hlt=trigger.hlt,
        l1=trigger.l1,
        muon=as_collection("Muon", decay, CHUNK, muons.event[listed], in_list),
        track=as_collection("Track", decay, CHUNK, tracks.event, track),
        triplet=as_collection("triplet", decay, CHUNK, found.event, triplet),
        process=collisions.process,
        decay=decay,
        gen_part=_gen_part(collisions) if kind == "simulation" else None,
    )


def _gen_part(collisions: Collisions) -> Collection:
    columns = gen_particle_columns(collisions)
    events = len(collisions.process)
    event = np.repeat(np.arange(events), len(columns["pt"]) // events)
    return as_collection("GenPart", collisions.decay, events, event, columns)
