"""Dask clients and clusters: from what the user names to a client, and its threads."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from typing import Any

from flavorframe.errors import AnalysisError, RunError
from flavorframe.run.local import available_cores

SECONDS = 5
"""How long a scheduler may take to answer a small question."""
ATTEMPTS = 5
"""How often workers are told of something at most, where some of them die meanwhile."""


@contextlib.contextmanager
def client_for(on: Any, threads: int | None) -> Iterator[Any]:
    """Yield a client of the cluster; what was started for it is closed at the end.

    Raises RunError where nobody answers, and AnalysisError for an asynchronous client.
    """
    with contextlib.ExitStack() as stack:
        if on == "dask":
            on = stack.enter_context(_own_cluster(threads))
        elif on == "gateway":
            on = stack.enter_context(_gateway_cluster())
        client = _connected(on)
        if client is not on:
            stack.callback(client.close, timeout=SECONDS)
        yield client


class Connection:
    """The client of what the user named: made when first asked for, and kept until it is closed."""

    def __init__(self, on: Any, threads: int | None) -> None:
        self._on, self._threads = on, threads
        self._client: Any = None
        self._opened = contextlib.ExitStack()

    @property
    def client(self) -> Any:
        """The client; see `client_for`."""
        if self._client is None:
            self._client = self._opened.enter_context(client_for(self._on, self._threads))
        return self._client

    def close(self) -> None:
        """Close what was started; the client that the user gave stays as it is."""
        self._client = None
        self._opened.close()


_lasting: dict[str, Any] = {}


def lasting_client(on: Any) -> Any:
    """Return a client that stays as long as the session does; one for each address."""
    if not isinstance(on, str):
        return _connected(on)
    if on not in _lasting or _lasting[on].status != "running":
        _lasting[on] = _connected(on)
    return _lasting[on]


def _own_cluster(threads: int | None) -> Any:
    from distributed import LocalCluster

    return LocalCluster(n_workers=threads or available_cores(), threads_per_worker=1)


@contextlib.contextmanager
def _gateway_cluster() -> Iterator[Any]:
    try:
        from dask_gateway import GatewayCluster
    except ImportError:
        raise RunError(
            "on='gateway' needs dask-gateway: run pip install 'flavorframe[gateway]'."
        ) from None
    try:
        cluster = GatewayCluster(shutdown_on_close=True, loop=_lasting_loop())
    except Exception as error:  # as refused, or whatever the way to the server gives
        raise RunError(f"Dask Gateway made no cluster: {error}") from error
    with cluster:
        cluster.adapt(minimum=1)
        yield cluster


@functools.cache
def _lasting_loop() -> Any:
    """Return an event loop that runs as long as the session.

    dask-gateway's client uses its loop when it is deleted, and complains if that has stopped.
    """
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    runner.start()
    return runner.loop


def _connected(on: Any) -> Any:
    """Return the client that a user gave, or a new one of the cluster or the address."""
    if not hasattr(on, "submit"):
        return _new_client(on)
    if on.asynchronous:
        raise AnalysisError(
            "on= got an asynchronous Dask client: make one with asynchronous=False."
        )
    return on


def _new_client(on: Any) -> Any:
    from distributed import Client

    try:
        return Client(on, set_as_default=False)
    except (OSError, TimeoutError) as error:
        address = getattr(on, "scheduler_address", on)
        raise RunError(
            f"no Dask scheduler answers at {address}: {error}. Is it running, and can this machine "
            "reach it?"
        ) from None


def register(client: Any, plugin: Any, name: str) -> None:
    """Register a worker plugin; again, where a worker died in the middle of it."""
    for left in reversed(range(ATTEMPTS)):
        try:
            client.register_plugin(plugin, name=name)
            return
        except OSError:
            if not left or client.status != "running":
                raise
            time.sleep(1)  # until the scheduler knows


def count_threads(client: Any) -> int:
    """Return how many threads the workers have now; raises OSError where the scheduler is gone."""
    try:
        threads: dict[str, int] = client.sync(client.scheduler.ncores, callback_timeout=SECONDS)
    except TimeoutError as error:
        raise OSError(f"no answer in {SECONDS} s") from error
    return sum(threads.values())
