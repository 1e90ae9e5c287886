"""A whole facility on free ports of loopback, in a folder of its own, started by its command."""

import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flavorframe import samples
from flavorframe_facility.machine import homes, processes
from flavorframe_facility.settings import make
from support.servers import free_port

NODE = Path(__file__).parents[1] / "node_modules" / ".bin"


class Facility:
    """A facility that is up; ``command`` runs ``flavorframe facility`` on it.

    Args:
        choices: Settings, as :func:`flavorframe_facility.settings.make` takes them.
    """

    def __init__(self, **choices):
        require_programs()
        # Not in pytest's own folder, which other users, such as the servers', cannot enter.
        self.folder = Path(tempfile.mkdtemp(prefix="test-facility-"))
        self.folder.chmod(0o711)
        self.python = python_for_all(self.folder)
        accounts = f"t{secrets.token_hex(3)}-"
        self.settings = make(
            folder=self.folder / "state", accounts=accounts, **{"port": free_block(), **choices}
        )
        self.settings.folder.mkdir(mode=0o711)
        self.settings.save()
        sample = homes.tutorial(self.settings) / homes.SAMPLE  # smaller than `up` makes it
        samples.write(sample, eras=("2017B", "2017C"), fraction=0.02)
        self.url = self.settings.url
        try:
            self.printed = self.command("up")
        except BaseException:
            self.close()
            raise
        found = re.search("password (.+)", self.printed)
        self.password = found and found[1]

    def command(self, *words, check=True, path=None):
        """Run ``flavorframe facility`` on this facility; return what it prints, errors included."""
        path = path or f"{NODE}:{os.environ['PATH']}"
        done = subprocess.run(
            [self.python, "-m", "flavorframe", "facility", *words, "--folder",
             self.settings.folder],
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def url_of(self, user):
        """Return the address of a user's server, which has an origin of its own."""
        return f"{self.url.replace('//', f'//{user}.')}user/{user}/"

    def log(self, name="hub"):
        return processes.last_lines(self.settings, name, 200)

    def close(self):
        self.command("down", check=False)
        for entry in pwd.getpwall():
            if entry.pw_name.startswith(self.settings.accounts):
                subprocess.run(["userdel", "--force", entry.pw_name], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def require_programs():
    for module in ("jupyterhub", "jupyterlab", "dask_gateway_server"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (flavorframe-facility)")
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed (Debian: nodejs)")
    path = f"{NODE}:{os.environ['PATH']}"
    if shutil.which("configurable-http-proxy", path=path) is None:
        pytest.skip("configurable-http-proxy is not installed (npm)")


def python_for_all(folder):
    """Return a Python with this one's packages that the users of a facility can run as well."""
    if os.geteuid() != 0 or is_open(Path(sys.base_prefix)):
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = Path("/usr/bin") / version
    if not python.exists() or not is_open(Path(sys.prefix)):
        pytest.skip(f"{sys.base_prefix} is closed to other users, and there is no {python}")
    twin = folder / "python"
    (twin / "bin").mkdir(parents=True)
    (twin / "bin" / "python").symlink_to(python)
    (twin / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    for part in ("lib", "share", "etc"):
        (twin / part).symlink_to(Path(sys.prefix) / part)
    return twin / "bin" / "python"


def is_open(folder):
    return all(above.stat().st_mode & 0o001 for above in [folder, *folder.parents])


def free_block(number=6):
    """Return the first of some ports in a row that nobody listens at."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + number):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first


def kept(facility):
    """Return the settings as they are kept."""
    return json.loads((facility.settings.folder / "settings.json").read_text())
