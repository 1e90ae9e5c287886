"""How long the workers of a run were busy, and how long they waited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flavorframe.result import Timing
from flavorframe.result.timing import STAGES


def with_waiting(timing: Timing, spans: Mapping[str, Timing]) -> Timing:
    """Return the timing with the time that each worker waited: wall time less that of the stages.

    ``spans`` has the wall time and the threads of each worker.
    """
    workers = dict(timing.workers)
    for name, span in spans.items():
        if name in workers:
            workers[name] = _with_waiting(workers[name], span)
    waiting = sum(worker.waiting for worker in workers.values())
    return replace(timing, workers=workers, waiting=waiting)


def _with_waiting(worker: Timing, span: Timing) -> Timing:
    busy = sum(getattr(worker, stage) for stage in STAGES) - worker.waiting
    waiting = max(span.threads * span.wall - busy, 0.0)
    return replace(worker, wall=span.wall, threads=span.threads, waiting=waiting)
