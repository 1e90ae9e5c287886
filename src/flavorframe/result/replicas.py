"""Files that another place than the first has given, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flavorframe._display.numbers import plural

_SHOWN = 3


@dataclass(frozen=True)
class Replica:
    """A file that was read at another place than its first, wholly or in part.

    Attributes:
        file: The first of its places, which is its name.
        place: Where it was read.
        reason: Why not at the places before.
    """

    file: str
    place: str
    reason: str


def added_replicas(a: Sequence[Replica], b: Sequence[Replica]) -> tuple[Replica, ...]:
    """Return the replicas of both, of each file and place once."""
    if not b:
        return tuple(a)
    known = {(each.file, each.place) for each in a}
    return (*a, *(each for each in b if (each.file, each.place) not in known))


def replicas_notes(replicas: Sequence[Replica]) -> Iterator[str]:
    """Yield a note that files were read at other places, and the first of these."""
    if replicas:
        count = len({each.file for each in replicas})
        verb = "was" if count == 1 else "were"
        more = len(replicas) - _SHOWN
        lines = [
            f"{count:,} {plural(count, 'file')} {verb} read at another place than the first:",
            *(f"  {each.file} at {each.place}: {each.reason}" for each in replicas[:_SHOWN]),
            *([f"  … and {more:,} more"] if more > 0 else []),
        ]
        yield "\n".join(lines)
