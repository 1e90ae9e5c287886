"""The policy of manifests finds what is bad."""

import copy

import pytest

from facility_support import manifests

CONTAINER = {
    "name": "main",
    "image": "example:1",
    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "good", "labels": {"app": "good"}},
    "spec": {"containers": [CONTAINER]},
}
POLICY = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "good"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}


def pod(spec=None, **container):
    changed = copy.deepcopy(POD)
    changed["spec"] |= spec or {}
    changed["spec"]["containers"] = [manifests.merged(CONTAINER, container)]
    return changed


def role(kind="Role", **rule):
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"], **rule}]
    return {"kind": kind, "metadata": {"name": "role"}, "rules": rules}


def config(text):
    return {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"config.yaml": text}}


def binding(account):
    subjects = [{"kind": "ServiceAccount", "name": account}]
    return {"kind": "ClusterRoleBinding", "metadata": {"name": "one"}, "subjects": subjects}


def test_good_ones_pass():
    fine = config("client_secret_file: /a\nsecretName: oidc\ntoken: ''")
    good = [pod(), role(), role("ClusterRole"), binding("flavorframe-gateway"), fine, POLICY]
    assert manifests.complaints(good) == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (pod(securityContext={"privileged": True}), "privileged"),
        (pod(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}), "added capabilities"),
        (pod(securityContext={"runAsUser": 0}), "root"),
        (pod(securityContext={"runAsNonRoot": False}), "may be root"),
        (pod(securityContext={"allowPrivilegeEscalation": True}), "may gain privileges"),
        (pod(securityContext={"capabilities": {"drop": []}}), "keeps capabilities"),
        (pod(securityContext={"seccompProfile": {"type": "Unconfined"}}), "no seccomp profile"),
        (pod(resources={"limits": None, "requests": {"cpu": "1"}}), "no limits"),
        (pod(ports=[{"containerPort": 80, "hostPort": 80}]), "hostPort"),
        (pod({"hostNetwork": True}), "hostNetwork"),
        (pod({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}), "hostPath"),
        (pod({"initContainers": [{"name": "a", "image": "a"}]}), "no limits"),
        (role(verbs=["*"]), "wildcard"),
        (role(resources=["*"]), "wildcard"),
        (role("ClusterRole", resources=["secrets"]), "rights in the whole cluster"),
        (role("ClusterRole", verbs=["create"]), "rights in the whole cluster"),
        (binding("hub"), "rights in the whole cluster"),
        (config("login:\n  client_secret: hunter2"), "secret"),
        (config("-----BEGIN PRIVATE KEY-----"), "secret"),
    ],
)
def test_bad_ones_are_found(bad, complaint):
    found = manifests.complaints([bad, POLICY])
    assert any(line.endswith(f": {complaint}") for line in found), found


@pytest.mark.parametrize(
    "spec",
    [
        {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress", "Egress"]},
        {"podSelector": {}, "policyTypes": ["Ingress"]},
    ],
)
def test_a_pod_that_no_policy_is_for_is_found(spec):
    found = manifests.complaints([pod(), {**POLICY, "spec": spec}])
    assert found == ["Pod good: no network policy"]
