"""Dask clusters on Kubernetes keep their limits, whatever a scheduler reports, and apart."""

import asyncio
import json

import pytest

from facility_support.coroutines import run

pytest.importorskip("kubernetes_asyncio")
pytest.importorskip("dask_gateway_server")

from facility_support.dask_on_kubernetes import EMPTY, SECONDS, running

pytestmark = [
    pytest.mark.servers,
    pytest.mark.filterwarnings("ignore"),  # Dask Gateway's own
]

SETTINGS = {
    "folder": "/srv/jupyterhub/flavorframe",
    "backend": "kubernetes",
    "clusters_per_user": 3,
    "cluster_cores_per_user": 4,
    "cluster_memory_per_user": 100,
}


@pytest.fixture
def on_kubernetes(monkeypatch):
    """Return a function that runs a test, a coroutine, with a gateway."""
    monkeypatch.setenv(
        "FLAVORFRAME_FACILITY",
        json.dumps(
            {
                "settings": SETTINGS,
                "guaranteed_share_of_cores": 0.25,
                "clusters_namespace": "clusters",
                "pods": {"volumes": [], "mounts": [], "environment": {}},
            }
        ),
    )

    def go(test, **options):
        async def inside():
            async with running(monkeypatch, **options) as gateway:
                await test(gateway)

        run(asyncio.wait_for(inside(), SECONDS))

    return go


class NoLock:
    async def __aenter__(self):
        return None

    async def __aexit__(self, *_):
        return None


@pytest.mark.parametrize("locked", [True, False], ids=["attack", "control"])
def test_of_twenty_clusters_at_once_no_more_are_made_than_allowed(
    on_kubernetes, monkeypatch, locked
):
    async def attack(gateway):
        if not locked:
            monkeypatch.setattr(type(gateway.backend), "_lock", NoLock())
        await asyncio.gather(*(gateway.submit("ada") for _ in range(20)))
        made = len(gateway.kubernetes.all("daskclusters"))
        assert made == 3 if locked else made > 3

    on_kubernetes(attack)


def test_twenty_users_have_a_cluster_each(on_kubernetes):
    async def control(gateway):
        await asyncio.gather(*(gateway.submit(f"user-{number}") for number in range(20)))
        assert len(gateway.kubernetes.all("daskclusters")) == 20

    on_kubernetes(control)


def test_a_negative_heartbeat_makes_no_room(on_kubernetes):
    async def attack(gateway):
        first, second = [await gateway.new("ada") for _ in range(2)]
        assert await gateway.beat(first, -8) == 400
        assert await gateway.beat(second, 12) == 200
        await gateway.until(lambda: len(gateway.workers()) == 4)
        await gateway.quiet()
        assert len(gateway.workers()) == 4

    on_kubernetes(attack)


def test_pods_count_until_they_are_gone(on_kubernetes):
    async def attack(gateway):
        first, second = [await gateway.new("ada") for _ in range(2)]
        await gateway.beat(first, 4)
        await gateway.until(lambda: len(gateway.workers(first)) == 4)
        await gateway.beat(first, 0)  # and the scheduler lets its workers run
        await gateway.beat(second, 4)
        await gateway.quiet()
        assert len(gateway.workers(first)) == 4
        assert gateway.workers(second) == []
        for pod in gateway.workers(first)[:3]:
            await gateway.kubernetes.remove("pods", pod["metadata"]["name"])
        await gateway.until(lambda: len(gateway.workers(second)) == 3)

    on_kubernetes(attack)


@pytest.mark.parametrize(("settle", "most"), [(600.0, 4), (0.0, 8)], ids=["attack", "control"])
def test_pods_count_before_they_are_seen(on_kubernetes, settle, most):
    async def attack(gateway):
        first, second = [await gateway.new("ada") for _ in range(2)]
        gateway.kubernetes.gate.clear()
        await gateway.beat(first, 4)
        await gateway.quiet()  # the controller asks for pods, which take their time
        await gateway.beat(first, 0)
        await gateway.beat(second, 4)
        await gateway.quiet()
        gateway.kubernetes.gate.set()
        await gateway.until(lambda: len(gateway.workers()) >= min(most, 4))
        await gateway.quiet()
        assert len(gateway.workers()) == most

    on_kubernetes(attack, settle_seconds=settle)


