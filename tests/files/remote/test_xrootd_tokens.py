"""Tokens over ``root://``: a real server takes them, and asks their issuer for its keys."""

import os
import re

import pytest

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
