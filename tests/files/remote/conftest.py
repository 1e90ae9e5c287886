"""An issuer of tokens, a server that takes them, and a process that opens files."""

import pytest

from support import grid, servers, tokens, xrootd
from support.sessions import Session


@pytest.fixture(scope="session")
def issuer(authority, tmp_path_factory):
    issuer = tokens.Issuer(authority, tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def token_server(authority, issuer):
    server = servers.XRootD(authority, **xrootd.tokens_of(issuer, authority))
    yield server
    server.close()


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
