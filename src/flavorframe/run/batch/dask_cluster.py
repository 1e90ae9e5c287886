"""Dask clusters whose workers are batch jobs, by dask-jobqueue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe.errors import RunError
from flavorframe.run.batch.request import mebibytes, seconds
from flavorframe.writing import make_folder

if TYPE_CHECKING:
    from flavorframe.run.batch.htcondor import HTCondor
    from flavorframe.run.batch.site import Site
    from flavorframe.run.batch.slurm import Slurm


def slurm_cluster(site: Slurm, workers: int | None, options: Mapping[str, Any]) -> Any:
    """Return a `dask_jobqueue.SLURMCluster` of such jobs."""
    quality = {} if site.qos is None else {"qos": site.qos}
    more = {**quality, **site.options}
    asked = {
        **_common(site),
        **_encrypted(site),
        "queue": site.partition,
        "account": site.account,
        "walltime": site.time,
        "job_extra_directives": [f"--{name}={x}" if x else f"--{name}" for name, x in more.items()],
    }
    return _scaled(_jobqueue().SLURMCluster(**_given({**asked, **options})), workers)


def htcondor_cluster(site: HTCondor, workers: int | None, options: Mapping[str, Any]) -> Any:
    """Return a `dask_jobqueue.HTCondorCluster` of such jobs."""
    asked = {
        **_common(site),
        **(_encrypted(site) if site.shared_filesystem else {}),
        "disk": f"{mebibytes('disk', site.disk)}MiB",
        "job_extra_directives": {**site.run_time(), **site.checked_options()},
    }
    return _scaled(_jobqueue().HTCondorCluster(**_given({**asked, **options})), workers)


def _common(site: Site) -> dict[str, Any]:
    return {
        "cores": site.cores,
        "processes": 1,
        "memory": f"{mebibytes('memory', site.memory)}MiB",
        "python": site.python,
        "job_script_prologue": site.setup_lines,
        "worker_extra_args": _ends_in_time(site),
    }


def _ends_in_time(site: Site) -> list[str]:
    """Return options that have a worker hand its work over before its job is killed."""
    if site.time is None:
        return []
    return ["--lifetime", f"{int(0.9 * seconds(site.time))}s", "--lifetime-stagger", "1m"]


def _encrypted(site: Site) -> dict[str, Any]:
    """Return options without which anyone on the network could run code as the user."""
    folder = Path(site.folder or ".").expanduser().absolute() / ".flavorframe-dask"
    make_folder(folder)
    folder.chmod(0o700)
    return {"security": True, "shared_temp_directory": str(folder)}


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options without those that are left to the site's own configuration."""
    return {name: value for name, value in options.items() if value is not None}


def _scaled(cluster: Any, workers: int | None) -> Any:
    if workers is not None:
        cluster.scale(workers)
    return cluster


def _jobqueue() -> Any:
    try:
        import dask_jobqueue
    except ImportError:
        raise RunError(
            "Dask clusters of batch jobs need dask-jobqueue: run pip install 'flavorframe[batch]'."
        ) from None
    return dask_jobqueue
