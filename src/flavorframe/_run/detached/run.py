"""Detached runs: started here, conducted elsewhere, looked after from any process."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flavorframe._files.writing import writing
from flavorframe._run.core.executor import run_options
from flavorframe._run.dask.cluster import lasting_client
from flavorframe._run.delivery.delivery import existing_files
from flavorframe._run.detached.store import Board, DaskBoard, FolderBoard, known_runs, process_of
from flavorframe._run.targets import NAMES, executor_for, is_dask
from flavorframe._travel.user_code import environment, packed, unpacked
from flavorframe.datasets import Dataset
from flavorframe.engines import get_engine
from flavorframe.errors import AnalysisError, FlavorframeError, RunError, did_you_mean

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.result.result import Result, Results

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """What is to be run, and how."""

    analysis: Analysis
    data: Dataset | Mapping[str, Dataset]
    options: dict[str, Any]


class Run:
    """A detached run; it is made by `Analysis.submit` and `flavorframe.attach`."""

    def __init__(self, name: str, board: Board) -> None:
        self.name = name
        self._board = board

    @property
    def status(self) -> str:
        """One of "starting", "running", "finished", "stopped", "failed" and "lost"."""
        state = self._state()
        if state["status"] in ("starting", "running") and not self._board.is_alive():
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
        return starts(self._board)

    def so_far(self) -> Result | None:
        """Return the result so far, marked as partial; ``None`` before there is one."""
        content = self._board.get(Start(self._board, self.starts).key("so_far"))
        return None if content is None else unpacked(content)

    def result(self, timeout: float | None = None) -> Result | Results:
        """Wait for the end of the run and return its result.

        Raises the run's own error where it failed, RunError where what conducted it is lost, and
        TimeoutError after so many seconds.
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
        start = ended(self._board)
        content = None if start is None else self._board.get(start.key("result"))
        if content is None:
            raise RunError(f"run {self.name!r} has no result any more. Submit it anew.")
        found = unpacked(content)
        if isinstance(found, BaseException):
            raise found
        return found  # type: ignore[no-any-return]

    def stop(self) -> None:
        """Ask the run to end early: its result is what was read until then."""
        self._board.put("stop", b"now")

    def forget(self) -> None:
        """Remove all traces of a run that has ended; raises AnalysisError where it has not."""
        try:
            status = self.status
        except RunError:  # what it left is damaged, or of another version
            status = "lost"
        if status in ("starting", "running"):
            raise AnalysisError(f"run {self.name!r} is {status}: stop it first.")
        self._board.clear()

    def _state(self) -> dict[str, Any]:
        return (ended(self._board) or Start(self._board, self.starts)).state()

    def __repr__(self) -> str:
        done = f", {self.events:,} events, {100 * self.fraction:.0f} %" if self.events else ""
        anew = f", start {self.starts} after its worker died" if self.starts > 1 else ""
        return f"Run {self.name!r}: {self.status}{done}{anew}"


def submit(
    analysis: Analysis,
    data: Dataset | Mapping[str, Dataset],
    name: str | None,
    options: dict[str, Any],
) -> Run:
    """Start a detached run; see `flavorframe.Analysis.submit`."""
    if name is None:
        name = f"{getattr(data, 'name', 'datasets')}-{time.strftime('%Y%m%d-%H%M%S')}"
    elif not _NAME.fullmatch(name):
        raise AnalysisError(f"name={name!r}: a run's name has letters, digits, '.', '+', '-', '_'.")
    on = options.get("on")
    _check(options)
    options = {**options, "progress": False}
    if isinstance(data, Mapping):
        data = dict(data.items())  # a catalogue looks its globs up here, not on the cluster
    job = Job(analysis.with_absolute_paths(), data, _absolute(options))
    job.analysis.planned(data, job.options.get("output"))  # what it would raise, it raises now
    if _lives_on_cluster(on):
        return _submit_to_cluster(job, name, on)
    return _submit_process(job, name)


def attach(name: str, *, on: Any = None) -> Run:
    """Return a detached run by its name, from any process.

    ``on`` is the Dask client, cluster or address that it was submitted to; ``None`` for a run of
    this machine. Raises AnalysisError where there is none of that name.
    """
    board: Board = (
        DaskBoard(name, lasting_client(on)) if _lives_on_cluster(on) else FolderBoard(name)
    )
    if not board.exists():
        known = known_runs() if on is None else []
        there = f" There are {', '.join(sorted(known))}." if known else ""
        where = "on this machine" if on is None else f"on {on}"
        raise AnalysisError(f"there is no run {name!r} {where}.{did_you_mean(name, known)}{there}")
    return Run(name, board)


def _lives_on_cluster(on: Any) -> bool:
    return on is not None and is_dask(on) and on not in NAMES


def _check(options: Mapping[str, Any]) -> None:
    """Raise now what would be raised later, out of sight."""
    for option in ("on_update", "should_stop"):
        if option in options:
            raise AnalysisError(
                f"{option}= needs this process: a detached run is asked by ff.attach(name), which "
                "has so_far() and stop()."
            )
    if options.get("progress"):
        raise AnalysisError(
            "progress= has nowhere to be shown: a detached run is asked by ff.attach(name), which "
            "has fraction and so_far()."
        )
    rest = {k: v for k, v in options.items() if k not in ("on", "engine", "cache", "output")}
    engine = get_engine(options.get("engine", "columnar"), options.get("cache"))
    executor_for(options.get("on"), engine, run_options(rest), options.get("cache"))


def _absolute(options: dict[str, Any]) -> dict[str, Any]:
    paths = ("output", "performance_report")
    absolute = {k: os.path.abspath(v) if k in paths and v else v for k, v in options.items()}
    if isinstance(options.get("cache"), str | os.PathLike):
        absolute["cache"] = os.path.abspath(options["cache"])
    if "files" in options:
        absolute["files"] = existing_files(options["files"])
    return absolute


