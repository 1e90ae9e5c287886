"""Run on a Dask cluster: tasks of some partitions, submitted as others come back."""

from __future__ import annotations

import contextlib
import queue
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from flavorframe.datasets import Dataset, Partition
from flavorframe.engine import Engine
from flavorframe.errors import RunError
from flavorframe.plan import Plan
from flavorframe.result import Failure, Timing
from flavorframe.run.attempts import Failed, may_pass
from flavorframe.run.dask_cluster import client_for, count_threads
from flavorframe.run.executor import Outcome, RunOptions
from flavorframe.run.gathering import Gathering
from flavorframe.run.schedule import Schedule
from flavorframe.travel import packed

WAIT_SECONDS = 0.5
"""How long to wait for a task before looking around."""
FATAL = 5
"""So many partitions that kill workers, and nothing that was read, end the run."""


class DaskExecutor:
    """Evaluates partitions on the workers of a Dask cluster; see `targets.executor_for`."""

    def __init__(self, engine: Engine, options: RunOptions, on: Any) -> None:
        self._engine = engine
        self._options = options
        self._on = on

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe.run.executor.Executor.run`.

        An interrupt (Ctrl-C), or a scheduler that is lost, ends the run early, and what was read
        until then is kept.
        """
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(client_for(self._on, self._options.threads))
            stack.enter_context(_report(client, self._options))
            gathering = stack.enter_context(
                Gathering(plan, dataset, self._engine, self._options, earlier)
            )
            gathering.progress.say(f"dashboard: {client.dashboard_link}")
            content = packed((self._engine, plan, dataset.tree))
            run = stack.enter_context(_evaluation(client, content))
            work = _Work(client, run, gathering, self._options)
            try:
                work.do()
            except KeyboardInterrupt:
                if not gathering.events:
                    raise
                gathering.stop("interrupted")
            finally:
                work.cancel()
            gathering.note_workers(work.workers)
        return gathering.outcome(work.threads)


@contextlib.contextmanager
def _evaluation(client: Any, content: bytes) -> Iterator[str]:
    """Bring the engine and the plan to all workers, for as long as the run takes."""
    from flavorframe.run.dask_worker import Evaluation

    run = f"flavorframe-{secrets.token_hex(4)}"
    try:
        client.register_plugin(Evaluation(run, content))
    except Exception as error:  # whatever the workers raise on unpacking
        raise RunError(
            f"the workers of {client.scheduler.address} cannot take the analysis: "
            f"{type(error).__name__}: {error}. They need flavorframe in this version, and every "
            "installed package that the analysis's own functions use."
        ) from error
    try:
        yield run
    finally:
        if client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone by now
                client.unregister_worker_plugin(run)


@contextlib.contextmanager
def _report(client: Any, options: RunOptions) -> Iterator[None]:
    if options.performance_report is None:
        yield
        return
    from distributed import performance_report

    try:
        import bokeh  # noqa: F401
    except ImportError:
        raise RunError(
            "performance_report= needs bokeh: run pip install 'flavorframe[dashboard]'."
        ) from None
    with client.as_current(), performance_report(filename=str(options.performance_report)):
        yield


@dataclass
class _Task:
    """What a future computes: segments to open, or partitions to evaluate."""

    opens: list[Any]
    parts: list[Partition]
    attempts: int = 1


class _Work:
    """The client's side of a run: what is under way, and what is done with what comes back."""

    def __init__(
        self,
        client: Any,
        run: str,
        gathering: Gathering,
        options: RunOptions,
    ) -> None:
        self._client = client
        self._run = run
        self._gathering = gathering
        self._options = options
        self._schedule = Schedule(gathering.work, options.partition_size)
        self._under_way: dict[Any, _Task] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._suspects: list[_Task] = []
        self._suspect: Any = None
        self._killed = 0
        self._number = 0
        self._looked = 0.0
        self.threads = 0
        self.workers: dict[str, Timing] = {}
        self._spans: dict[str, tuple[float, float]] = {}

    def do(self) -> None:
        """Submit and gather until everything is done, or the run is stopped."""
        while True:
            self._look_around()
            self._submit()
            if not self._under_way or self._gathering.stopped:
                return
            self._gather()
            self._gathering.tell()

    def cancel(self) -> None:
        """Drop what is under way."""
        futures, self._under_way = list(self._under_way), {}
        if futures and self._client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):
                self._client.cancel(futures, force=True)

    def _look_around(self) -> None:
        """Count the threads, once in a while: workers come and go."""
        now = time.monotonic()
        if now - self._looked < 1 and self.threads:
            return
        self._looked = now
        try:
            threads = count_threads(self._client)
        except (OSError, TimeoutError):
            return  # a lost scheduler shows in the tasks
        self.threads = max(self.threads, threads)
        self._schedule.threads = max(threads, 1)
        self._gathering.progress.say(
            f"dashboard: {self._client.dashboard_link}"
            + ("" if threads else " (waiting for workers)")
        )

    # submitting

    def _submit(self) -> None:
        from flavorframe.run.dask_worker import evaluate_parts, open_files

        opens = [_Task(batch, []) for batch in self._schedule.to_open()]
        self._map(open_files, [task.opens for task in opens], opens, priority=1)
        parts = [_Task([], batch) for batch in self._schedule.to_evaluate(len(self._under_way))]
        self._map(evaluate_parts, [task.parts for task in parts], parts)
        if self._suspect is None and self._suspects:
            suspect = self._suspects.pop()
            (self._suspect,) = self._map(evaluate_parts, [suspect.parts], [suspect])

    def _again(self, parts: list[Partition], attempts: int) -> None:
        """Submit partitions once more, each by itself."""
        from flavorframe.run.dask_worker import evaluate_parts

        tasks = [_Task([], [part], attempts) for part in parts]
        self._map(evaluate_parts, [task.parts for task in tasks], tasks, priority=1)

    def _map(
        self, work: Callable[..., Any], items: list[Any], tasks: list[_Task], priority: int = 0
    ) -> list[Any]:
        if not items:
            return []
        keys = [(f"{work.__name__}-{self._run}", self._number + i) for i in range(len(items))]
        self._number += len(items)
        futures: list[Any] = self._client.map(
            work, items, run=self._run, key=keys, priority=priority, pure=False, fifo_timeout=0
        )
        for future, task in zip(futures, tasks, strict=True):
            self._under_way[future] = task
            future.add_done_callback(self._done.put)
        return futures

    # gathering

    def _gather(self) -> None:
        done = [future for future in self._next() if future in self._under_way]
        good = [future for future in done if future.status == "finished"]
        results = self._results(good)
        for future in done:
            task = self._under_way.pop(future)
            if future is self._suspect:
                self._suspect = None
            if future.status == "error":
                self._failed(task, future)
            elif future in results:
                self._take(task, results[future])
            else:
                self._lost()
                return

    def _next(self) -> list[Any]:
        """Return the futures that are done; wait a little where there is none."""
        try:
            done = [self._done.get(timeout=WAIT_SECONDS)]
        except queue.Empty:
            return []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def _results(self, futures: list[Any]) -> dict[Any, Any]:
        from concurrent.futures import CancelledError as Cancelled

        if not futures:
            return {}
        try:
            results = self._client.gather(futures, errors="skip")
        except (OSError, TimeoutError, Cancelled):
            return {}
        return dict(zip(futures, results, strict=True)) if len(results) == len(futures) else {}

    def _take(self, task: _Task, result: Any) -> None:
        if task.opens:
            for (index, segment), (_, found) in zip(task.opens, result, strict=True):
                if self._try_again(found, task):
                    self._map_open(index, segment, task.attempts + 1)
                else:
                    self._schedule.opened(
                        index, self._gathering.opened(index, _counted(found, task))
                    )
            return
        self._note_worker(result)
        self._schedule.took(len(task.parts), result.ended - result.began)
        again = [p.part for p in result.pieces if self._try_again(p.found, task)]
        pieces = [replace(p, found=_counted(p.found, task)) for p in result.pieces
                  if p.part not in again]  # fmt: skip
        self._gathering.add_pieces(pieces, result.partial)
        self._again(again, task.attempts + 1)

    def _map_open(self, index: int, segment: Any, attempts: int) -> None:
        from flavorframe.run.dask_worker import open_files

        task = _Task([(index, segment)], [], attempts)
        self._map(open_files, [task.opens], [task], priority=1)

    def _try_again(self, found: Any, task: _Task) -> bool:
        return (
            isinstance(found, Failed) and may_pass(found) and task.attempts <= self._options.retries
        )

    def _failed(self, task: _Task, future: Any) -> None:
        """Deal with a task that raised, or whose workers died."""
        from distributed import KilledWorker

        error = future.exception()
        if not isinstance(error, KilledWorker):
            raise error.with_traceback(future.traceback())
        if len(task.parts) > 1:
            self._again(task.parts, task.attempts)
        elif task.attempts == 1 and self._options.retries:
            self._suspects.append(replace(task, attempts=2))
        else:
            self._give_up(task, error)

    def _give_up(self, task: _Task, killed: Any) -> None:
        reason = (
            "the workers that read it were killed: out of memory, or a crash of native code; "
            "their logs tell."
        )
        attempts = task.attempts * (killed.allowed_failures + 1)
        worker = killed.last_worker.address
        self._killed += 1
        for index, segment in task.opens:
            failure = Failure(
                segment.file, None, None, None, reason, "KilledWorker", attempts, worker
            )
            error = RunError(f"{segment.file}: {reason}")
            self._schedule.opened(index, self._gathering.opened(index, Failed(failure, error)))
        for part in task.parts:
            failure = Failure(
                part.file,
                part.tree,
                part.start,
                part.stop,
                reason,
                "KilledWorker",
                attempts,
                worker,
            )
            error = RunError(f"{part.file}, events {part.start} to {part.stop}: {reason}")
            self._gathering.add(part, Failed(failure, error))
        if self._killed >= FATAL and not self._gathering.events:
            raise error

    def _lost(self) -> None:
        self._gathering.stop(f"the scheduler {self._client.scheduler.address} was lost")

    def _note_worker(self, result: Any) -> None:
        """Note from when to when a worker was at it."""
        began, ended = self._spans.get(result.worker, (result.began, result.ended))
        span = (min(began, result.began), max(ended, result.ended))
        self._spans[result.worker] = span
        self.workers[result.worker] = Timing(wall=span[1] - span[0], threads=result.threads)


def _counted(found: Any, task: _Task) -> Any:
    """Return a failure with the number of attempts; anything else as it is."""
    if isinstance(found, Failed):
        return replace(found, failure=replace(found.failure, attempts=task.attempts))
    return found
