"""What was generated of a simulation: sums of weights, of all events before any selection."""

from __future__ import annotations

from dataclasses import dataclass

USUAL = (("Runs/genEventSumw", "Runs/genEventCount"), ("Runs/genEventSumw_", "Runs/genEventCount_"))
"""Where NanoAOD has sums of generator weights, and numbers of events; older files the latter."""


@dataclass(frozen=True)
class Generated:
    """The generator weights of what was read: they add up.

    Attributes:
        weights: The sum of the weights of all generated events, skimmed away or not.
        events: How many events these are; None where it is not known.
        source: Where it is from: a branch or histogram of the files, or the catalogue.
        is_estimate: Whether files were read in part, and their share of events was taken.
    """

    weights: float
    events: int | None = None
    source: str = ""
    is_estimate: bool = False

    def share(self, fraction: float) -> Generated:
        """Return what belongs to a fraction of the events that are there."""
        if fraction >= 1:
            return self
        events = None if self.events is None else round(self.events * fraction)
        return Generated(self.weights * fraction, events, self.source, is_estimate=True)

    def __add__(self, other: Generated) -> Generated:
        known = self.events is not None and other.events is not None
        source = self.source if self.source == other.source else f"{self.source}, {other.source}"
        return Generated(
            self.weights + other.weights,
            (self.events or 0) + (other.events or 0) if known else None,
            source,
            self.is_estimate or other.is_estimate,
        )

    def __repr__(self) -> str:
        events = "" if self.events is None else f" of {self.events:,} events"
        about = ", an estimate, as files were read in part" if self.is_estimate else ""
        return f"sum of weights {self.weights:,.8g}{events} (from {self.source}{about})"
