"""A hub with login by OpenID Connect, and a real provider that can be told to misbehave."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import jwt
import pytest
import requests

from facility_support.facility import Facility, free_block
from flavorframe_facility import start
from support.servers import free_port, wait_for

HERE = Path(__file__).parents[1]
NODE = HERE / "node_modules" / ".bin"
LIFETIME = 9
"""Seconds that an access token lives, so that tests see it renewed."""

SECRET = "client-secret-0123456789abcdefghijkl"
USERS = {
    "alice": {"preferred_username": "alice", "groups": ["flavour"]},
    "bob": {"preferred_username": "bob", "wlcg.groups": ["/flavour", "/cms"]},
    "carol": {"preferred_username": "carol", "groups": ["flavour"]},
    "dave": {"preferred_username": "dave", "groups": ["flavour"]},
    "erin": {"preferred_username": "erin", "groups": ["flavour"]},
    "chief": {"preferred_username": "chief", "groups": ["flavour/admins"]},
    "mallory": {"preferred_username": "mallory", "groups": ["<b>others</b>"]},
    "nobody": {"preferred_username": "nobody-in-particular"},
    "sneaky": {"preferred_username": "root", "groups": ["flavour"]},
    "impostor": {"preferred_username": "alice", "groups": ["flavour"]},
}
CONFIG = """
import json
from flavorframe_facility import settings, start
from flavorframe_facility.login import config as login

chosen = settings.make(**json.loads({settings!r}))
c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
login.configure(c, chosen)
c.JupyterHub.bind_url = chosen.bind_url
c.JupyterHub.hub_port = chosen.hub_port
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/private/cookie-secret"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{chosen.proxy_port}}"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = start.command("jupyterhub.singleuser")
c.Spawner.args.append("--allow-root")
c.Spawner.default_url = "/lab"
c.JupyterHub.redirect_to_server = False
c.OpenIDAuthenticator.auth_refresh_age = 1
"""


class Provider:
    """An OpenID provider; ``tell`` has it misbehave, ``key`` is what it signs with."""

    def __init__(self, callback):
        require_node("oidc-provider")
        self.port = free_port()
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the provider
        self._process = subprocess.Popen(
            ["node", HERE / "provider" / "provider.mjs"],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        client = {"client_id": "hub", "client_secret": SECRET, "redirect_uris": [callback]}
        client["grant_types"] = ["authorization_code", "refresh_token"]
        started = self.tell(port=self.port, client=client, users=USERS, lifetime=LIFETIME)
        self.issuer = started["issuer"]
        self.key = jwt.PyJWK({**started["key"], "alg": "RS256"}).key

    def tell(self, **what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._said()
        return json.loads(answer)

    def _said(self):
        self._errors.seek(0)
        return self._errors.read()

    def close(self):
        self._process.kill()
        self._process.communicate()
        self._errors.close()


class Site:
    """A hub at ``url`` and its ``provider``, as users' browsers see them."""

    def sign_in(self, user, next_url=None):
        """Go through the provider's forms; return the session and the page where it ends."""
        session = requests.Session()
        page = session.get(f"{self.url}oauth_login", params={"next": next_url} if next_url else {})
        action = re.search(r'action="([^"]+)"', page.text)
        assert action, page.text
        answers = {"prompt": "login", "login": user, "password": "any"}
        return session, session.post(action[1], data=answers)

    def is_in(self, session):
        """Return whether a session is logged in."""
        return session.get(f"{self.url}home", allow_redirects=False).status_code == 200

    def api(self, session, method, path, **options):
        """Ask the hub's API as the browser of a session does."""
        session.get(f"{self.url}home")
        headers = {"X-XSRFToken": session.cookies.get("_xsrf", path="/hub/")}
        return session.request(method, f"{self.url}api/{path}", headers=headers, **options)

    def start_server(self, session, user, **options):
        self.api(session, "POST", f"users/{user}/server", json=options)
        wait_for(lambda: self.server(session, user), told=lambda: self.log)

    def server(self, session, user):
        answer = self.api(session, "GET", f"users/{user}").json()
        found = answer.get("servers", {}).get("", {})
        return found if found.get("ready") else None


class Hub(Site):
    """A hub and its proxy, in a folder of its own."""

    def __init__(self, **login):
        require_node("configurable-http-proxy")
        pytest.importorskip(
            "jupyterhub", reason="JupyterHub is not installed (flavorframe-facility)"
        )
        if os.geteuid() != 0:
            pytest.skip("login by OpenID Connect on one machine needs root")
        self.folder = Path(tempfile.mkdtemp(prefix="test-login-"))
        first = free_port()
        self.url = f"http://127.0.0.1:{first}/hub/"
        self.provider = Provider(f"{self.url}oauth_callback")
        (self.folder / "private").mkdir(mode=0o700)
        (self.folder / "homes").mkdir()
        secret = self.folder / "private" / "client-secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        chosen = {
            "folder": str(self.folder),
            "port": first,
            "login": {
                "kind": "oidc",
                "issuer": self.provider.issuer,
                "client_id": "hub",
                "client_secret_file": str(secret),
                "user_group": "flavour",
                "admin_group": "/flavour/admins",
                "contact": "flavour-support@example.org",
                **login,
            },
        }
        config = self.folder / "hub_config.py"
        config.write_text(CONFIG.format(settings=json.dumps(chosen), folder=self.folder))
        self.log_file = self.folder / "hub.log"
        with self.log_file.open("w") as log:
            self._process = subprocess.Popen(
                start.command("jupyterhub", "--debug", "--config", str(config)),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PATH": f"{NODE}:{os.environ['PATH']}"},
            )
        wait_for(self._answers, told=lambda: self.log)

    def _answers(self):
        assert self._process.poll() is None, self.log
        try:
            return requests.get(f"{self.url}health", timeout=5).ok
        except requests.RequestException:
            return False

    @property
    def log(self):
        return self.log_file.read_text()

    def process_of(self, user):
        """Return the number of a server's process."""
        home = f"{self.folder}/homes/{user}".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                content = entry.read_bytes()
                if b"HOME=" + home + b"\0" in content and b"JUPYTERHUB_API_TOKEN" in content:
                    return int(entry.parent.name)
            except OSError:
                continue
        return None

    def close(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.provider.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class OidcFacility(Site):
    """A facility whose users log in at a provider."""

    def __init__(self, folder):
        port = free_block()
        self.provider = Provider(f"http://localhost:{port}/hub/oauth_callback")
        secret = folder / "client-secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        login = {
            "kind": "oidc", "issuer": self.provider.issuer, "client_id": "hub",
            "client_secret_file": str(secret), "user_group": "flavour",
            "admin_group": "flavour/admins",
        }  # fmt: skip
        try:
            self.facility = Facility(port=port, login=login)
        except BaseException:
            self.provider.close()
            raise
        self.url = f"{self.facility.url}hub/"

    @property
    def log(self):
        return self.facility.log()

    def close(self):
        self.facility.close()
        self.provider.close()


def require_node(package):
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed (Debian: nodejs)")
    if not (HERE / "node_modules" / package).exists():
        pytest.skip(f"{package} is not installed (npm)")
