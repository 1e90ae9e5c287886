"""Submit a detached run: to a process of this machine, or to a Dask cluster."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flavorframe._files.writing import writing
from flavorframe._planning.plan import Plan
from flavorframe._run.dask.cluster import lasting_client
from flavorframe._run.delivery.delivery import existing_files
from flavorframe._run.detached.conduct import conduct
from flavorframe._run.detached.dask_store import DaskStore
from flavorframe._run.detached.folder_store import FolderStore, process_of
from flavorframe._run.detached.job import Job
from flavorframe._run.detached.run import Run, lives_on_cluster
from flavorframe._run.detached.store import RunStore
from flavorframe._run.plans import plans_for, with_absolute_paths
from flavorframe._run.targets import executor_for
from flavorframe._shipping.user_code import environment, packed, unpacked
from flavorframe.datasets import Dataset
from flavorframe.engines import get_engine
from flavorframe.errors import AnalysisError, RunError

if TYPE_CHECKING:
    from flavorframe._run.core.options import RunOptions
    from flavorframe.datasets import PathLike

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def submit(
    plan: Plan,
    data: Dataset | Mapping[str, Dataset],
    name: str | None,
    options: RunOptions,
) -> Run:
    """Start a detached run; see `flavorframe.Analysis.submit`."""
    if name is None:
        name = f"{getattr(data, 'name', 'datasets')}-{time.strftime('%Y%m%d-%H%M%S')}"
    elif not _NAME.fullmatch(name):
        raise AnalysisError(f"name={name!r}: a run's name has letters, digits, '.', '+', '-', '_'.")
    options = replace(options, progress=False)
    _refuse_now(options)
    if isinstance(data, Mapping):
        data = dict(data.items())  # a catalogue expands its globs here, not on the cluster
    job = Job(with_absolute_paths(plan), data, _absolute(options))
    plans_for(job.plan, data, job.options.output)  # raises errors now, where the user sees them
    if lives_on_cluster(options.on):
        return _submit_to_cluster(job, name)
    return _submit_process(job, name)


def _refuse_now(options: RunOptions) -> None:
    """Raise errors of the options now: later the user would not see them."""
    executor_for(options, get_engine(options.engine, options.cache))


def _absolute(options: RunOptions) -> RunOptions:
    """Return the options with the same paths as seen from any folder."""
    cache = options.cache
    return replace(
        options,
        output=_absolute_path(options.output),
        performance_report=_absolute_path(options.performance_report),
        cache=os.path.abspath(cache) if isinstance(cache, str | os.PathLike) else cache,
        files=existing_files(options.files),
    )


def _absolute_path(path: PathLike | None) -> PathLike | None:
    return os.path.abspath(path) if path else path


def _create(name: str, store: RunStore, job: bytes) -> None:
    if not store.create(job):
        raise AnalysisError(
            f"there is a run {name!r} already: give another name, or remove it with "
            f"ff.attach({name!r}, ...).forget()."
        )


def _submit_process(job: Job, name: str) -> Run:
    store = FolderStore(name)
    _create(name, store, packed(job))
    try:
        _start_process(store, name)
    except BaseException:
        store.clear()
        raise
    return Run(name, store)


def _start_process(store: FolderStore, name: str) -> None:
    import psutil

    command = [sys.executable, "-m", "flavorframe._run.detached", name]
    with writing(store.folder / "log"), (store.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=os.environ,  # and not C's, which names copies that go with this process
        )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays
    try:
        store.put("process", process_of(process.pid))
    except psutil.NoSuchProcess:  # it has ended by now
        store.put("process", b"0 0")
    except BaseException:
        process.kill()
        raise


def _submit_to_cluster(job: Job, name: str) -> Run:
    store = DaskStore(name, lasting_client(job.options.on))
    content = packed(replace(job, options=replace(job.options, on=None)))
    _create(name, store, content)
    future = store.client.submit(
        _conduct_on_cluster, name, content, environment(), key=store.key, pure=False
    )
    store.client.publish_dataset(future, name=store.key)
    return Run(name, store)


def _conduct_on_cluster(name: str, content: bytes, wanted: Mapping[str, str]) -> None:
    """Conduct a run from a task: its thread goes to the partitions meanwhile."""
    from distributed import worker_client

    with worker_client() as client:
        store = DaskStore(name, client)
        store.put("process", str(os.getpid()).encode())
        conduct(store, lambda: _same_here(content, wanted), on=client)


def _same_here(content: bytes, wanted: Mapping[str, str]) -> Job:
    """Unpack a job; raises RunError where this worker is other than where it was submitted."""
    from flavorframe._run.dask.worker_tasks import ENVIRONMENT

    other = [
        f"{k} {ENVIRONMENT[k]} instead of {v}" for k, v in wanted.items() if ENVIRONMENT[k] != v
    ]
    if other:
        raise RunError(
            f"the worker on {platform.node()} that was to conduct the run has {', '.join(other)}: "
            "install the same there, or take that worker away, and submit the run anew."
        )
    job: Job = unpacked(content)
    return job
