"""The Helm chart, rendered by Helm's own library: valid, safe, and each value has an effect."""

import ipaddress
import json
import re
from pathlib import Path

import pytest
import yaml

from facility_support import manifests
from facility_support.helm import HelmError, lint, render
from flavorframe_facility.kubernetes.network import CLUSTER, policy_for
from flavorframe_facility.settings import ClusterLimits, Environment, Oidc, Settings, make

kubernetes_validate = pytest.importorskip("kubernetes_validate")

NAMESPACE = "kubernetes.io/metadata.name"
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


def test_namespaces_refuse_unsafe_pods():
    enforced = {}
    for found in yaml.safe_load_all((manifests.CHART / "namespace.yaml").read_text()):
        kubernetes_validate.validate(found, "1.37", strict=True)
        labels = found["metadata"]["labels"]
        enforced[found["metadata"]["name"]] = labels["pod-security.kubernetes.io/enforce"]
    assert enforced == {manifests.HOME: "baseline", manifests.CLUSTERS: "restricted"}


def test_the_charts_it_depends_on_are_here():
    if manifests.subcharts() is None:
        if manifests.must_be_whole():
            pytest.fail(f"a failure of the environment: {manifests.WHOLE}")
        pytest.skip(manifests.WHOLE)


@pytest.mark.parametrize(("required", "fails"), [("1", True), ("", False)])
def test_missing_charts_fail_where_they_can_be_had(monkeypatch, required, fails):
    monkeypatch.setenv(manifests.REQUIRED, required)
    assert manifests.must_be_whole() == fails


def test_whole_chart_has_its_pods(tmp_path):
    if manifests.subcharts() is None:
        pytest.skip(manifests.WHOLE)
    found = render(manifests.copied(tmp_path, whole=True), SITES["k3s"])
    pods = {one["metadata"]["name"] for one in found if one["kind"] == "Deployment"}
    assert pods == {"hub", "proxy", *manifests.UNDECLARED}
    assert not [one for one in found if one["kind"] in ("DaemonSet", "StatefulSet", "Job")]


# Network


def policies(chart, **changes):
    """Return the policies of the chart, and those that the gateway makes for two clusters."""
    found = [one for one in render(chart, manifests.values(**changes)) if _is_policy(one)]
    for name in "ab":
        cluster = {
            "apiVersion": "v1",
            "kind": "DaskCluster",
            "metadata": {"name": name, "uid": "1"},
        }
        own = policy_for(cluster)
        own["metadata"]["namespace"] = manifests.CLUSTERS
        found.append(own)
    return found


def _is_policy(manifest):
    return manifest["kind"] == "NetworkPolicy"


def named(found, name):
    (spec,) = [one["spec"] for one in found if one["metadata"]["name"] == name]
    return spec


def part(name, component, namespace=manifests.HOME, cluster=None):
    """Return the namespace and the labels of some pods."""
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}
    return namespace, labels | ({CLUSTER: cluster} if cluster else {})


def reach(found, source, target):
    """Return the ports at which pods reach others by all policies; None is any port."""

    def matches(peer, home):
        spaces = peer.get("namespaceSelector", {"matchLabels": {NAMESPACE: home}})["matchLabels"]
        pods = peer.get("podSelector", {}).get("matchLabels", {})
        return spaces == {NAMESPACE: other[0]} and pods.items() <= other[1].items()

    def ports(kind, mine):
        known = set()
        for policy in found:
            home = manifests.namespace_of(policy)
            if home != mine[0] or not manifests.selects(policy, mine[1]):
                continue
            for rule in policy["spec"].get(kind, ()):
                peers = rule.get("from" if kind == "ingress" else "to", ())
                if any("ipBlock" not in peer and matches(peer, home) for peer in peers):
                    known |= {port["port"] for port in rule.get("ports", ())} or {None}
        return known

    other = target
    out = ports("egress", source)
    other = source
    into = ports("ingress", target)
    return into if None in out else out if None in into else out & into


PROXY, GATEWAY = part("dask-gateway", "traefik"), part("dask-gateway", "gateway")
HUB, SERVER = part("jupyterhub", "hub"), part("jupyterhub", "singleuser-server")
SCHEDULER, WORKER, OTHER_SCHEDULER, OTHER_WORKER = (
    part("dask-gateway", f"dask-{kind}", manifests.CLUSTERS, cluster)
    for cluster in "ab"
    for kind in ("scheduler", "worker")
)


def test_pods_reach_what_they_need_and_no_more(own):
    found = policies(own)
    assert reach(found, SERVER, PROXY) == {8000}
    assert reach(found, part("jupyterhub", "proxy"), PROXY) == set()
    assert reach(found, PROXY, SCHEDULER) == {8786}
    assert reach(found, PROXY, GATEWAY) == {8000}
    assert reach(found, SCHEDULER, GATEWAY) == {8000}
    assert reach(found, GATEWAY, SCHEDULER) == {8787, 8788}
    for target in (SCHEDULER, WORKER, GATEWAY, HUB, SERVER):
        assert reach(found, SERVER, target) == set()
    for target in (GATEWAY, PROXY, SERVER, HUB):
        assert reach(found, WORKER, target) == set()


