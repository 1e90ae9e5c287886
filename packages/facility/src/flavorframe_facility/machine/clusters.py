"""Dask clusters as processes of one machine, which run as their owner and within limits."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import psutil
from aiohttp import web
from dask_gateway_server import models
from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, Worker
from dask_gateway_server.backends.local import LocalBackend, LocalClusterConfig
from dask_gateway_server.utils import FrozenAttrDict
from traitlets import Dict, Instance, List, Unicode

from flavorframe_facility.gateway import client, headers
from flavorframe_facility.gateway.administration import Administration
from flavorframe_facility.gateway.dashboards import Dashboards
from flavorframe_facility.gateway.heartbeats import require_json_objects, workers_asked_for
from flavorframe_facility.gateway.limits import Rules, Usage
from flavorframe_facility.machine import enter, limits
from flavorframe_facility.machine.accounts import Account, account
from flavorframe_facility.machine.folders import make_folder
from flavorframe_facility.machine.processes import find, send, session
from flavorframe_facility.settings import GB, ClusterLimits, Settings

STOP_TIMEOUT = 5.0
"""Seconds that a process has to end after SIGINT."""

INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")
"""Environment variables of the gateway that schedulers and workers get."""


class ClusterConfig(LocalClusterConfig):  # type: ignore[misc]
    """Configuration of a cluster, with the groups of its owner."""

    owner_groups = List(Unicode())


class MachineBackend(LocalBackend):  # type: ignore[misc]
    """Starts schedulers and workers as the owner of their cluster, and keeps to the limits.

    Each cluster has a folder that root owns, so that no user can replace a file by a link. It holds
    the certificate and the logs, which the owner can read, and a folder for scratch files.
    """

    facility = Instance(Settings, help="Settings of the facility.").tag(config=True)
    rules = Instance(Rules, help="How much clusters may take.").tag(config=True)
    headers = Dict(help="Headers of all that is answered.").tag(config=True)

    async def setup(self, app: web.Application) -> None:
        """Start the backend, and serve the dashboards of clusters."""
        self.facility.stop_clusters.unlink(missing_ok=True)
        await super().setup(app)
        app.middlewares.append(require_json_objects)
        headers.add_to(app, self.headers)
        Administration(self, app["authenticator"]).add_to(app)
        app.router.add_get("/clusters/{name}/{path:.*}", Dashboards(self, app["authenticator"]))

    async def cleanup(self) -> None:
        """End the backend; clusters go on unless the command line asks to stop them."""
        self.stop_clusters_on_shutdown = self.facility.stop_clusters.exists()
        await super().cleanup()

    # Limits

    async def start_cluster(self, user: models.User, cluster_options: dict[str, Any]) -> str:
        """Make a cluster, unless a limit of its owner or of the owner's groups is reached."""
        _, config = await self.process_cluster_options(user, cluster_options)
        new = Usage(
            user.name, frozenset(user.groups), 0, config.worker_cores, int(config.worker_memory)
        )
        reason = self._rules().refusal(new, map(usage_of, self.db.active_clusters()))
        if reason is not None:
            raise PublicException(reason)
        return await super().start_cluster(user, cluster_options)  # type: ignore[no-any-return]

    async def get_cluster(self, cluster_name: str, wait: bool = False) -> models.Cluster | None:
        """Return a cluster, with the number of workers that it may have now."""
        found = await super().get_cluster(cluster_name, wait=wait)
        cluster = self.db.get_cluster(cluster_name)
        if found is not None and cluster is not None and cluster.is_active():
            workers = self._allowed(cluster)
            found.config = FrozenAttrDict({**found.config, "cluster_max_workers": workers})
        return found

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """Update a cluster from its heartbeat, which its owner could forge: it is checked."""
        count = workers_asked_for(msg)
        cluster = self.db.get_cluster(cluster_name)
        if cluster is None:
            return
        for name in ("scheduler_address", "dashboard_address", "api_address"):
            if not _is_here(msg.get(name), self.default_host):
                raise PublicException(f"{name} is not on this machine")
        allowed = self._allowed(cluster)
        if allowed is not None:
            msg = {**msg, "count": min(count, allowed)}
        await super().on_cluster_heartbeat(cluster_name, msg)

    def _allowed(self, cluster: Cluster) -> int | None:
        others = [usage_of(one) for one in self.db.active_clusters() if one is not cluster]
        return self._rules().workers(usage_of(cluster), others)

    def _rules(self) -> Rules:
        """Return the rules, with the memory that servers and schedulers leave to workers."""
        here = limits.left_to_workers(self.facility)
        everybody = self.rules.everybody
        if everybody.memory is not None:
            everybody = ClusterLimits(memory=min(everybody.memory, here // GB))
        return replace(self.rules, everybody=everybody)

    def all_clusters(self) -> list[client.Cluster]:
        """Return the clusters of all users, for administration."""
        return [
            client.Cluster.of(
                one.name, one.username, one.status.name.lower(), one.start_time / 1000,
                len(one.active_workers()), one.config,
            )
            for one in self.db.active_clusters()
        ]  # fmt: skip

    # Processes

    async def do_start_cluster(self, cluster: Cluster) -> AsyncIterator[dict[str, Any]]:
        """Start the scheduler."""
        owner = await asyncio.to_thread(account, self.facility, cluster.username)
        folder = Path(self.clusters_directory) / cluster.name
        yield {"workdir": str(folder)}
        _make_folder(folder, owner, cluster)
        command = self.get_scheduler_command(cluster)
        config = cluster.config
        process = await self._start(
            cluster, "scheduler", command, self.get_scheduler_env(cluster), owner,
            config.scheduler_cores, config.scheduler_memory,
        )  # fmt: skip
        yield {"workdir": str(folder), **process}

    async def do_stop_cluster(self, cluster: Cluster) -> None:
        """Stop the scheduler, and remove the folder of the cluster."""
        await _stop(cluster.state)
        await asyncio.to_thread(limits.end, self.facility, _group(cluster, "scheduler"))
        if "workdir" in cluster.state:
            await asyncio.to_thread(shutil.rmtree, cluster.state["workdir"], ignore_errors=True)

    async def do_check_clusters(self, clusters: list[Cluster]) -> list[bool]:
        """Return which schedulers run."""
        return [_process(cluster.state) is not None for cluster in clusters]

    async def do_start_worker(self, worker: Worker) -> AsyncIterator[dict[str, Any]]:
        """Start a worker."""
        cluster = worker.cluster
        owner = await asyncio.to_thread(account, self.facility, cluster.username)
        command = self.get_worker_command(cluster, worker.name)
        yield await self._start(
            cluster, worker.name, command, self.get_worker_env(cluster), owner,
            cluster.config.worker_cores, cluster.config.worker_memory,
        )  # fmt: skip

    async def do_stop_worker(self, worker: Worker) -> None:
        """Stop a worker and what it started."""
        await _stop(worker.state)
        await asyncio.to_thread(limits.end, self.facility, _group(worker.cluster, worker.name))

    async def do_check_workers(self, workers: list[Worker]) -> list[bool]:
        """Return which workers run."""
        return [_process(worker.state) is not None for worker in workers]

    async def _start(
        self, cluster: Cluster, name: str, command: list[str], environment: dict[str, str],
        owner: Account, cores: float, memory: int,
    ) -> dict[str, Any]:  # fmt: skip
        folder = Path(cluster.state["workdir"])
        environment |= {key: os.environ[key] for key in INHERITED if key in os.environ}
        environment |= {"HOME": str(owner.home), "USER": owner.name, "LOGNAME": owner.name}
        environment["DASK_TEMPORARY_DIRECTORY"] = str(folder / "scratch")
        group = _group(cluster, name)
        start = limits.entry(self.facility, owner, group, cores, int(memory))
        with _owned_file(folder / "logs" / f"{name}.log", owner, 0o600) as log:
            process = await asyncio.create_subprocess_exec(
                *enter.command(start, command), env=environment, cwd="/",
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        return {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}

    def get_tls_paths(self, cluster: Cluster) -> tuple[str, str]:
        """Return the files with certificate and key of a cluster."""
        return certificate_of(cluster)

    def get_scheduler_command(self, cluster: Cluster) -> list[str]:
        """Return how a scheduler is started."""
        preload = "flavorframe_facility.gateway.scheduler"
        return [*super().get_scheduler_command(cluster), "--preload", preload]

    def get_scheduler_env(self, cluster: Cluster) -> dict[str, str]:
        """Return a scheduler's environment, with TLS for its dashboard."""
        certificate, key = self.get_tls_paths(cluster)
        dashboard = "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__TLS__"
        return {
            **super().get_scheduler_env(cluster),
            f"{dashboard}CERT": certificate,
            f"{dashboard}KEY": key,
            f"{dashboard}CA_FILE": certificate,
        }

    def get_worker_command(self, cluster: Cluster, worker_name: str, *options: str) -> list[str]:
        """Return how a worker is started: on loopback, without a dashboard that all could open."""
        here = ("--host", self.default_host, "--no-dashboard")
        return [*super().get_worker_command(cluster, worker_name, *options), *here]

    async def _check_cluster_proxied(self, cluster: Cluster) -> None:
        """Add the scheduler to the proxy; `Dashboards` serves dashboards, to their owner only."""
        if not cluster.added_to_proxies:
            address = cluster.scheduler_address
            await self.proxy.add_route(kind="SNI", sni=cluster.name, target=address)
            cluster.added_to_proxies = True


def _is_here(address: object, host: str) -> bool:
    """Whether the address that a scheduler reports is none, or is on this machine."""
    if address is None or address == "":
        return True
    try:
        return isinstance(address, str) and urlsplit(address).hostname == host
    except ValueError:  # no address at all
        return False


def usage_of(cluster: Cluster) -> Usage:
    """Return what a cluster takes: the workers that run or that it asked for, if these are more."""
    config = cluster.config
    workers = max(cluster.count, len(cluster.active_workers()))
    groups = frozenset(config.get("owner_groups", ()))
    return Usage(cluster.username, groups, workers, config.worker_cores, int(config.worker_memory))


def certificate_of(cluster: Cluster) -> tuple[str, str]:
    """Return the files with certificate and key of a cluster."""
    folder = Path(cluster.state["workdir"]) / "certificate"
    return str(folder / "dask.crt"), str(folder / "dask.pem")


def _make_folder(folder: Path, owner: Account, cluster: Cluster) -> None:
    for path in (folder, folder / "certificate", folder / "logs", folder / "scratch"):
        make_folder(path, 0o711)
    folder.joinpath("scratch").chmod(0o700)
    os.chown(folder / "scratch", owner.uid, owner.gid)
    for name, content in (("dask.crt", cluster.tls_cert), ("dask.pem", cluster.tls_key)):
        with _owned_file(folder / "certificate" / name, owner, 0o400) as file:
            file.write(content)


def _owned_file(path: Path, owner: Account, mode: int) -> BinaryIO:
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
    os.fchown(file.fileno(), owner.uid, owner.gid)
    return file


def _group(cluster: Cluster, name: str) -> str:
    return limits.group_of_cluster(cluster.name, name)


def _process(state: dict[str, Any]) -> psutil.Process | None:
    """Return the process of a scheduler or worker; None if it ended or was never started."""
    return find(state["pid"], state["created"]) if "created" in state else None


async def _stop(state: dict[str, Any]) -> None:
    """Interrupt a process; after the timeout, kill it with all of its session."""
    process = _process(state)
    if process is None:
        return
    family = session(process)
    send(process.pid, process.create_time(), signal.SIGINT)
    until = time.monotonic() + STOP_TIMEOUT
    while _process(state) is not None and time.monotonic() < until:
        await asyncio.sleep(0.05)
    for number, created in family | session(process):
        send(number, created, signal.SIGKILL)
