"""Login by an OpenID Connect provider."""

from __future__ import annotations

from typing import Any

from flavorframe.errors import FacilityError
from flavorframe.facility.settings import Settings


def configure(c: Any, settings: Settings) -> None:
    """Have the hub let in members of the user group."""
    raise FacilityError("login by OpenID Connect is not there yet.")
