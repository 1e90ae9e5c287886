"""The chart rendered, and the policy that all its manifests keep to."""

import copy
import os
import shutil
from pathlib import Path

import yaml

DEPLOY = Path(__file__).parents[4] / "deploy"
CHART = DEPLOY / "chart"
LOGIN = {"issuer": "https://iam.example.edu/", "client_id": "facility", "user_group": "bphysics"}
NEEDED = {"domain": "facility.example.edu", "login": LOGIN}
CHARTS, REQUIRED = "FLAVORFRAME_CHARTS", "FLAVORFRAME_CHARTS_REQUIRED"
WHOLE = (
    "the chart is NOT CHECKED with the charts it depends on, JupyterHub's and Dask Gateway's: run "
    f"helm dependency build deploy/chart, or set {CHARTS} to a folder with the two"
)
WATCHED = {"pods", "endpoints", "daskclusters"}
"""What the gateway's programs watch in all namespaces."""
ABROAD = {"flavorframe-gateway", "flavorframe-gateway-controller"}
UNDECLARED = {f"{name}-dask-gateway" for name in ("api", "controller", "traefik")}
"""Deployments of the Dask Gateway chart, which lets nobody set their security context."""
HOME, CLUSTERS = "flavorframe", "flavorframe-clusters"
"""Namespaces of the facility, and of Dask clusters."""
USERS = {
    "server": {"name": "jupyterhub", "component": "singleuser-server"},
    "scheduler": {"name": "dask-gateway", "component": "dask-scheduler"},
    "worker": {"name": "dask-gateway", "component": "dask-worker"},
}
"""Pods that no manifest has: the hub and the gateway make them."""


def subcharts():
    """Return the folder of the charts that ours depends on, or None."""
    folder = Path(os.environ.get(CHARTS, CHART / "charts"))
    return folder if folder.is_dir() and any(folder.iterdir()) else None


def must_be_whole():
    """Whether missing charts are a failure: where continuous integration says that it has them."""
    return os.environ.get(REQUIRED) == "1"


def copied(folder, *, whole):
    """Copy the chart into a folder, with the charts it depends on or without."""
    chart = folder / "chart"
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("charts"))
    if whole:
        shutil.copytree(subcharts(), chart / "charts")
    else:
        file = chart / "Chart.yaml"
        ours = {k: v for k, v in yaml.safe_load(file.read_text()).items() if k != "dependencies"}
        file.write_text(yaml.safe_dump(ours))
    return chart


def values(name=None, **changes):
    """Return the values of an example, or the few that everybody has to set, with changes."""
    file = CHART / f"values-{name}.yaml"
    base = yaml.safe_load(file.read_text()) if name else {"facility": NEEDED}
    return merged(base, changes)


def merged(base, changes):
    result = copy.deepcopy(base)
    for key, value in changes.items():
        inner = result.get(key)
        both = isinstance(value, dict) and isinstance(inner, dict)
        result[key] = merged(inner, value) if both else value
    return result


def documents(rendered):
    """Return the manifests of what the chart rendered."""
    texts = [text for name, text in rendered.items() if name.endswith((".yaml", ".yml"))]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def pod_of(manifest):
    """Return the metadata and specification of the pods that a manifest makes, or None."""
    if manifest["kind"] == "Pod":
        return manifest["metadata"], manifest["spec"]
    template = manifest.get("spec", {}).get("template")
    return (template["metadata"], template["spec"]) if template else None


def complaints(manifests):
    """Return what of some manifests is against the policy."""
    found = []
    for manifest in manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        pod = pod_of(manifest)
        ours = [*_rights(manifest), *_config(manifest)]
        if pod is not None:
            undeclared = manifest["metadata"]["name"] in UNDECLARED
            ours += [*_pod(pod[1], undeclared), *_reached(pod[0], manifests)]
        found += [f"{name}: {what}" for what in ours]
    return found


def _pod(spec, undeclared):
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    if any("hostPath" in volume for volume in spec.get("volumes", ())):
        yield "hostPath"
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        yield from _container(container, spec, undeclared)


def _container(container, spec, undeclared):
    own = container.get("securityContext", {})
    both = {**spec.get("securityContext", {}), **own}
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= (resources.get("limits") or {}).keys():
        yield "no limits"
    if own.get("privileged"):
        yield "privileged"
    if own.get("capabilities", {}).get("add"):
        yield "added capabilities"
    if both.get("runAsUser") == 0:
        yield "root"
    if any("hostPort" in port for port in container.get("ports", ())):
        yield "hostPort"
    if not undeclared:
        yield from _declared(own, both)


def _declared(own, both):
    """Yield what the strictest of Kubernetes' standards wants to see declared."""
    if not (both.get("runAsNonRoot") or both.get("runAsUser")):
        yield "may be root"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    if both.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"


def selects(policy, labels):
    """Return whether a network policy is for pods with some labels."""
    selector = policy["spec"]["podSelector"]
    assert "matchExpressions" not in selector
    return selector.get("matchLabels", {}).items() <= labels.items()


def namespace_of(manifest):
    """Return the namespace that a manifest names; the facility's own if it names none."""
    return manifest["metadata"].get("namespace", HOME)


def _reached(metadata, manifests):
    here = metadata.get("namespace", HOME)
    policies = [
        one for one in manifests if one["kind"] == "NetworkPolicy" and namespace_of(one) == here
    ]
    mine = [one for one in policies if selects(one, metadata.get("labels", {}))]
    types = {kind for one in mine for kind in one["spec"]["policyTypes"]}
    if types != {"Ingress", "Egress"}:
        yield "no network policy"


def _rights(manifest):
    kind = manifest["kind"]
    for rule in manifest.get("rules") or () if kind in ("Role", "ClusterRole") else ():
        if any("*" in rule.get(key, ()) for key in ("verbs", "resources", "apiGroups")):
            yield "wildcard"
        beyond = not (set(rule["resources"]) <= WATCHED and set(rule["verbs"]) <= {"list", "watch"})
        if kind == "ClusterRole" and beyond:
            yield "rights in the whole cluster"
    if kind == "ClusterRoleBinding" and {one["name"] for one in manifest["subjects"]} - ABROAD:
        yield "rights in the whole cluster"


SECRET_NAMES = ("password", "secret", "token", "private key", "apitoken", "crypt")


def _config(manifest):
    if manifest["kind"] != "ConfigMap":
        return
    for text in manifest.get("data", {}).values():
        if "PRIVATE KEY" in text:
            yield "secret"
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError:
            continue  # a program
        if any(_is_secret(key, value) for key, value in _leaves(content)):
            yield "secret"


def _is_secret(key, value):
    name = str(key).lower().replace("_", " ")
    place = name.endswith((" file", "name", "key ref"))
    return bool(value) and not place and any(word in name for word in SECRET_NAMES)


def _leaves(content, key=""):
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _leaves(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(value, key)
    else:
        yield key, content