def _claim(name: str, board: Board, job: bytes) -> None:
    if not board.claim(job):
        raise AnalysisError(
            f"there is a run {name!r} already: give another name, or remove it with "
            f"ff.attach({name!r}, ...).forget()."
        )


def _submit_process(job: Job, name: str) -> Run:
    board = FolderBoard(name)
    _claim(name, board, packed(job))
    try:
        _start_process(board, name)
    except BaseException:
        board.clear()
        raise
    return Run(name, board)


def _start_process(board: FolderBoard, name: str) -> None:
    import psutil

    command = [sys.executable, "-m", "flavorframe._run.detached", name]
    with writing(board.folder / "log"), (board.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays
    try:
        board.put("process", process_of(process.pid))
    except psutil.NoSuchProcess:  # it has ended by now
        board.put("process", b"0 0")
    except BaseException:
        process.kill()
        raise


def _submit_to_cluster(job: Job, name: str, on: Any) -> Run:
    board = DaskBoard(name, lasting_client(on))
    content = packed(replace(job, options={k: v for k, v in job.options.items() if k != "on"}))
    _claim(name, board, content)
    future = board.client.submit(
        _conduct_on_cluster, name, content, environment(), key=board.key, pure=False
    )
    board.client.publish_dataset(future, name=board.key)
    return Run(name, board)


def _conduct_on_cluster(name: str, content: bytes, wanted: Mapping[str, str]) -> None:
    """Conduct a run from a task: its thread goes to the partitions meanwhile."""
    from distributed import worker_client

    with worker_client() as client:
        board = DaskBoard(name, client)
        board.put("process", str(os.getpid()).encode())
        conduct(board, lambda: _same_here(content, wanted), on=client)


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


ENDS = ("finished", "stopped", "failed")


class SupersededError(Exception):
    """The run was begun anew elsewhere, as this process gave no sign of life."""


@dataclass(frozen=True)
class Start:
    """A start of a run, by its number: what it says is kept apart from what others say."""

    board: Board
    number: int

    def key(self, name: str) -> str:
        """Return the name under which this start leaves word."""
        return name if self.number < 2 else f"{name}-{self.number}"

    def state(self) -> dict[str, Any]:
        """Return what the start last said of itself."""
        content = self.board.get(self.key("state"))
        state: dict[str, Any] = {"status": "starting"} if content is None else json.loads(content)
        return state

    def require_latest(self) -> None:
        """Raise SupersededError where there was another start since, or one has ended."""
        if starts(self.board) > self.number or ended(self.board) is not None:
            raise SupersededError

    def tell(self, status: str, result: Result | None = None) -> None:
        """Leave word of how the run stands."""
        state: dict[str, Any] = {"status": status, "time": time.time()}
        if result is not None:
            state |= {"events": result.events, "fraction": result.fraction}
        self.board.put(self.key("state"), json.dumps(state).encode())

    def end(self, status: str, content: bytes, result: Result | None = None) -> None:
        """Leave the result, or the error; where there is no room for it, say so instead."""
        self.require_latest()
        try:
            self.board.put(self.key("result"), content)
            self.tell(status, result)
        except RunError as error:
            self.board.make_room()
            lost = RunError(
                f"the run ended, but its result could not be kept: {error} Make room there, or "
                "have it saved elsewhere with output=, and submit the run anew."
            )
            self.board.put(self.key("result"), packed(lost))
            self.tell("failed")


def starts(board: Board) -> int:
    """Return how often a run has begun."""
    return int(board.get("starts") or 0)


def ended(board: Board) -> Start | None:
    """Return the start that has ended, if one has; of several the last."""
    for number in range(max(starts(board), 1), 0, -1):
        start = Start(board, number)
        if start.state()["status"] in ENDS:
            return start
    return None


def conduct(board: Board, job_of: Callable[[], Job], **options: Any) -> None:
    """Do a job, and leave word on the board."""
    start = Start(board, starts(board) + 1)
    try:
        _conduct(start, job_of, options)
    except SupersededError:
        print("this run was begun anew elsewhere, and is left to that")


def _conduct(start: Start, job_of: Callable[[], Job], options: Mapping[str, Any]) -> None:
    board = start.board

    def update(result: Result) -> None:
        start.require_latest()
        with _news():
            start.tell("running", result)
            board.put(start.key("so_far"), packed(replace(result, unfinished=None)))

    def should_stop() -> bool:
        start.require_latest()
        return board.get("stop") is not None

    try:
        board.put("starts", str(start.number).encode())
        start.tell("running")
        job = job_of()
        more = {**job.options, **options, "on_update": update, "should_stop": should_stop}
        result = job.analysis.run(job.data, **more)
    except SupersededError:
        raise
    except Exception as error:
        traceback.print_exc()
        start.end("failed", _packed_error(error))
        return
    stopped = any(r.stopped for r in _each(result))
    start.end("stopped" if stopped else "finished", packed(result), _each(result)[-1])


@contextlib.contextmanager
def _news() -> Iterator[None]:
    """Let the run go on where there is no room for news of it."""
    try:
        yield
    except RunError as error:
        print(error, file=sys.stderr)


def _each(result: Result | Results) -> list[Result]:
    return list(result.values()) if isinstance(result, Mapping) else [result]


def _packed_error(error: Exception) -> bytes:
    """Return an error of ours as it is, and others as text: their classes may be elsewhere."""
    if isinstance(error, FlavorframeError):
        return packed(error)
    return packed(RunError(f"the run failed: {type(error).__name__}: {error}"))