def test_pods_of_a_cluster_reach_their_own_and_no_other_cluster(own):
    found = policies(own)
    for source, target in ((WORKER, SCHEDULER), (SCHEDULER, WORKER)):
        assert reach(found, source, target) == {None}
    for source in (WORKER, SCHEDULER):
        for target in (OTHER_WORKER, OTHER_SCHEDULER):
            assert reach(found, source, target) == set()


def test_only_prometheus_reaches_metrics(own):
    found = policies(own, monitoring={"enabled": True})
    prometheus = ("monitoring", {})
    ports = {
        port["port"]
        for one in found
        if manifests.selects(one, SCHEDULER[1]) and manifests.namespace_of(one) == SCHEDULER[0]
        for rule in one["spec"].get("ingress", ())
        for peer in rule["from"]
        if peer.get("namespaceSelector") == {"matchLabels": {NAMESPACE: prometheus[0]}}
        for port in rule["ports"]
    }
    assert ports == {8789}


def blocks(spec):
    return [peer["ipBlock"] for rule in spec["egress"] for peer in rule["to"] if "ipBlock" in peer]


METADATA = ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192")
"""Where clouds tell virtual machines and containers their secrets."""


def allowed(spec, address):
    """Whether a policy lets pods reach an address."""
    place = ipaddress.ip_address(address)
    for block in blocks(spec):
        inside = place in ipaddress.ip_network(block["cidr"])
        if inside and not any(
            place in ipaddress.ip_network(one) for one in block.get("except", ())
        ):
            return True
    return False


@pytest.mark.parametrize("kind", ["servers", "schedulers", "workers"])
def test_users_pods_reach_no_private_address_but_storage(own, kind):
    name = f"flavorframe-{kind}"
    spec = named(policies(own, network={"nodes": ["198.51.100.0/28"]}), name)
    assert allowed(spec, "192.0.2.1")
    assert allowed(spec, "198.51.100.20")
    closed = [*METADATA, "fd00:ec2::254", "10.0.0.1", "192.168.1.1", "198.51.100.5"]
    assert [address for address in closed if allowed(spec, address)] == []
    changed = policies(own, network={"internet": False, "storage": ["10.20.0.0/16"]})
    assert blocks(named(changed, name)) == [{"cidr": "10.20.0.0/16"}]


def test_storage_may_be_narrowed_to_ports(own):
    block = {"cidr": "10.20.0.0/16", "except": ["10.20.0.0/24"], "ports": [1094]}
    found = policies(own, network={"internet": False, "storage": [block]})
    rule = named(found, "flavorframe-servers")["egress"][0]
    assert rule["ports"] == [{"port": 1094}]
    assert blocks(named(found, "flavorframe-workers")) == [
        {"cidr": "10.20.0.0/16", "except": ["10.20.0.0/24"]}
    ]


