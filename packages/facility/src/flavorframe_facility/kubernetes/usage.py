"""What Dask clusters take on Kubernetes, counted from the objects that exist there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from flavorframe_facility.gateway.limits import Usage

ENDED = ("Succeeded", "Failed")
"""Phases in which a pod takes nothing."""

OVER = ("Stopped", "Failed")
"""Phases in which a cluster starts no more pods."""

CLUSTER = "gateway.dask.org/cluster"
COMPONENT = "app.kubernetes.io/component"


def usage_by_cluster(
    clusters: Iterable[Mapping[str, Any]],
    pods: Iterable[Mapping[str, Any]],
    starting: Mapping[str, int],
) -> dict[str, Usage]:
    """Return what each cluster takes; a stopped one takes something until its pods are gone.

    Args:
        clusters: DaskCluster objects.
        pods: Pods of clusters.
        starting: By name of a cluster, workers that may be starting although it wants fewer now.

    """
    living = [pod for pod in pods if pod.get("status", {}).get("phase") not in ENDED]
    held = {_label(pod, CLUSTER) for pod in living}
    workers = Counter(
        _label(pod, CLUSTER) for pod in living if _label(pod, COMPONENT) == "dask-worker"
    )
    found = {}
    for cluster in clusters:
        short, name = cluster["metadata"]["name"], full_name(cluster)
        most = workers[short]
        if not is_over(cluster):
            most = max(most, replicas(cluster), starting.get(name, 0))
        if short in held or not is_over(cluster):
            found[name] = _usage(cluster, most)
    return found


def full_name(cluster: Mapping[str, Any]) -> str:
    """Return the name of a cluster at the gateway."""
    return f"{cluster['metadata']['namespace']}.{cluster['metadata']['name']}"


def replicas(cluster: Mapping[str, Any]) -> int:
    """Return how many workers the controller is told to have."""
    return max(0, int(cluster["spec"].get("replicas", 0)))


def is_over(cluster: Mapping[str, Any]) -> bool:
    """Whether a cluster has been stopped or has failed."""
    return cluster.get("status", {}).get("phase") in OVER


def _label(pod: Mapping[str, Any], name: str) -> str:
    return str(pod["metadata"].get("labels", {}).get(name, ""))


def _usage(cluster: Mapping[str, Any], workers: int) -> Usage:
    spec, config = cluster["spec"], cluster["spec"]["config"]
    return Usage(
        spec["username"],
        frozenset(config["owner_groups"]),
        workers,
        int(config["worker_cores"]),
        int(config["worker_memory"]),
    )
