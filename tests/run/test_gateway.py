"""A real Dask Gateway, whose clusters are processes of this machine."""

import importlib.util
import json
import subprocess
import sys
import urllib.request

import pytest

from support.servers import PATIENCE, free_port, wait_for

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("dask_gateway_server") is None
        or importlib.util.find_spec("dask_gateway") is None,
        reason="needs dask-gateway and dask-gateway-server",
    ),
]

CONFIGURATION = """
dask = [{python!r}, "-m", "dask"]
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.address = "127.0.0.1:{inner}"
c.Proxy.address = "127.0.0.1:{outer}"
c.UnsafeLocalBackend.clusters_directory = {folder!r}
c.ClusterConfig.scheduler_cmd = [*dask, "scheduler"]
c.ClusterConfig.worker_cmd = [*dask, "worker"]
c.ClusterConfig.worker_cores = 1
"""


@pytest.fixture
def gateway(tmp_path):
    """Return the address of a gateway."""
    inner, outer = free_port(), free_port()
    file = tmp_path / "gateway_config.py"
    file.write_text(
        CONFIGURATION.format(python=sys.executable, inner=inner, outer=outer, folder=str(tmp_path))
    )
    command = [sys.executable, "-m", "dask_gateway_server", "-f", str(file)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        address = f"http://127.0.0.1:{outer}"
        wait_until_healthy(address, server, tmp_path / "log")
        yield address
    finally:
        server.terminate()
        server.wait(PATIENCE)


def wait_until_healthy(address, server, log):
    def is_healthy():
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/api/health", timeout=10) as answer:
                return json.load(answer)["status"] == "pass"
        except OSError:
            return False

    wait_for(is_healthy, told=log.read_text)


RUN = """
import sys
from pathlib import Path
import dask
import flavorframe as ff
from dask_gateway import Gateway

if __name__ == "__main__":
    t = ff.events().triplet
    analysis = ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)))
    data = {name: ff.dataset(sys.argv[2:], name=name) for name in ("2017B", "2018A")}
    with dask.config.set({"gateway.address": sys.argv[1]}):
        results = analysis.run(data, on="gateway", progress=False, partition_size=500)
        for era, local in analysis.run(data, progress=False).items():
            assert results[era].mass == local.mass
            assert results[era].events == local.events == 14_000
        last = Path(sys.argv[-1])
        hidden = last.rename(last.with_suffix(".hidden"))
        partial = analysis.run(data, progress=False)
        hidden.rename(last)
        assert not any(result.is_complete for result in partial.values())
        for era, whole in partial.resume(on="gateway", progress=False).items():
            assert whole.is_complete and whole.mass == results[era].mass
        with Gateway() as gateway:
            ended = gateway.list_clusters(status=["stopping", "stopped"])
            print(len(ended), len(gateway.list_clusters()), len(results["2018A"].timing.workers))
"""


def test_a_run_of_a_catalogue_has_one_new_cluster_and_so_has_its_rest(gateway, files, tmp_path):
    script = tmp_path / "run.py"  # a process of its own, to see what is said at its end
    script.write_text(RUN)
    done = subprocess.run(
        [sys.executable, script, gateway, *files], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    ended, running, workers = map(int, done.stdout.split())
    assert (ended, running) == (2, 0)
    assert "Exception ignored" not in done.stderr
    assert workers >= 1
