"""An OpenID provider: discovery of its endpoints, and verification of its ID tokens.

Sources: OpenID Connect Core 1.0, https://openid.net/specs/openid-connect-core-1_0.html, and
Discovery 1.0, https://openid.net/specs/openid-connect-discovery-1_0.html.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from flavorframe.errors import FacilityError
from flavorframe_facility.secret_files import write_private

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Algorithms of signatures by a private key; neither "none" nor those with a shared secret."""

LEEWAY = 30
"""Seconds by which the clocks of the provider and of the hub may differ."""

_TIMEOUT = 10  # seconds for the provider's answer
_PAUSE = 30  # seconds between two requests for keys, if a token names an unknown key

log = logging.getLogger("flavorframe_facility")


class NoAnswerError(FacilityError):
    """The provider does not answer."""


class TokenRefusedError(Exception):
    """A token that is not valid; the text says why, without the token."""


@dataclass(frozen=True)
class Provider:
    """Issuer and endpoints of a provider, as its discovery document names them."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str

    def __post_init__(self) -> None:
        for name, url in asdict(self).items():
            check_address(url, f"{name} of the OpenID provider {self.issuer}")


@dataclass(frozen=True)
class Answer:
    """What a provider says of itself, and by how many seconds its clock is ahead, if it tells."""

    provider: Provider
    seconds_ahead: float | None


def discover(issuer: str, kept: Path) -> Provider:
    """Return a provider as it describes itself, or as it last did if it does not answer.

    Args:
        issuer: The address that the provider calls its issuer.
        kept: File with the last description, so that a hub can start while its provider is down.

    Raises:
        FacilityError: The issuer is none, or has never answered.

    """
    try:
        provider = ask(issuer).provider
    except NoAnswerError as error:
        last = _kept(issuer.rstrip("/"), kept)
        if last is None:
            raise
        log.warning("%s What it said last is used.", error)
        return last
    write_private(kept, json.dumps(asdict(provider)))
    return provider


def ask(issuer: str) -> Answer:
    """Return how a provider describes itself now.

    Args:
        issuer: The address that the provider calls its issuer.

    Raises:
        NoAnswerError: It does not answer.
        FacilityError: What answers is not this issuer.

    """
    issuer = issuer.rstrip("/")
    check_address(issuer, "issuer of the OpenID provider")
    address = f"{issuer}/.well-known/openid-configuration"
    before = time.time()
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
            text, date = answer.read().decode(), answer.headers.get("Date")
    except (OSError, UnicodeDecodeError) as error:
        raise NoAnswerError(
            f"the OpenID provider does not answer at {address}: {error}. Is the issuer right? "
            "It is the address that the provider itself calls its issuer."
        ) from None
    return Answer(_parse(issuer, address, text), _seconds_ahead(date, (before + time.time()) / 2))


def _seconds_ahead(date: str | None, now: float) -> float | None:
    """Return by how much the clock that wrote a date is ahead; dates have whole seconds."""
    with contextlib.suppress(TypeError, ValueError):
        return parsedate_to_datetime(date or "").timestamp() + 0.5 - now
    return None


def check_address(url: str, what: str) -> None:
    """Raise FacilityError for an address that is neither HTTPS nor on this machine."""
    parts = urlsplit(url)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise FacilityError(f"the {what} is {url!r}: it should look like https://iam.example.org.")
    if parts.scheme == "http" and not here:
        raise FacilityError(f"the {what} is {url}: it must begin with https://.")


def _parse(issuer: str, address: str, text: str) -> Provider:
    try:
        said = json.loads(text)
        known = {name: str(said[name]) for name in Provider.__dataclass_fields__}
    except (ValueError, TypeError):
        raise FacilityError(f"{address} is not what an OpenID provider says of itself.") from None
    except KeyError as missing:
        raise FacilityError(f"{address} says nothing of {missing}, which is needed.") from None
    if known["issuer"].rstrip("/") != issuer:
        raise FacilityError(
            f"{address} says that its issuer is {known['issuer']}, not {issuer}: give that one."
        )
    return Provider(**known)


def _kept(issuer: str, kept: Path) -> Provider | None:
    try:
        provider = Provider(**json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return provider if provider.issuer.rstrip("/") == issuer else None


class Keys:
    """A provider's public keys, fetched again when a token names an unknown one.

    Args:
        fetch: Returns the JSON Web Key Set of the provider.

    """

    def __init__(self, fetch: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._fetch = fetch
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched = -float("inf")

    async def of(self, token: str) -> jwt.PyJWK:
        """Return the key that a token names.

        Raises:
            TokenRefusedError: The provider has no such key.

        """
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            raise TokenRefusedError("it is not a signed JSON Web Token") from None
        if name not in self._keys and time.monotonic() - self._fetched > _PAUSE:
            self._fetched = time.monotonic()
            self._keys = _by_name(await self._fetch())
        if name not in self._keys:
            raise TokenRefusedError(f"its key {name!r} is none of the provider's")
        return self._keys[name]


def _by_name(published: dict[str, Any]) -> dict[str | None, jwt.PyJWK]:
    keys = [key for key in published.get("keys", ()) if key.get("use", "sig") == "sig"]
    known: dict[str | None, jwt.PyJWK] = {}
    for key in keys:
        try:
            known[key.get("kid")] = jwt.PyJWK(key)
        except jwt.PyJWTError:  # a kind of key that PyJWT does not know
            continue
    return known


def verified(token: str, key: jwt.PyJWK, *, issuer: str, client: str) -> dict[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

    Args:
        token: The ID token.
        key: The provider's key.
        issuer: Who must have issued it.
        client: For which client it must be.

    Raises:
        TokenRefusedError: The signature is not the key's, it is of another issuer or for another
            client, or it is not valid now.

    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=client,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        raise TokenRefusedError(str(error)) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", client if not several else None) != client:
        raise TokenRefusedError("it was issued for another client")
    return claims
