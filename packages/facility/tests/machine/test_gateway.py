"""Dask clusters of a facility: for their owner alone, within limits, and whatever fails."""

import json
import os
import socket
import sqlite3
import ssl
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from facility_support.users import User
from flavorframe_facility.gateway.config import PREFIX
from flavorframe_facility.machine import groups
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("facility")

needs_groups = pytest.mark.skipif(not groups.version(), reason="control groups cannot be written")

SECONDS = 120


@pytest.fixture(scope="module")
def bob(facility):
    return User(facility, "bob")


def gateway(facility, path):
    """Return an address at the gateway, which the hub's proxy does not lead to."""
    return f"http://127.0.0.1:{facility.settings.gateway_proxy_port}{PREFIX}/{path}"


class Cluster:
    """A cluster of alice's, left to itself."""

    def __init__(self, owner, **options):
        code = f"""
from dask_gateway import Gateway
import json
with Gateway() as gateway:
    name = gateway.submit(**{options!r})
    report = gateway.connect(name)
    report.close()
    print(name)
"""
        self.owner = owner
        self.name = owner.python(code).split()[-1]
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


@pytest.fixture
def cluster(alice):
    cluster = Cluster(alice)
    yield cluster
    cluster.stop()


ANALYSIS = """
import flavorframe as ff, sys
catalogue = ff.catalog(ff.samples.write("ntuples", eras=("2017B", "2017C"), fraction=1e-3))
t = ff.events().triplet
analysis = ff.Analysis(
    ff.Selection(t).cut("mass", t.mass.between(1.62, 2.02)),
    mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)),
)
local = analysis.run(catalogue, progress=False)
"""


def test_on_gateway_gives_the_bits_of_a_local_run(alice):
    printed = alice.python(
        ANALYSIS
        + """
results = analysis.run(catalogue, on="gateway", progress=False)
for era, result in results.items():
    assert result.mass == local[era].mass and result.is_complete
    assert repr(result.cutflow) == repr(local[era].cutflow)
    assert result.events == local[era].events > 0
from dask_gateway import Gateway
print(Gateway().list_clusters())
"""
    )
    assert printed.strip().endswith("[]")


def test_a_killed_worker_is_replaced_and_nothing_is_counted_twice(alice):
    alice.python(
        ANALYSIS
        + """
import os, signal, threading, time
from dask_gateway import Gateway

@ff.function
def slowly(mass):
    time.sleep(0.2)
    return mass

slow = ff.Analysis(
    ff.Selection(t).cut("mass", slowly(t.mass).between(1.62, 2.02)),
    mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)),
)
with Gateway() as gateway, gateway.new_cluster() as cluster, cluster.get_client() as client:
    cluster.scale(1)
    client.wait_for_workers(1)
    (victim,) = client.run(lambda: (os.getppid(), os.getpid())).values()
    first = {w["name"] for w in client.scheduler_info()["workers"].values()}
    def kill():
        for process in victim:
            os.kill(process, signal.SIGKILL)
    threading.Timer(1.0, kill).start()
    result = slow.run(catalogue["2017B"], on=cluster, progress=False, partition_size=200)
    second = {w["name"] for w in client.scheduler_info()["workers"].values()}
    assert second and not first & second, (first, second)
assert result.mass == local["2017B"].mass and result.is_complete
"""
    )


# Attacks


