"""Reading a file where it can be read: its places are tried in order, and what failed is told.

A place that failed is tried last for some minutes, and so is all that its server has, where that
cannot be reached: otherwise each partition would wait for it once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

from flavorframe._planning.plan import Plan
from flavorframe._run.core.partitions import FileRange
from flavorframe.datasets import Copies, Partition, Places
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Partial
from flavorframe.errors import FileError, ReplicasError, ServerError
from flavorframe.result import Replica

R = TypeVar("R")

AVOIDED_SECONDS = 300.0
"""How long what has failed is tried after all else."""
SAME = "replicas of a file have the same size and events, and this one has"


def opened_somewhere(
    engine: Engine, plan: Plan, file_range: FileRange, tree: str | None
) -> FileInfo:
    """Return a file as the first of its places gives it; raises ReplicasError if none does."""
    file, places = file_range.file, file_range.places
    if not places:
        return engine.prepare(plan, file, tree)
    place, info, why = _first_of(file, places, lambda place: engine.prepare(plan, place, tree))
    return replace(info, file=file, copies=Copies(places, place, info.events), elsewhere=why)


def read_somewhere(
    engine: Engine, plan: Plan, part: Partition, read: Callable[[Partition], Partial]
) -> Partial:
    """Return what reading a partition gives: where its file was opened, then at the other places.

    Raises ReplicasError where none of them gives it.
    """
    copies = part.copies
    if copies is None:
        return read(part)
    places = (copies.opened, *(place for place in copies.places if place != copies.opened))
    place, partial, why = _first_of(
        part.file, places, lambda place: read(_part_at(engine, plan, part, copies, place))
    )
    if place in (copies.opened, part.file):
        return partial
    return replace(partial, replicas=(Replica(part.file, place, why),))


def _part_at(engine: Engine, plan: Plan, part: Partition, copies: Copies, place: str) -> Partition:
    """Return a partition at another place; raises FileError where that has another file."""
    if place == copies.opened:
        return replace(part, file=place, copies=None)
    info = engine.prepare(plan, place, part.tree)
    if info.events != copies.events:
        raise FileError(f"{place}: {SAME} {info.events:,} events, not {copies.events:,}.")
    size, wanted = (version and version.size for version in (info.version, part.version))
    if size is not None and wanted is not None and size != wanted:
        raise FileError(f"{place}: {SAME} {size:,} bytes, not {wanted:,}.")
    return replace(part, file=place, version=info.version, copies=None)


def _first_of(file: str, places: Places, read: Callable[[str], R]) -> tuple[str, R, str]:
    """Return the first place that can be read, what it gives, and why not those before it."""
    avoided = {place: reason for place in places if (reason := _avoided.reason(place))}
    failed: dict[str, FileError] = {}
    for place in sorted(places, key=lambda place: place in avoided):
        try:
            found = read(place)
        except FileError as error:
            failed[place] = error
            _avoided.add(place, error)
        else:
            _avoided.remove(place)
            before = places[: places.index(place)]
            told = {**avoided, **{other: str(error) for other, error in failed.items()}}
            return place, found, " ".join(told[other] for other in before if other in told)
    raise ReplicasError(file, {place: failed[place] for place in places})


class _Avoided:
    """The places and servers that have failed, until when they are tried last, and why."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def add(self, place: str, error: FileError) -> None:
        """Note that a place failed, or its whole server."""
        until = time.monotonic() + AVOIDED_SECONDS
        with self._lock:
            self._known[_failing(place, error)] = until, str(error)

    def remove(self, place: str) -> None:
        """Note that a place can be read."""
        with self._lock:
            for name in (place, _server(place)):
                self._known.pop(name, None)

    def reason(self, place: str) -> str:
        """Return why a place is tried last; "" where it is not."""
        with self._lock:
            known = (self._known.get(name) for name in (place, _server(place)))
            now = time.monotonic()
            return next((reason for until, reason in filter(None, known) if until > now), "")


_avoided = _Avoided()


def _failing(place: str, error: FileError) -> str:
    return _server(place) if isinstance(error, ServerError) else place


def _server(place: str) -> str:
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc}"
