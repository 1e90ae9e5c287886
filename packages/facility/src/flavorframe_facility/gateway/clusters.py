"""How much Dask clusters may take, and what users choose of a new one, from the settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import psutil
from dask_gateway_server.models import User
from dask_gateway_server.options import Options, Select

from flavorframe_facility.gateway.limits import Rules
from flavorframe_facility.options import too_large
from flavorframe_facility.settings import GB, ClusterLimits, Settings


def rules(settings: Settings) -> Rules:
    """Return the limits of clusters; on one machine, no more than it has.

    Users share the cores of the machine, and wait for each other. Memory cannot be shared so, and
    all clusters together get no more than there is.
    """
    cores, memory = settings.cluster_cores_per_user, settings.cluster_memory_per_user
    everybody = ClusterLimits()
    if settings.backend == "local":
        here = psutil.virtual_memory().total // GB
        cores, memory = min(cores, os.cpu_count() or 1), min(memory, here)
        everybody = ClusterLimits(memory=here)
    user = ClusterLimits(clusters=settings.clusters_per_user, cores=cores, memory=memory)
    return Rules(user, settings.cluster_limits_by_group, everybody)


def options(settings: Settings) -> Options:
    """Return what users choose of a new cluster: cores and memory of a worker, from the lists."""
    missing = too_large(settings)
    cores = [n for n in settings.cores if str(n) not in missing.get("cores", ())]
    memory = [n for n in settings.memory if str(n) not in missing.get("memory", ())]

    def configuration(options: Any, user: User) -> dict[str, Any]:
        return {
            "worker_cores": options.worker_cores,
            "worker_memory": options.worker_memory,
            "owner_groups": list(user.groups),
        }

    return Options(
        Select("worker_cores", _choices(cores, 1), label="Cores of a worker"),
        Select("worker_memory", _choices(memory, GB), label="Memory of a worker (GB)"),
        handler=configuration,
    )


def _choices(numbers: Iterable[int], unit: int) -> list[tuple[str, int]]:
    return [(str(number), number * unit) for number in numbers]
