"""The names of the metrics that the programs of a facility really give."""

import re
import urllib.request

from distributed import Client, LocalCluster

NAME = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)[{ ]", re.MULTILINE)
DECLARED = re.compile(r"^# TYPE (\S+) (\S+)", re.MULTILINE)


def names(text):
    """Return the names in what an exporter gives, those without a sample yet included."""
    found = set(NAME.findall(text))
    for name, kind in DECLARED.findall(text):
        found.add(name)
        if kind == "histogram":
            found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return found


def of_hub():
    """Return what the hub's process gives, with all of the hub loaded."""
    import jupyterhub.metrics
    from prometheus_client import REGISTRY, generate_latest

    assert jupyterhub.metrics.RUNNING_SERVERS is not None
    return names(generate_latest(REGISTRY).decode())


def of_dask():
    """Return what a scheduler and a worker give that have done a task."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        assert client.submit(sum, [1, 2]).result() == 3
        (worker,) = cluster.workers.values()
        servers = (cluster.scheduler.http_server, worker.http_server)
        return set().union(*(names(_read(server.port)) for server in servers))


def _read(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return answer.read().decode()
