"""Checks of who may read and write the folder of a facility."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, tried
from flavorframe_facility.machine.folders import closed_by, require_own
from flavorframe_facility.settings import Settings


def closed(settings: Settings) -> Finding | None:
    """Return that somebody else's facility is closed to who asks; None if it is not."""
    owner = closed_by(settings.private)
    if owner is None:
        return None
    text = f"{settings.private} is closed to you: run doctor as {owner} to see the rest"
    return problem("folder", text)


def check(settings: Settings) -> Iterator[Finding]:
    """Check the folder, the secrets in it, and users' homes."""
    yield tried("folder", lambda: _own(settings.folder))
    if settings.private.exists():
        yield _secrets(settings.private)
    if settings.homes.exists():
        yield _homes(settings.homes)


def _own(folder: Path) -> str:
    require_own(folder)
    return f"nobody else can write in {folder}, or in those that it is in"


def _secrets(private: Path) -> Finding:
    others = stat.S_IRWXG | stat.S_IRWXO
    found = [path for path in (private, *private.rglob("*")) if not path.is_symlink()]
    opened = [path for path in found if _mode(path) & others]
    if opened:
        return problem(
            "secrets",
            f"others may use {', '.join(map(str, opened[:3]))}"
            f"{f' and {len(opened) - 3} more' if len(opened) > 3 else ''}: run "
            f"chmod -R go= {private}, and have secrets made anew if this machine is shared",
        )
    return ok("secrets", f"what is in {private} is for its owner alone")


def _homes(homes: Path) -> Finding:
    found = [path for path in homes.iterdir() if path.is_dir() and not path.is_symlink()]
    opened = [path for path in found if _mode(path) & (stat.S_IRWXG | stat.S_IRWXO)]
    if opened:
        names = ", ".join(path.name for path in opened)
        text = f"the homes of {names} are open to others: run chmod go= in {homes} for each"
        return problem("homes", text)
    return ok("homes", f"{len(found)}, each closed to others")


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:  # removed meanwhile, as databases' journals are
        return 0
