"""How much of the machine Dask clusters take: of a user, and of the members of a group together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

GB = 10**9

Number = Annotated[int, Field(ge=0)]


class Limits(BaseModel):
    """What some clusters may take together; None where it does not matter.

    Args:
        clusters: How many clusters there are at a time.
        cores: Cores of all their workers.
        memory: Memory of all their workers, in GB.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clusters: Number | None = None
    cores: Number | None = None
    memory: Number | None = None


@dataclass(frozen=True)
class Use:
    """What a cluster takes: whose it is, its number of workers, and a worker's cores and bytes."""

    owner: str
    groups: frozenset[str]
    workers: int
    cores: int
    memory: int


@dataclass(frozen=True)
class Rules:
    """The limits of a facility: each user's, and those that members of groups, or all, share."""

    user: Limits
    groups: Mapping[str, Limits]
    everybody: Limits = field(default_factory=Limits)

    def refusal(self, new: Use, others: Iterable[Use]) -> str | None:
        """Return why a cluster cannot be made beside the others; None where it can.

        >>> rules = Rules(Limits(clusters=1), {})
        >>> rules.refusal(Use("ada", frozenset(), 0, 1, GB), [])
        >>> rules.refusal(Use("ada", frozenset(), 0, 1, GB), [Use("ada", frozenset(), 2, 1, GB)])
        'You have 1 Dask cluster, and no more than 1 at a time is allowed: stop one first ...'
        """
        others = list(others)
        for whose, limits, sharing in self._shares(new, others):
            if limits.clusters is not None and len(sharing) >= limits.clusters:
                number = f"{len(sharing)} Dask cluster{'s' if len(sharing) != 1 else ''}"
                return (
                    f"{whose} {number}, and no more than {limits.clusters} at a time "
                    f"{'is' if limits.clusters == 1 else 'are'} allowed: stop one first "
                    "in the Dask panel, or by Gateway().stop_cluster(name)."
                )
            if _room(limits, new, sharing) == 0:
                return (
                    f"{whose} {_taken(limits, sharing)} by Dask workers: too little is left for a "
                    f"worker of {_amount(new)}. Stop a cluster, scale it down, or choose smaller "
                    "workers."
                )
        return None

    def workers(self, cluster: Use, others: Iterable[Use]) -> int | None:
        """Return how many workers a cluster may have beside the others; None for any number."""
        shares = self._shares(cluster, list(others))
        rooms = [_room(limits, cluster, sharing) for _, limits, sharing in shares]
        return min((room for room in rooms if room is not None), default=None)

    def _shares(self, one: Use, others: list[Use]) -> list[tuple[str, Limits, list[Use]]]:
        """Return the limits that hold for a cluster, and which others they are shared with."""
        mine = [use for use in others if use.owner == one.owner]
        shares = [("You have", self.user, mine)]
        for group in sorted(one.groups & self.groups.keys()):
            sharing = [use for use in others if group in use.groups]
            shares.append((f"The members of group {group} have", self.groups[group], sharing))
        return [*shares, ("All users have", self.everybody, others)]


def _room(limits: Limits, one: Use, sharing: list[Use]) -> int | None:
    rooms = []
    if limits.cores is not None:
        left = limits.cores - sum(use.workers * use.cores for use in sharing)
        rooms.append(left // one.cores)
    if limits.memory is not None:
        left = limits.memory * GB - sum(use.workers * use.memory for use in sharing)
        rooms.append(left // one.memory)
    return max(0, min(rooms)) if rooms else None


def _taken(limits: Limits, sharing: list[Use]) -> str:
    cores = sum(use.workers * use.cores for use in sharing)
    memory = sum(use.workers * use.memory for use in sharing) // GB
    parts = []
    if limits.cores is not None:
        parts.append(f"{cores} of {limits.cores} cores")
    if limits.memory is not None:
        parts.append(f"{memory} of {limits.memory} GB")
    return f"{' and '.join(parts)} taken"


def _amount(use: Use) -> str:
    return f"{use.cores} core{'s' if use.cores != 1 else ''} and {use.memory // GB} GB"
