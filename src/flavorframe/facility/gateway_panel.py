"""Part of each user's server: the dashboards of the user's Dask clusters, inside JupyterLab.

The server lets in its owner alone, and asks the Gateway with the owner's token. Pages are only
read: nothing can be started or stopped by a request to here.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import ProxyHandler

PATH = "proxy-dask"
"""The Dask panel takes links that begin with its server's ``proxy`` as they are."""


class DashboardHandler(ProxyHandler):  # type: ignore[misc]
    """Passes requests for dashboards on to the Gateway."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, host_allowlist=lambda handler, host: True, **options)

    async def http_get(self, name: str, path: str) -> Any:
        """Return a page."""
        return await self.proxy(*self._place(name, path))

    async def open(self, name: str, path: str) -> Any:
        """Open the connection by which a page is kept up to date."""
        return await self.proxy_open(*self._place(name, path))

    def _place(self, name: str, path: str) -> tuple[str, int, str]:
        gateway = urlsplit(self.settings["dask_gateway_address"])
        target = f"{gateway.path.rstrip('/')}/clusters/{name}/{path}"
        return gateway.hostname or "", gateway.port or 80, target

    def proxy_request_headers(self) -> dict[str, str]:
        """Return what the Gateway is told: who asks, and nothing of the browser's cookies."""
        kept = ("Accept", "Accept-Language", "User-Agent", "If-None-Match")
        sent = self.request.headers
        token = os.environ["JUPYTERHUB_API_TOKEN"]
        return {
            **{name: sent[name] for name in kept if name in sent},
            "Authorization": f"jupyterhub {token}",
        }


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "flavorframe.facility.gateway_panel"}]


def _load_jupyter_server_extension(server: Any) -> None:
    import dask
    import dask_gateway

    address = dask_gateway.client.format_template(dask.config.get("gateway.address"))
    web = server.web_app
    web.settings["dask_gateway_address"] = address
    pattern = url_path_join(web.settings["base_url"], PATH, r"clusters/([0-9a-z.-]+)/(.*)")
    web.add_handlers(".*$", [(pattern, DashboardHandler)])
