"""Detached runs, as the user sees them from any process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flavorframe._run.dask.cluster import lasting_client
from flavorframe._run.detached.conduct import Start, ended, starts
from flavorframe._run.detached.dask_store import DaskStore
from flavorframe._run.detached.folder_store import FolderStore, known_runs
from flavorframe._run.detached.store import RunStore
from flavorframe._run.targets import NAMES, is_dask
from flavorframe._shipping.user_code import unpacked
from flavorframe.errors import AnalysisError, RunError, did_you_mean

if TYPE_CHECKING:
    from flavorframe._run.core.options import Target
    from flavorframe.result import Result, Results

POLL_SECONDS = 0.2


class Run:
    """A detached run; it is made by `Analysis.submit` and `flavorframe.attach`."""

    def __init__(self, name: str, store: RunStore) -> None:
        self.name = name
        self._store = store

    @property
    def status(self) -> str:
        """One of "starting", "running", "finished", "stopped", "failed" and "lost"."""
        state = self._state()
        if state["status"] in ("starting", "running") and not self._store.is_alive():
            state = self._state()  # it may have finished in between
            return "lost" if state["status"] in ("starting", "running") else str(state["status"])
        return str(state["status"])

    @property
    def fraction(self) -> float:
        """The fraction of the data that has been read; of the dataset at hand, of several."""
        return float(self._state().get("fraction", 0.0))

    @property
    def events(self) -> int:
        """How many events have been read; of the dataset at hand, where there are several."""
        return int(self._state().get("events", 0))

    @property
    def starts(self) -> int:
        """How often the run has begun: more than once where the worker that conducts it died."""
        return starts(self._store)

    def so_far(self) -> Result | None:
        """Return the result so far, marked as partial; ``None`` before there is one."""
        content = self._store.get(Start(self._store, self.starts).key("so_far"))
        return None if content is None else unpacked(content)

    def result(self, timeout: float | None = None) -> Result | Results:
        """Wait for the end of the run and return its result.

        Args:
            timeout: Longest time to wait [s]; ``None`` waits for ever.

        Returns:
            The result, or for several datasets the results by name.

        Raises:
            FlavorframeError: The run failed; it is the run's own error.
            RunError: The process that conducted the run was killed.
            TimeoutError: The run has not ended in that time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.status) in ("starting", "running"):
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"run {self.name!r} is still {status} after {timeout:g} s.")
            time.sleep(POLL_SECONDS)
        if status == "lost":
            raise RunError(
                f"run {self.name!r} is lost: what conducted it was killed. Submit it anew."
            )
        start = ended(self._store)
        content = None if start is None else self._store.get(start.key("result"))
        if content is None:
            raise RunError(f"run {self.name!r} has no result any more. Submit it anew.")
        found = unpacked(content)
        if isinstance(found, BaseException):
            raise found
        return found  # type: ignore[no-any-return]

    def stop(self) -> None:
        """Ask the run to end early: its result is what was read until then."""
        self._store.put("stop", b"now")

    def forget(self) -> None:
        """Remove all traces of a run that has ended; raises AnalysisError where it has not."""
        try:
            status = self.status
        except RunError:  # what it left is damaged, or of another version
            status = "lost"
        if status in ("starting", "running"):
            raise AnalysisError(f"run {self.name!r} is {status}: stop it first.")
        self._store.clear()

    def _state(self) -> dict[str, Any]:
        return (ended(self._store) or Start(self._store, self.starts)).state()

    def __repr__(self) -> str:
        done = f", {self.events:,} events, {100 * self.fraction:.0f} %" if self.events else ""
        anew = f", start {self.starts} after its worker died" if self.starts > 1 else ""
        return f"Run {self.name!r}: {self.status}{done}{anew}"


def attach(name: str, *, on: Target = None) -> Run:
    """Return a detached run by its name, from any process.

    Args:
        name: What the run is called.
        on: The Dask client, cluster or address that it was submitted to; ``None`` for a run of
            this machine.

    Returns:
        The run.

    Raises:
        AnalysisError: There is no run of that name.

    Example:
        >>> ff.attach("2017").result(timeout=600)  # doctest: +SKIP
    """
    store: RunStore = (
        DaskStore(name, lasting_client(on)) if lives_on_cluster(on) else FolderStore(name)
    )
    if not store.exists():
        known = known_runs() if on is None else []
        there = f" There are {', '.join(sorted(known))}." if known else ""
        where = "on this machine" if on is None else f"on {on}"
        raise AnalysisError(f"there is no run {name!r} {where}.{did_you_mean(name, known)}{there}")
    return Run(name, store)


def lives_on_cluster(on: Target) -> bool:
    """Return whether a run submitted to a target is conducted by a Dask cluster."""
    return on is not None and is_dask(on) and on not in NAMES
