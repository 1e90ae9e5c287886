"""Small, extreme and valid events and files, for tests of whatever reads ntuples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from flavorframe.errors import SampleError, did_you_mean
from flavorframe.samples.files import Format, Layout, write_file
from flavorframe.samples.generate import generate
from flavorframe.samples.record import Array, Collection, Decay, Events

#: Entries of a cluster where a corner case wants more clusters than its size would give.
_ENTRIES_PER_CLUSTER = {"split_events": 7}

#: The links that candidates may have → the collection that they lead to.
_LINKS = {"mu1_idx": "Muon", "mu2_idx": "Muon", "mu3_idx": "Muon", "track_idx": "Track"}


def corner_case(name: str, decay: Decay = "dsphipi") -> Events:
    """Return the events of a corner case.

    Args:
        name: One of ``CORNER_CASES``.
        decay: What candidates are made for, "dsphipi" or "tau3mu".

    Raises:
        SampleError: For another name, with the list of them.

    Example:
        >>> corner_case("many_candidates").triplet.counts[0] >= 300
        np.True_
    """
    if name not in CORNER_CASES:
        raise SampleError(
            f"no corner case {name!r}; there are {', '.join(CORNER_CASES)}."
            f"{did_you_mean(name, CORNER_CASES)}"
        )
    return CORNER_CASES[name](decay)


def write_corner_case(
    name: str,
    path: str | PathLike[str],
    layout: Layout = "nano",
    *,
    format: Format = "ttree",
    decay: Decay = "dsphipi",
) -> Path:
    """Write a corner case to a file and return its path.

    Args:
        name: One of ``CORNER_CASES``.
        path: The file; folders on the way are made.
        layout: How branches are laid out: "nano", "bph", "lhcb" or "belle2".
        format: "ttree" or "rntuple".
        decay: What candidates are made for, "dsphipi" or "tau3mu".

    Raises:
        SampleError: For another name, and where `write_file` raises it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_corner_case("no_events", f"{folder}/empty.root").name
        'empty.root'
    """
    return write_file(
        path,
        events=corner_case(name, decay),
        layout=layout,
        format=format,
        entries_per_cluster=_ENTRIES_PER_CLUSTER.get(name),
    )


def _no_events(decay: Decay) -> Events:
    return generate(0, decay=decay)


def _one_event(decay: Decay) -> Events:
    return generate(1, decay=decay)


def _no_candidates(decay: Decay) -> Events:
    events = generate(500, decay=decay)
    nothing = {name: values[:0] for name, values in events.triplet.fields.items()}
    return replace(events, triplet=Collection(np.zeros_like(events.triplet.counts), nothing))


def _many_candidates(decay: Decay) -> Events:
    return _with_crowded_first(generate(1000, decay=decay), candidates=300)


def _split_events(decay: Decay) -> Events:
    """The candidates of many events are in two clusters, those of the first in several."""
    return _with_crowded_first(generate(120, decay=decay), candidates=30)


def _equal_event_numbers(decay: Decay) -> Events:
    """Neighbours have the same event number, in runs that alternate."""
    events = generate(500, era="2017F", decay=decay)
    number = np.arange(len(events), dtype=np.uint64)
    # Two runs whose menu has all paths, so that what fired was in it.
    run = (306_000 + number % 2).astype(np.uint32)
    return replace(events, scalars=events.scalars | {"run": run, "event": 1 + number // 2})


def _with_crowded_first(events: Events, candidates: int) -> Events:
    """Make the first event of as many as it takes for so many candidates; leave the others."""
    merged = int(np.searchsorted(events.triplet.offsets, candidates))
    fields, event = events.triplet.fields, events.triplet.event
    links = {
        link: _shifted(fields[link], event, events.collections[target], merged)
        for link, target in _links(events)
    }
    kept = np.r_[0, merged : len(events)]
    return replace(
        events,
        scalars=_picked(events.scalars, kept),
        hlt=_picked(events.hlt, kept),
        l1=_picked(events.l1, kept),
        muon=_merged(events.muon, merged),
        track=_merged(events.track, merged),
        triplet=_merged(_with(events.triplet, links), merged),
        process=events.process[kept],
    )


def _all_nan(decay: Decay) -> Events:
    events = generate(500, decay=decay)
    # What is NaN is equal to nothing, so that no muon or track of a candidate is found.
    unlinked = {link: np.full_like(events.triplet.fields[link], -1) for link, _ in _links(events)}
    return replace(
        events,
        muon=_nan_filled(events.muon),
        track=_nan_filled(events.track),
        triplet=_with(_nan_filled(events.triplet), unlinked),
    )


def _equal_pt(decay: Decay) -> Events:
    """All muons of an event have one pt, so that those of candidates are taken for the first."""
    events = generate(500, decay=decay)
    muon, triplet = events.muon, events.triplet
    pt = muon.fields["pt"][muon.offsets[muon.event]]
    links: dict[str, Array] = {}
    for name in (link.removesuffix("_idx") for link, target in _links(events) if target == "Muon"):
        idx = triplet.fields[f"{name}_idx"]
        listed = np.flatnonzero(idx >= 0)
        own = triplet.fields[f"{name}_pt"].copy()
        own[listed] = pt[muon.offsets[triplet.event[listed]]]
        links |= {f"{name}_idx": np.minimum(idx, 0), f"{name}_pt": own}
    return replace(events, muon=_with(muon, {"pt": pt}), triplet=_with(triplet, links))


def _links(events: Events) -> list[tuple[str, str]]:
    return [(link, target) for link, target in _LINKS.items() if link in events.triplet.fields]


def _with(collection: Collection, columns: dict[str, Array]) -> Collection:
    return Collection(collection.counts, collection.fields | columns)


def _nan_filled(collection: Collection) -> Collection:
    floats = {name: v for name, v in collection.fields.items() if v.dtype.kind == "f"}
    return _with(collection, {name: np.full_like(v, np.nan) for name, v in floats.items()})


def _shifted(idx: Array, event: Array, target: Collection, merged: int) -> Array:
    """Positions in the lists of the first events after these are made one."""
    before = np.where(event < merged, target.offsets[event], 0)
    return np.where(idx >= 0, idx + before, idx).astype(idx.dtype)


def _merged(collection: Collection, events: int) -> Collection:
    counts = collection.counts
    return Collection(np.r_[counts[:events].sum(), counts[events:]], collection.fields)


def _picked(columns: dict[str, Array], rows: Array) -> dict[str, Array]:
    return {name: values[rows] for name, values in columns.items()}


#: Name → what makes the events.
CORNER_CASES: dict[str, Callable[[Decay], Events]] = {
    "no_events": _no_events,
    "one_event": _one_event,
    "no_candidates": _no_candidates,
    "many_candidates": _many_candidates,
    "all_nan": _all_nan,
    "equal_pt": _equal_pt,
    "split_events": _split_events,
    "equal_event_numbers": _equal_event_numbers,
}
