"""What browsers are told by all that a facility answers; metrics and ports that are not for all."""

import psutil
import pytest
import requests
import urllib3

from flavorframe_facility.gateway.config import PREFIX
from flavorframe_facility.machine import processes

pytestmark = pytest.mark.xdist_group("facility")

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
PROGRAMS = ("proxy", "hub", "gateway-proxy", "gateway")
HSTS = "Strict-Transport-Security"


def assert_strict(answer):
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT, answer.url


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("hub/login", 200),
        ("hub/home", 302),
        ("hub/none", 404),
        ("hub/api/users", 403),
        ("hub/metrics", 403),
        ("hub/static/favicon.ico", 200),
        ("hub/logo", 200),
        ("user/none/lab", 302),
    ],
)
def test_of_the_hub_and_the_login(facility, path, status):
    answer = requests.get(f"{facility.url}{path}", allow_redirects=False, timeout=60)
    assert answer.status_code == status
    assert_strict(answer)
    assert HSTS not in answer.headers  # without TLS


def test_of_users_servers(alice):
    for path, status in [("lab", 200), ("api/status", 200), ("api/none", 404), ("metrics", 200)]:
        answer = alice.get(f"user/alice/{path}")
        assert answer.status_code == status
        assert_strict(answer)
    assert alice.get("user/alice/metrics", token="forged").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [("api/health", 200), ("api/v1/options", 401), ("clusters/none/status", 401), ("none", 404),
     ("metrics", 404)],
)  # fmt: skip
def test_of_the_gateway(facility, path, status):
    port = facility.settings.gateway_proxy_port
    answer = requests.get(f"http://127.0.0.1:{port}{PREFIX}/{path}", timeout=60)
    assert answer.status_code == status
    assert_strict(answer)


def test_with_tls_browsers_use_nothing_else(public):
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    url = f"https://127.0.0.1:{public.settings.port}"
    headers = {"Host": f"facility.test:{public.settings.port}"}
    answer = requests.get(f"{url}/hub/login", headers=headers, verify=False, timeout=60)
    assert answer.ok
    assert_strict(answer)
    assert answer.headers[HSTS] == "max-age=31536000; includeSubDomains"


def test_all_but_the_proxy_listens_on_loopback(public, facility, alice):
    theirs = [process for process in psutil.process_iter() if is_of((public, facility), process)]
    ports = {
        (listening.laddr.ip, listening.laddr.port)
        for process in theirs
        for listening in process.net_connections("inet")
        if listening.status == psutil.CONN_LISTEN
    }
    assert {port for _, port in ports} > {facility.settings.port, facility.settings.hub_port}
    open_to_others = {place for place in ports if place[0] not in ("127.0.0.1", "::1")}
    assert open_to_others == {("0.0.0.0", public.settings.port)}


def is_of(facilities, process):
    """Whether a process is the facility's own, or a user's."""
    prefixes = tuple(one.settings.accounts for one in facilities)
    try:
        above = {process.pid, *(parent.pid for parent in process.parents())}
        return bool(above & programs_of(facilities)) or process.username().startswith(prefixes)
    except psutil.Error:
        return False


def programs_of(facilities):
    found = (processes.running(one.settings, name) for one in facilities for name in PROGRAMS)
    return {process.pid for process in found}
