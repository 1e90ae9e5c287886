"""The login of a workshop: names, passwords, and too many wrong ones."""

import os
import socket
import subprocess
from types import SimpleNamespace

import pytest

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed (flavorframe-facility)")
from tornado import web
from traitlets.config import Config

from facility_support.coroutines import run
from flavorframe.errors import FacilityError
from flavorframe_facility.login import config as login, peers, workshop
from flavorframe_facility.login.names import why_unsafe
from flavorframe_facility.login.password import hash_password, is_password
from flavorframe_facility.login.workshop import Throttle

PASSWORD, ADMINS = "beam-charm-muon-tau-17", "another and longer one"


@pytest.fixture(scope="module")
def config():
    config = Config()
    login.workshop(config, hash_password(PASSWORD), frozenset({"chief"}), hash_password(ADMINS))
    return config


@pytest.fixture
def authenticator(config):
    return workshop.WorkshopAuthenticator(config=config)


def try_in(authenticator, name, password, address="192.0.2.1"):
    handler = SimpleNamespace(request=request_from(address))
    data = {"username": name, "password": password}
    return run(authenticator.get_authenticated_user(handler, data))


def request_from(address, port=4711, **headers):
    context = SimpleNamespace(address=(address, port))
    return SimpleNamespace(connection=SimpleNamespace(context=context), headers=headers)


def test_the_shared_password_lets_any_safe_name_in(authenticator):
    assert try_in(authenticator, "jane.doe", PASSWORD)["admin"] is False
    assert try_in(authenticator, "jane.doe", "beam") is None
    assert try_in(authenticator, "jane.doe", "") is None
    assert try_in(authenticator, "jane.doe", "μ") is None


def test_an_administrator_needs_the_other_password(authenticator):
    assert try_in(authenticator, "chief", ADMINS)["admin"] is True
    assert try_in(authenticator, "chief", PASSWORD) is None
    assert try_in(authenticator, "jane", ADMINS) is None


def test_administrators_without_a_password_of_their_own_are_refused():
    with pytest.raises(FacilityError, match="chief"):
        login.workshop(Config(), hash_password(PASSWORD), frozenset({"chief"}))


@pytest.mark.parametrize(
    "name", ["../root", "a/b", "root", "", "Jane", "a..b", "x" * 33, "-r", "é"]
)
def test_unsafe_names_are_refused(authenticator, name):
    assert why_unsafe(name)
    with pytest.raises(web.HTTPError, match="Choose another name"):
        try_in(authenticator, name, PASSWORD)


def test_too_many_wrong_passwords_have_to_wait(authenticator, monkeypatch):
    monkeypatch.setattr(authenticator, "_by_address", Throttle(3))
    for _ in range(3):
        assert try_in(authenticator, "jane", "wrong") is None
    with pytest.raises(web.HTTPError, match=r"try again in \d+ seconds"):
        try_in(authenticator, "jane", PASSWORD)
    assert try_in(authenticator, "jane", PASSWORD, address="192.0.2.2")


def test_many_failures_of_others_keep_nobody_out_who_did_not_fail(authenticator, monkeypatch):
    monkeypatch.setattr(authenticator, "_of_all", Throttle(3))
    for number in range(3):
        assert try_in(authenticator, "jane", "wrong", address=f"192.0.2.{number}") is None
    assert try_in(authenticator, "jane", PASSWORD, address="192.0.2.9")
    with pytest.raises(web.HTTPError, match=r"try again in (10|[1-9]) seconds"):
        try_in(authenticator, "jane", PASSWORD, address="192.0.2.1")


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"X-Forwarded-For": "192.0.2.5"}, "192.0.2.5"),
        ({"X-Forwarded-For": "198.51.100.1, 192.0.2.5"}, "192.0.2.5"),
        ({"X-Forwarded-For": "192.0.2.5", "X-Real-Ip": "198.51.100.1"}, "192.0.2.5"),
        ({"X-Forwarded-For": "198.51.100.1, 192.0.2.5, 10.0.0.1"}, "192.0.2.5"),
        ({"X-Forwarded-For": "192.0.2.5, nonsense"}, "unknown"),
        ({}, "127.0.0.1"),
    ],
)
def test_the_proxys_client_is_the_last_that_is_no_proxy(headers, seen):
    with (
        socket.create_server(("127.0.0.1", 0)) as hub,
        socket.create_connection(hub.getsockname()) as proxy,
    ):
        request = request_from(*proxy.getsockname())
        request.headers.update(headers)
        assert peers.origin(request, {"10.0.0.1"}) == seen


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who can be another account")
def test_another_account_of_this_machine_is_counted_as_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as hub:
        code = (
            "import socket, sys\n"
            f"with socket.create_connection(('127.0.0.1', {hub.getsockname()[1]})) as s:\n"
            "    print(*s.getsockname(), flush=True)\n"
            "    sys.stdin.read()"
        )
        attacker = subprocess.Popen(
            ["/usr/bin/python3", "-c", code], user=65534, group=65534, cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        address, port = attacker.stdout.readline().split()
        request = request_from(address, int(port))
        request.headers["X-Forwarded-For"] = "192.0.2.5"
        assert peers.origin(request, ()) == "account 65534"
        attacker.communicate()


def test_right_passwords_are_not_counted(authenticator, monkeypatch):
    monkeypatch.setattr(authenticator, "_by_address", Throttle(1))
    assert all(try_in(authenticator, "jane", PASSWORD) for _ in range(3))


def test_one_machine_with_many_ipv6_addresses_is_one(authenticator, monkeypatch):
    monkeypatch.setattr(authenticator, "_by_address", Throttle(1))
    try_in(authenticator, "jane", "wrong", address="2001:db8:1:2:3::1")
    with pytest.raises(web.HTTPError):
        try_in(authenticator, "jane", PASSWORD, address="2001:db8:1:2:9::7")


def test_a_throttle_forgets(monkeypatch):
    now = 100.0
    monkeypatch.setattr(workshop.time, "monotonic", lambda: now)
    throttle = Throttle(1)
    throttle.count("a")
    assert throttle.wait("a") == 60
    now = 161.0
    assert throttle.wait("a") == 0
    assert not throttle._failures


def test_hashes_hide_the_password_and_differ():
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    assert PASSWORD not in first
    assert is_password(PASSWORD, first)
    assert is_password(PASSWORD, second)
    assert not is_password(PASSWORD, ":")
