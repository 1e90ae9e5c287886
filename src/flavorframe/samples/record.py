"""What the generator makes and the writers write: flat numpy arrays with counts per event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Collisions as recorded, or simulated signal.
Kind = Literal["data", "simulation"]

#: What candidates are made for: Ds → φ(μμ)π, of two muons and a track, or τ → 3μ, of three muons.
Decay = Literal["dsphipi", "tau3mu"]

#: What a candidate (``triplet`` field ``truth``) or a collision (``Events.process``) really is.
TRUTH = {0: "combinatorial", 1: "Ds", 2: "D+", 3: "phi", 4: "tau"}

#: Those labels that there are among the events of a decay.
LABELS: dict[Decay, tuple[int, ...]] = {"dsphipi": (0, 1, 2, 3), "tau3mu": (0, 3, 4)}


@dataclass(frozen=True)
class Collection:
    """A variable-length list of elements in each event.

    Args:
        counts: Elements of each event, shape (events,).
        fields: The values of each field by its name, shape (elements,).

    Example:
        >>> muons = Collection(np.array([2, 0, 1]), {"pt": np.array([5.0, 4.0, 3.0])})
        >>> muons.offsets, muons.event
        (array([0, 2, 2, 3]), array([0, 0, 2]))
    """

    counts: Array
    fields: dict[str, Array]

    @property
    def offsets(self) -> Array:
        """Where each event's elements begin in the flat arrays, shape (events + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def event(self) -> Array:
        """The position of the event that each element belongs to, shape (elements,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def head(self, events: int) -> Collection:
        """The elements of the first ``events`` events."""
        counts = self.counts[:events]
        return Collection(counts, _cut(self.fields, counts.sum()))


@dataclass(frozen=True)
class Events:
    """Generated events, equal to the last bit whatever layout they are written in.

    Attributes:
        kind: "data" or "simulation".
        scalars: Numbers of the event, such as run and event, shape (events,) each.
        hlt: Decisions of the trigger paths, by name without version, shape (events,) each; False
            for a path that is not in the menu of the run.
        l1: Decisions of the seeds of the first trigger level, likewise.
        muon: The muons; momenta and masses in GeV, lengths in cm, here as in the others.
        track: The tracks.
        triplet: The candidates of three tracks.
        process: What the collision really was, a label of ``TRUTH``, shape (events,).
        decay: What candidates are made for.
        gen_part: The generated particles, of simulation.
    """

    kind: Kind
    scalars: dict[str, Array]
    hlt: dict[str, Array]
    l1: dict[str, Array]
    muon: Collection
    track: Collection
    triplet: Collection
    process: Array
    decay: Decay = "dsphipi"
    gen_part: Collection | None = None

    def __len__(self) -> int:
        return len(self.process)

    @property
    def collections(self) -> dict[str, Collection]:
        """The collections, by the name that their columns begin with."""
        generated = {} if self.gen_part is None else {"GenPart": self.gen_part}
        return {"Muon": self.muon, "Track": self.track, "triplet": self.triplet, **generated}

    def head(self, events: int) -> Events:
        """The first ``events`` events."""
        return Events(
            kind=self.kind,
            scalars=_cut(self.scalars, events),
            hlt=_cut(self.hlt, events),
            l1=_cut(self.l1, events),
            muon=self.muon.head(events),
            track=self.track.head(events),
            triplet=self.triplet.head(events),
            process=self.process[:events],
            decay=self.decay,
            gen_part=None if self.gen_part is None else self.gen_part.head(events),
        )


def concatenate(parts: Sequence[Events]) -> Events:
    """Join events of the same kind and decay, in order.

    Example:
        >>> from flavorframe.samples import generate
        >>> events = generate(10, seed=1)
        >>> len(concatenate([events, events]))
        20
    """
    generated = [part.gen_part for part in parts if part.gen_part is not None]
    return Events(
        kind=parts[0].kind,
        scalars=_joined([part.scalars for part in parts]),
        hlt=_joined([part.hlt for part in parts]),
        l1=_joined([part.l1 for part in parts]),
        muon=_joined_lists([part.muon for part in parts]),
        track=_joined_lists([part.track for part in parts]),
        triplet=_joined_lists([part.triplet for part in parts]),
        process=np.concatenate([part.process for part in parts]),
        decay=parts[0].decay,
        gen_part=_joined_lists(generated) if generated else None,
    )


def _cut(columns: dict[str, Array], length: int) -> dict[str, Array]:
    return {name: values[:length] for name, values in columns.items()}


def _joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _joined_lists(parts: Sequence[Collection]) -> Collection:
    counts = np.concatenate([part.counts for part in parts])
    return Collection(counts, _joined([part.fields for part in parts]))
