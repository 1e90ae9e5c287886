"""Run on a Dask cluster: tasks of some partitions, submitted as others complete."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

from flavorframe._planning.plan import Plan
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.dask.cluster import Connection, register, same_version_plugin, unregister
from flavorframe._run.dask.protocols import DaskClient
from flavorframe._run.dask.workers import Workers
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.outcome import Outcome
from flavorframe._shipping.user_code import packed
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine
from flavorframe.errors import RunError


class DaskExecutor(Executor):
    """Evaluates partitions on the workers of a Dask cluster; see `targets.executor_for`."""

    def __init__(self, engine: Engine, options: RunOptions, on: Any) -> None:
        self._engine = engine
        self._options = options
        self._connection = Connection(on, options.threads)

    def close(self) -> None:
        """Stop the cluster that was started, where there is one."""
        self._connection.close()

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe._run.core.executor.Executor.run`.

        An interrupt (Ctrl-C), or a scheduler that is lost, ends the run early, and what was read
        until then is kept.
        """
        from flavorframe._run.dask.task_manager import TaskManager
        from flavorframe._run.dask.worker_delivery import delivered

        content = packed((self._engine, plan, dataset.tree))
        delivery = Delivery.of(plan, dataset, self._options.files)
        with contextlib.ExitStack() as stack:
            with interrupts.allowed():
                client = self._connection.client
                stack.enter_context(delivered(client, delivery))
                stack.enter_context(report(client, self._options))
            accumulator = stack.enter_context(
                Accumulator(plan, dataset, self._engine, self._options, earlier, delivery)
            )
            accumulator.progress.say(f"dashboard: {client.dashboard_link}")
            with interrupts.allowed():
                run, workers = stack.enter_context(evaluation(client, content))
            tasks = TaskManager(client, run, workers, accumulator, self._options)
            with contextlib.ExitStack() as at_the_end, accumulator.interruptible():
                at_the_end.callback(tasks.cancel)
                tasks.run()
            accumulator.note_workers(tasks.worker_times)
            workers.warn_of_left_out()
        return accumulator.outcome(tasks.threads)


@contextlib.contextmanager
def evaluation(client: DaskClient, content: bytes) -> Iterator[tuple[str, Workers]]:
    """Bring the engine and the plan to all workers, for as long as the run takes."""
    run, workers = f"flavorframe-{secrets.token_hex(4)}", Workers()
    try:
        refused = register(
            client, same_version_plugin(run, "flavorframe._run.dask.worker_tasks", content), run
        )
        for worker, reason in refused.items():
            workers.refuse(worker, reason)
        yield run, workers
    finally:
        unregister(client, run)


@contextlib.contextmanager
def report(client: DaskClient, options: RunOptions) -> Iterator[None]:
    """Have Dask write its own report of the block, where one is asked for."""
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
