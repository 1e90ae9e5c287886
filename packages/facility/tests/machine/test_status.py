"""What ``status`` tells of users: their servers and clusters, and what these take."""

import json
import os
import pwd
import secrets
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
import requests

from facility_support.users import User
from flavorframe_facility.gateway.client import PATH
from flavorframe_facility.hub.client import Server
from flavorframe_facility.machine import enter, groups, limits, usage
from flavorframe_facility.machine.enter import Entry
from flavorframe_facility.machine.groups import Limits
from flavorframe_facility.settings import GB, make
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("facility")

CLUSTER = """
from dask_gateway import Gateway
gateway = Gateway()
cluster = gateway.new_cluster(worker_cores="1", worker_memory="2", shutdown_on_close=False)
cluster.scale(1)
cluster.get_client().wait_for_workers(1)
print(cluster.name)
"""
BUSY = """
import os, sys, time
os.setuid(int(sys.argv[1]))
taken = bytearray(300_000_000)
print(len(taken), flush=True)
until = time.monotonic() + 120
while time.monotonic() < until:
    pass
"""


@pytest.fixture(scope="module")
def ursula(facility):
    return User(facility, "ursula")


@pytest.fixture(scope="module")
def cluster(facility, ursula):
    name = ursula.python(CLUSTER).split()[-1]
    yield name
    ask(facility, ursula.token, "DELETE", f"{gateway(facility)}/v1/clusters/{name}")


def gateway(facility):
    return f"http://127.0.0.1:{facility.settings.gateway_port}/api"


def ask(facility, token, method="GET", url=None):
    headers = {} if token is None else {"Authorization": f"token {token}"}
    url = url or f"http://127.0.0.1:{facility.settings.gateway_port}{PATH}"
    return requests.request(method, url, headers=headers, timeout=60)


def status(facility):
    return json.loads(facility.command("status", "--json"))


def test_servers_and_clusters_are_told(facility, ursula, cluster):
    told = status(facility)
    assert told["up"]
    assert told["url"] == facility.url
    assert set(told["programs"]) == {"proxy", "hub", "gateway-proxy", "gateway"}
    (server,) = [one for one in told["servers"] if one["user"] == "ursula"]
    assert server["options"] == {"environment": "flavorframe", "cores": "1", "memory": "2"}
    (found,) = [one for one in told["clusters"] if one["name"] == cluster]
    assert (found["owner"], found["status"], found["workers"]) == ("ursula", "running", 1)
    assert (found["worker_cores"], found["worker_memory"]) == (1, 2 * GB)
    (use,) = [one for one in told["users"] if one["user"] == "ursula"]
    assert use["cores_allowed"] == 1 + found["cores"] >= 2
    assert use["memory_allowed"] == 2 * GB + found["memory"] > 4 * GB
    assert 50_000_000 < use["memory"] < use["memory_allowed"]
    text = facility.command("status")
    assert f"cluster of ursula: {cluster}, running, 1 worker of 1 core and 2 GB, since" in text
    assert "ursula uses 0" in text


def test_clusters_listen_on_loopback_and_dashboards_have_strict_headers(facility, ursula, cluster):
    answer = ursula.ask(f"{ursula.url}proxy-dask/clusters/{cluster}/status")
    assert answer.ok
    assert "Bokeh" in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    dask = [
        process
        for process in psutil.process_iter()
        if cluster in str(environment_of(process).get("DASK_GATEWAY_CLUSTER_NAME"))
    ]
    listening = [
        (place.laddr.ip, process.pid)
        for process in dask
        for place in process.net_connections("inet")
        if place.status == psutil.CONN_LISTEN
    ]
    assert len({process for _, process in listening}) >= 2  # the scheduler, and a worker
    assert {address for address, _ in listening} == {"127.0.0.1"}


def environment_of(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


def test_a_cluster_is_listed_and_stopped_by_services_with_the_scope_alone(
    facility, ursula, cluster
):
    service = (facility.settings.private / "service-token").read_text()
    of_culler = f"http://127.0.0.1:{facility.settings.hub_port}/hub/api/user"
    url = f"http://127.0.0.1:{facility.settings.gateway_port}{PATH}"
    for token in (None, "forged", ursula.token):
        assert ask(facility, token).status_code == 401
        assert ask(facility, token, "DELETE", f"{url}/{cluster}").status_code == 401
    assert ask(facility, ursula.token, url=of_culler).json()["name"] == "ursula"  # it is good
    listed = ask(facility, service)
    assert cluster in {one["name"] for one in listed.json()}
    assert not {"token", "tls_key", "tls_cert"} & set(listed.text.replace('"', " ").split())
    assert ask(facility, service, "DELETE", f"{url}/none").status_code == 404
    assert ask(facility, service, "DELETE", f"{url}/{cluster}").status_code == 204
    wait_for(lambda: cluster not in str(status(facility)["clusters"]), 60, facility.log)


# What processes take


@pytest.fixture
def settings(tmp_path):
    return make(folder=tmp_path, accounts=f"t{secrets.token_hex(3)}-")


SERVER = Server("eve", "2026-01-01T00:00:00Z", "", {"cores": "2", "memory": "4"})


def busy(entry, account=None, **environment):
    """Start a process that takes a core and 300 MB."""
    number = str(os.getuid() if account is None else account)
    process = subprocess.Popen(
        enter.command(entry, [sys.executable, "-I", "-S", "-c", BUSY, number]),
        stdout=subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert process.stdout.readline() == b"300000000\n"
    return process


def assert_is_eve(settings):
    (found,) = usage.of_users(settings, [SERVER], [])
    assert (found.user, found.cores_allowed, found.memory_allowed) == ("eve", 2, 4 * GB)
    assert 0.1 < found.cores < 1.3
    assert 300_000_000 < found.memory < 600_000_000


@pytest.mark.skipif(not groups.version(), reason="control groups cannot be written")
def test_what_a_control_group_takes(settings):
    facility = limits.facility(settings)
    name = limits.group_of_server("eve")
    group = groups.create(facility, name, Limits(2, 4 * GB, 50))
    process = busy(Entry("/", groups=group))
    try:
        assert_is_eve(settings)
    finally:
        groups.end(facility, name)
        process.communicate()
        groups.remove(facility)


def test_what_processes_take_where_all_share_one_account(settings, monkeypatch):
    monkeypatch.setattr(groups, "version", lambda: 0)
    monkeypatch.setattr(usage, "users_have_accounts", lambda: False)
    process = busy(Entry("/"), HOME=f"{settings.homes}/eve")
    try:
        assert_is_eve(settings)
        (other,) = usage.of_users(settings, [replace(SERVER, user="bob")], [])
        assert (other.cores, other.memory) == (0, 0)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_the_processes_of_an_account_take(settings, monkeypatch):
    monkeypatch.setattr(groups, "version", lambda: 0)
    name = f"{settings.accounts}eve"
    subprocess.run(["useradd", "--no-create-home", name], check=True)
    process = busy(Entry("/"), pwd.getpwnam(name).pw_uid)
    try:
        assert_is_eve(settings)
    finally:
        process.kill()
        process.communicate()
        subprocess.run(["userdel", name], check=True, capture_output=True)