def test_names_are_asked_of_the_clusters_own_servers_alone(chart):
    """By all policies for users' pods, those of the JupyterHub chart included."""
    found = [one for one in render(chart, SITES["k3s"]) if _is_policy(one)]
    asked = [
        peer
        for policy in found
        if manifests.selects(policy, SERVER[1]) or manifests.selects(policy, WORKER[1])
        for rule in policy["spec"].get("egress", ())
        if any(port["port"] == 53 for port in rule.get("ports", ()))
        for peer in rule["to"]
    ]
    assert len(asked) == 2
    for peer in asked:
        assert peer["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
        assert peer["namespaceSelector"] == {"matchLabels": {NAMESPACE: "kube-system"}}


# Rights


def test_secrets_are_read_in_the_namespace_of_clusters_alone(chart):
    found = render(chart, SITES["k3s"])
    roles = [one for one in found if one["kind"] in ("Role", "ClusterRole")]
    gateways = [one for one in roles if "gateway" in one["metadata"]["name"]]
    readable = {
        (manifests.namespace_of(role), role["kind"])
        for role in gateways
        for rule in role["rules"]
        if "secrets" in rule["resources"] and set(rule["verbs"]) & {"get", "list", "watch"}
    }
    assert readable == {(manifests.CLUSTERS, "Role")}
    ours = [one for one in found if one["kind"] == "Secret"]
    assert all(manifests.namespace_of(one) == manifests.HOME for one in ours)


# Images

DIGEST = f"0.1.0@sha256:{'a' * 64}"
BY_DIGEST = {
    "images": {"by_digest": True},
    "facility": {
        "environments": [{"name": "a", "title": "A", "image": f"example.org/user:{DIGEST}"}]
    },
    "jupyterhub": {
        "hub": {"image": {"tag": DIGEST}},
        "singleuser": {"image": {"tag": DIGEST}},
        "proxy": {"chp": {"image": {"tag": DIGEST}}},
    },
    "dask-gateway": {
        "gateway": {"image": {"tag": DIGEST}, "backend": {"image": {"tag": DIGEST}}},
        "controller": {"image": {"tag": DIGEST}},
        "traefik": {"image": {"tag": DIGEST}},
    },
}


def test_each_image_has_its_digest_where_that_is_asked_for(chart):
    found = render(chart, manifests.merged(SITES["k3s"], BY_DIGEST))
    pods = [manifests.pod_of(one)[1] for one in found if manifests.pod_of(one)]
    images = [
        container["image"]
        for pod in pods
        for container in [*pod.get("initContainers", ()), *pod["containers"]]
    ]
    assert [image for image in images if "@sha256:" not in image] == []


@pytest.mark.parametrize(
    "path",
    [
        "jupyterhub.hub.image.tag",
        "jupyterhub.singleuser.image.tag",
        "jupyterhub.proxy.chp.image.tag",
        "dask-gateway.gateway.image.tag",
        "dask-gateway.gateway.backend.image.tag",
        "dask-gateway.controller.image.tag",
        "dask-gateway.traefik.image.tag",
    ],
)
def test_an_image_without_its_digest_is_refused_where_one_is_asked_for(own, path):
    good = manifests.merged(manifests.values(), BY_DIGEST)
    render(own, good)
    with pytest.raises(HelmError, match=f"{path} has no digest"):
        render(own, manifests.merged(good, nested(path, "0.1.0")))


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
    "facility.login_days": 3,
    "guaranteed_share_of_cores": 0.5,
    "quota.enabled": False,
    "quota.hard": {"pods": "7"},
    "quota.clusters": {"pods": "7"},
    "defaults.limits": {"cpu": "3", "memory": "3Gi"},
    "defaults.requests": {"cpu": "10m"},
    "network.storage": ["10.20.0.0/16"],
    "network.internet": False,
    "network.nodes": ["198.51.100.0/28"],
    "network.dns.namespace": "dns",
    "network.dns.labels": {"k8s-app": "coredns"},
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
OF_ONE_MACHINE = {
    "processes_per_server": "podPidsLimit",
    "total_memory": "quota.hard and quota.clusters",
    "home_quota": "jupyterhub.singleuser.storage.capacity",
    "trusted_proxies": "log in at the provider",
    "address": "jupyterhub.ingress",
    "port": "jupyterhub.ingress",
    "certificate": "jupyterhub.ingress.tls",
    "key": "jupyterhub.ingress.tls",
    "accounts": "there are no accounts",
    "folder": "the hub's volume",
    "backend": "for Kubernetes",
}
"""Settings that the chart refuses, by what it says takes their place."""

ELSEWHERE = {
    *("namespace", "clusters_namespace", "facility.login.kind", "images.by_digest"),
    *(f"facility.{name}" for name in OF_ONE_MACHINE),
}
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


def test_the_chart_knows_the_settings_of_a_facility_and_no_others():
    schema = json.loads((manifests.CHART / "values.schema.json").read_text())
    ours = schema["properties"]["facility"]["properties"]
    assert ours.keys() == Settings.model_fields.keys()
    login = ours["login"]["properties"].keys()
    assert Oidc.model_fields.keys() == login | {"client_secret_file"}  # which the chart mounts
    environment = ours["environments"]["items"]["properties"].keys()
    assert Environment.model_fields.keys() == environment | {"python"}  # of one machine
    limits = ours["cluster_limits_by_group"]["additionalProperties"]["properties"]
    assert limits.keys() == ClusterLimits.model_fields.keys()


def test_the_chart_has_the_bounds_and_defaults_of_the_settings():
    schema = json.loads((manifests.CHART / "values.schema.json").read_text())
    ours = schema["properties"]["facility"]["properties"]
    theirs = Settings.model_json_schema()["properties"]
    values = yaml.safe_load((manifests.CHART / "values.yaml").read_text())["facility"]
    numbers = [name for name in ours if ours[name].get("type") in ("number", "integer")]
    assert len(numbers) >= 6
    for name in numbers:
        bounds = {key: theirs[name][key] for key in theirs[name] if key not in ("title", "default")}
        assert ours[name] == bounds, name
        assert values[name] == theirs[name]["default"], name
    for name in ("cores", "memory"):
        assert tuple(values[name]) == Settings.model_fields[name].default


@pytest.mark.parametrize(("name", "said"), OF_ONE_MACHINE.items())
def test_a_setting_of_one_machine_is_refused_with_what_takes_its_place(own, name, said):
    refusal = rf"facility\.{name} is of a facility on one machine; on Kubernetes .*{said}"
    with pytest.raises(HelmError, match=refusal):
        render(own, manifests.values(facility={name: 1}))


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
        ({"clusters_namespace": "other"}, "namespaces=other"),
        ({"dask-gateway": {"gateway": {"replicas": 2}}}, "replicas has to be 1"),
        ({"certificates": {"config_map": "a", "path": "/a"}}, "two places of the same"),
        ({"facility": {"login": {"kind": "workshop"}}}, "kind"),
        ({"facility": {"cores": ["many"]}}, "cores"),
        ({"network": {"storage": ["10.0.0.1"]}}, "storage"),
        (
            {"dask-gateway": {"traefik": {"additionalArguments": []}}},
            "namespaces=flavorframe-clusters",
        ),
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
