"""Dask clusters of a facility: results, limits, and whatever fails."""

import json
import os
import sqlite3
from pathlib import Path

import psutil
import pytest

from facility_support.clusters import SECONDS, Cluster, ask_for_cluster, pid_of
from flavorframe_facility.machine import groups
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("facility")

needs_groups = pytest.mark.skipif(not groups.version(), reason="control groups cannot be written")


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


def test_groups_share_limits_and_idle_clusters_are_stopped(facility, alice, bob):
    with sqlite3.connect(facility.settings.private / "jupyterhub.sqlite") as database:
        database.execute("insert into groups (name, properties) values ('students', '{}')")
        database.execute("insert into user_group_map select users.id, groups.id from users, groups")
    limits = {"students": {"clusters": 1}}
    restart(facility, cluster_limits_by_group=limits, idle_cluster_minutes=0.1)
    cluster = Cluster(alice)  # which lives until bob has asked for his, for it must start first
    try:
        refusal = ask_for_cluster(bob)
        assert refusal.status_code == 422, refusal.text
        expected = "The members of group students have 1 Dask cluster, and no more than 1 at a time"
        assert expected in refusal.json()["error"]
        wait_for(lambda: cluster.status != "PENDING", SECONDS)
        process = psutil.Process(cluster.process)
        wait_for(lambda: cluster.status == "STOPPED", SECONDS)
        wait_for(lambda: not process.is_running(), SECONDS)
        assert not Path(json.loads(cluster.row["state"])["workdir"]).exists()
        Cluster(bob).stop()
    finally:
        restart(facility, cluster_limits_by_group={}, idle_cluster_minutes=10)
