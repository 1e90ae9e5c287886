"""Dashboards of clusters on Kubernetes: for the owner alone, of a real scheduler."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import urllib.request

import pytest

pytest.importorskip("dask_gateway_server")
pytest.importorskip("kubernetes_asyncio")

from aiohttp import ClientSession, web
from dask_gateway_server.models import Cluster, ClusterStatus
from dask_gateway_server.tls import new_keypair
from traitlets.config import Config

from facility_support.coroutines import run
from facility_support.dask_on_kubernetes import Trusting
from flavorframe_facility.gateway.dashboards import Dashboards
from flavorframe_facility.kubernetes import gateway
from support.servers import free_port, wait_for

pytestmark = [pytest.mark.servers, pytest.mark.filterwarnings("ignore")]
CHOICE = {
    "settings": {"folder": "/srv/jupyterhub/flavorframe", "backend": "kubernetes"},
    "guaranteed_share_of_cores": 0.25,
    "clusters_namespace": "clusters",
    "pods": {"volumes": [], "mounts": [], "environment": {}},
}


class Scheduler:
    """A scheduler, started as its pod would start it, with its files in a folder."""

    def __init__(self, folder, monkeypatch):
        monkeypatch.setenv("FLAVORFRAME_FACILITY", json.dumps(CHOICE))
        c = Config()
        gateway.configure(c)
        certificate, key = new_keypair("name")
        self.certificate, self.key = folder / "dask.crt", folder / "dask.pem"
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(key)
        self.port, self.metrics, port = free_port(), free_port(), free_port()
        command = [sys.executable, "-m", *c.KubeClusterConfig.scheduler_cmd, "--port", str(port)]
        container = c.KubeClusterConfig.scheduler_extra_container_config
        environment = {one["name"]: one["value"] for one in container["env"]}
        environment = {
            name: text.replace("/etc/dask-credentials", str(folder))
            for name, text in environment.items()
        } | {"FLAVORFRAME_METRICS_PORT": str(self.metrics)}
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--dashboard-address", f"127.0.0.1:{self.port}"],
            env={**os.environ, **environment}, stderr=(folder / "log").open("w"),
        )  # fmt: skip
        self.log = folder / "log"

    def metrics_page(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as answer:
                return answer.read().decode()
        except OSError:
            return None

    def page(self, *, with_certificate):
        """Return the status of the dashboard's first page."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        if with_certificate:
            context.load_cert_chain(self.certificate, self.key)
        url = f"https://127.0.0.1:{self.port}/status"
        with urllib.request.urlopen(url, context=context) as answer:
            return answer.status


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    found = Scheduler(tmp_path, monkeypatch)
    try:
        wait_for(lambda: found.metrics_page() is not None, told=found.log.read_text)
        yield found
    finally:
        found.process.terminate()
        found.process.wait()


class Backend:
    """Knows one cluster of ada's."""

    def __init__(self, scheduler, session):
        self.session = session
        self.cluster = Cluster(
            "clusters.a", "ada", "", {}, {}, ClusterStatus.RUNNING,
            dashboard_address=f"http://127.0.0.1:{scheduler.port}",
            tls_cert=scheduler.certificate.read_bytes(), tls_key=scheduler.key.read_bytes(),
        )  # fmt: skip

    async def get_cluster(self, name):
        return self.cluster if name == self.cluster.name else None


async def asked(scheduler, who):
    """Return the status that somebody gets who asks the gateway for ada's dashboard."""
    app = web.Application()
    async with ClientSession() as session:
        dashboards = Dashboards(Backend(scheduler, session), Trusting())
        app.router.add_get("/clusters/{name}/{path:.*}", dashboards)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port := free_port())
        await site.start()
        url = f"http://127.0.0.1:{port}/clusters/clusters.a/status"
        async with session.get(url, headers={"Authorization": f"token {who}"}) as answer:
            status = answer.status
        await runner.cleanup()
    return status


def test_a_dashboard_is_for_its_owner_alone(scheduler):
    # The scheduler hangs up after its alert, which may come before the alert is read.
    with pytest.raises(OSError, match=r"(?i)certificate.required|EOF|reset|broken pipe"):
        scheduler.page(with_certificate=False)
    assert scheduler.page(with_certificate=True) == 200
    assert run(asyncio.wait_for(asked(scheduler, "mallory"), 30)) == 404
    assert run(asyncio.wait_for(asked(scheduler, "ada"), 30)) == 200
    assert "dask_scheduler" in scheduler.metrics_page()
