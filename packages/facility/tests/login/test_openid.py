"""Login by OpenID Connect against a real provider: who gets in, and what is refused."""

import os
import time
from pathlib import Path

import jwt
import pytest
import requests

pytest.importorskip(
    "oauthenticator", reason="oauthenticator is not installed (flavorframe-facility)"
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from facility_support.browser import screenshot
from facility_support.openid import LIFETIME, SECRET, USERS, Hub
from flavorframe_facility.login.openid import groups_of
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("login")


@pytest.fixture(scope="module")
def hub():
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def obedient(hub):
    """Have the provider behave again after the test."""
    yield hub.provider
    hub.provider.tell(users=USERS, idToken=None, refusesRefresh=False, isDown=False)


def test_a_member_gets_in_and_is_no_administrator(hub):
    session, page = hub.sign_in("alice")
    assert page.ok
    assert hub.is_in(session)
    model = hub.api(session, "GET", "user").json()
    assert (model["name"], model["admin"], model["groups"]) == ("alice", False, ["flavour"])
    assert session.get(f"{hub.url}admin").status_code == 403


def test_groups_of_the_wlcg_count(hub):
    session, _ = hub.sign_in("bob")
    assert sorted(hub.api(session, "GET", "user").json()["groups"]) == ["cms", "flavour"]


@pytest.mark.parametrize(
    "claim", [{"flavour": False}, {"flavour": True}, [{"flavour": 1}], 7, None]
)
def test_what_is_no_list_of_names_makes_nobody_a_member(claim):
    assert groups_of({"groups": claim}) == set()
    assert groups_of({"groups": ["flavour"]}) == groups_of({"groups": "flavour"}) == {"flavour"}


def test_the_administrators_group_makes_administrators(hub):
    session, _ = hub.sign_in("chief")
    assert hub.api(session, "GET", "user").json()["admin"]
    assert session.get(f"{hub.url}admin").ok


@pytest.mark.parametrize("user", ["mallory", "nobody"])
def test_who_is_in_no_group_reads_which_is_needed(hub, user):
    session, page = hub.sign_in(user)
    assert page.status_code == 403
    assert "You are not in the group flavour" in page.text
    assert "flavour-support@example.org" in page.text
    assert "<b>others" not in page.text
    assert ("&lt;b&gt;others" if user == "mallory" else "<td>none</td>") in page.text
    assert not hub.is_in(session)


def test_the_name_of_a_system_account_is_refused(hub):
    session, page = hub.sign_in("sneaky")
    assert page.status_code == 403
    assert "is an account of the system" in page.text
    assert not hub.is_in(session)


def test_somebody_else_of_the_same_name_is_refused(hub):
    hub.sign_in("alice")
    session, page = hub.sign_in("impostor")
    assert page.status_code == 403
    assert "belongs to somebody else here" in page.text
    assert not hub.is_in(session)


def forged(hub, fault):
    """Return an ID token for alice that is right but for one fault."""
    now = int(time.time())
    claims = {"iss": hub.provider.issuer, "sub": "alice", "aud": "hub", "iat": now, "exp": now + 60}
    key, algorithm = hub.provider.key, "RS256"
    changes = {
        "expired": {"iat": now - 900, "exp": now - 300},
        "wrong issuer": {"iss": "https://evil.example"},
        "wrong audience": {"aud": "another"},
        "several audiences": {"aud": ["hub", "another"], "azp": "another"},
        "somebody else": {"sub": "bob"},
        "issued tomorrow": {"iat": now + 86_400},
    }
    claims |= changes.get(fault, {})
    if fault == "wrong key":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if fault == "alg none":
        key, algorithm = None, "none"
    if fault == "signed with the client's secret":
        key, algorithm = SECRET, "HS256"
    if fault == "no expiry":
        del claims["exp"]
    return jwt.encode(claims, key, algorithm, headers={"kid": "test"})


@pytest.mark.parametrize(
    "fault",
    [
        "expired", "wrong issuer", "wrong audience", "several audiences", "somebody else",
        "issued tomorrow", "wrong key", "alg none", "signed with the client's secret", "no expiry",
    ],
)  # fmt: skip
def test_forged_id_tokens_are_refused(hub, obedient, fault):
    obedient.tell(idToken=forged(hub, fault))
    session, page = hub.sign_in("alice")
    assert page.status_code == 403
    assert "could not be used" in page.text
    assert not hub.is_in(session)


def test_the_same_id_token_without_a_fault_is_taken(hub, obedient):
    obedient.tell(idToken=forged(hub, "none at all"))
    assert hub.is_in(hub.sign_in("alice")[0])


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?code=x&state=e30"])
def test_a_callback_that_nobody_began_is_refused(hub, query):
    page = requests.get(f"{hub.url}oauth_callback{query}")
    assert page.status_code == 400
    assert "This login was not begun here" in page.text


def test_the_state_of_another_login_is_refused(hub):
    session = requests.Session()
    session.get(f"{hub.url}oauth_login")
    other = requests.Session().get(f"{hub.url}oauth_login", allow_redirects=False)
    state = requests.utils.urlparse(other.headers["Location"]).query.split("state=")[1]
    page = session.get(f"{hub.url}oauth_callback?code=x&state={state.split('&')[0]}")
    assert page.status_code == 400
    assert "This login was not begun here" in page.text


def test_the_provider_is_asked_with_a_proof_key(hub):
    asked = requests.get(f"{hub.url}oauth_login", allow_redirects=False).headers["Location"]
    assert "code_challenge_method=S256" in asked


def test_what_the_provider_refuses_is_told_and_escaped(hub):
    page = requests.get(f"{hub.url}oauth_callback?error=access_denied&error_description=<script>")
    assert page.status_code == 403
    assert "did not log you in" in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example/x"]
)
def test_a_login_ends_on_this_hub(hub, target):
    _, page = hub.sign_in("alice", next_url=target)
    assert all("evil.example" not in _host(answer.url) for answer in [*page.history, page])
    assert _host(page.url) == _host(hub.url)


