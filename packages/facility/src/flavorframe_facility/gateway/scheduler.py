"""A preload module of each scheduler: its dashboard requires the cluster's client certificate.

Dashboards listen where other users reach them: on loopback, or in the network of pods. Dask
encrypts them, but shows them to everybody.
"""

from __future__ import annotations

import os
import ssl

from distributed import Scheduler
from distributed.http.scheduler.prometheus import routes
from tornado.web import Application

METRICS_PORT = "FLAVORFRAME_METRICS_PORT"
"""Environment variable with the port of the scheduler's metrics, for Prometheus on Kubernetes."""


def dask_setup(scheduler: Scheduler) -> None:
    """Require a client certificate for the dashboard, and serve the metrics apart from it."""
    context = scheduler.http_server.ssl_options
    if not isinstance(context, ssl.SSLContext):
        raise RuntimeError("the dashboard has no TLS: distributed.scheduler.dashboard.tls")
    context.verify_mode = ssl.CERT_REQUIRED
    if METRICS_PORT in os.environ:
        _serve_metrics(scheduler, int(os.environ[METRICS_PORT]))


def _serve_metrics(scheduler: Scheduler, port: int) -> None:
    handlers = [(path, handler, {"dask_server": scheduler}) for path, handler, _ in routes]
    Application(handlers).listen(port)
