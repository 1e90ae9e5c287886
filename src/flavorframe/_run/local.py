"""Run on the cores of this machine: threads take partitions.

`LocalExecutor` is the shortest executor, and the one to read first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from flavorframe._planning.plan import Plan
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import partitions
from flavorframe._run.core.threads import Pool, available_cores, ordered
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset, Partition
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Partial


class LocalExecutor(Executor):
    """Evaluates partitions in threads of this process, by default as many as there are cores."""

    def __init__(self, engine: Engine, options: RunOptions) -> None:
        self._engine = engine
        self._options = options
        self._threads = options.threads or available_cores()

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe._run.core.executor.Executor.run`.

        An interrupt (Ctrl-C) ends the run early; the outcome has what was read until then.
        """
        delivery = Delivery.of(plan, dataset, self._options.files)
        with (
            delivery.here(),
            Accumulator(
                plan, dataset, self._engine, self._options, earlier, delivery
            ) as accumulator,
            accumulator.interruptible(),
            Pool(self._threads) as pool,
        ):
            self._evaluate_all(plan, dataset, pool, accumulator)
        return accumulator.outcome(self._threads)

    def _evaluate_all(
        self, plan: Plan, dataset: Dataset, pool: ThreadPoolExecutor, accumulator: Accumulator
    ) -> None:
        retries = self._options.retries

        def open_file(index: int) -> tuple[int, FileInfo | Failed]:
            file_range = accumulator.work[index]
            return index, prepare(self._engine, plan, file_range, dataset.tree, retries)

        def evaluate_partition(part: Partition) -> tuple[Partition, Partial | Failed]:
            return part, evaluate(self._engine, plan, part, retries)

        opened = ordered(pool, open_file, range(len(accumulator.work)), self._threads)
        parts = self._partitions(opened, accumulator)
        for part, found in ordered(pool, evaluate_partition, parts, 2 * self._threads):
            accumulator.add(part, found)
            if accumulator.stopped:
                pool.shutdown(cancel_futures=True)
                return

    def _partitions(
        self, opened: Iterable[tuple[int, FileInfo | Failed]], accumulator: Accumulator
    ) -> Iterator[Partition]:
        for index, found in opened:
            info = accumulator.opened(index, found)
            if info is not None:
                yield from partitions(accumulator.work[index], index, info, self._options.size)