def test_a_stopped_cluster_counts_until_its_pods_are_gone(on_kubernetes):
    async def attack(gateway):
        names = [await gateway.new("ada") for _ in range(3)]
        gateway.kubernetes.lingering = True
        await gateway.ask("DELETE", f"clusters/{names[0]}", "ada")
        phases = gateway.kubernetes.objects["daskclusters"]
        key = names[0].partition(".")[2]
        await gateway.until(lambda: phases[key]["status"]["phase"] == "Stopped")
        assert "no more than 3 at a time" in await gateway.submit("ada")
        await gateway.kubernetes.bury()
        assert (await gateway.submit("ada")).startswith("clusters.")

    on_kubernetes(attack)


def test_a_gateway_that_starts_counts_what_there_is(on_kubernetes):
    async def attack(gateway):
        first, second = [await gateway.new("ada") for _ in range(2)]
        await gateway.beat(first, 4)
        await gateway.until(lambda: len(gateway.workers(first)) == 4)
        gateway.backend._lowered, gateway.backend._unmet = {}, {}
        await gateway.beat(second, 4)
        await gateway.quiet()
        assert gateway.workers(second) == []

    on_kubernetes(attack)


MALFORMED = [
    {"data": b"{"},
    {"data": b"\xff\xfe"},
    {"data": b"[" * 100_000},
    {"json": []},
    {"json": {}},
    {"json": {**EMPTY, "count": "many"}},
    {"json": {**EMPTY, "count": True}},
    {"json": {**EMPTY, "count": 1.5}},
    {"json": {**EMPTY, "count": None}},
    {"json": {**EMPTY, "count": 10**30}},
    {"json": {**EMPTY, "count": 1, "active_workers": None}},
    {"json": {**EMPTY, "count": 1, "closed_workers": [{}]}},
    {"json": {**EMPTY, "count": 1}, "headers": {"Authorization": "token"}},
]


def test_a_malformed_heartbeat_is_the_senders_fault(on_kubernetes):
    async def attack(gateway):
        name = await gateway.new("ada")
        assert await gateway.beat(name, 1) == 200
        for sent in MALFORMED:
            assert await gateway.send(name, **sent) == 400, sent
        assert await gateway.beat(name, 2) == 200
        await gateway.until(lambda: len(gateway.workers()) == 2)

    on_kubernetes(attack)


def test_a_heartbeat_needs_the_clusters_own_token(on_kubernetes):
    async def attack(gateway):
        name, other = await gateway.new("ada"), await gateway.new("bob")
        foreign = {"Authorization": f"token {gateway.token(other)}"}
        content = {**EMPTY, "count": 1}
        assert await gateway.send(name, json=content, headers=foreign) == 401
        assert await gateway.send(other, json=content) == 200

    on_kubernetes(attack)


def test_each_cluster_has_a_network_of_its_own_while_it_is_there(on_kubernetes):
    async def attack(gateway):
        first, second = await gateway.new("ada"), await gateway.new("bob")
        kept = {
            one["metadata"]["name"]: one["spec"]
            for one in gateway.kubernetes.all("networkpolicies")
        }
        for name in (first, second):
            short = name.partition(".")[2]
            own = {"podSelector": {"matchLabels": {"gateway.dask.org/cluster": short}}}
            assert kept[f"dask-{short}"]["ingress"] == [{"from": [own]}]
            assert kept[f"dask-{short}"]["egress"] == [{"to": [own]}]
        await gateway.kubernetes.remove("daskclusters", first.partition(".")[2])
        left = [one["metadata"]["name"] for one in gateway.kubernetes.all("networkpolicies")]
        assert left == [f"dask-{second.partition('.')[2]}"]

    on_kubernetes(attack)
