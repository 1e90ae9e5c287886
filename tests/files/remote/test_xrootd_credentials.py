"""What the client of XRootD is told of the user's credentials, and for how long."""

import ctypes
import os
import threading
from pathlib import Path

import pytest

from flavorframe._files.remote import proxies
from flavorframe._files.remote.tokens import NOWHERE, find_token
from flavorframe._files.remote.xrootd_credentials import shown_to
from support import grid
from support.servers import wait_for

pytestmark = pytest.mark.usefixtures("no_credentials")
A, B = "root://a.example//x.root", "root://b.example//x.root"


@pytest.fixture
def token(issuer, monkeypatch):
    """Return a token for the server of A alone, which is in the environment."""
    token = issuer.token(aud="https://a.example")
    monkeypatch.setenv("BEARER_TOKEN", token)
    return token


def told(name):
    """Return a variable as C has it."""
    of_c = ctypes.CDLL(None)
    of_c.getenv.restype = ctypes.c_char_p
    value = of_c.getenv(name.encode())
    return None if value is None else value.decode()


def test_copies_in_the_block_and_the_users_own_after_it(token, authority, tmp_path, monkeypatch):
    proxy = authority.proxy(tmp_path / "proxy")
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    with shown_to(A):
        assert told("BEARER_TOKEN") is None
        copies = [Path(told(name)) for name in ("BEARER_TOKEN_FILE", "X509_USER_PROXY")]
        assert [copy.read_bytes() for copy in copies] == [token.encode(), proxy.read_bytes()]
        assert told("XrdSecGSIUSERPROXY") == str(copies[1]) != str(proxy)
        assert {copy.stat().st_mode & 0o777 for copy in copies} == {0o600}
        assert os.environ["BEARER_TOKEN"] == token
        assert os.environ["X509_USER_PROXY"] == str(proxy)
    wait_for(lambda: told("BEARER_TOKEN") == token)
    wait_for(lambda: told("X509_USER_PROXY") == str(proxy))
    assert told("BEARER_TOKEN_FILE") is None


def test_the_key_of_the_certificate_is_not_for_tls(monkeypatch):
    monkeypatch.setenv("X509_USER_KEY", "/home/me/key.pem")
    with shown_to(A):
        assert told("X509_USER_KEY") is None
        assert told("XrdSecGSIUSERKEY") == "/home/me/key.pem"
    wait_for(lambda: told("X509_USER_KEY") == "/home/me/key.pem")
    wait_for(lambda: told("XrdSecGSIUSERKEY") is None)


@pytest.mark.parametrize("life", [-1, None])
def test_for_tls_there_is_nobodys_certificate_where_the_usual_place_is_taken(
    authority, tmp_path, monkeypatch, life
):
    place = tmp_path / "usual"
    monkeypatch.setattr(proxies, "usual_place", lambda: str(place))
    with shown_to(A):
        assert told("X509_USER_PROXY") is None
    if life is None:
        os.mkfifo(place)
    else:
        authority.proxy(place, life=life * grid.HOUR)
    with shown_to(A):
        shown = Path(told("X509_USER_PROXY")).read_bytes()
        assert not Path(told("XrdSecGSIUSERPROXY")).exists()
    assert b"PRIVATE KEY" in shown
    assert place.is_fifo() or shown != place.read_bytes()


def test_who_may_not_show_the_token_waits_for_those_that_may(token):
    seen, inside, leave = [], threading.Event(), threading.Event()

    def hidden():
        with shown_to(B):
            seen.append(told("BEARER_TOKEN_FILE"))
            inside.set()
            leave.wait(60)

    def shown():
        with shown_to(A):
            seen.append(Path(told("BEARER_TOKEN_FILE")).read_text())

    threads = [threading.Thread(target=hidden), threading.Thread(target=shown)]
    with shown_to(A):
        with shown_to(A):  # in the same thread nobody waits
            seen.append("outer")
        threads[0].start()
        wait_for(lambda: threads[0].is_alive())
        assert not inside.wait(0.3)
        assert Path(told("BEARER_TOKEN_FILE")).read_text() == token
    assert inside.wait(60)
    threads[1].start()
    threads[1].join(0.3)
    assert seen == ["outer", NOWHERE]
    leave.set()
    for thread in threads:
        thread.join(60)
    assert seen == ["outer", NOWHERE, token]


def test_nowhere_is_no_name_for_a_process_that_was_started_meanwhile(monkeypatch):
    monkeypatch.setenv("BEARER_TOKEN_FILE", NOWHERE)
    assert find_token() is None
