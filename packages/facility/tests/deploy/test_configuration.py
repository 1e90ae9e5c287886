"""The hub and the gateway as the chart configures them."""

import json
from types import SimpleNamespace

import pytest
from traitlets.config import Config

from flavorframe.errors import FacilityError
from flavorframe_facility.kubernetes import chart
from flavorframe_facility.kubernetes.hub import configure

pytest.importorskip("kubespawner", reason="jupyterhub-kubespawner is not installed")
pytest.importorskip("dask_gateway_server")

VOLUME = {"name": "cvmfs", "persistentVolumeClaim": {"claimName": "cvmfs", "readOnly": True}}
MOUNT = {"name": "cvmfs", "mountPath": "/cvmfs", "readOnly": True}
CHOICE = {
    "settings": {
        "folder": "/srv/jupyterhub/flavorframe",
        "backend": "kubernetes",
        "domain": "facility.example.edu",
        "environments": [{"name": "own", "title": "Own", "image": "example/own:1"}],
        "clusters_per_user": 1,
        "cluster_cores_per_user": 4,
    },
    "guaranteed_share_of_cores": 0.25,
    "clusters_namespace": "clusters",
    "pods": {"volumes": [VOLUME], "mounts": [MOUNT], "environment": {"X509_CERT_DIR": "/c"}},
}


@pytest.fixture(autouse=True)
def told(monkeypatch):
    monkeypatch.setenv(chart.VARIABLE, json.dumps(CHOICE))
    monkeypatch.setattr("flavorframe_facility.login.config.configure", lambda c, settings: None)


@pytest.fixture
def hub():
    """Return the hub's configuration, beginning with what the JupyterHub chart sets."""
    c = Config()
    c.JupyterHub.services, c.JupyterHub.load_roles = [], []
    c.KubeSpawner.environment = {"EXTRA": "1"}
    c.KubeSpawner.volumes = {"home": {"name": "home"}}
    c.KubeSpawner.volume_mounts = {"home": {"name": "home", "mountPath": "/home/jovyan"}}
    configure(c)
    return c


def test_without_the_chart_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv(chart.VARIABLE)
    with pytest.raises(FacilityError, match="ConfigMap flavorframe-facility"):
        chart.choice()


def test_servers_know_the_gateway_and_have_what_is_mounted(hub):
    known = hub.KubeSpawner.environment
    assert known["EXTRA"] == "1"
    assert known["X509_CERT_DIR"] == "/c"
    assert known["DASK_GATEWAY__AUTH__TYPE"] == "jupyterhub"
    address = "http://traefik-dask-gateway/services/dask-gateway"
    assert known["DASK_GATEWAY__ADDRESS"] == address
    assert hub.KubeSpawner.volumes == {"home": {"name": "home"}, "cvmfs": VOLUME}
    assert hub.KubeSpawner.volume_mounts["cvmfs"] == MOUNT


def test_each_server_has_an_origin_of_its_own(hub):
    assert hub.JupyterHub.subdomain_host == "https://facility.example.edu"
    assert hub.JupyterHub.cookie_host_prefix_enabled
    assert hub.Spawner.disable_user_config


def test_a_facility_without_a_domain_is_refused(monkeypatch):
    settings = {name: value for name, value in CHOICE["settings"].items() if name != "domain"}
    monkeypatch.setenv(chart.VARIABLE, json.dumps({**CHOICE, "settings": settings}))
    c = Config()
    c.JupyterHub.services, c.JupyterHub.load_roles = [], []
    with pytest.raises(FacilityError, match=r"facility\.domain is not set"):
        configure(c)


def test_a_servers_limits_are_those_asked_for(hub):
    spawner = SimpleNamespace(has_trait=lambda name: name == "image")
    asked = {"environment": "own", "cores": "4", "memory": "8"}
    hub.Spawner.apply_user_options(spawner, asked)
    assert (spawner.cpu_limit, spawner.cpu_guarantee) == (4, 1)
    assert (spawner.mem_limit, spawner.mem_guarantee) == (8 * 10**9, 8 * 10**9)
    assert spawner.image == "example/own:1"


def test_a_server_that_is_not_offered_is_refused(hub):
    from tornado.web import HTTPError

    with pytest.raises(HTTPError, match="not offered"):
        hub.Spawner.apply_user_options(SimpleNamespace(), {"cores": "64"})


def gateway_config():
    from flavorframe_facility.kubernetes import gateway

    c = Config()
    c.KubeClusterConfig.worker_extra_pod_config = {"securityContext": {"runAsNonRoot": True}}
    c.KubeBackend.gateway_instance = "dask-gateway"
    c.KubeBackend.api_url = "http://api/api"
    gateway.configure(c)
    return c


def test_browsers_are_told_to_be_strict(hub):
    told = gateway_config().PodBackend.headers
    assert told["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert len(hub.JupyterHub.tornado_settings.get_value({})["transforms"]) == 1
    for_servers = hub.KubeSpawner.environment["FLAVORFRAME_HEADERS"]
    assert json.loads(for_servers.replace("{{", "{").replace("}}", "}")) == told


def test_workers_have_what_is_mounted():
    config = gateway_config().KubeClusterConfig
    assert config.environment == {"X509_CERT_DIR": "/c"}
    pod = {"securityContext": {"runAsNonRoot": True}, "volumes": [VOLUME]}
    assert config.worker_extra_pod_config == pod
    assert config.worker_extra_container_config == {"volumeMounts": [MOUNT]}
    assert config.idle_timeout == 30 * 60


def test_schedulers_want_a_certificate_and_workers_have_no_dashboard():
    config = gateway_config().KubeClusterConfig
    assert config.namespace == "clusters"
    assert "--no-dashboard" in config.worker_cmd
    assert config.scheduler_cmd[-2:] == ["--preload", "flavorframe_facility.gateway.scheduler"]
    container = config.scheduler_extra_container_config
    known = {one["name"]: one["value"] for one in container["env"]}
    tls = {f"DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__TLS__{key}" for key in ("CERT", "KEY")}
    assert tls <= known.keys()
    assert known["FLAVORFRAME_METRICS_PORT"] == str(container["ports"][0]["containerPort"])
