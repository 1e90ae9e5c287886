"""Collect the parts of a batch run as they come, and note what is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from flavorframe._planning.plan import Plan
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.follow import Follower, Lost
from flavorframe._run.batch.job_files import Renewal, remove, renewable
from flavorframe._run.batch.records import Opened, Stopped, Total, partitions_of
from flavorframe._run.batch.shares import Share
from flavorframe._run.batch.site import Site
from flavorframe._run.core.accumulator import Accumulator, PartitionRows
from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.opened_files import unchanged
from flavorframe._run.core.options import RunOptions
from flavorframe.engines import FileInfo
from flavorframe.errors import FileError, FlavorframeError, RunError
from flavorframe.outputs import Snapshot
from flavorframe.result import Failure, Timing

INTERRUPTED = "interrupted"


def collect(folder: RunFolder, sent: Sent, options: RunOptions, accumulator: Accumulator) -> None:
    """Take parts as they come.

    Jobs that are still in the queue are cancelled where the run is stopped, or the analysis is
    wrong; an interrupt lets them go on.
    """
    renewal = Renewal(folder.path, renewable(sent.dataset))

    def tell(text: str) -> None:
        renewal.look()
        accumulator.progress.say(text)
        accumulator.update()

    follower = Follower(folder, sent.site, len(sent.work.jobs), options.retries, tell)
    parts = Parts(folder, sent.work, accumulator, raises=options.on_error == "raise")
    try:
        for number, lost in follower.settle(
            in_order=has_rows(sent.work.plan), until=lambda: bool(accumulator.stopped)
        ):
            parts.take(number, lost)
        parts.end()
        if accumulator.stopped:
            follower.cancel()
        folder.tidy()
        remove(folder.path)
    except KeyboardInterrupt:
        again = how_to_gather(folder, sent.site)
        print(f"Interrupted; the jobs go on, and {again} gives their result.", file=sys.stderr)
        if not accumulator.may_end:
            raise
        accumulator.stop(f"{INTERRUPTED}; {again}")
    except FlavorframeError:
        follower.cancel()
        remove(folder.path)
        raise


def how_to_gather(folder: RunFolder, site: Site) -> str:
    """Return the line of Python that gathers a run later."""
    return f"ff.{type(site).__name__}.gather({str(folder.path)!r})"


def threads_of(sent: Sent) -> int:
    """Return how many threads the jobs of a run have together."""
    return sent.work.threads * len(sent.work.jobs)


def has_rows(plan: Plan) -> bool:
    """Whether a plan has snapshots, whose rows are kept in memory until it is their turn."""
    return any(isinstance(output, Snapshot) for _, output in plan.outputs)


@dataclass
class Parts:
    """Feeds an accumulator with parts; shares of one file may be spread over several of them."""

    folder: RunFolder
    work: Work
    accumulator: Accumulator
    raises: bool = False
    _files: dict[int, FileInfo | None] = field(default_factory=dict)
    _spans: dict[str, Timing] = field(default_factory=dict)
    _missing: list[tuple[Share, Failed]] = field(default_factory=list)

    def take(self, number: int, lost: Lost | None) -> None:
        """Take the part of a job, or note that it is lost."""
        if lost is None:
            try:
                records = self.folder.read_part(number)
            except FileError as error:  # it was whole when it was seen first
                job_id = self.folder.attempts[number][-1]
                lost = Lost(str(error), job_id, self.folder.log(job_id), 1)
            else:
                with closing(records):
                    self._read(number, records)
                return
        for share in self.work.jobs[number]:
            self._miss(share, _failed(share, self.work.tree, lost))

    def _read(self, number: int, records: Iterable[Any]) -> None:
        shares = {share.index: share for share in self.work.jobs[number]}
        pieces: list[PartitionRows] = []
        refused = False  # files of a job mean the same, so that all of them are, or none
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
            self._miss_others(number)

    def _unforeseen(self, number: int, record: Stopped) -> RunError:
        log = self.folder.log(self.folder.attempts[number][-1])
        return RunError(f"a batch job ended with {record.text} (log: {log})")

    def _note_worker(self, total: Total) -> None:
        known = self._spans.get(total.worker, Timing(threads=self.work.threads))
        self._spans[total.worker] = known + Timing(wall=total.wall)

    def _open(self, share: Share, found: FileInfo | Failed) -> bool:
        """Note a file; false where its share cannot be taken, as other shares found another."""
        if isinstance(found, Failed):
            self._miss(share, found)
        elif share.index not in self._files:
            self._files[share.index] = self.accumulator.opened(share.index, found)
            return self._files[share.index] is not None
        elif self._files[share.index] is None:
            return False
        elif isinstance(changed := unchanged(found, self._files[share.index]), Failed):
            self._miss(share, changed)
            return False
        return True

    def _miss(self, share: Share, failed: Failed) -> None:
        if self.raises:
            raise failed.error
        self._missing.append((share, failed))

    def _miss_others(self, number: int) -> None:
        """Note what goes with a share that is refused: the numbers of a job are one sum."""
        missed = [share for share, _ in self._missing]
        for share in self.work.jobs[number]:
            if share not in missed:
                self._miss(share, _refused_with_another(share, self.work.tree))

    def end(self) -> None:
        """Note what did not come: of a file that another share opened, that share's events."""
        for share, failed in self._missing:
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


def _failed(share: Share, tree: str | None, lost: Lost) -> Failed:
    """Return the failure of a share whose job gave nothing."""
    failure = Failure(
        share.file_range.file, tree, None, None, str(lost), "RunError", lost.attempts, lost.job_id
    )
    return Failed(failure, RunError(f"{share.file_range.file}: {lost}"))
