"""Checks of control groups: which limits of a server the kernel enforces."""

from __future__ import annotations

import os
from collections.abc import Iterator

from flavorframe_facility.machine import groups, limits
from flavorframe_facility.machine.doctor.finding import Finding, ok, warning
from flavorframe_facility.settings import GB, Settings

SUBJECT = "control groups"
ALONE = (
    "limits hold for each process by itself, a server's processes may outlive it, and there is no "
    "total of memory"
)


def check(settings: Settings) -> Iterator[Finding]:
    """Check which limits control groups enforce here."""
    version = groups.version()
    if version:
        yield _enforced(version, settings)
    elif os.geteuid() != 0:
        yield warning(SUBJECT, f"only root can use them; without them {ALONE}")
    else:
        yield warning(
            SUBJECT,
            f"{groups.ROOT} cannot be written, so that {ALONE}: run the facility on the machine "
            "itself, or in a container that may write there",
        )


def _enforced(version: int, settings: Settings) -> Finding:
    found = groups.enforced()
    missing = [what for what, is_there in found.items() if not is_there]
    total = limits.facility(settings).memory / GB
    told = f"version {version}; all servers and clusters together get {total:.1f} GB"
    if missing:
        return warning(
            SUBJECT,
            f"{told}; {' and '.join(missing)} cannot be limited: switch on these controllers of "
            "the kernel",
        )
    return ok(SUBJECT, f"{told}; {', '.join(found)} are limited")
