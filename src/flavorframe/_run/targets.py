"""Where to run: the one place that turns what the user names into an executor."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flavorframe._run.core.executor import Executor, RunOptions
from flavorframe.engines import Engine, FilesEngine
from flavorframe.errors import AnalysisError, did_you_mean

NAMES = ("dask", "gateway")
SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://", "inproc://", "gateway://")


def executor_for(on: Any, engine: Engine, options: RunOptions, cache: Any = None) -> Executor:
    """Return the executor for a target.

    ``on`` is ``None`` for this machine's threads; a site such as ``ff.Slurm(...)``; a Dask client,
    cluster or scheduler's address; "dask" for a cluster on this machine, or "gateway" for a new one
    of Dask Gateway. ``cache`` is what the user said of it. Raises AnalysisError for anything else,
    and for an option that means nothing there.
    """
    _refuse_cache(on, engine, cache)
    refuse_threads(on, options.threads)
    if options.performance_report is not None and not is_dask(on):
        raise AnalysisError(
            "performance_report= is a report of Dask's: give on= a Dask cluster, or leave it out."
        )
    if (
        isinstance(engine, FilesEngine)
        and options.partition_size is None
        and (on is None or is_dask(on))
    ):
        from flavorframe._run.whole_files import WholeFilesExecutor

        return WholeFilesExecutor(engine, options, on)
    if on is None:
        from flavorframe._run.local import LocalExecutor

        return LocalExecutor(engine, options)
    if hasattr(on, "executor"):  # a site: it knows how to get its jobs done
        executor: Executor = on.executor(engine, options)
        return executor
    if is_dask(on):
        from flavorframe._run.dask.executor import DaskExecutor

        return DaskExecutor(engine, options, on)
    raise AnalysisError(f"on={on!r} is nowhere to run.{_hint(on)}")


def one_target(on: Any, threads: int | None) -> AbstractContextManager[Any]:
    """Yield a target for several executors: a Dask cluster is started or connected to once."""
    if not is_dask(on):
        return nullcontext(on)
    refuse_threads(on, threads)
    from flavorframe._run.dask.cluster import client_for

    return client_for(on, threads)


def refuse_threads(on: Any, threads: int | None) -> None:
    """Raise AnalysisError where a number of threads is asked for of workers that have theirs."""
    if threads is not None and is_dask(on) and on != "dask":
        raise AnalysisError(
            f"threads={threads}: the workers of a Dask cluster have their own threads; leave it "
            "out, or say on='dask' for a cluster of so many workers on this machine."
        )


def _refuse_cache(on: Any, engine: Engine, cache: Any) -> None:
    if not cache:
        return
    if engine.name != "columnar":
        raise AnalysisError(
            f"cache={cache!r}: engine {engine.name!r} keeps nothing; leave it out, or use "
            "engine='columnar'."
        )
    if hasattr(on, "executor"):
        raise AnalysisError(f"cache={cache!r}: batch jobs keep nothing; leave it out.")


def is_dask(on: Any) -> bool:
    """Return whether a target is a Dask client, a cluster, an address or a name of ours."""
    if isinstance(on, str):
        return on in NAMES or on.startswith(SCHEMES)
    return hasattr(on, "get_client") or hasattr(on, "scheduler_info")


def _hint(on: Any) -> str:
    near = did_you_mean(on, NAMES) if isinstance(on, str) else ""
    return (
        f"{near} Give a Dask client or cluster, an address such as 'tcp://host:8786', 'dask', "
        "'gateway', or a batch system such as ff.Slurm(...)."
    )
