"""The targets of ``on=``, and the executor of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe.engines import Engine, FilesEngine
from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from flavorframe._run.core.options import Backend, BatchSystemLike, Target

NAMES = ("dask", "gateway")
SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://", "inproc://", "gateway://")


def executor_for(options: RunOptions, engine: Engine) -> Executor:
    """Return the executor for the target of the options, ``options.on``.

    Raises AnalysisError if it is no target, and for an option that means nothing there.
    """
    on = options.on
    options.require_possible(backend_of(on), engine)
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
    if is_batch(on):
        executor: Executor = on.executor(engine, options)
        return executor
    from flavorframe._run.dask.executor import DaskExecutor

    return DaskExecutor(engine, options, on)


@contextmanager
def one_target(options: RunOptions) -> Iterator[RunOptions]:
    """Yield options for several runs: a Dask cluster is started or connected to once."""
    if not is_dask(options.on):
        yield options
        return
    options.require_possible(backend_of(options.on))
    from flavorframe._run.dask.cluster import client_for

    with client_for(options.on, options.threads) as client:
        yield replace(options, on=client, threads=None)


def backend_of(on: Target) -> Backend:
    """Return the backend of a target; raises AnalysisError if it is no target."""
    if on is None:
        return "threads"
    if is_batch(on):
        return "batch"
    if is_dask(on):
        return "local Dask" if on == "dask" else "Dask"
    raise AnalysisError(f"on={on!r} is nowhere to run.{_hint(on)}")


def is_batch(on: Target) -> TypeGuard[BatchSystemLike]:
    """Return whether a target is a batch system."""
    return hasattr(on, "executor")


def is_dask(on: Target) -> bool:
    """Return whether a target is a Dask client, a cluster, an address or "dask" or "gateway"."""
    if isinstance(on, str):
        return on in NAMES or on.startswith(SCHEMES)
    return hasattr(on, "get_client") or hasattr(on, "scheduler_info")


def _hint(on: object) -> str:
    near = did_you_mean(on, NAMES) if isinstance(on, str) else ""
    return (
        f"{near} Give a Dask client or cluster, an address such as 'tcp://host:8786', 'dask', "
        "'gateway', or a batch system such as ff.Slurm(...)."
    )
