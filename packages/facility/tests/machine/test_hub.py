"""A facility on one machine, as users, an administrator and attackers meet it."""

import asyncio
import os
import re
import socket

import aiohttp
import pytest
import requests

from facility_support.browser import log_in, person, screenshot, start_server
from facility_support.coroutines import run
from facility_support.kernel import Kernel
from facility_support.users import Login, User, is_known, server_of
from flavorframe_facility.machine import groups, processes

pytestmark = pytest.mark.xdist_group("facility")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who makes accounts")


@pytest.fixture(scope="module")
def kernel(alice):
    """Return a kernel of alice's."""
    return Kernel(alice)


def test_a_person_logs_in_and_gets_jupyterlab(facility, page):
    log_in(page, facility, "grace", "not-the-password")
    assert "Invalid username or password" in page.inner_text("body")
    screenshot(page, "login-refused")
    log_in(page, facility, "grace")
    page.wait_for_selector("#cores")
    screenshot(page, "options-form")
    start_server(page, facility, cores="1", memory="2")
    page.wait_for_selector(".jp-DirListing-item >> text=tutorial")
    screenshot(page, "jupyterlab")
    assert "server of grace: flavorframe, 1 core, 2 GB, since" in facility.command("status")


@pytest.mark.parametrize(
    ("forged", "text"),
    [
        ({"environment": "../../../etc"}, "&#39;../../../etc&#39; is not offered here"),
        ({"cores": "64"}, "is not offered here: choose 1, 2, 4 or 8"),
        ({"cores": ["1", "1"]}, "was sent 2 times"),
        ({"memory": "999999"}, "is not offered here"),
        ({"cmd": "/bin/sh"}, "a server has no option"),
    ],
)
def test_a_forged_form_starts_nothing(facility, forged, text):
    session = requests.Session()
    session.get(f"{facility.url}hub/login")
    post(session, facility, "hub/login", username="mallory", password=facility.password)
    sent = {"environment": "flavorframe", "cores": "1", "memory": "2", **forged}
    answer = post(session, facility, "hub/spawn", **sent)
    assert answer.status_code == 400
    assert text in answer.text
    assert server_of(facility, "mallory") is None


def post(session, facility, path, *, json=None, **fields):
    xsrf = next(c.value for c in session.cookies if c.name == "_xsrf" and "hub" in c.path)
    return session.post(
        f"{facility.url}{path}", data=fields or None, json=json, params={"_xsrf": xsrf}, timeout=60
    )


def test_neither_does_a_forged_request_to_the_api(facility):
    session = requests.Session()
    session.get(f"{facility.url}hub/login")
    post(session, facility, "hub/login", username="mallory", password=facility.password)
    answer = post(session, facility, "hub/api/users/mallory/server", json={"cores": "64"})
    assert answer.status_code == 400
    assert "is not offered here" in answer.text
    assert "mallory" not in facility.command("status")


def test_without_login_nothing_is_shown(facility, alice):
    paths = [f"{facility.url_of('alice')}{path}" for path in ("lab", "api/contents")]
    for url in [*paths, f"{facility.url}hub/api/users", f"{facility.url}hub/home"]:
        answer = requests.get(url, allow_redirects=False, timeout=60)
        assert answer.status_code in (302, 403), url
    assert alice.get("user/alice/api/contents", token="forged").status_code == 403


def test_another_users_server_is_closed(facility, alice):
    session = requests.Session()
    session.get(f"{facility.url}hub/login")
    post(session, facility, "hub/login", username="mallory", password=facility.password)
    assert session.get(f"{facility.url_of('alice')}api/contents").status_code == 403
    assert session.delete(f"{facility.url}hub/api/users/alice/server").status_code == 403
    assert alice.get("hub/api/users/alice").status_code in (200, 403)
    assert alice.get("hub/api/users/grace").status_code in (403, 404)


@needs_root
def test_homes_and_secrets_are_closed_to_others(facility, alice, kernel):
    assert kernel.run("import os; print(os.getuid() > 0, os.environ['HOME'])") == (
        f"True {facility.settings.homes}/alice\n"
    )
    home = facility.settings.homes / "alice"
    assert home.stat().st_mode & 0o777 == 0o700
    for path in (facility.settings.private, facility.settings.homes):
        assert "Permission" in kernel.run(f"import os; os.listdir({str(path)!r})")
    secret = (facility.settings.private / "service-token").read_text()
    assert secret not in kernel.run("import os; print(os.environ)")
    assert facility.password not in kernel.run("import os; print(os.environ)")
    assert secret not in facility.log()


def test_the_tutorial_is_in_the_home_and_the_sample_can_be_read(kernel):
    code = """
import flavorframe as ff
from pathlib import Path
catalogue = ff.catalog(Path.home() / "tutorial/sample/catalog.json")
print(ff.inspect(catalogue["2017B"].files[0]).layout, len(catalogue))
"""
    assert kernel.run(code) == "nano 2\n"


def test_programs_beside_the_python_are_found_in_terminals(alice):
    line = "python -c 'import flavorframe; print(6 * 7777)'"
    assert "46662" in in_terminal(alice, line)


