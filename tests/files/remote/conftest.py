"""Tokens of a user, and a process that opens files with them."""

import pytest

from support import grid
from support.sessions import Session


@pytest.fixture
def token_url(token_server, sample, authority, monkeypatch):
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    return token_server.put(sample("nano"))


@pytest.fixture
def session(authority, monkeypatch):
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    session = Session()
    yield session
    session.close()


@pytest.fixture
def token_file(tmp_path, issuer):
    """Return a function that writes a token, and returns the path of its file."""

    def token_file(name="token", **claims):
        grid.write(tmp_path / name, issuer.token(**claims).encode(), 0o600)
        return str(tmp_path / name)

    return token_file
