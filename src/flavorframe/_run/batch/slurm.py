"""Slurm: array jobs by sbatch, followed by squeue; accounting need not be on."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flavorframe._run.batch.commands import command, require_commands
from flavorframe._run.batch.folder import RunFolder
from flavorframe._run.batch.request import mebibytes
from flavorframe._run.batch.states import State, UnreachableError
from flavorframe._run.batch.system import BatchSystem
from flavorframe.errors import RunError

ARRAY = 1000
"""Jobs of one array: Slurm allows no more unless told otherwise (MaxArraySize)."""

_WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
_FAILED = {
    "BOOT_FAIL": "its node failed",
    "CANCELLED": "it was cancelled",
    "DEADLINE": "its deadline passed",
    "FAILED": "",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "out of memory",
    "PREEMPTED": "it was preempted",
    "REVOKED": "it was revoked",
    "TIMEOUT": "time limit",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Slurm(BatchSystem):
    """Slurm, by way of a file system that jobs share with this machine.

    Args:
        cores: Cores of a job.
        memory: Memory of a job, with a unit: "2GB".
        time: Longest time that a job may take, hours:minutes:seconds: "02:00:00".
        jobs: Number of jobs; by default one a file, up to 100.
        setup: A line of shell, or several, that a job runs first.
        python: The Python that a job runs; by default the one that runs now.
        folder: Folder below which each run has one of its own; by default ``flavorframe-runs``.
        options: Options of ``sbatch``, such as ``{"constraint": "el9", "exclusive": ""}``.
        partition: Slurm's partition.
        account: Account that the jobs are charged to.
        qos: Quality of service.

    Raises:
        AnalysisError: A size, a time or a number cannot be read.

    Example:
        >>> Slurm(partition="short", memory="4GB", time="01:00:00", jobs=20)
        Slurm(partition='short', memory='4GB', time='01:00:00', jobs=20)
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None

    def require(self) -> None:
        """Raise RunError where Slurm's commands are not on this machine."""
        require_commands("Slurm", "sbatch", "squeue", "scancel")

    def script(self, folder: RunFolder) -> str:
        """Return the job script, which holds the submit description as well."""
        asked = {
            "job-name": f"flavorframe {folder.path.name}",
            "output": str(folder.path).replace("%", "%%") + "/logs/%A_%a.log",
            "open-mode": "append",
            "cpus-per-task": str(self.cores),
            "mem": f"{mebibytes('memory', self.memory)}M",
            "time": self.time,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            **self.options,
        }
        run = self.python_command(shlex.quote(str(folder.path)), '"$flavorframe_job"')
        return "\n".join(
            [
                "#!/bin/bash",
                *(_directive(name, value) for name, value in asked.items() if value is not None),
                "flavorframe_job=$((SLURM_ARRAY_TASK_ID + $1))",
                *self.setup_lines,
                run,
                "",
            ]
        )

    def submit(self, folder: RunFolder, numbers: Sequence[int]) -> None:
        """Submit jobs as an array, or as several where their numbers go beyond a thousand."""
        script = folder.path / "job.sh"
        script.write_text(self.script(folder), "utf-8")
        for thousand, together in groupby(sorted(numbers), key=lambda number: number // ARRAY):
            first, group = thousand * ARRAY, list(together)
            array = ranges([number - first for number in group])
            said = command("sbatch", "--parsable", f"--array={array}", str(script), str(first))
            array_id = said.strip().partition(";")[0]
            folder.add_submission([(number, f"{array_id}_{number - first}") for number in group])

    def states(self, folder: RunFolder, job_ids: Iterable[str]) -> dict[str, State]:
        """Return how attempts stand, as far as the controller knows them still."""
        arrays = ",".join(sorted({job_id.partition("_")[0] for job_id in job_ids}))
        asked = ("--array", "--noheader", "--states=all", "--format=%F_%K|%T|%r")
        try:
            lines = command("squeue", *asked, f"--jobs={arrays}").splitlines()
        except RunError as error:
            if "Invalid job id" in str(error):
                return {}
            raise UnreachableError(str(error)) from None
        return {job_id: _state(*rest) for job_id, *rest in (line.split("|") for line in lines)}

    def cancel(self, job_ids: Iterable[str]) -> None:
        """Cancel attempts."""
        command("scancel", *job_ids)

    def cluster(self, workers: int | None = None, **options: Any) -> Any:
        """Return a Dask cluster whose workers are Slurm jobs, for ``analysis.run``'s ``on=``.

        ``workers`` are asked for at once; ``options`` go to `dask_jobqueue.SLURMCluster`. Use it in
        a ``with`` block, so that the jobs end with it.
        """
        from flavorframe._run.batch.dask_cluster import dask_cluster

        quality = {} if self.qos is None else {"qos": self.qos}
        more = {**quality, **self.options}
        asked = {
            "queue": self.partition,
            "account": self.account,
            "walltime": self.time,
            "job_extra_directives": [f"--{k}={x}" if x else f"--{k}" for k, x in more.items()],
        }
        settings = {**asked, **options}
        return dask_cluster(self, "SLURMCluster", settings, workers, encrypted=True)


def _directive(name: str, value: str) -> str:
    if not value:
        return f"#SBATCH --{name}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'#SBATCH --{name}="{quoted}"'


def _state(stage: str, reason: str) -> State:
    if stage in _WAITING:
        return State("waiting", reason)
    if stage in _FAILED:
        return State("failed", _FAILED[stage])
    return State("done" if stage == "COMPLETED" else "running")


def ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers as Slurm writes an array.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2,5,7-8'
    """
    return ",".join(_runs(numbers))


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        first, *rest = (number for _, number in run)
        yield f"{first}-{rest[-1]}" if rest else str(first)
