"""An XRootD cluster on this machine: a manager, and data servers of folders of their own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.servers import answers, free_port, wait_for

COMMON = """
all.manager localhost:{cluster_port}
all.export /store r/o
xrd.network nodnr
all.adminpath {folder}/admin
all.pidpath {folder}/admin
"""
MANAGER = """
all.role manager
xrd.port {port}
if exec cmsd
xrd.port {cluster_port}
fi
cms.delay startup 1 servers 1
cms.allow host *
"""
SERVER = """
all.role server
xrd.port {port}
oss.localroot {folder}/data
"""


class Cluster:
    """A manager at ``port``, and servers whose folders are ``stores``."""

    def __init__(self, servers=2):
        if shutil.which("cmsd") is None:
            pytest.skip("the XRootD server is not installed (Debian: xrootd-server)")
        pytest.importorskip("XRootD", reason="the XRootD client is not installed")
        self._folder = Path(tempfile.mkdtemp(prefix="test-cluster-"))
        self._folder.chmod(0o755)
        self.port, self._cluster_port = free_port(), free_port()
        self._processes = []
        names = [f"server{number}" for number in range(servers)]
        self.stores = [self._folder / name / "data" / "store" for name in names]
        for store in self.stores:
            store.mkdir(parents=True)
        self._start("manager", MANAGER, self.port)
        for name in names:
            self._start(name, SERVER, free_port())

    def _start(self, name, text, port):
        folder = self._folder / name
        (folder / "admin").mkdir(parents=True)
        ports = {"port": port, "cluster_port": self._cluster_port, "folder": folder}
        (folder / "server.cfg").write_text((text + COMMON).format(**ports))
        for program in ("xrootd", "cmsd"):
            command = [program, "-c", f"{folder}/server.cfg", "-l", f"{folder}/admin/{program}.log"]
            if os.geteuid() == 0:  # they refuse to run as root
                shutil.chown(folder / "admin", "xrootd", "xrootd")
                command += ["-R", "xrootd"]
            silent = subprocess.DEVNULL
            self._processes.append(
                subprocess.Popen(command, cwd=folder / "admin", stdout=silent, stderr=silent)
            )
        wait_for(lambda: answers(port), told=lambda: self.logs)

    @property
    def logs(self):
        return "".join(path.read_text() for path in self._folder.rglob("*.log"))

    def close(self):
        for process in self._processes:
            process.kill()
            process.wait()
        shutil.rmtree(self._folder)
