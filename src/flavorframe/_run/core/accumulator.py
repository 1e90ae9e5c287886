"""The accumulator, which all executors feed: it adds up what they read to the run's outcome."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from flavorframe._planning.plan import Plan
from flavorframe._run.core import interrupts
from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.failures import FailureLog
from flavorframe._run.core.opened_files import OpenedFiles
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.ordering import Ordering
from flavorframe._run.core.partitions import file_ranges
from flavorframe._run.core.updates import Updates
from flavorframe._run.core.worker_times import with_waiting
from flavorframe._run.delivery.credential_expiry import CredentialExpiry
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.outcome import Outcome
from flavorframe._run.progress.choice import choose_progress
from flavorframe._run.snapshots.rows import Rows, Tables
from flavorframe.datasets import Dataset, Partition, fraction_read
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Partial
from flavorframe.result import Timing
from flavorframe.result.result import Result


@dataclass(frozen=True)
class PartitionRows:
    """The rows of a partition, or of several that follow each other, or their failure."""

    part: Partition
    found: Tables | Failed


class Accumulator:
    """Takes files as they are opened, and partials in any order.

    ``work`` lists the ranges of events to be read. It is used in a ``with`` block; call `outcome`
    after the block, whose end puts gaps, failures and rows into the outcome.
    """

    def __init__(
        self,
        plan: Plan,
        dataset: Dataset,
        engine: Engine,
        options: RunOptions,
        earlier: Outcome | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        raises = options.on_error == "raise"
        partial = engine.empty(plan)
        if earlier is not None:  # files that are opened anew may be opened elsewhere
            partial = replace(earlier.partial, replicas=earlier.replicas)
        self.work = file_ranges(dataset, earlier)
        self.progress = choose_progress(options.progress, dataset.name)
        self._outcome = Outcome(plan, dataset, engine.name, replace(partial, tables={}))
        self._start = time.perf_counter()
        self._earlier_seconds = partial.timing.wall
        self._earlier_events = self.events
        self._expected_events = self._opened = 0
        self._files = OpenedFiles(dataset, earlier)
        self._failures = FailureLog(dataset, raises=raises)
        self._rows = Rows(plan, earlier, self._outcome.written, raises=raises)
        self._updates = Updates(options, self.progress, CredentialExpiry(delivery or Delivery()))
        self._is_consistent = True

    def __enter__(self) -> Accumulator:
        with ExitStack() as stack:
            stack.enter_context(interrupts.deferred())
            # Files that were written are removed at the end, unless the block ends without error.
            self._discard_files = stack.enter_context(ExitStack())
            self._discard_files.callback(self._outcome.written.discard)
            self._discard_files.enter_context(self._rows)
            stack.enter_context(self.progress)
            self._ordering: Ordering[Tables] = Ordering(
                self.work,
                enter=self._rows.enter,
                write=self._rows.write,
                add_gap=self._rows.add_gap,
            )
            self._contexts = stack.pop_all()  # they are left in __exit__
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._contexts:
            if kind is None:
                self._finish()
                self._discard_files.pop_all()  # nothing is discarded

    def opened(self, index: int, found: FileInfo | Failed) -> FileInfo | None:
        """Take a file that was opened, or its failure; return the file if it can be read."""
        self._is_consistent = False
        info = self._open(index, found)
        self._is_consistent = True
        return info

    def _open(self, index: int, found: FileInfo | Failed) -> FileInfo | None:
        found = self._files.checked(found)
        if isinstance(found, Failed):
            self._failures.note(found)
            self._ordering.opened(index, None)
            return None
        self._files.add(found)
        events = (self.work[index].stop or found.events) - self.work[index].start
        self._opened += 1
        self._expected_events += events
        self.progress.expect(events)
        self._ordering.opened(index, found.events)
        return found

    def add(self, part: Partition, found: Partial | Failed) -> None:
        """Add the partial of a partition, or its failure."""
        if isinstance(found, Failed):
            self.add_many([PartitionRows(part, found)], None)
        else:
            self.add_many([PartitionRows(part, found.tables)], found)

    def add_many(self, rows: Iterable[PartitionRows], partial: Partial | None) -> None:
        """Add the rows and failures of several partitions, and the sum of their partials."""
        self._is_consistent = False
        for each in rows:
            if isinstance(each.found, Failed):
                self._failures.note(each.found)
                self._ordering.add(each.part, None)
            else:
                self._ordering.add(each.part, each.found)
        if partial is not None:
            self.progress.advance(partial.timing)
            self._outcome.partial = self._outcome.partial + replace(partial, tables={})
        self._is_consistent = True
        self.update()

    def update(self) -> None:
        """Give listeners the result so far, once a second or less; stop if the user asks for it."""
        if time.perf_counter() >= self._updates.next:
            read = self.events - self._earlier_events
            fraction = fraction_read(read, self._expected_events, self._opened, len(self.work))
            if self._updates.give(self._so_far if self.events else None, fraction):
                self.stop("stopped")

    def note_workers(self, spans: Mapping[str, Timing]) -> None:
        """Note the wall time and the threads of each worker."""
        partial = self._outcome.partial
        self._outcome.partial = replace(partial, timing=with_waiting(partial.timing, spans))

    def stop(self, reason: str) -> None:
        """End the run before everything is read; events that were not read become gaps."""
        self._outcome.stopped = reason

    @property
    def stopped(self) -> str:
        """Why the run ends early; an empty string if it does not."""
        return self._outcome.stopped

    @property
    def events(self) -> int:
        """How many events have been read so far."""
        return self._outcome.events

    @property
    def may_end(self) -> bool:
        """Whether some events were read, and no partition was interrupted while it was added."""
        return self._is_consistent and self.events > 0

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """End the block and the run at an interrupt (Ctrl-C); keep what was read, if anything."""
        try:
            yield
        except KeyboardInterrupt:
            if not self.may_end:
                raise
            self.stop("interrupted")

    def outcome(self, threads: int) -> Outcome:
        """Return the outcome of the run; call it after the ``with`` block has ended."""
        self._outcome.partial = self._timed(threads=threads)
        if self.progress.listener is not None:
            self.progress.listener(_result(self._outcome))
        return self._outcome

    def _so_far(self) -> Result:
        outcome = replace(
            self._outcome,
            partial=self._timed(threads=self._outcome.partial.timing.threads),
            files=self._files.in_order,
            failures=self._failures.items,
            rows=self._rows.stored,
            unwritten=dict(self._rows.unwritten),
            stopped="running",
        )
        return replace(_result(outcome), unfinished=None)  # its gaps are not known yet

    def _timed(self, threads: int) -> Partial:
        wall = self._earlier_seconds + time.perf_counter() - self._start
        partial = self._outcome.partial
        return replace(partial, timing=replace(partial.timing, wall=wall, threads=threads))

    def _finish(self) -> None:
        self._ordering.end()
        self._rows.finish(self._files.in_order)
        self._failures.sort()
        outcome = self._outcome
        outcome.files = self._files.in_order
        outcome.failures = self._failures.items
        outcome.gaps = tuple(self._rows.gaps)
        self._failures.require_some_read(outcome)
        outcome.rows = self._rows.stored
        self._rows.write_manifests(outcome)
        outcome.unwritten = self._rows.unwritten
        if interrupts.take():
            if not self.events:
                raise KeyboardInterrupt
            self.stop(self.stopped or "interrupted")


def _result(outcome: Outcome) -> Result:
    return Result.of(outcome.plan, outcome.dataset, outcome)
