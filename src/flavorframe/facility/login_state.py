"""What the hub keeps of a login, encrypted: tokens, and whose they are."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

_LIFETIME = 3600  # of an access token whose provider does not say it, in seconds


@dataclass(frozen=True)
class TokenState:
    """The tokens of a user; times are seconds of the Unix epoch, ``lifetime`` seconds."""

    subject: str
    access_token: str
    refresh_token: str | None
    expires: float
    lifetime: float
    checked: float

    @classmethod
    def of(cls, tokens: dict[str, Any], subject: str) -> TokenState:
        """Return the state after a provider's answer (RFC 6749, section 5.1) that came now."""
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
        """Return the state that was kept; ``None`` where a new login is needed."""
        return cls(**kept) if kept and "access_token" in kept else None

    def to_json(self) -> dict[str, Any]:
        """Return what `load` takes."""
        return asdict(self)

    def checked_now(self) -> TokenState:
        """Return the state, confirmed by the provider now."""
        return replace(self, checked=time.time())

    @property
    def left(self) -> float:
        """For how many seconds the access token is still valid; negative where it has expired."""
        return self.expires - time.time()

    @property
    def ends_soon(self) -> bool:
        """Whether the access token is in the last third of its life."""
        return self.left <= self.lifetime / 3
