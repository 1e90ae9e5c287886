"""Certificates for ``Client("gateway://...")``, the code that the Dask panel writes."""

from __future__ import annotations

from collections.abc import Mapping

from distributed.security import Security


def security_for(connection: Mapping[str, str]) -> Security | None:
    """Return the TLS certificates for the address of a Gateway cluster.

    Args:
        connection: The connection, as Dask describes it; ``"address"`` is its address.

    Returns:
        The certificates, which the gateway gives to the owner of the cluster only; None for any
        other address.

    """
    scheme, _, place = connection["address"].partition("://")
    if scheme != "gateway":
        return None
    from dask_gateway import Gateway

    gateway = Gateway()  # closes itself at exit, and would complain if it were closed already
    return gateway.get_cluster(place.rstrip("/").rpartition("/")[2]).security
