"""Bearer tokens: found by the WLCG's rules, and read as far as they can be.

Source of the rules: WLCG Bearer Token Discovery, https://doi.org/10.5281/zenodo.3937438. Tokens
are JSON Web Tokens (RFC 7519), or opaque.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from flavorframe._files.remote.private_files import is_own, read_private
from flavorframe._files.remote.times import ago, clock
from flavorframe.errors import CredentialError

ANYBODY = "https://wlcg.cern.ch/jwt/v1/any"
"""The audience of a token that any service may take (WLCG Common JWT Profiles)."""

VARIABLE = "BEARER_TOKEN"
"""The place of a token that is in the environment itself."""
FILE_VARIABLE = "BEARER_TOKEN_FILE"
"""The variable that names a file with a token."""
NOWHERE = "/dev/null/none"
"""A path at which there can be no file. Libraries that are told of it look no further."""


@dataclass(frozen=True)
class Token:
    """What is known of a token, without its text: where it is, for whom, and until when.

    ``place`` is a path, or ``BEARER_TOKEN``; ``expires`` is ``None`` where the token does not say.
    ``scope`` are its rights, such as ``storage.read:/``, and ``issuer`` is who gave it.
    """

    place: str
    audience: tuple[str, ...]
    expires: datetime | None
    scope: tuple[str, ...] = ()
    issuer: str | None = None

    @property
    def left(self) -> timedelta | None:
        """How long it is still valid; negative where it has expired, ``None`` where unknown."""
        return None if self.expires is None else self.expires - datetime.now(timezone.utc)

    @property
    def is_expired(self) -> bool:
        """Whether it has expired."""
        return self.left is not None and self.left <= timedelta(0)

    def check(self) -> None:
        """Raise CredentialError where it has expired."""
        if self.is_expired and self.expires is not None and self.left is not None:
            raise CredentialError(
                f"the bearer token of {self.place} expired {ago(-self.left)}, at "
                f"{clock(self.expires)}: get a new one, for example by oidc-token or htgettoken."
            )

    def is_for(self, host: str) -> bool:
        """Return whether the token may be shown to a host."""
        return not self.audience or any(a == ANYBODY or _host(a) == host for a in self.audience)


def token_places() -> list[str]:
    """Return where a token is looked for, in order."""
    named = named_file()
    return [named] if named else usual_places()


def named_file() -> str | None:
    """Return the file that ``BEARER_TOKEN_FILE`` names, if it does.

    A process that was started while another told a library of nothing has that name of its.
    """
    named = os.environ.get(FILE_VARIABLE)
    return None if named == NOWHERE else named


def usual_places() -> list[str]:
    """Return where a token is looked for that no variable names."""
    name, runtime = f"bt_u{os.geteuid()}", os.environ.get("XDG_RUNTIME_DIR")
    return [f"{folder}/{name}" for folder in (runtime, "/tmp") if folder]


def token_text() -> tuple[str, str] | None:
    """Return where the token is, and the token itself; ``None`` where there is none.

    What somebody else has put in a usual place is none. Raises CredentialError where the file that
    ``BEARER_TOKEN_FILE`` names is missing or another's, and for one that others may read.
    """
    named = VARIABLE if os.environ.get(VARIABLE) else named_file()
    place = named or next(filter(is_own, usual_places()), None)
    return None if place is None else (place, token_at(place))


def token_at(place: str) -> str:
    """Return the token at a place; raises CredentialError where it is gone."""
    if place == VARIABLE:
        return os.environ.get(VARIABLE, "").strip()
    return read_private(place, "bearer token").decode("ascii", "replace").strip()


def find_token() -> Token | None:
    """Return what is known of the token; ``None`` where there is none."""
    found = token_text()
    return None if found is None else describe(*found)


def describe(place: str, text: str) -> Token:
    """Return what a token says of itself; nothing where it is opaque.

    Raises CredentialError for one that is empty.
    """
    if not text or not text.isprintable() or " " in text:
        raise CredentialError(f"{place} holds no bearer token: it should be one line of text.")
    claims = _claims(text)
    expires = claims.get("exp")
    return Token(
        place,
        _several(claims.get("aud", ())),
        None if expires is None else datetime.fromtimestamp(float(expires), timezone.utc),
        tuple(str(claims.get("scope", "")).split()),
        claims.get("iss"),
    )


def _several(audience: Any) -> tuple[str, ...]:
    return (audience,) if isinstance(audience, str) else tuple(audience)


def _claims(text: str) -> dict[str, Any]:
    try:
        _, payload, _ = text.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:  # an opaque token, such as a macaroon
        return {}
    return claims if isinstance(claims, dict) else {}


def _host(audience: str) -> str | None:
    return urlsplit(audience if "://" in audience else f"//{audience}").hostname
