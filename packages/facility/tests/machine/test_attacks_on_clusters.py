"""A Dask cluster of a facility is for its owner alone, whatever others try."""

import json
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from facility_support.clusters import SECONDS, Cluster, gateway, pid_of
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("facility")


@pytest.fixture(scope="module")
def cluster(alice):
    """Return a cluster of alice's that runs, and that no attack has ended."""
    cluster = Cluster(alice)
    wait_for(lambda: cluster.status == "RUNNING", SECONDS)
    yield cluster
    assert cluster.status == "RUNNING"
    cluster.stop()


def test_another_user_neither_sees_nor_reaches_a_cluster(alice, bob, cluster):
    printed = bob.python(
        f"""
import os
from dask_gateway import Gateway
kept = []  # where a client of Gateway that failed is freed in its own thread, it waits for itself
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
            kept.append(error)
            print("refused", type(error).__name__, error)
        else:
            print("DONE")
    print("ends", flush=True)
    os._exit(0)
"""
    )
    assert "sees []" in printed
    assert "DONE" not in printed
    assert printed.count("403, message='Forbidden'") == 5, printed
    assert cluster.status == "RUNNING"


@pytest.mark.parametrize("token", [None, "f0rged", "0" * 32])
def test_without_a_token_of_the_hub_nothing_is_answered(alice, cluster, token):
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
    port, front = cluster.ports()["scheduler"], alice.facility.settings.gateway_proxy_port
    assert answer_of(port, None, plain=True) == b""
    assert answer_of(port, None) == b""
    assert answer_of(front, f"daskgateway-{cluster.name}") == b""
    stolen = Path(json.loads(cluster.row["state"])["workdir"]) / "certificate" / "dask.pem"
    read = bob.python(f"print(open({str(stolen)!r}).read())", check=False)
    if os.geteuid() == 0:
        assert "PermissionError" in read
    assert requests.post(
        f"http://127.0.0.1:{cluster.ports()['api']}/api/comm", json={"op": "scale"}, timeout=60
    ).status_code in (401, 403)


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"no JSON", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 100_000,
        {"count": -1}, {"count": "many"}, {"count": None}, {"count": 1e9}, {"count": True},
        {"active_workers": 7}, {"closing_workers": [{}]}, {"closed_workers": None},
    ],
    ids=lambda wrong: repr(wrong)[:30],
)  # fmt: skip
def test_a_malformed_heartbeat_is_refused(alice, cluster, wrong):
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


def answer_of(port, name, *, plain=False):
    """Return what a scheduler says to somebody without a certificate; nothing where it hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
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
    with socket.create_connection(address, timeout=60) as connection:
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
