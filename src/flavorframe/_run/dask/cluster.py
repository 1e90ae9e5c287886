"""Dask clients and clusters: from what the user names to a client, and its threads."""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from flavorframe._run.core.threads import available_cores
from flavorframe._run.dask.protocols import DaskClient, Question
from flavorframe._run.dask.requirement import require_dask
from flavorframe._shipping.user_code import environment
from flavorframe.errors import AnalysisError, RunError

if TYPE_CHECKING:
    from distributed import WorkerPlugin

SECONDS = 5
"""How long a scheduler may take to answer a small question."""
REGISTER_SECONDS = 60.0
"""How long workers may take to set a plugin up: importing everything may be slow."""
ATTEMPTS = 5
"""How often a plugin is registered at most, where workers die meanwhile."""


@contextlib.contextmanager
def client_for(on: Any, threads: int | None) -> Iterator[DaskClient]:
    """Yield a client of the cluster; whatever is started for it is closed at the end.

    Raises RunError where Dask is not installed or no scheduler answers, and AnalysisError for an
    asynchronous client.
    """
    require_dask()
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
    """The client of what the user named: made when first asked for, and kept until it is closed.

    Raises RunError where Dask is not installed.
    """

    def __init__(self, on: Any, threads: int | None) -> None:
        require_dask()
        self._on, self._threads = on, threads
        self._client: DaskClient | None = None
        self._opened = contextlib.ExitStack()

    @property
    def client(self) -> DaskClient:
        """The client; see `client_for`."""
        if self._client is None:
            self._client = self._opened.enter_context(client_for(self._on, self._threads))
        return self._client

    def close(self) -> None:
        """Close what was started; the client that the user gave stays as it is."""
        self._client = None
        self._opened.close()


_lasting: dict[str, DaskClient] = {}


def lasting_client(on: Any) -> DaskClient:
    """Return a client that stays as long as the session does; one for each address."""
    require_dask()
    if not isinstance(on, str):
        return _connected(on)
    if on not in _lasting or _lasting[on].status != "running":
        _lasting[on] = _connected(on)
    return _lasting[on]


def _own_cluster(threads: int | None) -> AbstractContextManager[object]:
    from distributed import LocalCluster

    # The dashboard, which asks nobody who he is, would listen at all addresses otherwise.
    cluster: AbstractContextManager[object] = LocalCluster(
        n_workers=threads or available_cores(),
        threads_per_worker=1,
        dashboard_address="127.0.0.1:8787",
    )
    return cluster


@contextlib.contextmanager
def _gateway_cluster() -> Iterator[object]:
    try:
        from dask_gateway import GatewayCluster
    except ImportError:
        raise RunError(
            "on='gateway' needs dask-gateway: run pip install 'flavorframe[gateway]'."
        ) from None
    try:
        cluster = GatewayCluster(shutdown_on_close=True, loop=_lasting_loop())
    except Exception as error:  # refused, or whatever the connection to the server raises
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


def _connected(on: Any) -> DaskClient:
    """Return the client that a user gave, or a new one of the cluster or the address."""
    if not hasattr(on, "submit"):
        return _new_client(on)
    if on.asynchronous:
        raise AnalysisError(
            "on= got an asynchronous Dask client: make one with asynchronous=False."
        )
    given: DaskClient = on
    return given


def _new_client(on: Any) -> DaskClient:
    from distributed import Client

    try:
        client: DaskClient = Client(on, set_as_default=False)
    except (OSError, TimeoutError) as error:
        address = getattr(on, "scheduler_address", on)
        raise RunError(
            f"no Dask scheduler answers at {address}: {error}. Is it running, and can this machine "
            "reach it?"
        ) from None
    return client


def same_version_plugin(name: str, module: str, content: bytes) -> WorkerPlugin:
    """Return the plugin that gives the content to workers with the versions of this process."""
    from flavorframe._run.dask import worker_plugin

    text = inspect.getsource(worker_plugin)
    return worker_plugin.SameVersionPlugin(text, name, environment(), module, content)


def register(client: DaskClient, plugin: WorkerPlugin, name: str) -> dict[str, str]:
    """Register a worker plugin; return the workers that raised an error, with its text.

    It is registered again where a worker dies meanwhile. A worker that does not answer in time is
    not waited for: it gets the plugin as soon as it goes on. Raises RunError where the scheduler is
    lost.
    """
    from distributed.protocol.pickle import dumps

    content = dumps(plugin)
    for left in reversed(range(ATTEMPTS)):
        try:
            answers = ask(
                client, client.scheduler.register_worker_plugin, REGISTER_SECONDS,
                plugin=content, name=name, idempotent=False,
            )  # fmt: skip
        except TimeoutError:
            return {}
        except OSError as error:
            if not left or client.status != "running":
                raise RunError(
                    f"the scheduler {client.scheduler.address} was lost before the run: {error}."
                ) from error
            time.sleep(1)  # until the scheduler knows
            continue
        errors = {w: a for w, a in answers.items() if a["status"] == "error"}
        return {worker: _raised(answer) for worker, answer in errors.items()}
    return {}


def _raised(answer: dict[str, Any]) -> str:
    from distributed.core import clean_exception

    return str(clean_exception(answer["exception"], answer["traceback"])[1])


def unregister(client: DaskClient, name: str) -> None:
    """Take a worker plugin away, wherever it can be; wait for no worker that hangs."""
    if client.status == "running":
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone by now
            ask(client, client.scheduler.unregister_worker_plugin, name=name)


def ask(client: DaskClient, question: Question, seconds: float | None = None, **more: Any) -> Any:
    """Return the scheduler's answer; raises TimeoutError where it takes longer."""
    return client.sync(question, callback_timeout=seconds or SECONDS, **more)


def threads_of(client: DaskClient) -> dict[str, int]:
    """Return how many threads each worker has; raises OSError where the scheduler is gone."""
    try:
        threads: dict[str, int] = ask(client, client.scheduler.ncores)
    except TimeoutError as error:
        raise OSError(f"no answer in {SECONDS} s") from error
    return threads


def last_seen(client: DaskClient) -> dict[str, float]:
    """Return when the scheduler last heard of each worker; raises OSError where it is gone."""
    try:
        known = ask(client, client.scheduler.identity, n_workers=-1)["workers"]
    except TimeoutError as error:
        raise OSError(f"no answer in {SECONDS} s") from error
    return {address: worker["last_seen"] for address, worker in known.items()}
