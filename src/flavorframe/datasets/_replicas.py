"""Replicas: the other places of a file, which are tried where the first does not give it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flavorframe._files.locations import normalized
from flavorframe.errors import DatasetError

Places = tuple[str, ...]
"""Where a file is: the first place is its name, the others are its replicas."""


@dataclass(frozen=True)
class Copies:
    """A file that is in several places, of which one was opened.

    Attributes:
        places: All of them, in the order in which they are tried.
        opened: The one that was opened first, so that all others must have its size.
        events: The number of events, which all others must have as well.
    """

    places: Places
    opened: str
    events: int


def replicas_of(entries: Iterable[Places]) -> tuple[Places, ...]:
    """Return those of the files that are in several places."""
    return tuple(places for places in entries if len(places) > 1)


def all_places(files: Iterable[str], replicas: Iterable[Places]) -> Places:
    """Return files, after each its replicas."""
    known = {places[0]: places for places in replicas}
    return tuple(place for file in files for place in known.get(file, (file,)))


def checked_replicas(
    replicas: Iterable[Sequence[str]], files: Places, where: str
) -> tuple[Places, ...]:
    """Return replicas in their normal form; raises DatasetError for those of another file."""
    found = tuple(tuple(map(normalized, places)) for places in replicas)
    known = set(files)
    for places in found:
        if places[0] not in known:
            raise DatasetError(f"{where}: {places[0]} has replicas, and is none of the files.")
    return found
