"""The executor of batch systems: it submits jobs, watches them, and collects their parts."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._planning.plan import Plan
from flavorframe._run.batch.collect import INTERRUPTED, collect, how_to_gather, threads_of
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.job_files import delivery_for, remove
from flavorframe._run.batch.monitor import JobMonitor
from flavorframe._run.batch.shares import divide
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import file_ranges, known_files
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine, travelling
from flavorframe.errors import FlavorframeError

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem


class BatchExecutor(Executor):
    """Sends a run to a batch system, watches its jobs and gathers their parts."""

    def __init__(self, system: BatchSystem, engine: Engine, options: RunOptions) -> None:
        self._system = system
        self._engine = engine
        self._options = options
        self._sent: dict[tuple[Plan, Dataset], RunFolder] = {}

    def announce(
        self, runs: Sequence[tuple[Plan, Dataset]], saved: Sequence[tuple[str, Path | None]]
    ) -> None:
        """Submit the jobs of all runs, so that they wait in the queue together."""
        with self._cancelling():
            for (plan, dataset), (name, folder) in zip(runs, saved, strict=True):
                self._sent[plan, dataset] = self.send(plan, dataset, None, folder, name)

    def close(self) -> None:
        """Cancel the jobs of runs that were announced and never gathered."""
        self._end_announced("not run")

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe._run.core.executor.Executor.run`.

        After an interrupt (Ctrl-C) the outcome has the parts that were there; the jobs go on.
        """
        with self._cancelling():
            with Accumulator(plan, dataset, self._engine, self._options, earlier) as accumulator:
                with interrupts.allowed():
                    sent = self._sent.pop((plan, dataset), None)
                    folder = sent or self.send(plan, dataset, earlier)
                collect(folder, folder.sent, self._options, accumulator)
            if accumulator.stopped:
                self._end_announced(accumulator.stopped)
        return accumulator.outcome(threads_of(folder.sent))

    @contextlib.contextmanager
    def _cancelling(self) -> Iterator[None]:
        """Cancel the announced runs where one of them fails."""
        try:
            yield
        except FlavorframeError:
            self._end_announced("failed")
            raise
        except KeyboardInterrupt:
            self._end_announced(INTERRUPTED)
            raise

    def _end_announced(self, reason: str) -> None:
        """Cancel the jobs of announced runs, or after an interrupt print how to gather them."""
        for folder in self._sent.values():
            if reason.startswith(INTERRUPTED):
                print(f"Likewise {how_to_gather(folder, self._system)}.", file=sys.stderr)
            else:
                JobMonitor(folder, self._system, len(folder.work.jobs), 0).cancel()
                remove(folder.path)
        self._sent.clear()

    def send(
        self,
        plan: Plan,
        dataset: Dataset,
        earlier: Outcome | None = None,
        saved: Path | None = None,
        name: str = "",
    ) -> RunFolder:
        """Submit the jobs of a run and return its folder, for `gather`.

        ``saved`` is the folder, if any, where the result will be saved under a ``name``.
        Raises RunError where the batch system cannot be reached or refuses.
        """
        self._system.require()
        work = Work(
            plan, dataset.tree, travelling(self._engine), self._options.size,
            self._options.threads or self._system.cores, self._options.retries,
            known_files(earlier),
            tuple(divide(file_ranges(dataset, earlier), self._system.jobs)),
        )  # fmt: skip
        delivery = delivery_for(plan, dataset, self._system, self._options)
        options = self._options.without_this_process()
        sent = Sent(work, dataset, self._system, options, earlier, saved, name)
        folder = RunFolder.make(sent)
        monitor = JobMonitor(folder, self._system, len(work.jobs), options.retries)
        try:
            delivery.into(folder.path)
            monitor.poll()
        except FlavorframeError:
            monitor.cancel()
            shutil.rmtree(folder.path)
            raise
        return folder
