"""The program that serves the administrators' page."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from jupyterhub._data import DATA_FILES_PATH
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.log import app_log

from flavorframe.errors import FacilityError
from flavorframe_facility import headers, options, settings as kept
from flavorframe_facility.gateway import client as gateway
from flavorframe_facility.hub import client as hub
from flavorframe_facility.machine import limits, overview, processes, usage
from flavorframe_facility.machine.administration.config import TEMPLATES, address
from flavorframe_facility.server.headers import adding
from flavorframe_facility.settings import GB, Settings

HUB = Path(DATA_FILES_PATH)
"""Folder of the hub's own templates and static files."""


class UncachedHub(HubOAuth):  # type: ignore[misc]
    """Asks the hub at each request, so that who has logged out, or is no administrator, is out."""

    def user_for_token(self, token: str, use_cache: bool = False, **options: Any) -> Any:
        """Return whose token it is now, whether the hub was asked before or not."""
        return super().user_for_token(token, use_cache=False, **options)


class _Handler(HubOAuthenticated, web.RequestHandler):  # type: ignore[misc]
    """What all handlers have: the settings, and the service's own token."""

    hub_auth_class = UncachedHub

    async def prepare(self) -> None:
        """Ask the hub who it is; whoever sends a form without the page's token is nobody.

        Tornado's own check (`xsrf_cookies`) would ask within the event loop, and wait for itself.
        """
        await self.hub_auth.get_user(self, sync=False)

    @property
    def facility(self) -> Settings:
        """Settings of the facility."""
        return self.settings["facility"]  # type: ignore[no-any-return]

    @property
    def token(self) -> str:
        """Token of the page itself, for hub and gateway."""
        return os.environ["JUPYTERHUB_API_TOKEN"]

    def require_gateway(self) -> None:
        """Raise an error while the gateway is down: its port may be another program's then.

        Raises:
            FacilityError: The gateway does not run.

        """
        if processes.running(self.facility, "gateway") is None:
            raise FacilityError("the gateway does not run: see `flavorframe facility doctor`.")


class PageHandler(_Handler):
    """Shows who has what and takes how much."""

    @web.authenticated
    async def get(self) -> None:
        """Answer with the page."""
        problem = None
        try:
            servers, clusters, usages = await asyncio.to_thread(self._look)
        except FacilityError as error:
            servers, clusters, usages, problem = [], [], [], str(error)
        template = self.settings["templates"].get_template("administration.html")
        page = template.render(
            **self._of_every_page(),
            servers={one.user: one for one in servers},
            clusters=clusters,
            usages=usages,
            limits=limits.kind(),
            problem=problem,
        )
        self.finish(page)

    def _look(self) -> tuple[list[hub.Server], list[gateway.Cluster], list[usage.Usage]]:
        self.require_gateway()
        servers = hub.servers(self.facility, self.token)
        clusters = gateway.clusters(self.facility, self.token)
        return servers, clusters, usage.of_users(self.facility, servers, clusters)

    def _of_every_page(self) -> dict[str, Any]:
        """Return what the hub's own template of all pages needs, for a page outside of the hub."""
        here = f"{self.facility.url}hub/"
        return {
            "administration_url": address(self.facility),
            "base_url": here,
            "logout_url": f"{here}logout",
            "login_url": f"{here}login",
            "static_url": self._static_url,
            "user": self.current_user,
            "services": [],
            "parsed_scopes": {"admin-ui": {}},
            "no_spawner_check": True,
            "prefix": self.hub_auth.base_url,
            "xsrf_token": self.xsrf_token.decode("ascii"),
        }

    def _static_url(self, path: str, include_version: bool = True) -> str:
        return self.static_url(path, include_version=include_version)


class StopHandler(_Handler):
    """Stops a server or a cluster, and shows the page again."""

    @web.authenticated
    async def post(self, what: str, name: str) -> None:
        """Stop the server of a user, or the cluster of a name."""
        stop: Callable[[Settings, str, str], None] = {
            "server": hub.stop_server,
            "cluster": gateway.stop,
        }[what]
        try:
            self.require_gateway()
            await asyncio.to_thread(stop, self.facility, self.token, name)
        except FacilityError as error:
            app_log.warning("The %s %s is not stopped: %s", what, name, error)
            raise web.HTTPError(404, reason="It could not be stopped: is it still there?") from None
        self.redirect(self.hub_auth.base_url, status=303)


def application(facility: Settings) -> web.Application:
    """Return the page's program.

    Args:
        facility: Settings of the facility.

    """
    base = UncachedHub.instance().base_url
    templates = Environment(loader=_loader(), autoescape=True)
    templates.filters |= {
        "gigabytes": lambda number: f"{number / GB:.1f}",
        "cores": lambda number: f"{number:.1f}",
        "whole": lambda number: f"{number:g}",
        "moment": overview.moment,
        "size": lambda server: ", ".join(options.texts(facility, server.options)),
    }
    return web.Application(
        [
            (base, PageHandler),
            (url_path_join(base, "stop/(server|cluster)/([^/]+)"), StopHandler),
            (url_path_join(base, "oauth_callback"), HubOAuthCallbackHandler),
        ],
        transforms=[
            adding({**headers.of(facility), "Content-Security-Policy": "frame-ancestors 'none'"})
        ],
        facility=facility,
        templates=templates,
        cookie_secret=os.urandom(32),
        static_path=str(HUB / "static"),
        static_url_prefix=url_path_join(base, "static/"),
    )


def _loader() -> BaseLoader:
    """Return where templates are: ours, then the hub's, which are also below ``templates/``."""
    hubs = FileSystemLoader(HUB / "templates")
    return ChoiceLoader([PrefixLoader({"templates": hubs}), FileSystemLoader(TEMPLATES), hubs])


def main() -> None:
    """Serve the page until the hub ends the process."""
    facility = kept.load(Path(sys.argv[1]))
    if facility is None:
        raise FacilityError(f"there is no facility in {sys.argv[1]}.")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # by which the hub ends it
    server = HTTPServer(application(facility), xheaders=True)
    server.listen(facility.administration_port, "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
