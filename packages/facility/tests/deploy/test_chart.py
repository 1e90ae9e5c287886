"""The Helm chart, rendered by Helm's own library: valid, safe, and each value has an effect."""

import json
import re
from pathlib import Path

import pytest
import yaml

from facility_support import manifests
from facility_support.helm import HelmError, lint, render
from flavorframe_facility.settings import make

kubernetes_validate = pytest.importorskip("kubernetes_validate")

CVMFS = {"cvmfs": {"enabled": True}, "certificates": {"path": "/cvmfs/grid.cern.ch/certificates"}}
SITES = {
    "default": manifests.values(),
    "k3s": manifests.values("k3s"),
    "rke2": manifests.values("rke2"),
    "cvmfs": manifests.values("k3s", **CVMFS),
}
CUSTOM = {"ServiceMonitor", "PodMonitor", "IngressRoute", "Middleware"}
"""Kinds that Prometheus' operator and Traefik define, of which Kubernetes has no schema."""


@pytest.fixture(scope="module", params=["ours", "whole"])
def chart(request, tmp_path_factory):
    """Return the folder of the chart by itself, and of that with what it depends on."""
    whole = request.param == "whole"
    if whole and manifests.subcharts() is None:
        pytest.skip(manifests.WHOLE)
    return manifests.copied(tmp_path_factory.mktemp("chart"), whole=whole)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return manifests.copied(tmp_path_factory.mktemp("own"), whole=False)


@pytest.mark.parametrize("site", SITES)
def test_lint(chart, site):
    report = lint(chart, SITES[site])
    assert report["errors"] == []
    assert [found for found in report["messages"] if found["severity"] > 1] == []


@pytest.mark.parametrize("site", SITES)
def test_manifests_keep_to_the_policy(chart, site):
    assert manifests.complaints(render(chart, SITES[site])) == []


def test_manifests_are_valid(chart):
    every = [one for values in SITES.values() for one in render(chart, values)]
    distinct = {json.dumps(one, sort_keys=True): one for one in every}.values()
    for manifest in distinct:
        for version in ("1.30", "1.33", "1.37"):
            if manifest["kind"] not in CUSTOM:
                kubernetes_validate.validate(manifest, version, strict=True)


def test_namespace_refuses_unsafe_pods():
    found = yaml.safe_load((manifests.CHART / "namespace.yaml").read_text())
    kubernetes_validate.validate(found, "1.37", strict=True)
    assert found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_whole_chart_has_its_pods(tmp_path):
    if manifests.subcharts() is None:
        pytest.skip(manifests.WHOLE)
    found = render(manifests.copied(tmp_path, whole=True), SITES["k3s"])
    pods = {one["metadata"]["name"] for one in found if one["kind"] == "Deployment"}
    assert pods == {"hub", "proxy", *manifests.UNDECLARED}
    assert not [one for one in found if one["kind"] in ("DaemonSet", "StatefulSet", "Job")]


# Network


def policies(chart, **changes):
    found = render(chart, manifests.values(**changes))
    return {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "NetworkPolicy"}


def labels(kind):
    named = manifests.USERS[kind]
    return {f"app.kubernetes.io/{key}": value for key, value in named.items()}


def reach(specs, source, target):
    """Return the ports at which pods reach others by all policies; None is any port."""

    def ports(kind, mine, other):
        found = set()
        for spec in specs.values():
            if not manifests.selects({"spec": spec}, mine):
                continue
            for rule in spec.get(kind, ()):
                peers = rule.get("from" if kind == "ingress" else "to", ())
                pods = [one["podSelector"]["matchLabels"] for one in peers if "podSelector" in one]
                if any(pod.items() <= other.items() for pod in pods):
                    found |= {port["port"] for port in rule.get("ports", ())} or {None}
        return found

    out, into = ports("egress", source, target), ports("ingress", target, source)
    return into if None in out else out if None in into else out & into


def part(name, component):
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}


