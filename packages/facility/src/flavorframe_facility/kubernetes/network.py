"""The network of a Dask cluster on Kubernetes, apart from those of other clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLUSTER = "gateway.dask.org/cluster"


def policy_for(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return the NetworkPolicy by which the pods of a cluster, and no others, reach each other.

    The chart's own policies deny all that no policy allows. This one ends with its cluster.
    """
    meta = cluster["metadata"]
    own = {"podSelector": {"matchLabels": {CLUSTER: meta["name"]}}}
    owner = {key: cluster[key] for key in ("apiVersion", "kind")}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": f"dask-{meta['name']}",
            "labels": {CLUSTER: meta["name"]},
            "ownerReferences": [{**owner, "name": meta["name"], "uid": meta["uid"]}],
        },
        "spec": {
            **own,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [own]}],
            "egress": [{"to": [own]}],
        },
    }
