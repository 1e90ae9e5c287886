"""Types for the parts of Dask's clients, schedulers and futures that are used: Dask has none."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

Question = Callable[..., Any]
"""A call that the scheduler answers over the network."""


class Loop(Protocol):
    """The event loop of a client."""

    asyncio_loop: AbstractEventLoop


class Scheduler(Protocol):
    """A client's connection to its scheduler."""

    address: str
    ncores: Question
    identity: Question
    processing: Question
    has_what: Question
    broadcast: Question
    register_worker_plugin: Question
    unregister_worker_plugin: Question


class DaskFuture(Protocol):
    """A task that was submitted."""

    key: object
    status: str

    def add_done_callback(self, call: Callable[[DaskFuture], object]) -> None:
        """Have a function called when the task is done, or lost."""

    def exception(self) -> BaseException:
        """Return what the task raised."""

    def traceback(self) -> TracebackType:
        """Return where the task raised it."""


class DaskClient(Protocol):
    """A synchronous `distributed.Client`."""

    id: str
    status: str
    dashboard_link: str
    loop: Loop
    scheduler: Scheduler

    def map(
        self,
        function: Callable[..., Any],
        items: Sequence[Any],
        *,
        key: Sequence[object],
        priority: float,
        pure: bool,
        workers: Sequence[str] | None,
    ) -> list[DaskFuture]:
        """Submit a task for each of the items."""

    def gather(self, futures: Sequence[DaskFuture], **options: Any) -> Any:
        """Fetch the results of tasks."""

    def cancel(self, futures: Iterable[DaskFuture], *, force: bool) -> None:
        """Drop tasks."""

    def sync(self, question: Question, **options: Any) -> Any:
        """Ask the scheduler, and wait for the answer."""

    def run(self, function: Callable[..., Any], *, workers: Sequence[str]) -> Mapping[str, Any]:
        """Call a function on workers."""

    def run_on_scheduler(self, function: Callable[..., Any]) -> Any:
        """Call a function on the scheduler."""

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        """Return what the scheduler knows of its workers."""

    def unregister_worker_plugin(self, name: str) -> object:
        """Take a plugin away from all workers."""

    def as_current(self) -> AbstractContextManager[object]:
        """Make it the client that Dask's own functions use."""

    def close(self, timeout: float) -> None:
        """Disconnect."""
