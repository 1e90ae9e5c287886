"""Watch the jobs of a run: look for their parts, and submit failed jobs again."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._run.batch.failure_reasons import explanation
from flavorframe._run.batch.folder import RunFolder
from flavorframe._run.batch.states import State, UnreachableError
from flavorframe._run.core import interrupts
from flavorframe.errors import RunError

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem

SOONEST, LATEST = 1.0, 30.0
"""Seconds between two queries of the queue: at first, and at most, to spare the queue."""

PART_SECONDS = 60.0
"""Seconds to wait for the part of a job that has ended: shared file systems show files late."""

GONE = State("failed", "it left the queue without a result")


@dataclass(frozen=True)
class Lost:
    """A job that failed in each attempt: why, its last identifier, and its log."""

    reason: str
    job_id: str
    log: Path
    attempts: int

    def __str__(self) -> str:
        return f"its batch job {self.job_id} failed: {self.reason} (log: {self.log})"


@dataclass
class JobMonitor:
    """Looks for parts and asks the queue; ``report`` is called with a line on how the jobs stand.

    ``settled`` has the jobs that are over, by number: None where the part is there.
    """

    folder: RunFolder
    system: BatchSystem
    jobs: int
    retries: int
    report: Callable[[str], object] = field(default=lambda text: None)
    settled: dict[int, Lost | None] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)

    def watch(
        self, *, in_order: bool, until: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Lost | None]]:
        """Yield the number of each job that is over, and how it was lost, or None with its part.

        ``until`` is called between polls: it returns whether to stop watching.
        """
        delay, given = SOONEST, set[int]()
        while len(given) < self.jobs and not until():
            with interrupts.allowed():
                self.poll()
            news = self._ready(given, in_order=in_order)
            for number in news:
                given.add(number)
                yield number, self.settled[number]
            if not news:
                with interrupts.allowed():
                    time.sleep(delay)
                delay = min(1.2 * delay, LATEST)

    def _ready(self, given: set[int], *, in_order: bool) -> list[int]:
        news = [number for number in range(self.jobs) if number not in given]
        if in_order:
            return list(takewhile(self.settled.__contains__, news))
        return [number for number in news if number in self.settled]

    def poll(self) -> None:
        """Look once, and submit jobs that were not submitted yet, or failed and have tries left."""
        with self.folder.submitting() as may_submit:
            attempts = self.folder.attempts
            self._note_parts()
            open_jobs = [number for number in range(self.jobs) if number not in self.settled]
            states = self._states([attempts[n][-1] for n in open_jobs if n in attempts])
            if states is None:
                return
            failed = [
                number
                for number in open_jobs
                if number in attempts and self._has_failed(number, attempts[number], states)
            ]
            again = [number for number in failed if number not in self.settled]
            unsent = [number for number in open_jobs if number not in attempts]
            if may_submit and (again or unsent):
                self._submit(sorted([*again, *unsent]), first=not attempts)
        self.report(self._summary(states))

    def cancel(self) -> None:
        """Cancel the jobs that are still in the queue."""
        attempts = self.folder.attempts
        job_ids = [ids[-1] for number, ids in attempts.items() if number not in self.settled]
        if job_ids:
            self._cancel(job_ids)

    def _cancel(self, job_ids: list[str]) -> None:
        try:
            self.system.cancel(job_ids)
        except RunError as error:
            self.report(str(error))  # most often the jobs have ended in the meantime

    def _note_parts(self) -> None:
        for number in range(self.jobs):
            if number not in self.settled and self.folder.fault(number) == "":
                self.settled[number] = None

    def _states(self, job_ids: list[str]) -> dict[str, State] | None:
        try:
            return self.system.states(self.folder, job_ids) if job_ids else {}
        except UnreachableError as error:
            self.report(f"no answer from the batch system: {error}")
            return None

    def _has_failed(self, number: int, ids: list[str], states: dict[str, State]) -> bool:
        """Whether the latest attempt of a job failed; with no attempt left, the job is lost."""
        state = states.get(ids[-1], GONE)
        if state.stage in ("waiting", "running"):
            return False
        if state.stage == "done" or state is GONE:
            ended = self._ended.setdefault(ids[-1], time.monotonic())
            if time.monotonic() - ended < PART_SECONDS:
                return False
        if state.stage == "held":
            self._cancel([ids[-1]])
        attempts = len(ids) - 1 + max(state.starts, 1)
        if attempts > self.retries:
            log = self.folder.log(ids[-1])
            wrong = self.folder.fault(number)
            reason = (
                f"its part {self.folder.part(number)} is not taken: {wrong}"
                if wrong
                else explanation(self.system, _text(log), state.reason)
            )
            self.settled[number] = Lost(reason, ids[-1], log, attempts)
        return True

    def _submit(self, numbers: list[int], *, first: bool) -> None:
        try:
            self.system.submit(self.folder, numbers)
        except RunError as error:
            if first:
                raise
            self.report(str(error))  # such as a limit of jobs: the next poll tries again

    def _summary(self, states: dict[str, State]) -> str:
        stages = Counter(state.stage for state in states.values())
        lost = sum(1 for end in self.settled.values() if end is not None)
        counts = {
            "done": len(self.settled) - lost,
            "running": stages["running"],
            "waiting": self.jobs - len(self.settled) - stages["running"],
            "failed": lost,
        }
        text = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"jobs: {text}{_why(states)}; folder {_short(self.folder.path)}"


def _short(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def _why(states: dict[str, State]) -> str:
    """Return the most frequent reason why jobs wait, where the batch system gives one."""
    reasons = Counter(state.reason for state in states.values() if state.stage == "waiting")
    (reason, _), *_ = reasons.most_common(1) or [("", 0)]
    return "" if reason in ("", "None") else f" ({reason})"


def _text(log: Path) -> str | None:
    try:
        return log.read_text("utf-8", errors="replace")
    except OSError:
        return None
