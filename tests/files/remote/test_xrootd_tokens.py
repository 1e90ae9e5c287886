"""Tokens over ``root://``: a real server takes them, and asks their issuer for its keys."""

import os
import re
from pathlib import Path

import pytest

from support import grid, servers, unencrypted
from support.sessions import Session

pytestmark = pytest.mark.usefixtures("no_credentials")


def test_tokens_are_found_where_the_discovery_says(token_url, session, token_file, issuer):
    assert "neither a proxy" in session.opens(token_url)
    assert session.opens(token_url, BEARER_TOKEN=issuer.token()) == "let in"
    assert session.opens(token_url, BEARER_TOKEN_FILE=token_file("named")) == "let in"
    token_file(f"bt_u{os.getuid()}")  # in XDG_RUNTIME_DIR
    assert session.opens(token_url) == "let in"
    assert "/k" in issuer.asked


def test_a_refused_token_is_told_with_what_it_has(token_url, session, token_file, token_server):
    def said(**claims):
        return session.opens(token_url, BEARER_TOKEN_FILE=token_file(**claims))

    assert said() == "let in"
    assert re.search(r"the bearer token of \S+/token expired 2 hours ago, at 20", said(life=-7201))
    other = said(scope="storage.read:/other")
    assert "Its scope is storage.read:/other: it may not give the right to read /store/" in other
    assert "permission denied" in other
    assert "Its scope is storage.write:/" in said(scope="storage.write:/")
    assert "Its scope is none" in said(scope=None)
    audience = said(aud=["https://localhost/elsewhere", "other"])
    assert "take its audience (https://localhost/elsewhere, other)" in audience
    assert "not trust its issuer https://stranger.example." in said(iss="https://stranger.example")
    hidden = said(aud="https://other.example")
    assert "is for https://other.example, so it was not shown to localhost" in hidden
    assert said() == "let in"


def test_a_token_for_others_is_not_shown(token_url, session, token_file, token_server, issuer):
    """The server would say who came: it writes down the subject of each token that it is shown."""
    names = {"aud": "https://other.example", "sub": "hidden"}
    session.opens(token_url, BEARER_TOKEN_FILE=token_file(**names))
    session.opens(token_url, BEARER_TOKEN_FILE=token_file(aud="https://localhost", sub="shown"))
    assert "as shown" in token_server.log
    assert "as hidden" not in token_server.log


def test_an_encrypted_connection_that_cannot_be(token_url, token_file):
    token = token_file()
    for folder, told in (
        ("/none", "there is no folder /none: set X509_CERT_DIR"),
        ("/usr", "in /usr"),
    ):
        session = Session(X509_CERT_DIR=folder)
        assert told in session.opens(token_url, BEARER_TOKEN_FILE=token)
        session.close()


def test_a_token_that_ends_is_renewed_while_the_session_goes_on(
    token_url, session, token_file, token_server
):
    """The server judges each file by the token that it was shown when the connection began."""
    shown = {"BEARER_TOKEN_FILE": token_file()}

    def is_let_in():
        token_file(life=4, sub="first")
        return session.opens(token_url, **shown) == "let in"

    servers.wait_for(is_let_in)
    servers.wait_for(lambda: "expired" in session.opens(token_url, **shown))
    token_file(sub="second")
    assert session.opens(token_url, **shown) == "let in"
    assert "as first" in token_server.log
    assert "as second" in token_server.log
    assert session.served(token_url) == token_server.port


def test_a_run_goes_on_with_a_token_that_takes_the_place_of_another(
    token_url, session, token_file, token_server
):
    assert session.opens(token_url, BEARER_TOKEN_FILE=token_file()) == "let in"
    told = session.counts(token_url, lambda: token_file(sub="renewed"))
    assert told.startswith("1200 events")
    assert "as renewed" in token_server.log


def test_a_token_that_is_spoiled_costs_what_is_read_from_then_on(token_url, session, token_file):
    path = token_file()
    assert session.opens(token_url, BEARER_TOKEN_FILE=path) == "let in"
    told = session.counts(token_url, lambda: os.chmod(path, 0o644))
    assert re.match(r"\d{3} events", told)
    assert f"the bearer token {path} has mode 0644" in told


def test_other_processes_have_the_users_own_variables(token_url, session, token_file):
    path = token_file()
    assert session.opens(token_url, BEARER_TOKEN_FILE=path) == "let in"
    servers.wait_for(lambda: session.inherited("BEARER_TOKEN_FILE") == path)
    session.opens(token_url)
    names = ("BEARER_TOKEN_FILE", "X509_USER_PROXY", "XrdSecGSIUSERPROXY")
    servers.wait_for(lambda: {session.inherited(name) for name in names} == {"None"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("attack", ["pipe", "file"])
def test_what_others_put_in_tmp_the_client_does_not_see(
    token_url, token_server, token_file, issuer, attack
):
    """The client looks in ``/tmp`` by itself: a pipe would hold it for ever, or end encryption."""
    user = 64_000 + os.getpid() % 1000
    places = [Path(f"/tmp/{name}_u{user}") for name in ("bt", "x509up")]
    assert not any(place.exists() for place in places)
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    environment = {"X509_CERT_DIR": str(token_server.folder / "ca"), "XDG_RUNTIME_DIR": "/none"}
    session = Session(as_user, **environment, X509_USER_CERT="/none", X509_USER_KEY="/none")
    try:
        for place in places:
            if attack == "pipe":
                os.mkfifo(place, 0o666)
            else:
                grid.write(place, issuer.token(sub="planted").encode(), 0o644)
        told = session.opens(token_url)
        assert re.search(r"neither a proxy .* nor .*bt_u\d+ is not used: .*user root, not", told)
        assert session.opens(token_url, BEARER_TOKEN=issuer.token()) == "let in"
        assert "as planted" not in token_server.log
        places[0].unlink()
        grid.write(places[0], issuer.token(sub="own").encode(), 0o600)
        os.chown(places[0], user, user)
        assert session.opens(token_url) == "let in"  # the user's own is taken
        assert "as own" in token_server.log
    finally:
        session.close()
        for place in places:
            place.unlink(missing_ok=True)


def test_a_server_without_encryption_is_not_shown_the_token(session, issuer):
    """It speaks XRootD's protocol up to the question for a token, and keeps all that it is sent."""
    with unencrypted.Server() as server:
        told = session.opens(server.url, BEARER_TOKEN=issuer.token())
        assert "refuses" in told
        assert server.asked
        assert b"eyJ" not in server.received  # how tokens begin


def test_a_token_is_in_no_saved_result(token_url, session, token_file, tmp_path):
    token = token_file()
    saved = tmp_path / "result"
    assert session.saves(token_url, str(saved), BEARER_TOKEN_FILE=token).startswith("1200 events")
    text = Path(token).read_text()
    signature = text.rpartition(".")[2].encode()
    contents = [path.read_bytes() for path in (saved, *saved.rglob("*")) if path.is_file()]
    assert contents
    assert not any(signature in content for content in contents)


@pytest.mark.root
def test_root_itself_takes_the_token(token_url, session, token_file, sample):
    token = token_file(f"bt_u{os.getuid()}")
    found = session.saves(token_url, "", engine="rdataframe", BEARER_TOKEN_FILE=token)
    assert found.startswith("1200 events"), found
