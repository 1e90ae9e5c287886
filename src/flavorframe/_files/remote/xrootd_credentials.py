"""What the client of XRootD finds of the user's credentials.

The client looks for them itself, in variables and at the usual places, whenever it connects to a
server. It shows a token to each server that asks for one over TLS, after it has verified its name,
and to those that it is sent on to. So while it is asked for anything, it is told of private copies
of what was judged, by variables of the environment that C knows: those of ``os.environ`` stay as
the user has set them, and are C's again once it is idle, for other processes are started with them.
Where there is nothing to show, it is told of a file that cannot be, or it would look in ``/tmp``.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from hashlib import sha256
from threading import Condition, Thread, local
from urllib.parse import urlsplit

from flavorframe._files.remote import proxies, tokens
from flavorframe._files.remote.placeholder import placeholder
from flavorframe._files.remote.private_copies import (
    PROXY_COPY,
    TOKEN_COPY,
    private_copy,
    remove_copy,
)
from flavorframe._files.remote.private_files import read_private
from flavorframe.errors import CredentialError

IDLE = 0.5
"""Seconds without a question to the client, after which C's variables are the user's again."""

_CERTIFICATE = {"X509_USER_CERT": "XrdSecGSIUSERCERT", "X509_USER_KEY": "XrdSecGSIUSERKEY"}
"""Variables that name the user's certificate and key, and those that only grid security reads."""

_of_c = ctypes.CDLL(None)
_of_c.getenv.restype = ctypes.c_char_p
_TOLD = ("BEARER_TOKEN", tokens.FILE_VARIABLE, proxies.VARIABLE, *_CERTIFICATE)
_TOLD += ("XrdSecGSIUSERPROXY", *_CERTIFICATE.values())
"""All variables that the client is told by."""

_shown: dict[str, list[str]] = {}
"""For each server, digests of what it was shown in this process: of no text where that was none."""


@contextlib.contextmanager
def shown_to(*urls: str) -> Iterator[None]:
    """Let the client find the user's credentials in the block, as far as servers may see them.

    A token is there only if it is for the servers of all URLs. The client has one environment for
    all threads: who may show a token waits for those that may not, and the other way round. A block
    in a block of the same thread goes by the outer one.

    Args:
        urls: The files that are opened, or asked about, in the block.

    Raises:
        CredentialError: A credential that a variable names is not the user's own, or others may
            read one.
    """
    outer = getattr(_thread, "is_inside", False)
    with told_of(*urls):
        _thread.is_inside = True
        try:
            yield
        finally:
            _thread.is_inside = outer


@contextlib.contextmanager
def told_of(*urls: str) -> Iterator[None]:
    """Do what `shown_to` does, for a block that may end in another thread."""
    if getattr(_thread, "is_inside", False):
        yield
        return
    token = token_for(*urls)
    with _turns.taken(token is not None):
        _tell_of_proxy()
        _tell_of_certificate()
        _set("BEARER_TOKEN", None)
        nothing = token is None
        copy = tokens.NOWHERE if nothing else private_copy(TOKEN_COPY, str(token).encode())
        _set(tokens.FILE_VARIABLE, copy)
        yield


def token_for(*urls: str) -> str | None:
    """Return the token, if it is valid and for the servers of all URLs."""
    found = tokens.token_text()
    if found is None:
        return None
    token = tokens.describe(*found)
    is_for_all = all(token.is_for(urlsplit(url).hostname or "") for url in urls)
    return found[1] if is_for_all and not token.is_expired else None


def with_own_connection(url: str) -> str:
    """Return a URL for which the client connects anew once the user has another token.

    A server judges each file that is opened by the token that it was shown when the connection
    began. Connections are told apart by the name of a user, which nobody else goes by.
    """
    server = urlsplit(url).netloc
    if "@" in server:
        return url
    digest = sha256((token_for(url) or "").encode()).hexdigest()
    shown = _shown.setdefault(server, [])
    if digest not in shown:
        shown.append(digest)
    number = shown.index(digest)
    return url.replace("://", f"://token{number}@", 1) if number else url


def _tell_of_proxy() -> None:
    content = _valid_proxy()
    # The client asks once for the place of proxies, so it must be the same before there is one.
    if content is None:
        _set("XrdSecGSIUSERPROXY", remove_copy(PROXY_COPY))
    else:
        _set("XrdSecGSIUSERPROXY", private_copy(PROXY_COPY, content))
    if content is not None:
        _set(proxies.VARIABLE, private_copy(PROXY_COPY, content))
    elif os.path.lexists(proxies.usual_place()):  # TLS would take that, or fail for good
        _set(proxies.VARIABLE, private_copy("nobody", placeholder()))
    else:
        _set(proxies.VARIABLE, None)


def _tell_of_certificate() -> None:
    """Keep the key of the user's certificate, which may be encrypted, from being taken for TLS."""
    for usual, of_grid in _CERTIFICATE.items():
        _set(of_grid, os.environ.get(of_grid) or os.environ.get(usual))
    _set("X509_USER_KEY", None)


def _valid_proxy() -> bytes | None:
    path = proxies.find_proxy_file()
    if path is None or not os.path.lexists(path):
        return None
    content = read_private(path, "proxy")
    try:
        _parsed(path, content).check()
    except CredentialError:  # told before a run, and when a server refuses
        return None
    return content


_parsed = functools.lru_cache(maxsize=2)(proxies.parsed_proxy)
"""Checking a key takes longer than reading from most servers."""


def _set(name: str, value: str | None) -> None:
    """Set a variable for C where it is another: that is not safe while other threads read them."""
    known = _of_c.getenv(name.encode())
    if value is None and known is not None:
        os.unsetenv(name)
    elif value is not None and known != os.fsencode(value):
        os.putenv(name, value)


def _restore() -> None:
    for name in _TOLD:
        _set(name, os.environ.get(name))


class _Turns:
    """Lets threads through together that agree, and others when these are done.

    C's variables are restored when nobody was inside for a while, and not each time: it is not safe
    to change them often while other threads may read them.
    """

    def __init__(self) -> None:
        self._condition, self._inside, self._state = Condition(), 0, False
        self._waiting = {True: 0, False: 0}
        self._entries, self._is_watched = 0, False

    @contextlib.contextmanager
    def taken(self, state: bool) -> Iterator[None]:
        with self._condition:
            self._waiting[state] += 1
            try:
                self._condition.wait_for(lambda: self._is_turn_of(state))
            finally:
                self._waiting[state] -= 1
            self._state = state
            self._inside += 1
            self._entries += 1
            self._watch()
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    def _watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            Thread(target=self._restore_when_idle, name="credentials", daemon=True).start()

    def _restore_when_idle(self) -> None:
        with self._condition:
            while self._is_entered_within(IDLE):
                pass
            _restore()
            self._is_watched = False

    def _is_entered_within(self, seconds: float) -> bool:
        """Wait until nobody is inside; return whether somebody comes in this time."""
        self._condition.wait_for(lambda: not self._inside)
        seen = self._entries
        return self._condition.wait_for(lambda: self._entries != seen, seconds)

    def _is_turn_of(self, state: bool) -> bool:
        others = self._waiting[not state]
        return not self._inside or (self._state is state and not others)


_turns, _thread = _Turns(), local()