def test_pods_reach_what_they_need_and_no_more(own):
    specs = policies(own)
    proxy, gateway = part("dask-gateway", "traefik"), part("dask-gateway", "gateway")
    server, scheduler, worker = map(labels, ("server", "scheduler", "worker"))
    assert reach(specs, server, proxy) == {8000}
    assert reach(specs, part("jupyterhub", "proxy"), proxy) == set()
    assert reach(specs, proxy, scheduler) == {8786, 8787}
    assert reach(specs, proxy, gateway) == {8000}
    assert reach(specs, scheduler, gateway) == {8000}
    assert reach(specs, gateway, scheduler) == {8788}
    assert reach(specs, worker, scheduler) == {None}
    assert reach(specs, scheduler, worker) == {None}
    for target in (scheduler, worker, gateway, part("jupyterhub", "hub"), server):
        assert reach(specs, server, target) == set()
    for target in (gateway, proxy, server, part("jupyterhub", "hub")):
        assert reach(specs, worker, target) == set()


def blocks(spec):
    return [peer["ipBlock"] for rule in spec["egress"] for peer in rule["to"] if "ipBlock" in peer]


@pytest.mark.parametrize("kind", ["servers", "schedulers", "workers"])
def test_users_pods_reach_no_private_address_but_storage(own, kind):
    name = f"flavorframe-{kind}"
    (public,) = blocks(policies(own)[name])
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(public["except"])
    changed = policies(own, network={"internet": False, "storage": ["10.20.0.0/16"]})
    assert blocks(changed[name]) == [{"cidr": "10.20.0.0/16"}]


# Values


def choice(chart, **changes):
    """Return what the hub and the gateway are told."""
    found = render(chart, manifests.values(**changes))
    (config,) = [one for one in found if one["metadata"]["name"] == "flavorframe-facility"]
    return json.loads(config["data"]["facility.json"])


CHANGES = {
    "facility.domain": "other.example.edu",
    "facility.login.issuer": "https://other.example.edu/",
    "facility.login.client_id": "other",
    "facility.login.user_group": "other",
    "facility.login.admin_group": "admins",
    "facility.login.service": "ESCAPE IAM",
    "facility.login.contact": "help@example.edu",
    "facility.login.username_claim": "sub",
    "facility.login.scopes": ["storage.read:/"],
    "facility.environments": [{"name": "own", "title": "Our own", "image": "example/own:1"}],
    "facility.cores": [3],
    "facility.memory": [6],
    "facility.idle_server_minutes": 7,
    "facility.idle_cluster_minutes": 8,
    "facility.clusters_per_user": 1,
    "facility.cluster_cores_per_user": 99,
    "facility.cluster_memory_per_user": 98,
    "facility.cluster_limits_by_group": {"bphysics": {"cores": 40}},
    "guaranteed_share_of_cores": 0.5,
    "quota.enabled": False,
    "quota.hard": {"pods": "7"},
    "defaults.limits": {"cpu": "3", "memory": "3Gi"},
    "defaults.requests": {"cpu": "10m"},
    "network.storage": ["10.20.0.0/16"],
    "network.internet": False,
    "network.api_server.cidr": "10.0.0.1/32",
    "network.api_server.ports": [16443],
    "cvmfs.enabled": True,
    "cvmfs.storage_class": "cvmfs-csi",
    "certificates.config_map": "grid-certificates",
    "certificates.path": "/cvmfs/grid.cern.ch/certificates",
    "monitoring.enabled": True,
    "monitoring.namespace": "observability",
    "monitoring.labels": {"release": "prometheus"},
}
NEEDS = {
    "cvmfs.storage_class": {"cvmfs": {"enabled": True}},
    "monitoring.namespace": {"monitoring": {"enabled": True}},
    "monitoring.labels": {"monitoring": {"enabled": True}},
}
ELSEWHERE = {"namespace", "facility.login.kind"}
"""Values that cannot be changed by themselves: tested as refusals."""


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def paths(schema, at=""):
    """Return the names of all values that the schema has of our own."""
    for key, inner in schema["properties"].items():
        if key in ("jupyterhub", "dask-gateway", "global"):
            continue
        yield from paths(inner, f"{at}{key}.") if "properties" in inner else [f"{at}{key}"]


