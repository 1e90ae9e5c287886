"""Delivery of credentials and files to Dask's workers, also to those that join later.

Credentials that the user renews are delivered again. Contents travel as the state of a worker
plugin, over the cluster's own connections. The scheduler holds the plugin until the run ends, so
that a worker has the contents before its first task. They are in no task, log or dashboard. Anybody
who can ask the scheduler for them could as well have a worker read them: clusters on machines that
are shared need TLS.
"""

from __future__ import annotations

import contextlib
import pickle
import secrets
import threading
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flavorframe._files.remote.times import span
from flavorframe._run.dask.cluster import ask, register, same_version_plugin, unregister
from flavorframe._run.dask.protocols import DaskClient
from flavorframe._run.delivery.delivery import Delivery, telling_of_strangers
from flavorframe._run.delivery.work_folder import Entry, Payload, WorkFolder, clean, entries
from flavorframe.errors import CredentialError, RunError

WATCH_SECONDS = 5.0
"""How often to look whether the user has renewed the credentials."""
WARN = timedelta(minutes=10)
"""How long before their end to warn."""
NAME = "flavorframe-delivery"
"""What the names of plugins begin with."""


def setup(name: str, worker: str, content: bytes) -> None:
    """Write a payload into the work folder of a worker, where it is until the run ends."""
    WorkFolder.acquire(_run_of(name), pickle.loads(content))


def teardown(name: str, worker: str) -> None:
    """Remove what was written."""
    WorkFolder.release(_run_of(name))


def _run_of(name: str) -> str:
    return name.split(" ")[2]


@contextlib.contextmanager
def delivered(client: DaskClient, delivery: Delivery) -> Iterator[None]:
    """Deliver to the workers of a client in the block, and renew what has changed.

    Raises RunError where a worker has no place for it.
    """
    if not delivery:
        yield
        return
    with delivery.here(), WorkerDelivery(client, delivery):
        yield


class WorkerDelivery:
    """A delivery to the workers of a client; used as a context."""

    def __init__(self, client: DaskClient, delivery: Delivery) -> None:
        self._client = client
        self._delivery = delivery
        self._run = secrets.token_hex(4)
        self._payload = delivery.payload()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._keep_fresh, daemon=True)

    def __enter__(self) -> None:
        self._register()
        if self._delivery.credentials:
            self._watch.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._watch.ident is not None:
            self._watch.join()
        unregister(self._client, self._name)
        self._clean()

    def _clean(self) -> None:
        """Remove what killed workers left behind; wait for no worker that hangs."""
        from distributed.protocol.pickle import dumps

        if self._client.status == "running":
            message = {"op": "run", "function": dumps(clean)}
            with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone by now
                ask(self._client, self._client.scheduler.broadcast, msg=message, on_error="ignore")

    @property
    def _name(self) -> str:
        return f"{NAME} {self._client.id} {self._run} {self._payload.version}"

    def _register(self) -> None:
        from flavorframe._run.dask.worker_plugin import OTHER_VERSION

        plugin = same_version_plugin(self._name, __name__, pickle.dumps(self._payload))
        for worker, reason in register(self._client, plugin, self._name).items():
            if not reason.startswith(OTHER_VERSION):  # of another version, it takes no part
                raise RunError(
                    f"worker {worker} cannot take the run's credentials and files: {reason}."
                )

    def _keep_fresh(self) -> None:
        warned, told = False, set[str]()
        while not self._ended.wait(WATCH_SECONDS):
            # A file that is just being written, or a scheduler out of reach: try again next time.
            with (
                contextlib.suppress(CredentialError, OSError, TimeoutError, RunError),
                telling_of_strangers(told),
            ):
                left = self._delivery.current().left
                self._renew()
                warned = _warn_of(left, warned)

    def _renew(self) -> None:
        """Bring the credentials to the workers again where they have changed."""
        contents = {**self._payload.contents, **self._delivery.secrets()}
        if contents == self._payload.contents:
            return
        old, self._payload = self._name, Payload(contents, self._payload.version + 1)
        self._register()  # before the old ones are removed, so that there always are some
        unregister(self._client, old)


def _warn_of(left: timedelta | None, warned: bool) -> bool:
    """Warn once of credentials that end soon; return whether they do."""
    soon = left is not None and left < WARN
    if left is not None and soon and not warned:
        warnings.warn(
            f"the credentials end in {span(left)}, and the run goes on: renew them, and the "
            "workers get the new ones.",
            stacklevel=1,
        )
    return soon


def work_folders_of(client: DaskClient, *, remove: bool = False) -> list[Entry]:
    """Return the folders on the machines of a cluster, or remove and return those left behind.

    With ``remove``, deliveries of clients that have gone are ended first.
    """
    if remove:
        known = client.run_on_scheduler(_abandoned)
        for name in known:
            client.unregister_worker_plugin(name)
    one_each = {worker["host"]: address for address, worker in _workers(client).items()}
    found = client.run(clean if remove else entries, workers=list(one_each.values()))
    return [entry for listed in found.values() for entry in listed]


def _workers(client: DaskClient) -> dict[str, Any]:
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return workers


def _abandoned(dask_scheduler: Any) -> list[str]:
    """Return the names of deliveries whose clients have gone."""
    names = [name for name in dask_scheduler.worker_plugins if name.startswith(NAME)]
    return [name for name in names if name.split(" ")[1] not in dask_scheduler.clients]
