"""An OpenID provider: found by discovery, and what it signs, verified.

Sources: OpenID Connect Core 1.0, https://openid.net/specs/openid-connect-core-1_0.html, and
Discovery 1.0, https://openid.net/specs/openid-connect-discovery-1_0.html.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from flavorframe.errors import FacilityError
from flavorframe.facility.login_secrets import write_private

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a private key of the provider; neither "none" nor those by a shared secret."""

LEEWAY = 30
"""By how many seconds the clocks of the provider and of the hub may differ."""

_WAIT = 10  # seconds that a provider has to answer
_PAUSE = 30  # seconds before keys are asked for again because a token names an unknown one

log = logging.getLogger("flavorframe.facility")


class TokenRefusedError(Exception):
    """An ID token that must not be believed; the text says why, without the token."""


@dataclass(frozen=True)
class Provider:
    """Where a provider does what."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str

    def __post_init__(self) -> None:
        for name, url in asdict(self).items():
            check_address(url, f"{name} of the OpenID provider {self.issuer}")


def discover(issuer: str, kept: Path) -> Provider:
    """Return what a provider says of itself, or what it said last if it does not answer now.

    ``kept`` is the file where that is kept, so that a hub can start while its provider is down.
    Raises FacilityError where the issuer is not one, or does not answer the first time.
    """
    issuer = issuer.rstrip("/")
    check_address(issuer, "issuer of the OpenID provider")
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_WAIT) as answer:
            text = answer.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        provider = _kept(issuer, kept)
        if provider is None:
            raise FacilityError(
                f"the OpenID provider does not answer at {address}: {error}. Is the issuer right? "
                "It is the address that the provider itself calls its issuer."
            ) from None
        log.warning("%s does not answer (%s): what it said last is used.", address, error)
        return provider
    provider = _parse(issuer, address, text)
    write_private(kept, json.dumps(asdict(provider)))
    return provider


def check_address(url: str, what: str) -> None:
    """Raise FacilityError where an address is neither HTTPS nor of this machine."""
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
    """A provider's keys, asked for again when a token names one that is not known."""

    def __init__(self, fetch: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._fetch = fetch
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked = -float("inf")

    async def of(self, token: str) -> jwt.PyJWK:
        """Return the key that a token names; raises TokenRefusedError where there is none."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            raise TokenRefusedError("it is not a signed JSON Web Token") from None
        if name not in self._keys and time.monotonic() - self._asked > _PAUSE:
            self._asked = time.monotonic()
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
        except jwt.PyJWTError:  # of a kind that is not known here
            continue
    return known


def verified(token: str, key: jwt.PyJWK, *, issuer: str, client: str) -> dict[str, Any]:
    """Return the claims of an ID token.

    Raises TokenRefusedError where the signature is not the key's, or it is of another issuer, for
    another client, or out of its time (OpenID Connect Core 1.0, section 3.1.3.7).
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
