"""Pods of users, as the hub and the gateway make them from the chart's values."""

import json
from unittest.mock import MagicMock

import pytest
import yaml
from traitlets.config import Config

from facility_support import manifests
from facility_support.coroutines import run
from facility_support.helm import render
from flavorframe_facility.kubernetes import chart

kubespawner = pytest.importorskip("kubespawner", reason="jupyterhub-kubespawner is not installed")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

POLICIES = ("NetworkPolicy", "ConfigMap")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Return the chart's values, with its own and the depended-on charts', and its manifests."""
    chart = manifests.copied(tmp_path_factory.mktemp("chart"), whole=False)
    values = manifests.values("k3s", cvmfs={"enabled": True})
    found = render(chart, values)
    merged = manifests.merged(yaml.safe_load((chart / "values.yaml").read_text()), values)
    return merged, [one for one in found if one["kind"] in POLICIES]


@pytest.fixture
def told(rendered, monkeypatch):
    (config,) = [one for one in rendered[1] if one["kind"] == "ConfigMap"]
    monkeypatch.setenv(chart.VARIABLE, config["data"]["facility.json"])
    monkeypatch.setattr("flavorframe_facility.login.config.configure", lambda c, settings: None)


def server(rendered, monkeypatch):
    """Return the pod of a server, as the JupyterHub chart configures KubeSpawner."""
    from jupyterhub.objects import Hub

    values = rendered[0]["jupyterhub"]
    c = Config()
    c.JupyterHub.services, c.JupyterHub.load_roles = [], []
    c.KubeSpawner.volumes, c.KubeSpawner.volume_mounts = {}, {}
    c.KubeSpawner.extra_pod_config = values["singleuser"]["extraPodConfig"]
    c.Spawner.cmd = "jupyterhub-singleuser"
    c.KubeSpawner.uid, c.KubeSpawner.fs_gid = 1000, 100
    c.KubeSpawner.common_labels = {"app.kubernetes.io/name": "jupyterhub"}
    exec(values["hub"]["extraConfig"]["flavorframe"], {"c": c})
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda *_, **__: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", MagicMock())
    monkeypatch.setenv("POD_NAMESPACE", "flavorframe")
    user = MagicMock(url="/user/ada/", escaped_name="ada")
    user.name = "ada"
    hub = Hub(base_url="/hub/", public_host="")
    spawner = kubespawner.KubeSpawner(config=c, hub=hub, user=user)
    spawner.port, spawner.api_token = 8888, "token"
    c.Spawner.apply_user_options(spawner, {"cores": "2", "memory": "4"})
    return run(_manifest(spawner))


async def _manifest(spawner):
    from kubernetes_asyncio.client import ApiClient

    async with ApiClient() as client:
        return client.sanitize_for_serialization(await spawner.get_pod_manifest())


def dask(rendered, kind):
    """Return the pod of a scheduler or worker, as the Dask Gateway chart configures it."""
    from dask_gateway_server.backends.kubernetes.controller import KubeController

    from flavorframe_facility.kubernetes.gateway import PodClusterConfig

    values = rendered[0]["dask-gateway"]["gateway"]
    c = Config()
    for part in ("scheduler", "worker"):
        chosen = values["backend"][part]
        c.KubeClusterConfig[f"{part}_extra_pod_config"] = chosen["extraPodConfig"]
        c.KubeClusterConfig[f"{part}_extra_container_config"] = chosen["extraContainerConfig"]
    exec(values["extraConfig"]["flavorframe"], {"c": c})
    c.KubeController.gateway_instance = "dask-gateway"
    c.KubeController.api_url = "http://api-dask-gateway.flavorframe:8000/api"
    controller = KubeController(config=c)
    cluster = PodClusterConfig(config=c, worker_cores=2, worker_memory=4 * 10**9)
    pod = controller.make_pod("flavorframe", "abc", cluster, is_worker=kind == "worker")
    pod["metadata"].setdefault("name", "dask-worker-abc-1")
    return pod


@pytest.fixture(params=manifests.USERS)
def pod(request, rendered, told, monkeypatch):
    made = server(rendered, monkeypatch) if request.param == "server" else None
    return request.param, made or dask(rendered, request.param)


def test_pods_of_users_are_safe_and_valid(pod, rendered):
    _, made = pod
    made = json.loads(json.dumps(made))
    assert manifests.complaints([made, *rendered[1]]) == []
    assert made["spec"]["automountServiceAccountToken"] is False
    kubernetes_validate.validate(made, "1.37", strict=True)


def test_pods_of_users_have_the_labels_that_policies_are_for(pod, rendered):
    kind, made = pod
    wanted = manifests.USERS[kind]
    labels = made["metadata"]["labels"]
    assert {key: labels.get(f"app.kubernetes.io/{key}") for key in wanted} == wanted
    own = [one for one in rendered[1] if one["kind"] == "NetworkPolicy"]
    special = [one for one in own if one["spec"]["podSelector"] and manifests.selects(one, labels)]
    assert len(special) == 1


def test_no_secret_of_the_facility_is_in_pods_of_users(pod):
    _, made = pod
    text = json.dumps(made)
    assert "flavorframe-oidc" not in text
    assert "client_secret" not in text


def test_the_gateways_client_is_told_its_address_as_it_is(rendered, told, monkeypatch):
    made = server(rendered, monkeypatch)
    (container,) = made["spec"]["containers"]
    known = {one["name"]: one.get("value") for one in container["env"]}
    assert known["DASK_GATEWAY__PUBLIC_ADDRESS"] == "{JUPYTERHUB_SERVICE_PREFIX}proxy-dask"


def test_cvmfs_is_in_servers_and_workers(pod):
    kind, made = pod
    (container,) = made["spec"]["containers"]
    mounts = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
    assert ("/cvmfs" in mounts) == (kind != "scheduler")
    assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
