"""Conducts a detached run: does its job, and records in its store how it stands."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flavorframe._run.detached.store import RunStore
from flavorframe._run.run_datasets import run_datasets
from flavorframe._shipping.user_code import packed
from flavorframe.errors import FlavorframeError, RunError

if TYPE_CHECKING:
    from flavorframe._run.core.options import Target
    from flavorframe._run.detached.job import Job
    from flavorframe.result import Result, Results

ENDED = ("finished", "stopped", "failed")


class SupersededError(Exception):
    """Another process has started the run again, as this one gave no sign of life."""


@dataclass(frozen=True)
class Start:
    """One start of a run; there are several where a worker that conducts it dies.

    Each has records of its own, so that an earlier start that hung and goes on does no harm.
    """

    store: RunStore
    number: int

    def key(self, name: str) -> str:
        """Return the name under which this start records something."""
        return name if self.number < 2 else f"{name}-{self.number}"

    def state(self) -> dict[str, Any]:
        """Return what the start recorded last."""
        content = self.store.get(self.key("state"))
        state: dict[str, Any] = {"status": "starting"} if content is None else json.loads(content)
        return state

    def require_latest(self) -> None:
        """Raise SupersededError if there was a later start, or one has ended."""
        if starts(self.store) > self.number or ended(self.store) is not None:
            raise SupersededError

    def record(self, status: str, result: Result | None = None) -> None:
        """Record how the run stands."""
        state: dict[str, Any] = {"status": status, "time": time.time()}
        if result is not None:
            state |= {"events": result.events, "fraction": result.fraction}
        self.store.put(self.key("state"), json.dumps(state).encode())

    def end(self, status: str, content: bytes, result: Result | None = None) -> None:
        """Record the result, or the error; where there is no room for it, an error that says so."""
        self.require_latest()
        try:
            self.store.put(self.key("result"), content)
            self.record(status, result)
        except RunError as error:
            self.store.make_room()
            lost = RunError(
                f"the run ended, but its result could not be kept: {error} Make room there, or "
                "have it saved elsewhere with output=, and submit the run anew."
            )
            self.store.put(self.key("result"), packed(lost))
            self.record("failed")


def starts(store: RunStore) -> int:
    """Return how often a run was started."""
    return int(store.get("starts") or 0)


def ended(store: RunStore) -> Start | None:
    """Return the last start that has ended, if any."""
    for number in range(max(starts(store), 1), 0, -1):
        start = Start(store, number)
        if start.state()["status"] in ENDED:
            return start
    return None


def conduct(store: RunStore, job_of: Callable[[], Job], on: Target = None) -> None:
    """Do a job and record how the run stands; ``on`` replaces the job's target."""
    start = Start(store, starts(store) + 1)
    try:
        _conduct(start, job_of, on)
    except SupersededError:
        print("this run was begun anew elsewhere, and is left to that")


def _conduct(start: Start, job_of: Callable[[], Job], on: Target) -> None:
    store = start.store

    def update(result: Result) -> None:
        start.require_latest()
        with _without_room():
            start.record("running", result)
            store.put(start.key("so_far"), packed(replace(result, unfinished=None)))

    def should_stop() -> bool:
        start.require_latest()
        return store.get("stop") is not None

    try:
        store.put("starts", str(start.number).encode())
        start.record("running")
        job = job_of()
        where = job.options.on if on is None else on
        options = replace(job.options, on=where, on_update=update, should_stop=should_stop)
        result = run_datasets(job.plan, job.data, options)
    except SupersededError:
        raise
    except Exception as error:
        traceback.print_exc()
        start.end("failed", _packed_error(error))
        return
    stopped = any(r.stopped for r in _each(result))
    start.end("stopped" if stopped else "finished", packed(result), _each(result)[-1])


@contextlib.contextmanager
def _without_room() -> Iterator[None]:
    """Let the run go on if there is no space to record how it stands."""
    try:
        yield
    except RunError as error:
        print(error, file=sys.stderr)


def _each(result: Result | Results) -> list[Result]:
    return list(result.values()) if isinstance(result, Mapping) else [result]


def _packed_error(error: Exception) -> bytes:
    """Return flavorframe's errors as they are, others as text: their class may be unknown."""
    if isinstance(error, FlavorframeError):
        return packed(error)
    return packed(RunError(f"the run failed: {type(error).__name__}: {error}"))
