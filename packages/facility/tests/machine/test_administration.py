"""The administrators' page: in a browser, and for those who should not have it."""

import re

import pytest
import requests

pytest.importorskip(
    "oauthenticator", reason="oauthenticator is not installed (flavorframe-facility)"
)
from facility_support.browser import person, screenshot
from flavorframe_facility.gateway.config import SCOPES
from flavorframe_facility.machine.administration.config import address
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("login")


@pytest.fixture(scope="module")
def site(oidc_facility):
    return oidc_facility


@pytest.fixture(scope="module")
def url(site):
    """Return the address of the page, which has an origin of its own."""
    return address(site.facility.settings)


@pytest.fixture(scope="module")
def erin(site):
    """Return the session of a user with a server."""
    session, _ = site.sign_in("erin")
    site.start_server(session, "erin", cores="1", memory="2")
    return session


def token_of(site, session, user, *scopes):
    answer = site.api(session, "POST", f"users/{user}/tokens", json={"scopes": list(scopes)})
    assert answer.ok, answer.text
    return answer.json()["token"]


@pytest.fixture
def cluster(site, erin):
    """Return the name of a cluster of erin's."""
    token = token_of(site, erin, "erin", SCOPES[0], "read:users:groups!user")
    answer = requests.post(
        f"http://127.0.0.1:{site.facility.settings.gateway_port}/api/v1/clusters/",
        json={"cluster_options": {"worker_cores": "1", "worker_memory": "2"}},
        headers={"Authorization": f"token {token}"},
        timeout=60,
    )
    assert answer.ok, answer.text
    return answer.json()["name"]


@pytest.fixture
def chief(site, browser):
    """Return a page of an administrator."""
    with person(browser) as page:
        page.goto(site.facility.url)
        page.click("a[href*=oauth_login]")
        page.fill("input[name=login]", "chief")
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.wait_for_url("**/hub/**")
        yield page


def test_an_administrator_sees_who_takes_what_and_stops_it(site, url, erin, cluster, chief):
    chief.goto(f"{site.facility.url}hub/home")
    chief.click(".navbar a:has-text('Usage')")
    chief.wait_for_selector("#users")
    assert chief.url == url
    row = chief.locator("#users tr:has-text('erin')")
    assert re.search(
        r"erin\s+[\d.]+ of 2\s+[\d.]+ of 4\.\d GB\s+1\s+.*1 core, 2 GB", row.inner_text()
    )
    for scheme in ("light", "dark"):
        chief.emulate_media(color_scheme=scheme)
        chief.wait_for_selector(f"html[data-bs-theme={scheme}]")
        chief.wait_for_timeout(500)  # colours change little by little
        screenshot(chief, f"administration-{scheme}")
    questions = []
    chief.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    chief.click(f"#clusters tr:has-text('{cluster}') button")
    chief.wait_for_selector(f"#clusters:not(:has-text('{cluster}'))")
    chief.click("#users tr:has-text('erin') button")
    chief.wait_for_selector("#users:not(:has-text('erin'))")
    assert questions == [f"Stop cluster {cluster} of erin?", "Stop the server of erin?"]
    assert site.server(erin, "erin") is None
    stolen = {one["name"]: one["value"] for one in chief.context.cookies(url)}
    assert shows_usage(url, stolen)
    chief.click("#logout")
    chief.wait_for_url("**/hub/**")
    assert not shows_usage(url, stolen)


def shows_usage(url, cookies):
    return "Dask clusters" in requests.get(url, cookies=cookies, timeout=60).text


def test_nobody_else_can_open_it(site, url):
    session, _ = site.sign_in("dave")
    assert session.get(url, timeout=60).status_code == 403
    home = session.get(f"{site.url}home", timeout=60)
    assert "Home</a>" in home.text
    assert "Usage" not in home.text
    token = token_of(site, session, "dave")
    for headers in ({"Authorization": f"token {token}"}, {"Authorization": "token forged"}):
        answer = requests.get(url, headers=headers, allow_redirects=False, timeout=60)
        assert answer.status_code in (302, 403)
        assert "Dask clusters" not in answer.text
        stop = requests.post(f"{url}stop/server/dave", headers=headers, timeout=60)
        assert stop.status_code == 403


def test_another_page_can_stop_nothing_with_an_administrators_session(site, url, chief):
    dave, _ = site.sign_in("dave")
    site.start_server(dave, "dave")
    chief.goto(url)
    cookies = {one["name"]: one["value"] for one in chief.context.cookies(url)}
    xsrf = chief.get_attribute("#users tr:has-text('dave') input[name=_xsrf]", "value")
    stop = {"url": f"{url}stop/server/dave", "cookies": cookies, "allow_redirects": False}
    for forged in ({}, {"_xsrf": "forged"}, {"_xsrf": xsrf[::-1]}, {"_xsrf": xsrf}):
        # The last is the right one, but another browser's.
        assert requests.post(**stop, data=forged, timeout=60).status_code == 403
    stop["headers"] = {"User-Agent": chief.evaluate("navigator.userAgent")}
    for forged in ({}, {"_xsrf": "forged"}):
        assert requests.post(**stop, data=forged, timeout=60).status_code == 403
    assert requests.get(**stop, timeout=60).status_code == 405
    assert site.server(dave, "dave") is not None
    assert requests.post(**stop, data={"_xsrf": xsrf}, timeout=60).status_code == 303
    wait_for(lambda: site.server(dave, "dave") is None, told=lambda: site.log)
    headers = requests.get(url, cookies=cookies, timeout=60).headers
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_metrics_are_for_tokens_that_may_read_them(site):
    chief, _ = site.sign_in("chief")
    dave, _ = site.sign_in("dave")
    good = token_of(site, chief, "chief", "read:metrics")
    for token, status in [(good, 200), (token_of(site, dave, "dave"), 403), ("forged", 403)]:
        headers = {"Authorization": f"token {token}"}
        assert requests.get(f"{site.url}metrics", headers=headers, timeout=60).status_code == status
