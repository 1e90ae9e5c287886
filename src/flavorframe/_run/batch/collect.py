"""Collect the parts of a batch run as jobs end, and note the failures of lost jobs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flavorframe._planning.plan import Plan
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.job_files import Renewal, remove, renewable
from flavorframe._run.batch.monitor import JobMonitor, Lost
from flavorframe._run.batch.records import Opened, Stopped, Total, partitions_of
from flavorframe._run.batch.shares import Share
from flavorframe._run.core.accumulator import Accumulator, PartitionRows
from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.opened_files import unchanged
from flavorframe._run.core.options import RunOptions
from flavorframe.engines import FileInfo
from flavorframe.errors import FileError, FlavorframeError, RunError
from flavorframe.outputs import Snapshot
from flavorframe.result import Failure, Timing

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem

INTERRUPTED = "interrupted"


def collect(folder: RunFolder, sent: Sent, options: RunOptions, accumulator: Accumulator) -> None:
    """Take the parts of a run until all jobs are over.

    Where the run is stopped, or the analysis is wrong, jobs that are still in the queue are
    cancelled; after an interrupt they go on.
    """
    renewal = Renewal(folder.path, renewable(sent.dataset))

    def report(text: str) -> None:
        renewal.renew()
        accumulator.progress.say(text)
        accumulator.update()

    monitor = JobMonitor(folder, sent.system, len(sent.work.jobs), options.retries, report)
    parts = Parts(folder, sent.work, accumulator, raises=options.on_error == "raise")
    try:
        for number, lost in monitor.watch(
            in_order=has_rows(sent.work.plan), until=lambda: bool(accumulator.stopped)
        ):
            parts.take(number, lost)
        parts.end()
        if accumulator.stopped:
            monitor.cancel()
        folder.tidy()
        remove(folder.path)
    except KeyboardInterrupt:
        again = how_to_gather(folder, sent.system)
        print(f"Interrupted; the jobs go on, and {again} gives their result.", file=sys.stderr)
        if not accumulator.may_end:
            raise
        accumulator.stop(f"{INTERRUPTED}; {again}")
    except FlavorframeError:
        monitor.cancel()
        remove(folder.path)
        raise


def how_to_gather(folder: RunFolder, system: BatchSystem) -> str:
    """Return the line of Python that gathers a run later."""
    return f"ff.{type(system).__name__}.gather({str(folder.path)!r})"


def threads_of(sent: Sent) -> int:
    """Return how many threads the jobs of a run have together."""
    return sent.work.threads * len(sent.work.jobs)


def has_rows(plan: Plan) -> bool:
    """Whether a plan has snapshots, so that parts are taken in the order of the data."""
    return any(isinstance(output, Snapshot) for _, output in plan.outputs)


@dataclass
class Parts:
    """Gives parts to an accumulator; the shares of one file may be in several parts."""

    folder: RunFolder
    work: Work
    accumulator: Accumulator
    raises: bool = False
    _files: dict[int, FileInfo | None] = field(default_factory=dict)
    _spans: dict[str, Timing] = field(default_factory=dict)
    _failed: list[tuple[Share, Failed]] = field(default_factory=list)

    def take(self, number: int, lost: Lost | None) -> None:
        """Take the part of a job, or note that it is lost."""
        if lost is None:
            try:
                records = self.folder.read_part(number)
            except FileError as error:  # it was whole when the monitor saw it
                job_id = self.folder.attempts[number][-1]
                lost = Lost(str(error), job_id, self.folder.log(job_id), 1)
            else:
                with closing(records):
                    self._read(number, records)
                return
        for share in self.work.jobs[number]:
            self._fail(share, _failure_of(share, self.work.tree, lost))

    def _read(self, number: int, records: Iterable[Any]) -> None:
        shares = {share.index: share for share in self.work.jobs[number]}
        pieces: list[PartitionRows] = []
        refused = False  # the numbers of a job are one sum, so all of its files are taken, or none
        for record in records:
            if isinstance(record, Stopped):
                raise record.error or self._unforeseen(number, record)
            if isinstance(record, Opened):
                refused |= not self._open(shares[record.index], record.found)
            elif isinstance(record, PartitionRows):
                pieces.append(record)
            elif not refused:
                self.accumulator.add_many(pieces, record.partial)
                self._note_worker(record)
        if refused:
            self._fail_others(number)

    def _unforeseen(self, number: int, record: Stopped) -> RunError:
        log = self.folder.log(self.folder.attempts[number][-1])
        return RunError(f"a batch job ended with {record.text} (log: {log})")

    def _note_worker(self, total: Total) -> None:
        known = self._spans.get(total.worker, Timing(threads=self.work.threads))
        self._spans[total.worker] = known + Timing(wall=total.wall)

    def _open(self, share: Share, found: FileInfo | Failed) -> bool:
        """Note a file; return whether its share can be taken: the file must not have changed."""
        if isinstance(found, Failed):
            self._fail(share, found)
        elif share.index not in self._files:
            self._files[share.index] = self.accumulator.opened(share.index, found)
            return self._files[share.index] is not None
        elif self._files[share.index] is None:
            return False
        elif isinstance(changed := unchanged(found, self._files[share.index]), Failed):
            self._fail(share, changed)
            return False
        return True

    def _fail(self, share: Share, failed: Failed) -> None:
        if self.raises:
            raise failed.error
        self._failed.append((share, failed))

    def _fail_others(self, number: int) -> None:
        """Fail the shares of the same job, too: its numbers are one sum."""
        failed = [share for share, _ in self._failed]
        for share in self.work.jobs[number]:
            if share not in failed:
                self._fail(share, _refused_with_another(share, self.work.tree))

    def end(self) -> None:
        """Note failed shares; where another share opened the file, only the events of this one."""
        for share, failed in self._failed:
            if share.index not in self._files:
                self._files[share.index] = self.accumulator.opened(share.index, failed)
            elif (info := self._files[share.index]) is not None:
                self._note(share, info, failed)
        self.accumulator.note_workers(self._spans)

    def _note(self, share: Share, info: FileInfo, failed: Failed) -> None:
        parts = partitions_of(share, info, self.work.partition_size)
        if not parts:
            return
        first, last = parts[0], parts[-1]
        failure = replace(failed.failure, start=first.start, stop=last.stop)
        self.accumulator.add(replace(first, stop=last.stop), replace(failed, failure=failure))


def _refused_with_another(share: Share, tree: str | None) -> Failed:
    reason = "another file of its batch job cannot be taken, and their numbers are one sum"
    file = share.file_range.file
    failure = Failure(file, tree, None, None, reason, "RunError")
    return Failed(failure, RunError(f"{file}: {reason}"))


def _failure_of(share: Share, tree: str | None, lost: Lost) -> Failed:
    """Return the failure of a share whose job gave nothing."""
    failure = Failure(
        share.file_range.file, tree, None, None, str(lost), "RunError", lost.attempts, lost.job_id
    )
    return Failed(failure, RunError(f"{share.file_range.file}: {lost}"))
