"""Files behind a redirector: found on the servers that have them, with proxies and with tokens."""

import shutil

import pytest

from support import servers, xrootd
from support.sessions import Session

pytestmark = pytest.mark.usefixtures("no_credentials")


class Federation:
    """A redirector with two data servers; ``shown`` are the credentials that they ask for."""

    def __init__(self, authority, folder, token=None, **security):
        self.shown = {"BEARER_TOKEN": token} if token else {"X509_USER_PROXY": folder / "proxy"}
        self.shown = {name: str(value) for name, value in self.shown.items()}
        authority.proxy(folder / "proxy")
        self.redirector = xrootd.Redirector(authority, **security)
        self.servers = [xrootd.DataServer(self.redirector, authority, **security) for _ in "ab"]

    def put(self, file, name, *on):
        for number in on:
            self.servers[number].put(file, name)
        return self.redirector.url(name)

    def close(self):
        for server in (*self.servers, self.redirector):
            server.close()


@pytest.fixture(params=["proxies", "tokens"])
def federation(request, authority, tmp_path):
    if shutil.which("cmsd") is None:
        pytest.skip("the manager of XRootD servers is not installed (Debian: xrootd-server)")
    security = {}
    if request.param == "tokens":
        issuer = request.getfixturevalue("issuer")
        security = {"token": issuer.token(), **xrootd.tokens_of(issuer, authority)}
    federation = Federation(authority, tmp_path, **security)
    yield federation
    federation.close()


@pytest.fixture
def session(authority):
    """Return a session for which each server may be localhost: they are told by their number."""
    session = Session(X509_CERT_DIR=str(authority.folder), XrdSecGSISRVNAMES="localhost")
    yield session
    session.close()


@pytest.fixture
def anybody(authority):
    """Return the session of somebody without credentials."""
    session = Session(X509_CERT_DIR=str(authority.folder), XrdSecGSISRVNAMES="localhost")
    yield session
    session.close()


def test_files_behind_a_redirector(federation, session, anybody, sample):
    here = federation.put(sample("nano"), "here.root", 0)
    there = federation.put(sample("nano"), "there.root", 1)
    both = federation.put(sample("nano"), "both.root", 0, 1)
    nowhere = federation.redirector.url("none.root")

    def opens(url):
        return session.opens(url, **federation.shown)

    servers.wait_for(lambda: {opens(here), opens(there)} == {"let in"}, told=lambda: opens(there))
    ports = [server.port for server in federation.servers]
    assert [session.served(here), session.served(there)] == ports
    missing = opens(nowhere)
    assert missing == f"AccessError {nowhere}: {none_has_it(federation)}"
    assert "refuses: it asks for credentials" in anybody.opens(here)

    # The server that gives the file dies: another goes on where there is one.
    assert opens(both) == "let in"
    dying = ports.index(session.served(both))
    assert session.counts(both, federation.servers[dying].stop).startswith("1200 events")
    lost = [here, there][dying]
    servers.wait_for(lambda: opens(lost) == f"AccessError {lost}: {none_has_it(federation)}")


def none_has_it(federation):
    server = f"localhost:{federation.redirector.port}"
    return f"no server behind {server} has this file, or those that have it are down."
