"""Where the time of a run went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flavorframe._display import Grid, Items, Paragraph, as_html, as_text
from flavorframe._display.numbers import plural, seconds

STAGES = ("opening", "reading", "decompressing", "decoding", "computing", "waiting")

_WORKERS_AS_TEXT = 8


@dataclass(frozen=True, repr=False)
class Timing:
    """Seconds on the wall clock, and seconds in each stage.

    Timings add up, except for ``threads``, of which the larger counts. A partition leaves ``wall``
    at zero, because partitions run side by side: the run sets it.

    Attributes:
        wall: Time on the wall clock [s].
        opening: Time to open files [s], summed over threads, as that of the other stages.
        reading: Time to wait for bytes of files [s].
        decompressing: Time to decompress them [s].
        decoding: Time to make arrays of them [s].
        computing: Time to evaluate expressions and to fill histograms [s].
        waiting: Time in which threads had nothing to do [s].
        bytes_read: Compressed bytes that were read.
        events: Events that were read.
        threads: Threads that ran side by side.
        workers: The timing of each worker by its name, where there are several.

    Example:
        >>> read = {"events": 1000, "bytes_read": 50_000_000}
        >>> Timing(wall=2.0, reading=1.0, computing=3.0, threads=2, **read)
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
        """Return the fraction of the threads' time that each stage took.

        Returns:
            A number from 0 to 1 by the name of the stage; zeros when none was timed.

        Example:
            >>> Timing(reading=1.0, computing=3.0).shares()["computing"]
            0.75
        """
        times = {stage: float(getattr(self, stage)) for stage in STAGES}
        total = sum(times.values()) or 1.0
        return {stage: spent / total for stage, spent in times.items()}

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
        shares = ", ".join(f"{name} {100 * x:.0f} %" for name, x in self.shares().items() if x)
        lines = [shares] if shares else []
        if self.workers:
            lines += as_text(workers_grid(self, most=_WORKERS_AS_TEXT)).splitlines()
        # An empty list would be an empty line.
        details = [Items(tuple(lines), indent="  ")] if lines else []
        return as_text(Paragraph(_summary(self)), *details)

    def _repr_html_(self) -> str:
        rows = tuple(
            (stage, seconds(getattr(self, stage)), f"{100 * share:.0f}")
            for stage, share in self.shares().items()
        )
        header = ("stage", "seconds", "share [%]")
        stages = Grid(header, rows, css_class="ff-timing", caption=_summary(self))
        workers = [workers_grid(self, css_class="ff-workers")] if self.workers else []
        return as_html(stages, *workers)


def speed_cells(timing: Timing) -> tuple[str, str]:
    """Return events and megabytes per second, as tables have them."""
    return f"{timing.events_per_second:,.0f}", f"{timing.megabytes_per_second:,.1f}"


def share_cells(timing: Timing) -> tuple[str, ...]:
    """Return the share of each stage [%], as tables have them."""
    return tuple(f"{100 * share:.0f}" for share in timing.shares().values())


def workers_grid(timing: Timing, *, most: int | None = None, css_class: str = "") -> Grid:
    """Return a row for each worker, or for the first ``most``, the slowest last."""
    header = ("worker", "events", "events/s", "MB/s", *(f"{stage} %" for stage in STAGES))
    ordered = sorted(timing.workers.items(), key=lambda item: -item[1].events_per_second)
    rows = [_worker_cells(name, worker) for name, worker in ordered]
    if most is not None and len(rows) > most:
        left_out = len(rows) - most
        rows = [*rows[:most], (f"… and {left_out} more", *[""] * (len(header) - 1))]
    return Grid(header, tuple(rows), css_class=css_class)


def _worker_cells(name: str, worker: Timing) -> tuple[str, ...]:
    return (name, f"{worker.events:,}", *speed_cells(worker), *share_cells(worker))


def _summary(timing: Timing) -> str:
    """Return wall time, events and bytes, and their rates where there is a wall time."""
    threads = f"{timing.threads} {plural(timing.threads, 'thread')}"
    rates = (
        f", {timing.events_per_second:,.0f} events/s",
        f", {timing.megabytes_per_second:,.1f} MB/s",
    )
    per_event, per_byte = rates if timing.wall else ("", "")
    read = f"{timing.bytes_read / 1e6:,.1f} MB read{per_byte}"
    return f"{seconds(timing.wall)} s on {threads}: {timing.events:,} events{per_event}, {read}"
