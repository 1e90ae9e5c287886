"""Certificates for ``Client("gateway://...")``, which the Dask panel writes into notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def security_for(connection: Mapping[str, str]) -> Any:
    """Return the certificate for a Gateway cluster's address; None for any other address.

    The user's own Gateway gives it, to the owner of the cluster alone.
    """
    scheme, _, place = connection["address"].partition("://")
    if scheme != "gateway":
        return None
    from dask_gateway import Gateway

    gateway = Gateway()  # closes itself; when closed before, it complains at its end
    return gateway.get_cluster(place.rstrip("/").rpartition("/")[2]).security
