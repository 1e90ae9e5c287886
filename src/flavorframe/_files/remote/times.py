"""Times as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def span(time: timedelta) -> str:
    """Return a length of time in its largest unit.

    >>> span(timedelta(minutes=150)), span(timedelta(seconds=70)), span(timedelta(seconds=3))
    ('2 hours', '1 minute', '3 seconds')
    """
    seconds = int(time.total_seconds())
    unit, size = next(((u, s) for u, s in _UNITS if seconds >= s), ("second", 1))
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def ago(time: timedelta) -> str:
    """Return how long ago something was.

    >>> ago(timedelta(hours=3))
    '3 hours ago'
    """
    return f"{span(time)} ago"


def clock(moment: datetime) -> str:
    """Return date and time in this machine's time zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"
