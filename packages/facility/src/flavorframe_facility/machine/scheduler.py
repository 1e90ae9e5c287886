"""A preload module of each scheduler: its dashboard requires the cluster's client certificate.

Dashboards listen on loopback, which all users of a machine share. Dask encrypts them, but shows
them to everybody.
"""

from __future__ import annotations

import ssl

from distributed import Scheduler


def dask_setup(scheduler: Scheduler) -> None:
    """Require a client certificate for the dashboard."""
    context = scheduler.http_server.ssl_options
    if not isinstance(context, ssl.SSLContext):
        raise RuntimeError("the dashboard has no TLS: distributed.scheduler.dashboard.tls")
    context.verify_mode = ssl.CERT_REQUIRED
