"""Tokens are found by the WLCG's rules."""

import base64
import json
import os
import time

import pytest

from flavorframe._files.remote.tokens import describe, find_token
from flavorframe.errors import CredentialError
from support import grid

pytestmark = pytest.mark.usefixtures("no_credentials")


def token(life=3600, **claims):
    """Return a JSON Web Token; nobody here looks at its signature."""
    claims = {"sub": "tester", "exp": time.time() + life, **claims}
    parts = [{"alg": "ES256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, b"c2lnbmF0dXJl"]).decode()


def test_the_first_place_that_has_a_token_counts(tmp_path, monkeypatch):
    assert find_token() is None
    usual = tmp_path / f"bt_u{os.getuid()}"
    grid.write(usual, token().encode(), 0o600)
    assert find_token().place == str(usual)
    grid.write(tmp_path / "named", f"{token()}\n".encode(), 0o400)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "named"))
    assert find_token().place == str(tmp_path / "named")
    monkeypatch.setenv("BEARER_TOKEN", token())
    assert find_token().place == "BEARER_TOKEN"


def test_a_named_file_must_be_there(monkeypatch):
    monkeypatch.setenv("BEARER_TOKEN_FILE", "/none/token")
    with pytest.raises(CredentialError, match="there is no bearer token /none/token"):
        find_token()


def test_a_token_that_others_can_read_is_refused(tmp_path, monkeypatch):
    grid.write(tmp_path / "token", token().encode(), 0o640)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(CredentialError, match="mode 0640"):
        find_token()


def test_expired_tokens_are_told():
    with pytest.raises(CredentialError, match=r"of BEARER_TOKEN expired 2 hours ago"):
        describe("BEARER_TOKEN", token(life=-7201)).check()


def test_opaque_tokens_are_taken_as_they_are():
    opaque = describe("BEARER_TOKEN", "MDAxY2xvY2F0aW9u")
    opaque.check()
    assert opaque.left is None
    assert opaque.is_for("anywhere.example")


@pytest.mark.parametrize("text", ["", "two words", "two\nlines"])
def test_what_is_no_token_is_told_without_printing_it(text):
    with pytest.raises(CredentialError, match="holds no bearer token") as told:
        describe("BEARER_TOKEN", text)
    assert not text or text not in str(told.value)


@pytest.mark.parametrize(
    ("audience", "is_for"),
    [
        ("https://wlcg.cern.ch/jwt/v1/any", True),
        ("https://storage.example:443", True),
        ("storage.example", True),
        (["https://other.example", "storage.example:1094"], True),
        ("https://other.example", False),
    ],
)
def test_tokens_are_for_their_audience(audience, is_for):
    assert describe("BEARER_TOKEN", token(aud=audience)).is_for("storage.example") is is_for


def test_the_text_is_not_kept():
    text = token()
    assert text not in repr(vars(describe("BEARER_TOKEN", text)))
