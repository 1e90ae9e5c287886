"""Names of users' servers in the DNS: each user has one, and nobody gets another's."""

import itertools
import re

import pytest

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed (flavorframe-facility)")
from jupyterhub.utils import subdomain_hook_idna

from flavorframe_facility.hub.origins import server_name
from flavorframe_facility.login.names import PATTERN

ODD = ["jane.doe", "jane-doe", "jane_doe", "a-", "a", "xn--abc", "a--b", "x" * 32, "b." + "_" * 30]


def named(rule, user):
    return rule(user, "localhost", "user")


def test_names_are_valid_and_differ():
    found = [named(server_name, user) for user in ODD]
    assert len(set(found)) == len(ODD)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.localhost", one) for one in found)
    assert named(server_name, "alice") == "alice.localhost"


def test_the_name_of_a_service_is_no_users():
    service = server_name("dask-gateway", "localhost", "service")
    label = service.removesuffix(".localhost")
    assert named(server_name, label) != service
    assert named(server_name, "service") not in service


def test_nobody_finds_a_name_with_the_origin_of_another():
    """With JupyterHub's own rule, some thousand tries are enough for two of one origin."""
    seen = {}
    for number in itertools.count():
        user = f"mallory_{number}"
        assert re.fullmatch(PATTERN, user)
        other = seen.setdefault(named(subdomain_hook_idna, user), user)
        if other != user:
            break
    assert named(subdomain_hook_idna, other) == named(subdomain_hook_idna, user)
    assert named(server_name, other) != named(server_name, user)
