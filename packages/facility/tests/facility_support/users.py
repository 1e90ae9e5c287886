"""Users of a facility, as tests are: logged in over HTTP, with a server and its own token."""

import os
import subprocess

import psutil
import requests

from support.servers import wait_for


def server_of(facility, name):
    """Return the process of a user's server, or None where there is none."""
    for process in psutil.process_iter(["environ", "cmdline"]):
        environment = process.info["environ"] or {}
        ours = str(facility.settings.homes) in environment.get("HOME", "")
        theirs = ours and environment.get("JUPYTERHUB_SERVICE_PREFIX") == f"/user/{name}/"
        if theirs and "jupyterhub.singleuser" in (process.info["cmdline"] or ()):
            return process
    return None


class User:
    """A user with a running server; ``token`` is what the server has from the hub."""

    def __init__(self, facility, name):
        self.facility, self.name = facility, name
        self.session = requests.Session()
        self.session.get(f"{facility.url}hub/login", timeout=60)
        self._post("hub/login", username=name, password=facility.password)
        self.start()

    def restart(self):
        """Stop the server, and start another."""
        path = f"hub/api/users/{self.name}/server"
        wait_for(lambda: self._delete(path) == 204, told=self.facility.log)
        self.start()

    def start(self):
        """Start a server, once there is none."""
        wait_for(lambda: not self._has_server(), told=self.facility.log)
        self._post("hub/spawn", environment="flavorframe", cores="1", memory="2")
        wait_for(lambda: server_of(self.facility, self.name) is not None, told=self.facility.log)
        self.environment = server_of(self.facility, self.name).info["environ"]
        self.token = self.environment["JUPYTERHUB_API_TOKEN"]
        wait_for(self._is_served, told=self.facility.log)

    def _has_server(self):
        return bool(self._send("GET", f"hub/api/users/{self.name}").json()["servers"])

    def _is_served(self):
        answer = self.ask(f"{self.url}api/status")
        return answer.status_code == 200 and answer.url.startswith(self.url)

    def _post(self, path, **fields):
        answer = self._send("POST", path, data=fields)
        assert answer.ok, answer.text

    def _delete(self, path):
        return self._send("DELETE", path).status_code

    def _send(self, method, path, **more):
        url = f"{self.facility.url}{path}"
        xsrf = next(c.value for c in self.session.cookies if c.name == "_xsrf" and "hub" in c.path)
        return self.session.request(method, url, params={"_xsrf": xsrf}, timeout=120, **more)

    def get(self, path, token="own"):
        """Ask the hub, or for ``user/NAME/`` a server, with the server's token, another or none."""
        return self.ask(self._url(path), token)

    def ask(self, url, token="own"):
        """Ask for an address with the server's token, another or none."""
        headers = {"Authorization": f"token {self.token if token == 'own' else token}"}
        return requests.get(url, headers={} if token is None else headers, timeout=60)

    @property
    def url(self):
        return self.facility.url_of(self.name)

    def _url(self, path):
        if not path.startswith("user/"):
            return f"{self.facility.url}{path}"
        _, name, below = path.split("/", 2)
        return f"{self.facility.url_of(name)}{below}"

    def python(self, code, *, check=True, **more):
        """Run Python as a cell of the user's notebook would, as the user; return what it prints."""
        account = {}
        if os.geteuid() == 0:
            account = {"user": self.environment["USER"], "group": self.environment["USER"]}
            account["extra_groups"] = []
        done = subprocess.run(
            [self.facility.python, "-c", code], check=False, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**self.environment, **more}, cwd=self.environment["HOME"], **account,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done.stdout


class Login:
    """A browser of somebody who tries a password, from an address of this machine.

    Args:
        facility: The facility.
        name: The name.
        password: The password; the right one if none is given.
        address: Address that the facility sees.
        headers: Headers of each request.
    """

    def __init__(self, facility, name, password=None, *, address="127.0.0.1", headers=None):
        self.facility, self.name = facility, name
        self.session = requests.Session()
        self.session.mount("http://", _From(address))
        self.session.headers.update(headers or {})
        self.session.get(f"{facility.url}hub/login", timeout=60)
        fields = {"username": name, "password": password or facility.password}
        self.status = self.ask("POST", "hub/login", data=fields).status_code

    def ask(self, method, path, **content):
        url = f"{self.facility.url}{path}"
        xsrf = next(c.value for c in self.session.cookies if c.name == "_xsrf" and "hub" in c.path)
        return self.session.request(method, url, params={"_xsrf": xsrf}, timeout=120, **content)

    def is_in(self):
        """Whether the hub knows the cookies."""
        answer = self.session.get(f"{self.facility.url}hub/home", timeout=60, allow_redirects=False)
        return answer.status_code == 200

    def copy(self):
        """Return another browser with the same cookies."""
        other = object.__new__(Login)
        other.__dict__.update(self.__dict__)
        other.session = requests.Session()
        other.session.cookies.update(self.session.cookies)
        return other

    def new_token(self):
        """Return a new token with all rights of the user; ``answer`` has what the hub says."""
        answer = self.ask("POST", f"hub/api/users/{self.name}/tokens", json={})
        assert answer.ok, answer.text
        self.answer = answer.json()
        return self.answer["token"]


class _From(requests.adapters.HTTPAdapter):
    """Connects from an address of this machine."""

    def __init__(self, address):
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


def is_known(facility, token):
    """Whether the hub knows a token."""
    headers = {"Authorization": f"token {token}"}
    return requests.get(f"{facility.url}hub/api/user", headers=headers, timeout=60).ok