def in_terminal(user, line, seconds=60):
    """Return what a terminal of a user's server shows, in which a line is typed."""
    url = user.url.rstrip("/")
    headers = {"Authorization": f"token {user.token}"}
    answer = requests.post(f"{url}/api/terminals", headers=headers, timeout=60)
    answer.raise_for_status()

    async def typed():
        shown = ""
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{url}/terminals/websocket/{answer.json()['name']}") as socket,
        ):
            await socket.send_json(["stdin", f"{line}; echo end''ed\r"])
            while "ended" not in shown:
                kind, *text = await socket.receive_json()
                shown += text[0] if kind == "stdout" else ""
        return shown

    return run(asyncio.wait_for(typed(), seconds))


def test_limits_bite(facility, kernel):
    assert "2000000000" in kernel.run("import os; print(os.environ['MEM_LIMIT'])")
    if groups.version():
        burn = """
import multiprocessing, time
def burn(_):
    until = time.monotonic() + 2
    while time.monotonic() < until: pass
    return time.process_time()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sum(pool.map(burn, range(2))))
"""
        assert float(kernel.run(burn)) < 2.8  # of 4 seconds, with two cores
    else:
        assert kernel.run("import os; print(len(os.sched_getaffinity(0)))") == "1\n"
    taken = kernel.run("taken = bytearray(3_000_000_000); print(len(taken))")
    assert "3000000000" not in taken


def test_servers_outlive_the_hub(facility, alice, kernel):
    before = server_of(facility, "alice")
    kernel.run("known = 17")
    hub = processes.running(facility.settings, "hub")
    facility.command("restart")
    assert not hub.is_running()
    after = server_of(facility, "alice")
    assert after is not None, facility.log()
    assert after.pid == before.pid
    assert kernel.run("print(known)") == "17\n"
    assert "server of alice" in facility.command("status")


def test_logging_out_ends_all_that_the_login_gave(facility, alice):
    login = Login(facility, "alice")
    stolen = login.copy()
    token, ends = login.new_token(), login.answer["expires_at"]
    assert ends is not None
    assert stolen.is_in()
    assert is_known(facility, token)
    login.session.get(f"{facility.url}hub/logout", timeout=60)
    assert not stolen.is_in()
    assert not is_known(facility, token)
    assert is_known(facility, alice.token)  # the server goes on, and asks the hub who may use it
    assert alice.get("user/alice/api/status").status_code == 200


def test_a_new_password_ends_all_that_the_old_one_gave(facility, alice):
    old = facility.password
    before = Login(facility, "jane")
    token = before.new_token()
    assert before.is_in()
    assert is_known(facility, token)
    assert is_known(facility, alice.token)
    facility.password = re.search("password (.+)", facility.command("up", "--new-password"))[1]
    assert not Login(facility, "jane", old).is_in()
    assert Login(facility, "jane").is_in()
    assert not before.is_in()
    assert not is_known(facility, token)
    assert not is_known(facility, alice.token)
    assert server_of(facility, "alice") is None
    assert "server of" not in facility.command("status")
    assert old not in facility.log()


def test_what_is_told_of_a_facility_that_runs(facility):
    assert "The facility is at" in facility.command("up")
    told = facility.command("up", "--port", "9", check=False)
    assert "already running with other settings" in told
    assert "JupyterHub is now running" in facility.command("logs", "--lines", "5000")
    assert "there is no log" in facility.command("logs", "--user", "nemo", check=False)


def test_all_is_kept_between_down_and_up(facility, alice, browser):
    tutorial = facility.settings.homes / "alice" / "tutorial"
    assert (tutorial / "sample").is_symlink()
    changed = [tutorial / "mine.txt", *tutorial.glob("*.ipynb")]
    for file in changed:
        file.write_text("changed")
    with person(browser) as page:
        log_in(page, facility, "ida")
        assert "stopped, with" in facility.command("down")
        assert_told_why_it_cannot_start(facility)
        assert facility.password not in facility.command("up")  # it was shown once
        page.goto(f"{facility.url}hub/home")
        assert "ida" in page.inner_text("body")
    assert User(facility, "alice").environment["HOME"] == str(tutorial.parent)
    assert all(file.read_text() == "changed" for file in changed)


def assert_told_why_it_cannot_start(facility):
    """Assert what is told while a facility is down."""
    told = facility.command("status", check=False)
    assert "not running" in told
    assert "server of" not in told
    with socket.create_server(("127.0.0.1", facility.settings.hub_port)):
        told = facility.command("up", check=False)
    assert f"127.0.0.1:{facility.settings.hub_port}, for the hub, cannot be used" in told
    assert "choose another with --port" in told
    told = facility.command("up", check=False, path="/usr/sbin:/sbin")
    assert "node and npm cannot be found" in told
    assert "apt install nodejs npm" in told
    # The number that the hub had is another process's by now.
    note = facility.settings.private / "hub.process.json"
    note.write_text(f'{{"process": {os.getpid()}, "created": 1}}')
    assert re.search("hub +down", facility.command("status", check=False))
    assert "nothing was running" in facility.command("down")
