"""Loaded by each scheduler: its dashboard is for those who have the cluster's certificate.

Dashboards listen on loopback, which all users of a machine share. Dask serves them with TLS, but to
everybody.
"""

from __future__ import annotations

import ssl
from typing import Any


def dask_setup(scheduler: Any) -> None:
    """Demand a certificate of whoever opens the dashboard."""
    context = scheduler.http_server.ssl_options
    if not isinstance(context, ssl.SSLContext):
        raise RuntimeError("the dashboard has no TLS: distributed.scheduler.dashboard.tls")
    context.verify_mode = ssl.CERT_REQUIRED
