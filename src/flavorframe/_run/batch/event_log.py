"""HTCondor's job event log: how each job of a run stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flavorframe._run.batch.states import State


def read_states(log: Path) -> dict[str, State]:
    """Return the state of each job, named "cluster.process", from what the log says so far."""
    import htcondor2

    states: dict[str, State] = {}
    if not log.exists():
        return states
    kinds = {kind.value: kind.name for kind in htcondor2.JobEventType}
    for event in htcondor2.JobEventLog(str(log)).events(stop_after=0):
        job_id = f"{event.cluster}.{event.proc}"
        states[job_id] = _after(kinds[int(event.type)], event, states.get(job_id))
    return states


def _after(kind: str, event: Any, before: State | None) -> State:
    """Return the state of a job after an event of a kind."""
    known = before or State("waiting", starts=0)
    if kind == "EXECUTE":
        return State("running", starts=known.starts + 1)
    if kind == "JOB_TERMINATED":
        return _ended(event, known.starts)
    if kind == "JOB_HELD":
        return State("held", f"it was held: {event.get('HoldReason')}", known.starts)
    if kind == "JOB_ABORTED":
        # What was held keeps its reason when it is removed.
        reason = known.reason or f"it was removed: {event.get('Reason')}"
        return State("failed", reason, known.starts)
    if kind == "JOB_EVICTED" and not event.get("TerminatedAndRequeued"):
        return State("waiting", starts=known.starts - 1)  # the pool's doing, which does not count
    if kind in ("SUBMIT", "JOB_EVICTED", "JOB_RELEASED"):
        return State("waiting", starts=known.starts)
    return known


def _ended(event: Any, starts: int) -> State:
    if not event.get("TerminatedNormally"):
        return State("failed", f"it was ended by signal {event.get('TerminatedBySignal')}", starts)
    code = event.get("ReturnValue")
    return State("failed", f"exit code {code}", starts) if code else State("done", "", starts)
