"""Cookies of a user's browser do not travel to whoever listens at a port of the machine."""

import http.server
import os
import subprocess
import sys
import threading

import pytest
import requests

pytest.importorskip("jupyter_server_proxy", reason="JupyterLab is not installed")
from traitlets.config import Config

from facility_support.facility import require_programs
from flavorframe_facility.gateway import config as gateway
from support.servers import free_port, wait_for

pytestmark = pytest.mark.servers
TOKEN = "of-the-owner"
COOKIE = "jupyterhub-user-alice=secret"
CLUSTER = """
class Ended:
    '''A cluster that ended, while its panel does not know.'''

    scheduler_info = {{"workers": {{}}}}
    scheduler_address, dashboard_link = "", "http://localhost:{port}/status"

    def __init__(self, **options): pass
    def __await__(self):
        yield from ()
        return self
    async def close(self): pass
"""


class Listener:
    """Somebody else's program at a port; ``heard`` is what headers it was sent."""

    def __init__(self):
        self.heard = heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                heard.append(dict(self.headers))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


class Server:
    """A Jupyter server with a panel of one cluster, whose port somebody else has taken."""

    def __init__(self, folder, arguments, listener):
        (folder / "ended.py").write_text(CLUSTER.format(port=listener.port))
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [
            sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            f"--IdentityProvider.token={TOKEN}", *arguments,
        ]  # fmt: skip
        known = {
            **os.environ, "HOME": str(folder), "PYTHONPATH": str(folder),
            "DASK_GATEWAY__ADDRESS": "http://127.0.0.1:1",
            "DASK_LABEXTENSION__FACTORY__MODULE": "ended",
            "DASK_LABEXTENSION__FACTORY__CLASS": "Ended",
        }  # fmt: skip
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            command, cwd=folder, env=known, stdout=self._log, stderr=self._log
        )
        try:
            wait_for(self._is_up, told=(folder / "log").read_text)
        except BaseException:
            self.close()
            raise

    def _is_up(self):
        try:
            return self.ask("GET", "api/status").ok
        except requests.RequestException:
            return False

    def ask(self, method, path):
        headers = {"Authorization": f"token {TOKEN}", "Cookie": COOKIE}
        return requests.request(method, f"{self.url}/{path}", headers=headers, timeout=30)

    def close(self):
        self._process.terminate()
        self._process.wait(30)
        self._log.close()


@pytest.fixture(params=["as the facility starts it", "as Jupyter does"])
def server(request, tmp_path, listener):
    """Return a server, and whether the facility's arguments protect it."""
    require_programs()
    c = Config()
    c.JupyterHub.extra_user_scopes, c.Spawner.environment = set(), {}
    c.Spawner.server_token_scopes, c.Spawner.args = [], []
    gateway.configure(c)
    protected = request.param == "as the facility starts it"
    server = Server(tmp_path, c.Spawner.args if protected else [], listener)
    yield server, protected
    server.close()


def test_cookies_are_not_sent_to_ports_of_the_machine(server, listener):
    server, protected = server
    cluster = server.ask("PUT", "dask/clusters").json()["id"]
    assert [one["id"] for one in server.ask("GET", "dask/clusters").json()] == [cluster]
    paths = (f"proxy/{listener.port}/page", f"proxy/absolute/{listener.port}/page",
             f"dask/dashboard/{cluster}/status")  # fmt: skip
    found = [server.ask("GET", path).status_code for path in paths]
    if protected:
        assert found == [404, 404, 404]
        assert listener.heard == []
    else:
        assert found == [200, 200, 200]
        assert [headers["Cookie"] for headers in listener.heard] == [COOKIE] * 3