def test_another_user_neither_sees_nor_reaches_a_cluster(alice, bob, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    printed = bob.python(
        f"""
from dask_gateway import Gateway
with Gateway() as gateway:
    print("sees", gateway.list_clusters())
    for attempt in (
        lambda: gateway.get_cluster({cluster.name!r}),
        lambda: gateway.connect({cluster.name!r}),
        lambda: gateway.scale_cluster({cluster.name!r}, 2),
        lambda: gateway.adapt_cluster({cluster.name!r}, 0, 2),
        lambda: gateway.stop_cluster({cluster.name!r}),
    ):
        try:
            attempt()
        except Exception as error:
            print("refused", type(error).__name__, error)
        else:
            print("DONE")
"""
    )
    assert "sees []" in printed
    assert "DONE" not in printed
    assert printed.count("403, message='Forbidden'") == 5, printed
    assert cluster.status == "RUNNING"


@pytest.mark.parametrize("token", [None, "f0rged", "0" * 32])
def test_without_a_token_of_the_hub_nothing_is_answered(alice, cluster, token):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    for path in ("api/v1/clusters/", "api/v1/options", cluster.path):
        assert alice.ask(gateway(alice.facility, path), token).status_code == 401
    for path in ("status", "individual-plots.json", "sitemap.json"):
        page = gateway(alice.facility, f"clusters/{cluster.name}/{path}")
        assert alice.ask(page, token).status_code == 401
    assert alice.ask(gateway(alice.facility, "api/v1/routes"), token).status_code == 401
    beat = requests.post(
        f"{cluster.url}/heartbeat",
        headers={"Authorization": f"token {token}"}, json={}, timeout=60,
    )  # fmt: skip
    assert beat.status_code == 401


def test_a_dashboard_is_for_its_owner(alice, bob, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    page = f"clusters/{cluster.name}/individual-plots.json"
    own = alice.get(f"user/alice/proxy-dask/{page}")
    assert own.status_code == 200
    assert "Individual Task Stream" in own.json()
    assert alice.ask(gateway(alice.facility, page)).json() == own.json()
    assert bob.ask(gateway(alice.facility, page)).status_code == 404
    assert bob.get(f"user/bob/proxy-dask/{page}").status_code == 404
    assert bob.get(f"user/alice/proxy-dask/{page}").status_code == 403
    assert "/hub/login" in bob.get(f"user/alice/proxy-dask/{page}", None).url
    assert answer_of(cluster.ports()["dashboard"], None) == b""


def test_a_scheduler_answers_nobody_without_its_certificate(alice, bob, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    port, front = cluster.ports()["scheduler"], alice.facility.settings.gateway_proxy_port
    assert answer_of(port, None, plain=True) == b""
    assert answer_of(port, None) == b""
    assert answer_of(front, f"daskgateway-{cluster.name}") == b""
    stolen = Path(json.loads(cluster.row["state"])["workdir"]) / "certificate" / "dask.pem"
    read = bob.python(f"print(open({str(stolen)!r}).read())", check=False)
    if os.geteuid() == 0:
        assert "PermissionError" in read
    assert requests.post(
        f"http://127.0.0.1:{cluster.ports()['api']}/api/comm", json={"op": "scale"}, timeout=10
    ).status_code in (401, 403)


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"no JSON", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 100_000,
        {"count": -1}, {"count": "many"}, {"count": None}, {"count": 1e9}, {"count": True},
        {"active_workers": 7}, {"closing_workers": [{}]}, {"closed_workers": None},
    ],
)  # fmt: skip
def test_a_malformed_heartbeat_is_refused(alice, cluster, wrong):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    token = psutil.Process(cluster.process).environ()["DASK_GATEWAY_API_TOKEN"]
    good = {
        "count": 0, "active_workers": [], "closing_workers": [], "closed_workers": [],
        **dict.fromkeys(("api_address", "scheduler_address", "dashboard_address"), ""),
    }  # fmt: skip

    def beat(body):
        return requests.post(
            f"{cluster.url}/heartbeat", timeout=60,
            data=body if isinstance(body, bytes) else json.dumps({**good, **body}),
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        )  # fmt: skip

    assert beat({}).status_code == 200
    assert beat(wrong).status_code == 400
    addressed = beat({"scheduler_address": "tls://198.51.100.1:8786"})
    assert addressed.status_code == 409
    assert beat({"scheduler_address": ["tls://127.0.0.1"]}).status_code == 409
    assert beat({"scheduler_address": "tls://[127"}).status_code == 409
    assert cluster.status == "RUNNING"


@needs_groups
def test_what_left_its_session_ends_with_the_cluster(alice):
    cluster = Cluster(alice)
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    code = f"""
from dask_gateway import Gateway

def escape():
    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(3, 256):
                try:
                    os.close(number)
                except OSError:
                    pass
            os.execv("/bin/sleep", ["sleep", "4711"])
        os._exit(0)
    os.wait()

with Gateway() as gateway, gateway.connect({cluster.name!r}) as connected:
    connected.scale(1)
    with connected.get_client() as client:
        client.submit(escape).result(60)
"""
    alice.python(code)
    running = psutil.process_iter(["cmdline"])  # of a process that has just ended it is None
    (found,) = [p for p in running if (p.info["cmdline"] or ())[1:] == ["4711"]]
    assert found.ppid() == 1
    assert os.getsid(found.pid) != os.getsid(cluster.process)
    cluster.stop()
    wait_for(lambda: not found.is_running(), SECONDS)


def answer_of(port, name, *, plain=False):
    """Return what a scheduler says to somebody without a certificate; nothing where it hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            if plain:
                connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
                with suppress(OSError):  # it may have hung up by now; what it said is still read
                    connection.shutdown(socket.SHUT_WR)
                return connection.recv(100)
            with context.wrap_socket(connection, server_hostname=name) as talking:
                talking.sendall(b"GET /status HTTP/1.0\r\n\r\n")
                return talking.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_the_panels_client_code_is_for_the_owner(alice, bob, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    port = alice.facility.settings.gateway_proxy_port
    code = f"""
from dask.distributed import Client

client = Client("gateway://127.0.0.1:{port}/{cluster.name}")
client
print(client.status)
"""
    assert alice.python(code).split()[-1] == "running"
    assert "403, message='Forbidden'" in bob.python(code, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run clusters as their owners")
def test_a_cluster_runs_as_its_owner_and_knows_no_secret(alice, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    process = psutil.Process(cluster.process)
    assert process.username() == alice.environment["USER"]
    secrets = {
        file.read_text().strip()
        for file in alice.facility.settings.private.iterdir()
        if file.name.endswith(("-token", "-key", "-secret", "-password"))
    } | {alice.token}
    assert len(secrets) > 4
    for holder in (process.environ(), alice.environment):
        seen = json.dumps({k: v for k, v in holder.items() if k != "JUPYTERHUB_API_TOKEN"})
        assert not [secret for secret in secrets - {alice.token} if secret in seen]
    assert alice.token not in json.dumps(process.environ())


def test_an_unfinished_message_does_not_fill_the_gateway(alice, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    process = psutil.Process(pid_of(alice.facility, "gateway"))
    before = process.memory_info().rss
    page = f"/clusters/{cluster.name}/eventstream"
    assert send_fragments(alice, page, 900_000) == 900_000  # the connection itself is good
    assert send_fragments(alice, page, 200_000_000) < 100_000_000
    assert process.memory_info().rss - before < 50_000_000
    assert cluster.status == "RUNNING"


def send_fragments(user, page, size, part=100_000):
    """Send the parts of a message of a web socket that never ends; return how much was taken."""
    request = (
        f"GET {page} HTTP/1.1\r\nHost: gateway\r\nAuthorization: token {user.token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    sent = 0
    address = ("127.0.0.1", user.facility.settings.gateway_port)
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request.encode())
        assert b"101 Switching" in connection.recv(1000)
        kind = 1  # text; the parts that follow continue it
        while sent < size:
            header = bytes([kind, 0x80 | 127]) + part.to_bytes(8, "big") + bytes(4)
            try:
                connection.sendall(header + bytes(part))
            except ConnectionError:
                break
            sent, kind = sent + part, 0
    return sent


# Limits


@pytest.mark.skipif(psutil.virtual_memory().total < 16e9, reason="needs 16 GB of memory")
def test_limits_of_a_user_are_told(alice):
    printed = alice.python(
        """
import time, warnings
from dask_gateway import Gateway
with Gateway() as gateway:
    def attempt(**options):
        try:
            made.append(gateway.submit(**options))
        except Exception as error:
            print("refused:", error)
    made = []
    attempt(worker_cores="3")
    attempt(worker_memory="16")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = gateway.connect(made[0])
        first.scale(5)
    print(caught[0].message)
    with first.get_client() as client:
        client.wait_for_workers(1)
    attempt()
    first.scale(0)
    while len(made) < 2:
        time.sleep(1)
        attempt()
    attempt()
    first.close()
    for name in made:
        gateway.stop_cluster(name)
"""
    )
    refused = [line for line in printed.splitlines() if line.startswith("refused:")]
    assert "'3' is not a valid option for worker_cores" in refused[0]
    assert "would exceed resource limit of 1 workers" in printed
    assert "16 of 16 GB taken by Dask workers" in refused[1]
    assert "worker of 1 core and 2 GB" in refused[1]
    assert "You have 2 Dask clusters, and no more than 2 at a time are allowed" in refused[-1]


# Faults, last because they restart the facility


def restart(facility, **choices):
    facility.settings.changed(**choices).save()
    facility.command("restart")


def test_servers_and_clusters_outlive_hub_and_gateway(facility, alice, cluster):
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    scheduler = psutil.Process(cluster.process)
    code = (
        ANALYSIS
        + f"""
import pathlib
from dask_gateway import Gateway
with Gateway() as gateway, gateway.connect({cluster.name!r}) as cluster:
    cluster.scale(1)
    with cluster.get_client() as client:
        client.wait_for_workers(1)
        pathlib.Path("connected").touch()
        while pathlib.Path("connected").exists():
            __import__("time").sleep(0.1)
        result = analysis.run(catalogue["2017B"], on=client, progress=False)
assert result.mass == local["2017B"].mass and result.is_complete
"""
    )
    import threading

    printed = []
    thread = threading.Thread(target=lambda: printed.append(alice.python(code, check=False)))
    thread.start()
    flag = facility.settings.homes / "alice" / "connected"
    wait_for(flag.exists, SECONDS)
    before = {name: psutil.Process(pid_of(facility, name)) for name in ("hub", "gateway")}
    restart(facility)
    assert not any(process.is_running() for process in before.values())
    flag.unlink()
    thread.join(SECONDS)
    assert printed == [""]
    assert scheduler.is_running()
    assert cluster.status == "RUNNING"
    assert alice.get("user/alice/api/status").status_code == 200
    alice.python(f"""
from dask_gateway import Gateway
with Gateway() as gateway, gateway.connect({cluster.name!r}) as cluster:
    with cluster.get_client() as client:
        assert client.submit(sum, [1, 2]).result(60) == 3
""")


def pid_of(facility, name):
    note = facility.settings.private / f"{name}.process.json"
    return json.loads(note.read_text())["process"]


def test_groups_share_limits_and_idle_clusters_are_stopped(facility, alice, bob):
    with sqlite3.connect(facility.settings.private / "jupyterhub.sqlite") as database:
        database.execute("insert into groups (name, properties) values ('students', '{}')")
        database.execute("insert into user_group_map select users.id, groups.id from users, groups")
    limits = {"students": {"clusters": 1}}
    restart(facility, cluster_limits_by_group=limits, idle_cluster_minutes=0.5)
    cluster = Cluster(alice)  # which must live until bob has asked for his
    try:
        refusal = requests.post(
            gateway(facility, "api/v1/clusters/"), json={}, timeout=60,
            headers={"Authorization": f"token {bob.token}"},
        )  # fmt: skip
        assert refusal.status_code == 422, refusal.text
        expected = "The members of group students have 1 Dask cluster, and no more than 1 at a time"
        assert expected in refusal.json()["error"]
        process = psutil.Process(cluster.process)
        wait_for(lambda: cluster.status == "STOPPED", SECONDS)
        wait_for(lambda: not process.is_running(), SECONDS)
        assert not Path(json.loads(cluster.row["state"])["workdir"]).exists()
        Cluster(bob).stop()
    finally:
        restart(facility, cluster_limits_by_group={}, idle_cluster_minutes=10)
