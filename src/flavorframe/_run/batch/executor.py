"""The executor of batch systems: it submits jobs, follows them, and collects their parts."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from flavorframe._planning.plan import Plan
from flavorframe._run.batch.collect import INTERRUPTED, collect, how_to_gather, threads_of
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.follow import Follower
from flavorframe._run.batch.job_files import delivery_for, remove
from flavorframe._run.batch.shares import divide
from flavorframe._run.batch.site import Site
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import file_ranges, known_files
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine, travelling
from flavorframe.errors import FlavorframeError


class BatchExecutor(Executor):
    """Sends a run to a batch system, follows its jobs and gathers their parts."""

    def __init__(self, site: Site, engine: Engine, options: RunOptions) -> None:
        self._site = site
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
        """Cancel the jobs of runs that were announced, and did not come to be gathered."""
        self._leave("not run")

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe._run.core.executor.Executor.run`.

        An interrupt (Ctrl-C) gives what has come until then; the jobs go on.
        """
        with self._cancelling():
            with Accumulator(plan, dataset, self._engine, self._options, earlier) as accumulator:
                with interrupts.waiting():
                    sent = self._sent.pop((plan, dataset), None)
                    folder = sent or self.send(plan, dataset, earlier)
                collect(folder, folder.sent, self._options, accumulator)
            if accumulator.stopped:
                self._leave(accumulator.stopped)
        return accumulator.outcome(threads_of(folder.sent))

    @contextlib.contextmanager
    def _cancelling(self) -> Iterator[None]:
        """Cancel the runs to come where one of them fails."""
        try:
            yield
        except FlavorframeError:
            self._leave("failed")
            raise
        except KeyboardInterrupt:
            self._leave(INTERRUPTED)
            raise

    def _leave(self, reason: str) -> None:
        """Cancel the jobs of the runs to come, or say how to gather them after an interrupt."""
        for folder in self._sent.values():
            if reason.startswith(INTERRUPTED):
                print(f"Likewise {how_to_gather(folder, self._site)}.", file=sys.stderr)
            else:
                Follower(folder, self._site, len(folder.work.jobs), 0).cancel()
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

        ``saved`` is the folder, if any, in which its result is to be saved under a name.
        Raises RunError where the batch system cannot be reached or refuses.
        """
        self._site.require()
        work = Work(
            plan, dataset.tree, travelling(self._engine), self._options.size,
            self._options.threads or self._site.cores, self._options.retries,
            known_files(earlier),
            tuple(divide(file_ranges(dataset, earlier), self._site.jobs)),
        )  # fmt: skip
        delivery = delivery_for(plan, dataset, self._site, self._options)
        options = self._options.without_this_process()
        sent = Sent(work, dataset, self._site, options, earlier, saved, name)
        folder = RunFolder.make(sent)
        follower = Follower(folder, self._site, len(work.jobs), options.retries)
        try:
            delivery.into(folder.path)
            follower.look()
        except FlavorframeError:
            follower.cancel()
            shutil.rmtree(folder.path)
            raise
        return folder