def _host(url):
    return requests.utils.urlparse(url).netloc


@pytest.fixture(scope="module")
def alice(hub):
    """Return alice's session, with her server running."""
    session, _ = hub.sign_in("alice")
    hub.start_server(session, "alice")
    yield session
    if hub.process_of("alice"):
        hub.api(session, "DELETE", "users/alice/server")


def environment(hub, user):
    process = wait_for(lambda: hub.process_of(user))
    lines = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return dict(line.decode().split("=", 1) for line in lines if b"=" in line)


def token_file(hub, user):
    """Return the path that the server says its token is in, once it is there."""
    mark = "The access token is in "
    home = hub.folder / "homes" / user

    def found():
        for line in hub.log.splitlines():
            if mark in line:
                path = Path(line.split(mark)[1].strip().rstrip("."))
                if path.exists():
                    return path
        return None

    assert home.exists()
    return wait_for(found, told=lambda: hub.log[-4000:])


def test_the_access_token_is_a_private_file_renewed_in_time(hub, alice):
    path = token_file(hub, "alice")
    assert path.name == f"bt_u{os.getuid()}"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    first = path.read_text().strip()
    me = f"{hub.provider.issuer}/me"
    assert requests.get(me, headers={"Authorization": f"Bearer {first}"}).json()["sub"] == "alice"
    second = wait_for(lambda: path.read_text().strip() not in (first, "")) and (
        path.read_text().strip()
    )
    assert requests.get(me, headers={"Authorization": f"Bearer {second}"}).ok
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_a_server_its_log_or_its_home(hub, alice):
    path = token_file(hub, "alice")
    keys = (hub.folder / "private" / "crypt-key").read_text().strip()
    cookie = (hub.folder / "private" / "cookie-secret").read_text().strip()
    secrets = [SECRET, keys, cookie]
    seen = "\n".join(f"{k}={v}" for k, v in environment(hub, "alice").items())
    for text in (seen, hub.log):
        assert not [secret for secret in secrets if secret in text]
    assert path.read_text().strip() not in hub.log
    assert "refresh_token" not in seen
    files = [f for f in (hub.folder / "homes" / "alice").rglob("*") if f.is_file()]
    for file in files:
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], file


def test_the_database_holds_tokens_encrypted(hub, alice):
    content = b"".join(f.read_bytes() for f in hub.folder.glob("hub.sqlite*"))
    assert b"alice" in content
    assert b"refresh_token" not in content
    assert token_file(hub, "alice").read_bytes().strip() not in content