def test_changes_cover_every_value():
    schema = json.loads((manifests.CHART / "values.schema.json").read_text())
    assert set(paths(schema)) == CHANGES.keys() | ELSEWHERE
    known = yaml.safe_load((manifests.CHART / "values.yaml").read_text())
    assert known.keys() == schema["properties"].keys() - {"global"}


@pytest.mark.parametrize("path", CHANGES)
def test_each_value_has_an_effect(own, path):
    before = manifests.values(**NEEDS.get(path, {}))
    after = manifests.merged(before, nested(path, CHANGES[path]))
    assert render(own, before) != render(own, after)


@pytest.mark.parametrize("path", [*CHANGES, "namespace"])
def test_a_misspelt_value_is_refused(own, path):
    wrong = manifests.merged(manifests.values(), nested(f"{path}s", CHANGES.get(path, "x")))
    with pytest.raises(HelmError, match=f"{path.split('.')[-1]}s"):
        render(own, wrong)


def ingress(*hosts):
    return {"jupyterhub": {"ingress": {"enabled": True, "hosts": list(hosts)}}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"facility": {"domain": ""}}, "facility.domain is not set"),
        ({"facility": {"domain": "10.0.0.1"}}, "domain"),
        (ingress("facility.example.edu"), r"hosts has to hold \*\.facility\.example\.edu"),
        (ingress("*.facility.example.edu"), "hosts has to hold facility.example.edu"),
        ({"jupyterhub": {"proxy": {"chp": {"extraCommandLineFlags": []}}}}, "host-routing"),
        ({"facility": {"login": {"issuer": ""}}}, "facility.login.issuer is not set"),
        ({"facility": {"login": {"user_group": ""}}}, "facility.login.user_group is not set"),
        ({"namespace": "other"}, "is for namespace other"),
        ({"certificates": {"config_map": "a", "path": "/a"}}, "two places of the same"),
        ({"facility": {"login": {"kind": "workshop"}}}, "kind"),
        ({"facility": {"cores": ["many"]}}, "cores"),
        ({"network": {"storage": ["10.0.0.1"]}}, "storage"),
        ({"dask-gateway": {"traefik": {"additionalArguments": []}}}, "namespaces=flavorframe"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(own, changes, said):
    with pytest.raises(HelmError, match=said):
        render(own, manifests.values(**changes))


def test_servers_have_names_of_their_own_behind_the_ingress(own):
    both = ingress("facility.example.edu", "*.facility.example.edu")
    found = choice(own, **both)
    assert make(**found["settings"]).url == "https://facility.example.edu/"


@pytest.mark.parametrize("site", SITES)
def test_settings_are_those_of_a_facility(own, site):
    found = render(own, SITES[site])
    (config,) = [one for one in found if one["metadata"]["name"] == "flavorframe-facility"]
    settings = make(**json.loads(config["data"]["facility.json"])["settings"])
    assert settings.backend == "kubernetes"
    assert settings.login.user_group == "bphysics"


def test_cvmfs_and_certificates_are_for_users_pods(own):
    pods = choice(own, **CVMFS)["pods"]
    assert pods["volumes"][0]["persistentVolumeClaim"] == {"claimName": "cvmfs", "readOnly": True}
    assert pods["mounts"][0]["mountPropagation"] == "HostToContainer"
    assert pods["environment"] == {"X509_CERT_DIR": CVMFS["certificates"]["path"]}
    pods = choice(own, certificates={"config_map": "authorities"})["pods"]
    assert pods["volumes"][0]["configMap"] == {"name": "authorities"}
    assert pods["environment"]["X509_CERT_DIR"] == pods["mounts"][0]["mountPath"]


BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGE = (Path(__file__).parents[4] / "docs" / "facility.md").read_text("utf-8")


@pytest.mark.parametrize("text", [text for text in BLOCK.findall(PAGE) if "jupyterhub:" in text])
def test_values_in_the_documentation_are_taken(chart, text):
    assert manifests.complaints(render(chart, yaml.safe_load(text))) == []
