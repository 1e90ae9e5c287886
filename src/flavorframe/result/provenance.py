"""When and with what a result was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flavorframe._planning.plan import Plan

PACKAGES = ("flavorframe", "uproot", "awkward", "numpy", "hist", "boost_histogram", "ROOT")


@dataclass(frozen=True)
class Provenance:
    """When and with which versions a result was made.

    Attributes:
        time: When, in ISO format (UTC).
        plan: Digest of the analysis; results of one digest add up.
        host_python: Version of Python.
        versions: Versions of the packages that took part.
    """

    time: str
    plan: str
    host_python: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan) -> Provenance:
        """Return the provenance of a result made now."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return cls(now, plan.digest, platform.python_version(), _versions())


def _versions() -> dict[str, str]:
    """Return the versions of the packages that took part: of those that are loaded."""
    return {name: sys.modules[name].__version__ for name in PACKAGES if name in sys.modules}
