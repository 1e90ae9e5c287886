"""Where the time of a run went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flavorframe.result import _repr_html, _repr_text

STAGES = ("opening", "reading", "decompressing", "decoding", "computing", "waiting")


@dataclass(frozen=True, repr=False)
class Timing:
    """Seconds on the wall clock and seconds per stage, the latter summed over threads.

    ``bytes_read`` are compressed bytes. Timings add up, except for ``threads``, of which the larger
    counts. A partition leaves ``wall`` at zero, because partitions run side by side: the run sets
    it. ``workers`` breaks it down by worker, where there are several.

    >>> Timing(wall=2.0, reading=1.0, computing=3.0, bytes_read=50_000_000, events=1000, threads=2)
    2 s on 2 threads: 1,000 events, 500 events/s, 50.0 MB read, 25.0 MB/s
      reading 25 %, computing 75 %
    """

    wall: float = 0.0
    opening: float = 0.0
    reading: float = 0.0
    decompressing: float = 0.0
    decoding: float = 0.0
    computing: float = 0.0
    waiting: float = 0.0
    bytes_read: int = 0
    events: int = 0
    threads: int = 1
    workers: Mapping[str, Timing] = field(default_factory=dict)

    @property
    def events_per_second(self) -> float:
        """Events per second of wall clock; ``nan`` without one."""
        return self.events / self.wall if self.wall else math.nan

    @property
    def megabytes_per_second(self) -> float:
        """Compressed megabytes (10⁶ bytes) read per second of wall clock; ``nan`` without one."""
        return self.bytes_read / 1e6 / self.wall if self.wall else math.nan

    def shares(self) -> dict[str, float]:
        """Return the fraction of the threads' time that each stage took; zeros when none was timed.

        >>> Timing(reading=1.0, computing=3.0).shares()["computing"]
        0.75
        """
        seconds = {stage: float(getattr(self, stage)) for stage in STAGES}
        total = sum(seconds.values()) or 1.0
        return {stage: spent / total for stage, spent in seconds.items()}

    def __add__(self, other: Timing) -> Timing:
        """Return the timing of two runs, one after the other."""
        added = {
            item.name: getattr(self, item.name) + getattr(other, item.name)
            for item in fields(self)
            if item.name not in ("threads", "workers")
        }
        workers = dict(self.workers)
        for name, timing in other.workers.items():
            workers[name] = workers[name] + timing if name in workers else timing
        return Timing(**added, threads=max(self.threads, other.threads), workers=workers)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Timing:
        """Return the timing that `dataclasses.asdict` made a dictionary of."""
        workers = {name: cls(**time) for name, time in content.get("workers", {}).items()}
        return cls(**{**content, "workers": workers})

    def __repr__(self) -> str:
        return _repr_text.timing(self)

    def _repr_html_(self) -> str:
        return _repr_html.timing(self)