def test_a_server_gets_its_own_users_token_alone(hub, alice):
    server = environment(hub, "alice")["JUPYTERHUB_API_TOKEN"]
    url = f"{hub.url}api/access-token"
    answer = requests.get(url, headers={"Authorization": f"token {server}"})
    assert sorted(answer.json()) == ["access_token", "ask_again_in", "expires_in"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert alice.get(url).status_code == 403  # a browser's cookie does not do
    assert requests.get(url).status_code == 403
    assert requests.get(url, headers={"Authorization": "token forged"}).status_code == 403
    for path in ("users/alice", "users/bob", "users", "user"):
        told = requests.get(f"{hub.url}api/{path}", headers={"Authorization": f"token {server}"})
        assert "auth_state" not in told.text


def test_no_cookie_no_server(hub, alice):
    root = hub.url.removesuffix("hub/")
    assert requests.get(f"{root}user/alice/api/contents").status_code == 403
    ends = requests.get(f"{root}user/alice/lab")
    assert f"{hub.url}login" in ends.url or hub.provider.issuer in ends.url


def test_another_users_server_is_closed(hub, alice):
    root = hub.url.removesuffix("hub/")
    bob, _ = hub.sign_in("bob")
    assert bob.get(f"{root}user/alice/lab").status_code == 403
    assert bob.get(f"{root}user/alice/api/contents").status_code == 403
    assert hub.api(bob, "DELETE", "users/alice/server").status_code in (403, 404)
    assert hub.api(bob, "GET", "users/alice").status_code in (403, 404)
    made = hub.api(bob, "POST", "users/bob/tokens").json()["token"]
    theirs = {"Authorization": f"token {made}"}
    assert requests.get(f"{root}user/alice/api/contents", headers=theirs).status_code == 403
    mine = requests.get(f"{hub.url}api/access-token", headers=theirs)
    hers = environment(hub, "alice")["JUPYTERHUB_API_TOKEN"]
    other = requests.get(
        f"{hub.url}api/access-token", headers={"Authorization": f"token {hers}"}
    ).json()
    assert mine.json().get("access_token") != other["access_token"]
    assert hub.server(alice, "alice")


@pytest.mark.parametrize(
    "path", ["spawn/../../etc", "spawn/alice/..%2f..%2fetc", "spawn/bob", "spawn/alice/%2e%2e"]
)
def test_paths_of_starting_a_server_lead_nowhere_else(hub, alice, path):
    session = requests.Session()
    session.cookies.update(alice.cookies)
    answer = session.send(
        requests.Request("GET", f"{hub.url}{path}", cookies=session.cookies).prepare(),
        allow_redirects=False,
    )
    assert answer.status_code in (302, 400, 403, 404)
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith("/hub/")
    assert not hub.process_of("bob")


def test_the_file_goes_with_the_server(hub, alice):
    path = token_file(hub, "alice")
    hub.api(alice, "DELETE", "users/alice/server")
    wait_for(lambda: not path.parent.exists())


def test_who_leaves_the_group_is_logged_out_and_gets_no_token(hub, obedient):
    carol, _ = hub.sign_in("carol")
    assert hub.is_in(carol)
    made = hub.api(carol, "POST", "users/carol/tokens").json()["token"]
    obedient.tell(users={**USERS, "carol": {"preferred_username": "carol", "groups": []}})
    wait_for(lambda: not hub.is_in(carol))
    headers = {"Authorization": f"token {made}"}
    assert requests.get(f"{hub.url}api/access-token", headers=headers).status_code == 403
    assert requests.get(f"{hub.url}api/user", headers=headers).status_code == 403
    assert hub.sign_in("carol")[1].status_code == 403


def test_a_refresh_token_that_ended_asks_for_a_new_login(hub, obedient):
    dave, _ = hub.sign_in("dave")
    obedient.tell(refusesRefresh=True)
    wait_for(lambda: not hub.is_in(dave))
    obedient.tell(refusesRefresh=False)
    assert hub.is_in(hub.sign_in("dave")[0])


def test_who_is_in_stays_while_the_provider_is_down(hub, obedient):
    erin, _ = hub.sign_in("erin")
    obedient.tell(isDown=True)
    time.sleep(LIFETIME)
    assert hub.is_in(erin)
    assert "could not be asked for erin" in hub.log


def test_what_people_see(hub, page):
    """Sign in as somebody who is not in the group, in a browser, and keep the pictures."""
    page.goto(f"{hub.url}login")
    page.wait_for_selector("text=For members of the group flavour")
    screenshot(page, "login-openid")
    page.get_by_role("button", name="Sign in with INDIGO IAM").click()
    page.fill("input[name=login]", "mallory")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.wait_for_selector("text=You are not in the group flavour")
    screenshot(page, "login-refused")
    assert page.get_by_role("link", name="Log in again").get_attribute("href").startswith("/hub/")
    page.goto(f"{hub.url}oauth_callback?code=x&state=y")
    page.wait_for_selector("text=This login was not begun here")
    screenshot(page, "login-not-begun")


def test_public_key_as_a_shared_secret_is_refused():
    from flavorframe_facility.login.provider import TokenRefusedError, verified

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import base64
    import hashlib
    import hmac
    import json

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    now = int(time.time())
    claims = {"iss": "https://i", "sub": "a", "aud": "hub", "iat": now, "exp": now + 60}
    body = part({"alg": "HS256", "kid": "test"}) + b"." + part(claims)
    digest = hmac.new(pem, body, hashlib.sha256).digest()
    token = (body + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()
    published = jwt.PyJWK({**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public)), "kid": "test"})
    with pytest.raises(TokenRefusedError):
        verified(token, published, issuer="https://i", client="hub")
