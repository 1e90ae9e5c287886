"""Checks of the space that is left."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, warning
from flavorframe_facility.settings import GB, Settings

LEAST, LITTLE = 1 * GB, 0.1
"""Bytes below which databases and homes can soon not be written, and the part that is little."""


def check(settings: Settings) -> Iterator[Finding]:
    """Check the file systems of state, homes and temporary files, each once."""
    places = {
        "state": settings.folder,
        "homes": settings.homes,
        "temporary files": Path(tempfile.gettempdir()),
    }
    by_system: dict[int, list[str]] = {}
    for name, place in places.items():
        by_system.setdefault(_existing(place).stat().st_dev, []).append(name)
    for names in by_system.values():
        yield _space(f"disk ({', '.join(names)})", _existing(places[names[0]]))


def _existing(place: Path) -> Path:
    """Return a folder, or where it would be made."""
    return next(path for path in (place, *place.parents) if path.exists())


def _space(subject: str, place: Path) -> Finding:
    found = os.statvfs(place)
    left, all_of_it = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    text = f"{left / GB:.1f} of {all_of_it / GB:.1f} GB are free where {place} is"
    if found.f_files and found.f_favail < LITTLE * found.f_files:
        text += f", and names for {found.f_favail} of {found.f_files} files"
    advice = ": remove files, give homes a quota, or keep the facility on another disk"
    if left < LEAST or (found.f_files and found.f_favail == 0):
        return problem(subject, text + advice)
    if left < LITTLE * all_of_it or (found.f_files and found.f_favail < LITTLE * found.f_files):
        return warning(subject, text + advice)
    return ok(subject, text)
