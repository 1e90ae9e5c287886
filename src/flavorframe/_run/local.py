"""Run on the cores of this machine: threads take partitions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from flavorframe._planning.plan import Plan
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.executor import Executor, Outcome
from flavorframe._run.core.gathering import Gathering
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.threads import Pool, ordered
from flavorframe._run.delivery.delivery import Delivery
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

        An interrupt (Ctrl-C) ends the run early, and what was read until then is kept.
        """
        delivery = Delivery.of(plan, dataset, self._options.files)
        with (
            delivery.here(),
            Gathering(plan, dataset, self._engine, self._options, earlier, delivery) as gathering,
            gathering.interruptible(),
            Pool(self._threads) as pool,
        ):
            self._evaluate_all(plan, dataset, pool, gathering)
        return gathering.outcome(self._threads)

    def _evaluate_all(
        self, plan: Plan, dataset: Dataset, pool: ThreadPoolExecutor, gathering: Gathering
    ) -> None:
        retries = self._options.retries

        def open_segment(index: int) -> tuple[int, FileInfo | Failed]:
            segment = gathering.work[index]
            return index, prepare(self._engine, plan, segment, dataset.tree, retries)

        def evaluate_partition(part: Partition) -> tuple[Partition, Partial | Failed]:
            return part, evaluate(self._engine, plan, part, retries)

        opened = ordered(pool, open_segment, range(len(gathering.work)), self._threads)
        parts = self._partitions(opened, gathering)
        for part, found in ordered(pool, evaluate_partition, parts, 2 * self._threads):
            gathering.add(part, found)
            if gathering.stopped:
                pool.shutdown(cancel_futures=True)
                return

    def _partitions(
        self, opened: Iterable[tuple[int, FileInfo | Failed]], gathering: Gathering
    ) -> Iterator[Partition]:
        for index, found in opened:
            info = gathering.opened(index, found)
            if info is not None:
                yield from gathering.partitions(index, info, self._options.size)


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
