"""Run an engine that takes whole files at once: many in one loop, on this machine or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from flavorframe._planning.plan import Plan
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator, PartitionRows
from flavorframe._run.core.attempts import Failed, evaluate, prepare, read_unchanged
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import partitions
from flavorframe._run.core.threads import available_cores
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.outcome import Outcome
from flavorframe._shipping.user_code import packed
from flavorframe.datasets import Dataset
from flavorframe.engines import FileInfo, FilesEngine
from flavorframe.engines.partial import Partial
from flavorframe.errors import FileError

if TYPE_CHECKING:
    from flavorframe._run.dask.cluster import Connection
    from flavorframe._run.dask.protocols import DaskClient

LOOP_EVENTS = 20_000_000
"""Most events in one loop: progress is shown after each, and a damaged file has it read again."""


class WholeFilesExecutor(Executor):
    """Gives an engine many whole files at once, or partitions where one of them cannot be read."""

    def __init__(self, engine: FilesEngine, options: RunOptions, on: Any = None) -> None:
        """``on`` is a Dask client, cluster or address, or None for the cores of this machine."""
        self._engine, self._options = engine, options
        self._threads = options.threads or available_cores()
        self._connection: Connection | None = None
        if on is not None:
            from flavorframe._run.dask.cluster import Connection

            self._connection = Connection(on, options.threads)

    def close(self) -> None:
        """Stop the cluster that was started, where there is one."""
        if self._connection is not None:
            self._connection.close()

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe._run.core.executor.Executor.run`."""
        delivery = Delivery.of(plan, dataset, self._options.files)
        with ExitStack() as stack:
            with interrupts.allowed():
                client = stack.enter_context(self._client(delivery))
            accumulator = stack.enter_context(
                Accumulator(plan, dataset, self._engine, self._options, earlier, delivery)
            )
            stack.enter_context(accumulator.interruptible())
            self._evaluate_all(plan, dataset, accumulator, client)
        return accumulator.outcome(self._threads)

    @contextmanager
    def _client(self, delivery: Delivery) -> Iterator[DaskClient | None]:
        """Yield the client, if there is one, with workers that have the delivery."""
        if self._connection is None:
            with delivery.here():
                yield None
            return
        from flavorframe._run.dask.executor import evaluation, report
        from flavorframe._run.dask.worker_delivery import delivered

        client = self._connection.client
        with (
            evaluation(client, packed(None)) as (_, workers),
            delivered(client, delivery),
            report(client, self._options),
        ):
            workers.require_all()  # the engine gives work to each of them
            yield client

    def _evaluate_all(
        self, plan: Plan, dataset: Dataset, accumulator: Accumulator, client: DaskClient | None
    ) -> None:
        retries = self._options.retries
        opened = []
        for index, file_range in enumerate(accumulator.work):
            with interrupts.allowed():
                found = prepare(self._engine, plan, file_range, dataset.tree, retries)
            info = accumulator.opened(index, found)
            if info is not None and info.events:
                opened.append((index, info))
        whole = [(i, f) for i, f in opened if _is_whole(accumulator, i, f)]
        for batch in _batches(whole, lambda info: self._engine.alike(plan, _where_opened(info))):
            self._evaluate_together(plan, batch, accumulator, client)
            if accumulator.stopped:
                return
        for index, info in opened:
            if not _is_whole(accumulator, index, info):
                self._evaluate_apart(plan, index, info, accumulator)

    def _evaluate_together(
        self,
        plan: Plan,
        batch: list[tuple[int, FileInfo]],
        accumulator: Accumulator,
        client: DaskClient | None,
    ) -> None:
        files = [_where_opened(info) for _, info in batch]
        try:
            with interrupts.allowed():
                partial = read_unchanged(
                    lambda: self._engine.evaluate_files(plan, files, self._threads, client), files
                )
        except FileError:  # partitions show which file, and which of its events
            for index, info in batch:
                self._evaluate_apart(plan, index, info, accumulator)
            return
        rows = [
            PartitionRows(
                info.partition(0, info.events, index),
                {name: (chunks[i],) for name, chunks in partial.tables.items()},
            )
            for i, (index, info) in enumerate(batch)
        ]
        accumulator.add_many(rows, partial)

    def _evaluate_apart(
        self, plan: Plan, index: int, info: FileInfo, accumulator: Accumulator
    ) -> None:
        for part in partitions(accumulator.work[index], index, info, self._options.size):
            with interrupts.allowed():
                found: Partial | Failed = evaluate(self._engine, plan, part, self._options.retries)
            accumulator.add(part, found)


def _where_opened(info: FileInfo) -> FileInfo:
    """Return the file by the name of the place where it was opened, for engines."""
    return replace(info, file=info.place)


def _is_whole(accumulator: Accumulator, index: int, info: FileInfo) -> bool:
    file_range = accumulator.work[index]
    return file_range.start == 0 and file_range.stop in (None, info.events)


def _batches(
    files: Iterable[tuple[int, FileInfo]], alike: Callable[[FileInfo], object]
) -> Iterator[list[tuple[int, FileInfo]]]:
    """Yield batches of neighbouring files that are alike, with no more events than a loop takes."""
    for _, group in groupby(files, lambda item: alike(item[1])):
        batch: list[tuple[int, FileInfo]] = []
        for item in group:
            if batch and sum(info.events for _, info in [*batch, item]) > LOOP_EVENTS:
                yield batch
                batch = []
            batch.append(item)
        yield batch
