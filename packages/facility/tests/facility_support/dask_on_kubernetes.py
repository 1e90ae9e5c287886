"""The Dask Gateway of the chart, its API and its controller, on a Kubernetes in memory."""

import asyncio
import contextlib
import warnings
from base64 import b64decode

import aiohttp
from aiohttp import web
from dask_gateway_server.backends.kubernetes.controller import KubeController
from dask_gateway_server.models import User
from dask_gateway_server.routes import default_routes
from kubernetes_asyncio import client
from traitlets.config import Config

from facility_support.kubernetes import Kubernetes
from flavorframe_facility.kubernetes import gateway
from flavorframe_facility.kubernetes.backend import PodBackend

SECONDS = 30
CLUSTER = "gateway.dask.org/cluster"
COMPONENT = "app.kubernetes.io/component"
EMPTY = {"active_workers": [], "closing_workers": [], "closed_workers": []}


class Trusting:
    """Believes who somebody says to be: authentication has tests of its own."""

    async def authenticate(self, request):
        return User(request.headers["Authorization"].split()[1])

    async def authenticate_and_handle(self, request, handler):
        request["user"] = await self.authenticate(request)
        return await handler(request)


class Gateway:
    """Users' view of it, and what came of it in Kubernetes."""

    def __init__(self, kubernetes, monkeypatch, **options):
        self.kubernetes, self.config = kubernetes, Config()
        self.config.PodBackend.settle_seconds = options.pop("settle_seconds", 0.0)
        self.config.PodBackend.room_seconds = options.pop("room_seconds", 0.1)
        self.config.KubeBackend.gateway_instance = "dask-gateway"
        self.config.KubeBackend.api_url = "http://api/api"
        self.config.KubeController.gateway_instance = "dask-gateway"
        self.config.KubeController.api_url = "http://api/api"
        self.config.KubeController.address = "127.0.0.1:0"
        gateway.configure(self.config)
        found = client.Configuration(host=kubernetes.url)
        monkeypatch.setattr(client.Configuration, "get_default_copy", lambda: found)
        monkeypatch.setattr("kubernetes_asyncio.config.load_incluster_config", lambda: None)

    async def __aenter__(self):
        asyncio.get_running_loop().add_signal_handler = lambda *_: None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await self._start()
        return self

    async def _start(self):
        self.controller = KubeController(config=self.config)
        self.controller.app = web.Application()
        await self.controller.setup()
        self.backend = PodBackend(config=self.config)
        app = web.Application()
        app.add_routes(default_routes)
        app["backend"], app["authenticator"] = self.backend, Trusting()
        app["log"] = self.backend.log
        await self.backend.setup(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        self.session = aiohttp.ClientSession()

    async def __aexit__(self, *_):
        await self.session.close()
        await self._runner.cleanup()
        with contextlib.suppress(Exception):
            await self.backend.cleanup()
        with contextlib.suppress(Exception):
            await self.controller.cleanup()

    async def ask(self, method, path, who, **content):
        """Return the status and the content of an answer."""
        sent = {"headers": {"Authorization": f"jupyterhub {who}"}, **content}
        async with self.session.request(method, f"{self.url}/api/v1/{path}", **sent) as answer:
            body = await answer.read()
            return answer.status, await answer.json() if body else None

    async def submit(self, who, **options):
        """Ask for a cluster; return its name, or the text that says why not."""
        _, told = await self.ask("POST", "clusters/", who, json={"cluster_options": options})
        return told.get("name") or told["error"]

    async def new(self, who, **options):
        """Return the name of a cluster that runs."""
        name = await self.submit(who, **options)
        await self.until(lambda: (one := self.backend.clusters.get(name)) and one.token)
        await self.until(lambda: self.backend.clusters[name].status.name == "RUNNING")
        return name

    def token(self, name):
        secret = self.kubernetes.objects["secrets"][f"dask-credentials-{name.partition('.')[2]}"]
        return b64decode(secret["data"]["api-token"]).decode()

    async def beat(self, name, count, **changes):
        """Send a heartbeat as the scheduler of a cluster; return the status of the answer."""
        return await self.send(name, json={**EMPTY, "count": count, **changes})

    async def send(self, name, **content):
        token = {"Authorization": f"token {self.token(name)}", **content.pop("headers", {})}
        path = f"{self.url}/api/v1/clusters/{name}/heartbeat"
        async with self.session.post(path, headers=token, **content) as answer:
            return answer.status

    def workers(self, *names):
        """Return the pods of workers, those of some clusters or all."""
        pods = self.kubernetes.all("pods", **{COMPONENT: "dask-worker"})
        kept = {name.partition(".")[2] for name in names}
        return [pod for pod in pods if not names or pod["metadata"]["labels"][CLUSTER] in kept]

    async def until(self, condition):
        async def met():
            while not condition():
                await asyncio.sleep(0.02)

        await asyncio.wait_for(met(), SECONDS)

    async def quiet(self):
        """Wait until the controller has done what there is to do."""
        seen = None
        while seen != len(self.kubernetes.events):
            seen = len(self.kubernetes.events)
            await asyncio.sleep(0.3)


@contextlib.asynccontextmanager
async def running(monkeypatch, **options):
    """Give a gateway on a Kubernetes of its own."""
    async with Kubernetes() as kubernetes, Gateway(kubernetes, monkeypatch, **options) as found:
        yield found
