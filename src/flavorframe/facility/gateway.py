"""Dask Gateway: clusters of users' own."""

from __future__ import annotations

from typing import Any

from flavorframe.facility.processes import Program
from flavorframe.facility.settings import Settings


def configure(c: Any, settings: Settings) -> None:
    """Have the hub know the gateway."""


def programs(settings: Settings) -> tuple[Program, ...]:
    """Return what runs beside the hub on one machine."""
    return ()
