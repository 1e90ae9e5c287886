"""Clusters of a facility's users, as the gateway and its database have them."""

import json
import sqlite3

import requests

from flavorframe_facility.gateway.config import PREFIX
from support.servers import wait_for

SECONDS = 120


def gateway(facility, path):
    """Return an address at the gateway, which the hub's proxy does not lead to."""
    return f"http://127.0.0.1:{facility.settings.gateway_proxy_port}{PREFIX}/{path}"


def ask_for_cluster(user):
    """Ask the gateway for a cluster, as its client does; return the answer."""
    return requests.post(
        gateway(user.facility, "api/v1/clusters/"), json={}, timeout=60,
        headers={"Authorization": f"token {user.token}"},
    )  # fmt: skip


class Cluster:
    """A cluster of a user's, which starts, and is left to itself."""

    def __init__(self, owner):
        answer = ask_for_cluster(owner)
        assert answer.ok, answer.text
        self.owner = owner
        self.name = answer.json()["name"]
        self.path = f"api/v1/clusters/{self.name}"
        self.url = gateway(owner.facility, self.path)

    @property
    def row(self):
        """What the gateway keeps of it."""
        file = self.owner.facility.settings.private / "gateway.sqlite"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            return database.execute("select * from clusters where name=?", [self.name]).fetchone()

    def ports(self):
        row = self.row
        return {
            key: int(row[f"{key}_address"].rpartition(":")[2])
            for key in ("scheduler", "dashboard", "api")
        }

    @property
    def process(self):
        return json.loads(self.row["state"])["pid"]

    @property
    def status(self):
        answer = self.owner.ask(self.url)
        return answer.json()["status"] if answer.ok else answer.status_code

    def stop(self):
        requests.delete(
            self.url,
            headers={"Authorization": f"token {self.owner.token}"},
            timeout=60,
        )
        wait_for(lambda: self.status not in ("RUNNING", "PENDING", "STOPPING"), SECONDS)


def pid_of(facility, name):
    note = facility.settings.private / f"{name}.process.json"
    return json.loads(note.read_text())["process"]
