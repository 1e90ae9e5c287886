"""Why a job failed, found in its log and the batch system's answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem


LAST = 20_000
"""How many characters at the end of a log are searched."""

_MEMORY = re.compile(
    r"exceeded (?:job )?memory limit|memory usage exceeded|oom.kill|out.of.memory|MemoryError",
    re.IGNORECASE,
)
_TIME = re.compile(r"time limit|MaxRuntime|wall.?time exceeded", re.IGNORECASE)
_NODE = re.compile(r"node fail", re.IGNORECASE)
_PREEMPTED = re.compile(r"due to preemption|preempted", re.IGNORECASE)
_NO_FLAVORFRAME = re.compile(r"No module named '?flavorframe")
_CANCELLED = re.compile(r"\*\*\* (?:JOB|STEP) .* CANCELLED|it was cancelled")


def explanation(system: BatchSystem, log: str | None, reason: str) -> str:
    """Return why an attempt failed, from its log, if there is one, and the batch system's reason.

    >>> from flavorframe import Slurm
    >>> explanation(Slurm(), "setup.sh: line 3: root-config: command not found", "exit code 1")
    'exit code 1; setup.sh: line 3: root-config: command not found'
    """
    end = (log or "")[-LAST:]
    text = f"{end}\n{reason}"
    asked = "the site allows" if system.time is None else f"the time={system.time!r} asked for"
    known = {
        _MEMORY: f"it needed more than the memory={system.memory!r} asked for",
        _TIME: f"it took longer than {asked}",
        _NO_FLAVORFRAME: "its Python has no flavorframe: name one that has with python=, or "
        "activate it with setup=",
        _NODE: "its node failed",
        _PREEMPTED: "it was preempted",
        _CANCELLED: "it was cancelled",
    }
    for pattern, meaning in known.items():
        if pattern.search(text):
            return meaning
    last = next((line.strip() for line in reversed(end.splitlines()) if line.strip()), "")
    return "; ".join(filter(None, [reason, last])) or _silent(log)


def _silent(log: str | None) -> str:
    if log is None:
        return "it left no log: do the nodes share the file system of the run's folder?"
    return "it ended without a word"
