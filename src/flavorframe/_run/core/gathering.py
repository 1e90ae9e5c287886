"""Gathering what a run gives: partials add up, rows come in order, failures and gaps are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flavorframe._files.versions import CHANGED
from flavorframe._planning.plan import Plan
from flavorframe._run.core import interrupts
from flavorframe._run.core.attempts import MISFIT, Failed
from flavorframe._run.core.executor import Gap, Outcome
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.ordering import Ordering
from flavorframe._run.core.partitions import Segment, known_files, partitions, segments
from flavorframe._run.delivery.credential_expiry import Outlasting
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.progress.progress import Progress, choose_progress
from flavorframe._run.snapshots.manifest import write_manifest
from flavorframe._run.snapshots.rows import Rows
from flavorframe.datasets import Dataset, Partition, fraction_read
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.errors import (
    BranchError,
    FileChangedError,
    FlavorframeError,
    OutputError,
    RunError,
)
from flavorframe.result import Failure, Timing
from flavorframe.result.timing import STAGES

UPDATE_SECONDS = 1.0
"""How often a run tells what it has so far, at most: a tenth of its time may go there."""

Tables = Mapping[str, tuple[Chunk, ...]]


@dataclass(frozen=True)
class Piece:
    """What came of a partition, or of several that follow each other: rows, or a failure."""

    part: Partition
    found: Tables | Failed


class Gathering:
    """What every executor feeds: files as they are opened, and partials in any order.

    ``work`` lists the segments to be read. Used as a context; afterwards `outcome` has it all.
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
        self.work = segments(dataset, earlier)
        self.progress: Progress = choose_progress(options.progress, dataset.name)
        self._options = options
        self._earlier = earlier
        self._gaps: list[Gap] = []
        self._numbers = {file: number for number, file in enumerate(dataset.files)}
        self._files = {} if earlier is None else {info.file: info for info in earlier.files}
        self._known = known_files(earlier)
        self._first = next((info for info in self._files.values() if info.meanings), None)
        self._expected = self._opened = 0
        self._outlasting = Outlasting(delivery or Delivery())
        self._first_error: FlavorframeError | None = None
        self._began = time.perf_counter()
        self._next_update = self._began + UPDATE_SECONDS
        self._listeners = list(filter(None, (options.on_update, self.progress.listener)))
        partial = engine.empty(plan) if earlier is None else earlier.partial
        self._outcome = Outcome(plan, dataset, engine.name, replace(partial, tables={}))
        raises = options.on_error == "raise"
        self._rows = Rows(plan, earlier, self._outcome.written, raises=raises)
        self._between = True  # nothing is half gathered

    def __enter__(self) -> Gathering:
        with ExitStack() as stack:
            stack.enter_context(interrupts.noted())
            self._undo = stack.enter_context(ExitStack())
            self._undo.callback(self._outcome.written.discard)
            self._undo.enter_context(self._rows)
            stack.enter_context(self.progress)
            self._ordering: Ordering[Tables] = Ordering(
                self.work, self._enter, self._rows.write, self._gap
            )
            self._stack = stack.pop_all()
        return self

    def opened(self, index: int, found: FileInfo | Failed) -> FileInfo | None:
        """Note what opening the file of a segment gave; return it where it can be read."""
        self._between = False
        info = self._open(index, found)
        self._between = True
        return info

    def _open(self, index: int, found: FileInfo | Failed) -> FileInfo | None:
        if not isinstance(found, Failed):
            found = unchanged(found, self._known.get(found.file))
        if not isinstance(found, Failed):
            found = meaning_alike(found, self._first)
        if isinstance(found, Failed):
            self._note(found)
            self._ordering.opened(index, None)
            return None
        segment = self.work[index]
        self._first = self._first or found
        meanings = found.meanings if found.file == self._first.file else ()
        self._files[found.file] = replace(found, edges=(), meanings=meanings)
        self._expect((segment.stop or found.events) - segment.start)
        self._ordering.opened(index, found.events)
        return found

    def _expect(self, events: int) -> None:
        self._opened += 1
        self._expected += events
        self.progress.expect(events)

    def partitions(self, index: int, info: FileInfo, size: int) -> list[Partition]:
        """Return the partitions of a segment."""
        return list(partitions(self.work[index], index, info, size))

    @property
    def events(self) -> int:
        """How many events have been read so far."""
        return self._outcome.partial.cutflow[0].events

    def add(self, part: Partition, found: Partial | Failed) -> None:
        """Add what a partition gave."""
        if isinstance(found, Failed):
            self.add_pieces([Piece(part, found)], None)
        else:
            self.add_pieces([Piece(part, found.tables)], found)

    def add_pieces(self, pieces: Iterable[Piece], partial: Partial | None) -> None:
        """Add what some partitions gave, and the sum of their partials."""
        self._between = False
        self._add(pieces, partial)
        self._between = True
        self.tell()

    def _add(self, pieces: Iterable[Piece], partial: Partial | None) -> None:
        for piece in pieces:
            if isinstance(piece.found, Failed):
                self._note(piece.found)
                self._ordering.came(piece.part, None)
            else:
                self._ordering.came(piece.part, piece.found)
        if partial is not None:
            self.progress.advance(partial.timing)
            self._outcome.partial = self._outcome.partial + replace(partial, tables={})

    def stop(self, reason: str) -> None:
        """Note that the run ends before everything is read; what is missing becomes gaps."""
        self._outcome.stopped = reason

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Have an interrupt (Ctrl-C) end the block and the run, and keep what was read, if any."""
        try:
            yield
        except KeyboardInterrupt:
            if not self.may_end:
                raise
            self.stop("interrupted")

    @property
    def may_end(self) -> bool:
        """Whether what was gathered is worth keeping: something, and nothing of it by halves."""
        return self._between and self.events > 0

    @property
    def stopped(self) -> str:
        """Why the run ends early; an empty string where it does not."""
        return self._outcome.stopped

    def note_workers(self, spans: Mapping[str, Timing]) -> None:
        """Note how long each worker was at it: what is not spent on stages is waiting."""
        timing = self._outcome.partial.timing
        workers = dict(timing.workers)
        for name, span in spans.items():
            if name in workers:
                workers[name] = _with_waiting(workers[name], span)
        waiting = sum(worker.waiting for worker in workers.values())
        timing = replace(timing, workers=workers, waiting=waiting)
        self._outcome.partial = replace(self._outcome.partial, timing=timing)

    def __exit__(self, *error: Any) -> None:
        with self._stack:
            if error[0] is None:
                self._end()
                self._undo.pop_all()

    def outcome(self, threads: int) -> Outcome:
        """Return all that was gathered, with the wall time since the start."""
        timing = replace(self._outcome.partial.timing, wall=self._wall(), threads=threads)
        self._outcome.partial = replace(self._outcome.partial, timing=timing)
        if self.progress.listener is not None:
            self.progress.listener(_result(self._outcome))
        return self._outcome

    def _wall(self) -> float:
        earlier = 0.0 if self._earlier is None else self._earlier.partial.timing.wall
        return earlier + time.perf_counter() - self._began

    def _end(self) -> None:
        self._ordering.end()
        self._rows.copy(None)
        self._rows.complete()
        self._outcome.files = self._known_files()
        self._outcome.failures.sort(key=self._place)
        self._outcome.gaps = tuple(self._gaps)
        _refuse_nothing(self._outcome, self._first_error)
        self._outcome.rows = self._rows.stored
        self._write_manifests()
        self._outcome.unwritten = self._rows.unwritten
        if interrupts.taken():
            if not self.events:
                raise KeyboardInterrupt
            self.stop(self.stopped or "interrupted")

    def _write_manifests(self) -> None:
        for name in list(self._outcome.rows):
            try:
                write_manifest(name, self._outcome, self._rows)
            except OutputError as error:
                if self._options.on_error == "raise":
                    raise
                self._rows.give_up(name, str(error))
                del self._outcome.rows[name]

    def _place(self, failure: Failure) -> tuple[int, int]:
        return self._numbers[failure.file], failure.start or 0

    def _known_files(self) -> list[FileInfo]:
        names = self._outcome.dataset.files
        return [self._files[name] for name in names if name in self._files]

    def _enter(self, index: int) -> None:
        if self._earlier is not None:
            self._rows.copy(self._earlier.gaps[index].rows)

    def _gap(self, segment: Segment, start: int, stop: int | None) -> None:
        last = self._gaps[-1] if self._gaps else None
        if last and (last.file, last.stop, last.rows) == (segment.file, start, self._rows.counts):
            self._gaps[-1] = replace(last, stop=stop)
        else:
            self._gaps.append(Gap(segment.file, start, stop, dict(self._rows.counts)))

    def _note(self, failed: Failed) -> None:
        if self._options.on_error == "raise":
            raise failed.error
        self._outcome.failures.append(failed.failure)
        self._first_error = self._first_error or failed.error

    def tell(self) -> None:
        """Tell who asked for it, once in a while, what there is so far, and ask whether to stop."""
        now = time.perf_counter()
        if now >= self._next_update:
            with interrupts.waiting():
                self._tell(now)

    def _tell(self, now: float) -> None:
        if self._listeners and self.events:
            result = self._so_far()
            for listener in self._listeners:
                listener(result)
        self._outlasting.look(now - self._began, self._fraction())
        if self._options.should_stop is not None and self._options.should_stop():
            self.stop("stopped")
        spent = time.perf_counter() - now
        self._next_update = now + max(UPDATE_SECONDS, 10 * spent)

    def _fraction(self) -> float:
        """Estimate which fraction of what this run is to read was read."""
        before = 0 if self._earlier is None else self._earlier.partial.cutflow[0].events
        return fraction_read(self.events - before, self._expected, self._opened, len(self.work))

    def _so_far(self) -> Any:
        timing = replace(self._outcome.partial.timing, wall=self._wall())
        outcome = replace(
            self._outcome,
            partial=replace(self._outcome.partial, timing=timing),
            files=self._known_files(),
            rows=self._rows.stored,
            unwritten=dict(self._rows.unwritten),
            stopped="running",
        )
        return replace(_result(outcome), unfinished=None)  # it goes on, and knows of no gaps


def _result(outcome: Outcome) -> Any:
    from flavorframe.result import Result

    return Result.of(outcome.plan, outcome.dataset, outcome)


def _with_waiting(worker: Timing, span: Timing) -> Timing:
    busy = sum(getattr(worker, stage) for stage in STAGES) - worker.waiting
    waiting = max(span.threads * span.wall - busy, 0.0)
    return replace(worker, wall=span.wall, threads=span.threads, waiting=waiting)


def unchanged(found: FileInfo, known: FileInfo | None) -> FileInfo | Failed:
    """Return a failure where a file is another than when it was opened before."""
    if known is None or (known.events == found.events and _may_be_same(found, known)):
        return found
    failure = Failure(found.file, found.tree, None, None, CHANGED, "FileChangedError")
    return Failed(failure, FileChangedError(f"{found.file}: {CHANGED}"))


def _may_be_same(found: FileInfo, known: FileInfo) -> bool:
    if found.version is None or known.version is None:
        return True
    return known.version.is_same(found.version)


def meaning_alike(found: FileInfo, first: FileInfo | None) -> FileInfo | Failed:
    """Return a failure where a name of the plan means something else than in the first file."""
    known = {} if first is None else dict(first.meanings)
    differing = [(name, m) for name, m in found.meanings if known.get(name, m) != m]
    if first is None or not differing:
        return found
    name, meaning = differing[0]
    reason = (
        f"{name} is {meaning} here, and {known[name]} in {first.file}: what means different things "
        "is not added up. Put such files into datasets of their own."
    )
    failure = Failure(found.file, found.tree, None, None, reason, "BranchError")
    return Failed(failure, BranchError(f"{found.file}: {reason}"))


def _refuse_nothing(outcome: Outcome, error: FlavorframeError | None) -> None:
    """Raise where every file failed: there is nothing to give back but the reason."""
    read, files = outcome.partial.cutflow[0].events, outcome.dataset.files
    if error is None or read or any(info.events == 0 for info in outcome.files):
        return
    if isinstance(error, MISFIT) or len(files) == 1:
        raise error  # a misspelt name is most often the same in every file
    raise RunError(
        f"None of the {len(files)} files of dataset {outcome.dataset.name} could be read. "
        f"The first: {error}"
    )
