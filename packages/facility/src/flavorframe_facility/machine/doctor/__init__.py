"""What may be wrong with a facility on one machine: ``flavorframe facility doctor``.

Each module has checks of one kind: functions that take the settings and yield findings. A check is
added to the list here. Checks change nothing, and work before the facility was ever started, while
it runs, and without root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe_facility import settings as kept
from flavorframe_facility.machine.doctor import (
    accounts,
    certificates,
    disk,
    groups,
    permissions,
    programs,
    provider,
    software,
)
from flavorframe_facility.machine.doctor.finding import Finding, ok, problem
from flavorframe_facility.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]

OF_THE_MACHINE: tuple[Check, ...] = (
    software.python,
    software.packages,
    software.node,
    groups.check,
    accounts.check,
    disk.check,
)
OF_WHAT_IS_KEPT: tuple[Check, ...] = (
    software.state,
    permissions.check,
    programs.ports,
    programs.check,
    certificates.check,
    provider.secret,
    provider.check,
)
"""Checks that need to read the folder of the facility, and so its owner."""


def examine(folder: Path) -> list[Finding]:
    """Return what is found at the facility in a folder, which need not exist yet."""
    try:
        settings = kept.load(folder)
    except FacilityError as error:
        return [problem("settings", str(error))]
    return list(_all(settings, settings or kept.make(folder=folder)))


def _all(saved: Settings | None, settings: Settings) -> Iterator[Finding]:
    yield _of_settings(saved, settings)
    for check in OF_THE_MACHINE:
        yield from check(settings)
    closed = permissions.closed(settings)
    if closed is not None:
        yield closed
        return
    for check in OF_WHAT_IS_KEPT:
        yield from check(settings)


def _of_settings(saved: Settings | None, settings: Settings) -> Finding:
    if saved is None:
        text = f"there is no facility in {settings.folder} yet: what `up` starts with is looked at"
        return ok("settings", text)
    return ok("settings", f"{settings.file} is valid; the address is {settings.url}")
