"""An extension of the Jupyter server: Dask's panel of JupyterLab, and the dashboards of clusters.

The server admits its owner only, and asks the gateway with the owner's token. Requests for
dashboards only read pages: nothing can be started or stopped by them.

It takes the place of the panel's own extension, which would forward requests with all cookies to
the port that a cluster's dashboard once had.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import ProxyHandler

PATH = "proxy-dask"
"""Path of dashboards; the Dask panel does not change links that begin with ``proxy``."""


class DashboardHandler(ProxyHandler):  # type: ignore[misc]
    """Forwards requests for dashboards to the gateway."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, host_allowlist=lambda handler, host: True, **options)

    async def http_get(self, name: str, path: str) -> Any:
        """Return a page."""
        return await self.proxy(*self._target(name, path))

    async def open(self, name: str, path: str) -> Any:
        """Open the web socket that updates a page."""
        return await self.proxy_open(*self._target(name, path))

    def _target(self, name: str, path: str) -> tuple[str, int, str]:
        gateway = urlsplit(self.settings["dask_gateway_address"])
        target = f"{gateway.path.rstrip('/')}/clusters/{name}/{path}"
        return gateway.hostname or "", gateway.port or 80, target

    def proxy_request_headers(self) -> dict[str, str]:
        """Return the headers for the gateway: the user's token, and no cookies of the browser."""
        kept = ("Accept", "Accept-Language", "User-Agent", "If-None-Match")
        sent = self.request.headers
        token = os.environ["JUPYTERHUB_API_TOKEN"]
        return {
            **{name: sent[name] for name in kept if name in sent},
            "Authorization": f"jupyterhub {token}",
        }


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    import dask
    import dask_gateway
    from dask_labextension.clusterhandler import DaskClusterHandler
    from dask_labextension.dashboardhandler import DaskDashboardCheckHandler

    address = dask_gateway.client.format_template(dask.config.get("gateway.address"))
    web = server.web_app
    web.settings["dask_gateway_address"] = address
    handlers = {
        rf"{PATH}/clusters/([0-9a-z.-]+)/(.*)": DashboardHandler,
        r"dask/clusters/(?P<cluster_id>\w+-\w+-\w+-\w+-\w+)": DaskClusterHandler,
        r"dask/clusters/?": DaskClusterHandler,
        r"dask/dashboard-check/(?P<url>.+)": DaskDashboardCheckHandler,
    }
    base = web.settings["base_url"]
    web.add_handlers(
        ".*$", [(url_path_join(base, path), handler) for path, handler in handlers.items()]
    )
