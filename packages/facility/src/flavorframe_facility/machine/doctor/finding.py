"""What a check finds, and how a check that raises becomes a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flavorframe.errors import FacilityError

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Args:
        subject: What was looked at.
        level: ``"ok"``; ``"warning"``, with which it works, but not as it could; or ``"problem"``.
        text: What was found, and what to do.

    """

    subject: str
    level: Level
    text: str


def ok(subject: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(subject, "ok", text)


def warning(subject: str, text: str) -> Finding:
    """Return what could be better."""
    return Finding(subject, "warning", text)


def problem(subject: str, text: str) -> Finding:
    """Return what has to be mended."""
    return Finding(subject, "problem", text)


def tried(subject: str, check: Callable[[], str | Finding]) -> Finding:
    """Return what a check says of a subject; an error that it raises is a problem.

    >>> tried("port 8000", lambda: "free")
    Finding(subject='port 8000', level='ok', text='free')
    """
    try:
        found = check()
    except FacilityError as error:
        return problem(subject, str(error))
    return ok(subject, found) if isinstance(found, str) else found
