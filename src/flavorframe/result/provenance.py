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
    from flavorframe.layouts import Units

PACKAGES = ("flavorframe", "uproot", "awkward", "numpy", "hist", "boost_histogram", "ROOT")


@dataclass(frozen=True)
class Provenance:
    """When and with which versions a result was made.

    Attributes:
        time: When, in ISO format (UTC).
        plan: Digest of the analysis; results of one digest add up.
        host_python: Version of Python.
        versions: Versions of the packages that took part.
        energy: The unit of energy, momentum and mass in the files; empty if none was opened.
        length: The unit of length in the files.
    """

    time: str
    plan: str
    host_python: str
    versions: Mapping[str, str]
    energy: str = ""
    length: str = ""

    @classmethod
    def of(cls, plan: Plan, units: Units | None) -> Provenance:
        """Return the provenance of a result made now, of files that have these units."""
        energy, length = ("", "") if units is None else (units.energy, units.length)
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return cls(now, plan.digest, platform.python_version(), _versions(), energy, length)


def _versions() -> dict[str, str]:
    """Return the versions of the packages that took part: of those that are loaded."""
    return {name: sys.modules[name].__version__ for name in PACKAGES if name in sys.modules}
