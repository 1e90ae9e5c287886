"""HTCondor: a cluster of jobs by condor_submit or the bindings, followed by the job event log."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flavorframe._run.batch.commands import command
from flavorframe._run.batch.folder import RunFolder, part_name
from flavorframe._run.batch.job_files import present
from flavorframe._run.batch.request import mebibytes, seconds
from flavorframe._run.batch.states import State
from flavorframe._run.batch.system import BatchSystem
from flavorframe._run.delivery.work_folder import PROXY
from flavorframe.errors import AnalysisError, RunError, did_you_mean

FLAVOURS = (
    "espresso", "microcentury", "longlunch", "workday", "tomorrow", "testmatch", "nextweek",
)  # fmt: skip
"""CERN's classes of run time: 20 min, 1 h, 2 h, 8 h, 1 d, 3 d, 1 w (batchdocs.web.cern.ch)."""

_EXPRESSIONS = re.compile(r"\+.+|MY\..+|requirements|rank|periodic_\w+|on_exit_\w+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, repr=False)
class HTCondor(BatchSystem):
    """HTCondor, with files carried to the jobs and back.

    Args:
        cores: Cores of a job.
        memory: Memory of a job, with a unit: "2GB".
        time: Longest time that a job may take, hours:minutes:seconds: "02:00:00";
            it becomes ``MaxRuntime``.
        jobs: Number of jobs; by default one a file, up to 100.
        setup: A line of shell, or several, that a job runs first.
        python: The Python that a job runs; by default the one that runs now.
        folder: Folder below which each run has one of its own; by default ``flavorframe-runs``.
        options: Commands of the submit description, such as
            ``{"requirements": '(OpSysAndVer =?= "AlmaLinux9")'}``.
        disk: What a job may write, with a unit: "2GB".
        flavour: CERN's class of run time, such as "longlunch".
        shared_filesystem: Jobs read and write the folder of the run; no file is carried.

    Raises:
        AnalysisError: A size, a time or a number cannot be read, or CERN has no such flavour.

    Example:
        >>> HTCondor(memory="4GB", flavour="longlunch", jobs=20)
        HTCondor(flavour='longlunch', memory='4GB', jobs=20)
    """

    disk: str = "2GB"
    flavour: str | None = None
    shared_filesystem: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        mebibytes("disk", self.disk)
        if self.flavour is not None and self.flavour not in FLAVOURS:
            raise AnalysisError(
                f"flavour={self.flavour!r} is none of CERN's: {', '.join(FLAVOURS)}."
                f"{did_you_mean(self.flavour, FLAVOURS)}"
            )

    def require(self) -> None:
        """Raise RunError where there is no way to submit, or to follow what was submitted."""
        _bindings()
        if shutil.which("condor_submit") is None:
            _schedd()

    def script(self, folder: RunFolder) -> str:
        """Return the job script: it is given the run's folder, the job's number and its part."""
        there = [f"cd {shlex.quote(os.getcwd())}"] if self.shared_filesystem else []
        run = self.python_command('"$1"', '"$2"', '"$3"')
        return "\n".join(["#!/bin/bash", "exec 2>&1", *there, *self.setup_lines, run, ""])

    def description(self, folder: RunFolder, numbers: Sequence[int]) -> str:
        """Return the submit description of these jobs.

        Raises AnalysisError for one of ``options`` that is no expression of HTCondor.
        """
        part = part_name("$(number)")
        asked = {
            "batch_name": _literal(f"flavorframe {folder.path.name}"),
            "executable": _literal(str(folder.path / "job.sh")),
            "initialdir": _literal(str(folder.path)),
            "output": "logs/$(ClusterId).$(ProcId).log",
            "log": "events.log",
            "request_cpus": str(self.cores),
            "request_memory": f"{mebibytes('memory', self.memory)}MB",
            "request_disk": f"{mebibytes('disk', self.disk)}MB",
            "max_retries": str(folder.work.retries),
            **self._files(folder, part),
            **self.run_time(),
            **self.checked_options(),
        }
        lines = [f"{name} = {value}" for name, value in asked.items()]
        table = [f"{number:05d}" for number in numbers]
        return "\n".join([*lines, "queue number from (", *table, ")", ""])

    def _files(self, folder: RunFolder, part: str) -> dict[str, str]:
        if self.shared_filesystem:
            here = _literal(str(folder.path))
            return {
                "arguments": _arguments(here, "$(number)", f"{here}/parts/{part}"),
                "should_transfer_files": "NO",
            }
        carried = ["run.json", "work.pickle", *present(folder.path, proxy=False)]
        return {
            "arguments": _arguments(".", "$(number)", part),
            **self._proxy(folder),
            "should_transfer_files": "YES",
            "transfer_input_files": ", ".join(carried),
            "transfer_output_files": part,
            "transfer_output_remaps": f'"{part} = parts/{part}"',
            # A job without a part would be held, were its part looked for.
            "when_to_transfer_output": "ON_SUCCESS",
            "success_exit_code": "0",
        }

    def _proxy(self, folder: RunFolder) -> dict[str, str]:
        """Return what has HTCondor carry the proxy itself, as it knows how to renew it."""
        proxy = folder.path / PROXY
        if not proxy.exists():
            return {}
        return {"use_x509userproxy": "True", "x509userproxy": _literal(str(proxy))}

    def run_time(self) -> dict[str, str]:
        """Return how a submit description tells how long a job may run."""
        asked = {} if self.flavour is None else {"+JobFlavour": f'"{self.flavour}"'}
        return asked if self.time is None else {**asked, "+MaxRuntime": str(seconds(self.time))}

    def checked_options(self) -> dict[str, str]:
        """Return ``options``; raises AnalysisError for one that is no expression of HTCondor."""
        for name, text in self.options.items():
            if _EXPRESSIONS.fullmatch(name):
                _require_expression(name, text)
        return dict(self.options)

    def submit(self, folder: RunFolder, numbers: Sequence[int]) -> None:
        """Submit jobs as one cluster."""
        script = folder.path / "job.sh"
        script.write_text(self.script(folder), "utf-8")
        script.chmod(0o700)
        description = folder.path / "job.sub"
        description.write_text(self.description(folder, numbers), "utf-8")
        if shutil.which("condor_submit") is None:
            cluster = _submit_by_bindings(description.read_text("utf-8"))
        else:
            said = command("condor_submit", "-terse", description.name, folder=folder.path)
            cluster = _cluster_in(said)
        folder.add_submission([(number, f"{cluster}.{i}") for i, number in enumerate(numbers)])

    def states(self, folder: RunFolder, job_ids: Iterable[str]) -> dict[str, State]:
        """Return how attempts stand, by the run's job event log."""
        from flavorframe._run.batch.event_log import read_states

        return read_states(folder.path / "events.log")

    def cancel(self, job_ids: Iterable[str]) -> None:
        """Remove attempts from the queue."""
        if shutil.which("condor_rm") is None:
            _schedd().act(_bindings().JobAction.Remove, list(job_ids))
        else:
            command("condor_rm", *job_ids)

    def cluster(self, workers: int | None = None, **options: Any) -> Any:
        """Return a Dask cluster whose workers are HTCondor jobs, for ``analysis.run``'s ``on=``.

        ``workers`` are asked for at once; ``options`` go to `dask_jobqueue.HTCondorCluster`. Use it
        in a ``with`` block, so that the jobs end with it.
        """
        from flavorframe._run.batch.dask_cluster import dask_cluster

        asked = {
            "disk": f"{mebibytes('disk', self.disk)}MiB",
            "job_extra_directives": {**self.run_time(), **self.checked_options()},
        }
        settings, shared = {**asked, **options}, self.shared_filesystem
        return dask_cluster(self, "HTCondorCluster", settings, workers, encrypted=shared)


def _cluster_in(said: str) -> int:
    """Return the cluster's number from what ``condor_submit -terse`` says: first and last job."""
    match = re.search(r"^\s*(\d+)\.\d+ - \d+\.\d+", said, re.MULTILINE)
    if match is None:
        raise RunError(f"condor_submit gave no number of a cluster, but said: {said.strip()}")
    return int(match[1])


def _literal(text: str) -> str:
    """Return text as a submit description holds it, so that no macro is seen in it."""
    return text.replace("$", "$(DOLLAR)")


def _arguments(*arguments: str) -> str:
    """Return arguments in the quoting of submit descriptions; macros in them are meant."""
    doubled = (argument.replace("'", "''").replace('"', '""') for argument in arguments)
    return '"' + " ".join(f"'{argument}'" for argument in doubled) + '"'


def _bindings() -> Any:
    try:
        import htcondor2
    except ImportError:
        raise RunError(
            "HTCondor is followed with its Python bindings: run pip install 'flavorframe[batch]'."
        ) from None
    return htcondor2


def _schedd() -> Any:
    htcondor2 = _bindings()
    try:
        return htcondor2.Schedd()
    except htcondor2.HTCondorException as error:
        raise RunError(
            f"HTCondor cannot be reached from this machine: there is no condor_submit on the PATH, "
            f"and the bindings say: {error} Submit from a login node of the site."
        ) from None


def _submit_by_bindings(description: str) -> int:
    htcondor2 = _bindings()
    try:
        return int(_schedd().submit(htcondor2.Submit(description)).cluster())
    except htcondor2.HTCondorException as error:
        raise RunError(f"HTCondor refused: {error}") from None


def _require_expression(name: str, text: str) -> None:
    try:
        import classad2
    except ImportError:
        return
    try:
        classad2.ExprTree(text)
    except classad2.ClassAdException:
        raise AnalysisError(
            f"options[{name!r}]: {text} is not an expression of HTCondor; texts in it stand in "
            f"double quotes."
        ) from None
