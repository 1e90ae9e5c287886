"""The tokens of a login, as the hub's database keeps them encrypted."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

_LIFETIME = 3600  # seconds of an access token if the provider does not say it


@dataclass(frozen=True)
class TokenState:
    """The tokens of a user.

    Args:
        subject: The provider's identifier of the user.
        access_token: The access token.
        refresh_token: The refresh token, if there is one.
        expires: When the access token expires, in seconds of the Unix epoch.
        lifetime: How long the access token is valid, in seconds.
        checked: When the provider last confirmed the user, in seconds of the Unix epoch.

    """

    subject: str
    access_token: str
    refresh_token: str | None
    expires: float
    lifetime: float
    checked: float

    @classmethod
    def of(cls, tokens: dict[str, Any], subject: str) -> TokenState:
        """Return the state after a provider's answer (RFC 6749, section 5.1)."""
        now, lifetime = time.time(), float(tokens.get("expires_in") or _LIFETIME)
        return cls(
            subject,
            tokens["access_token"],
            tokens.get("refresh_token"),
            now + lifetime,
            lifetime,
            now,
        )

    @classmethod
    def load(cls, kept: dict[str, Any] | None) -> TokenState | None:
        """Return the state that was kept; ``None`` if a new login is needed."""
        return cls(**kept) if kept and "access_token" in kept else None

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON, for `load`."""
        return asdict(self)

    def checked_now(self) -> TokenState:
        """Return the state, confirmed by the provider now."""
        return replace(self, checked=time.time())

    @property
    def left(self) -> float:
        """Seconds until the access token expires; negative if it has expired."""
        return self.expires - time.time()

    @property
    def ends_soon(self) -> bool:
        """Whether the access token is in the last third of its life."""
        return self.left <= self.lifetime / 3
