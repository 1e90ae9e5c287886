"""Tokens over ``root://``: a real server takes them, over TLS, and asks their issuer for its keys."""

import os
import subprocess
import sys

import pytest

from support import grid, tokens, xrootd

pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture(scope="module")
def issuer(authority, tmp_path_factory):
    issuer = tokens.Issuer(authority, tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def token_server(authority, issuer, tmp_path_factory):
    server = xrootd.taking_tokens(authority, issuer, tmp_path_factory.mktemp("token_server"))
    yield server
    server.close()


@pytest.fixture
def url(token_server, sample, authority, monkeypatch):
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    return token_server.put(sample("nano"))


@pytest.fixture
def inspected(url):
    """Return what a process of its own says of the file: the client keeps what let it in."""

    def inspected(**environment):
        code = f"import flavorframe as ff\ntry: print(ff.inspect({url!r}))\n" \
               "except ff.FlavorframeError as error: print(type(error).__name__, error)"  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.stdout.replace(",", "") + done.stderr

    return inspected


@pytest.fixture
def token_file(tmp_path, issuer):
    """Return a function that writes a token, and returns the path of its file."""

    def token_file(name="token", **claims):
        grid.write(tmp_path / name, issuer.token(**claims).encode(), 0o600)
        return str(tmp_path / name)

    return token_file


def test_a_good_token_is_taken(inspected, token_file, issuer):
    assert "1200 events" in inspected(BEARER_TOKEN_FILE=token_file())
    assert "/k" in issuer.asked


def test_in_the_environment_and_at_the_usual_place(inspected, token_file, issuer):
    assert "1200 events" in inspected(BEARER_TOKEN=issuer.token())
    token_file(f"bt_u{os.getuid()}")
    assert "1200 events" in inspected()


@pytest.mark.parametrize("claims", [{"life": -7200}, {"scope": "storage.read:/other"}, {"aud": "https://other.example"}, {"aud": "https://localhost"}, {"aud": "https://localhost", "scope": "storage.write:/"}, {"iss": "https://other.example"}, {"scope": None}])
def test_p(inspected, token_file, issuer, claims):
    print("\n", claims, "\n", inspected(BEARER_TOKEN_FILE=token_file(**claims)))
def test_q(inspected, token_file):
    print("none", inspected())
    print("nocert", inspected(BEARER_TOKEN_FILE=token_file(), X509_CERT_DIR="/none"))
    print("nocert2", inspected(BEARER_TOKEN_FILE=token_file(), X509_CERT_DIR="/usr"))
