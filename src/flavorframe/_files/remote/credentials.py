"""The user's credentials: found, checked before a run, and asked about when a server refuses."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from flavorframe._files.remote import s3
from flavorframe._files.remote.private_files import strangers
from flavorframe._files.remote.proxies import (
    RENEW,
    Proxy,
    certificate_folder,
    find_proxy_file,
    knows_authority,
    proxy_path,
    read_proxy,
    usual_place,
)
from flavorframe._files.remote.times import clock, span
from flavorframe._files.remote.tokens import (
    VARIABLE,
    Token,
    find_token,
    named_file,
    token_places,
    usual_places,
)
from flavorframe.errors import CredentialError

USUAL = timedelta(minutes=30)
"""How long a run may well take: credentials that end sooner are told of."""
C = TypeVar("C", Proxy, Token)

SCHEMES = ("root", "roots", "xroot", "https", "davs")
"""Servers that may ask for a proxy or a token."""


@dataclass(frozen=True)
class Credentials:
    """The proxy and the token that were found, and whether files are on S3; each may be missing."""

    proxy: Proxy | None = None
    token: Token | None = None
    s3: bool = False

    def __bool__(self) -> bool:
        return self.proxy is not None or self.token is not None or self.s3

    @property
    def left(self) -> timedelta | None:
        """How long all of them are still valid; ``None`` where nothing ends."""
        times = [self.proxy.left if self.proxy else None, self.token.left if self.token else None]
        return min((time for time in times if time is not None), default=None)

    def check(self) -> None:
        """Raise CredentialError where one of them is not valid now."""
        for credential in (self.proxy, self.token):
            if credential is not None:
                credential.check()


def credentials_for(files: Iterable[str], needed: timedelta = USUAL) -> Credentials:
    """Return the credentials for reading the files; none where all are local.

    What was left behind at the usual places and has expired, and what somebody else has put there,
    is told in a warning and not used: servers may not ask for it. Credentials that end before
    ``needed`` are told of likewise. Raises CredentialError where others may read them, and for
    expired ones, and those of somebody else, that ``X509_USER_PROXY``, ``BEARER_TOKEN`` or
    ``BEARER_TOKEN_FILE`` names.
    """
    schemes = {urlsplit(file).scheme for file in files}
    on_s3 = "s3" in schemes and s3.is_installed()
    if schemes.isdisjoint(SCHEMES):
        return Credentials(s3=on_s3)
    for stranger in _strangers():
        warnings.warn(f"{stranger} The run goes on without it.", stacklevel=2)
    proxy = _usable(_find_proxy(), "X509_USER_PROXY")
    token = _usable(find_token(), "BEARER_TOKEN", "BEARER_TOKEN_FILE")
    found = Credentials(proxy, token, on_s3)
    if found.left is not None and found.left < needed:
        warnings.warn(
            f"the credentials end in {span(found.left)}, and the run may take longer: renew them "
            "now or while it goes on, and the workers get the new ones.",
            stacklevel=2,
        )
    return found


def _find_proxy() -> Proxy | None:
    path = find_proxy_file()
    return None if path is None else read_proxy(path)


def _strangers() -> list[str]:
    """Return what is wrong with files of other users where the user's would be looked for."""
    proxies = [] if os.environ.get("X509_USER_PROXY") else [usual_place()]
    named = os.environ.get(VARIABLE) or named_file()
    return [
        *strangers(proxies, "proxy"),
        *strangers([] if named else usual_places(), "bearer token"),
    ]


def _usable(credential: C | None, *names: str) -> C | None:
    """Return a credential that is valid; None, with a warning, for one that was left behind."""
    if credential is None:
        return None
    try:
        credential.check()
    except CredentialError as error:
        if any(os.environ.get(name) for name in names):
            raise
        warnings.warn(f"{error} The run goes on without it.", stacklevel=3)
        return None
    return credential


def why_refused(url: str) -> str:
    """Return why a server may have refused to let the user in, in a sentence or two."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "s3":
            return _about_keys()
        if parts.scheme == "http":
            return "over http:// neither proxy nor token is shown; try https://."
        return _what_is_wrong(url)
    except CredentialError as error:
        return str(error)


def _what_is_wrong(url: str) -> str:
    proxy, token = _find_proxy(), find_token()
    Credentials(proxy, token).check()
    told = [_about_token(token, url)] if token is not None else []
    if proxy is not None and not (told and url.startswith("https:")):
        told.append(_about_proxy(proxy))
    if told:
        return " And ".join(told)
    places = ", ".join(token_places())
    return (
        f"it asks for credentials, and there is neither a proxy ({proxy_path()}) nor a bearer "
        f"token ({places}). {' '.join(_strangers()) or f'Make a proxy, for example by {RENEW}.'}"
    )


def _about_keys() -> str:
    found = s3.find_keys()
    if found is None:
        return f"there are no keys ({s3.PLACES}), and not everybody may read this bucket."
    return (
        f"the key {found[0][:4]}... may not read this, has expired, or is not known there: is "
        "AWS_PROFILE right, and is AWS_ENDPOINT_URL the service that gave the key?"
    )


def _about_token(token: Token, url: str) -> str:
    host, path = urlsplit(url).hostname or "", urlsplit(url).path.replace("//", "/", 1)
    if not token.is_for(host):
        return (
            f"the bearer token of {token.place} is for {', '.join(token.audience)}, so it was not "
            f"shown to {host}."
        )
    if token.issuer is None:
        return (
            f"the bearer token of {token.place} is valid in time, so it may not give the right to "
            "read this path, or the server does not trust who issued it."
        )
    until = "" if token.expires is None else f" until {clock(token.expires)}"
    scope = " ".join(token.scope) or "none"
    return (
        f"the bearer token of {token.place} is valid{until}. Its scope is {scope}: it may not "
        f"give the right to read {path}, seen from the folder that the server lets it begin at. Or "
        f"the server does not take its audience ({', '.join(token.audience) or 'none'}), or does "
        f"not trust its issuer {token.issuer}."
    )


def _about_proxy(proxy: Proxy) -> str:
    valid = f"the proxy {proxy.path} of {proxy.identity} is valid until {clock(proxy.expires)}"
    folder = certificate_folder()
    if not os.path.isdir(folder):
        return (
            f"{valid}, but there is no folder of authorities {folder}, so the server cannot be "
            "verified: set X509_CERT_DIR."
        )
    if not knows_authority(proxy.issuer):
        return (
            f"{valid}, but its authority {proxy.issuer} is not among those in {folder}: is "
            "X509_CERT_DIR right?"
        )
    return (
        f"{valid}, so either the server's certificate is not of an authority in {folder}, or the "
        "server does not know this user: is the virtual organisation in the proxy "
        "(flavorframe proxy --voms ...), and is the user registered there?"
    )
