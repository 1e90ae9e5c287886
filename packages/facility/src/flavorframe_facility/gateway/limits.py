"""How much Dask clusters may take: those of a user, of the members of a group, and of all users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flavorframe_facility.settings import GB, ClusterLimits


@dataclass(frozen=True)
class Usage:
    """What a cluster takes.

    Args:
        owner: Name of the user who made it.
        groups: Groups of the owner.
        workers: Number of workers.
        cores: Cores of one worker.
        memory: Memory of one worker, in bytes.

    """

    owner: str
    groups: frozenset[str]
    workers: int
    cores: int
    memory: int


@dataclass(frozen=True)
class Rules:
    """The limits of a facility.

    Args:
        user: What the clusters of one user may take together.
        groups: By name of a group, what the clusters of its members may take together.
        everybody: What all clusters may take together.

    """

    user: ClusterLimits
    groups: Mapping[str, ClusterLimits]
    everybody: ClusterLimits = field(default_factory=ClusterLimits)

    def refusal(self, new: Usage, others: Iterable[Usage]) -> str | None:
        """Return why a new cluster is not allowed beside the others; None if it is allowed.

        >>> rules = Rules(ClusterLimits(clusters=1), {})
        >>> new = Usage("ada", frozenset(), workers=0, cores=1, memory=GB)
        >>> rules.refusal(new, [])
        >>> rules.refusal(new, [Usage("ada", frozenset(), workers=2, cores=1, memory=GB)])
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
            if _workers_that_fit(limits, new, sharing) == 0:
                return (
                    f"{whose} {_taken(limits, sharing)} by Dask workers: too little is left for a "
                    f"worker of {_amount(new)}. Stop a cluster, scale it down, or choose smaller "
                    "workers."
                )
        return None

    def workers(self, cluster: Usage, others: Iterable[Usage]) -> int | None:
        """Return how many workers a cluster may have beside the others; None without a limit."""
        shares = self._shares(cluster, list(others))
        numbers = [_workers_that_fit(limits, cluster, sharing) for _, limits, sharing in shares]
        return min((number for number in numbers if number is not None), default=None)

    def _shares(
        self, one: Usage, others: list[Usage]
    ) -> list[tuple[str, ClusterLimits, list[Usage]]]:
        """Return each limit that holds for a cluster, with the other clusters that share it."""
        mine = [use for use in others if use.owner == one.owner]
        shares = [("You have", self.user, mine)]
        for group in sorted(one.groups & self.groups.keys()):
            sharing = [use for use in others if group in use.groups]
            shares.append((f"The members of group {group} have", self.groups[group], sharing))
        return [*shares, ("All users have", self.everybody, others)]


def _workers_that_fit(limits: ClusterLimits, one: Usage, sharing: list[Usage]) -> int | None:
    numbers = []
    if limits.cores is not None:
        left = limits.cores - sum(use.workers * use.cores for use in sharing)
        numbers.append(left // one.cores)
    if limits.memory is not None:
        left = limits.memory * GB - sum(use.workers * use.memory for use in sharing)
        numbers.append(left // one.memory)
    return max(0, min(numbers)) if numbers else None


def _taken(limits: ClusterLimits, sharing: list[Usage]) -> str:
    cores = sum(use.workers * use.cores for use in sharing)
    memory = sum(use.workers * use.memory for use in sharing) // GB
    parts = []
    if limits.cores is not None:
        parts.append(f"{cores} of {limits.cores} cores")
    if limits.memory is not None:
        parts.append(f"{memory} of {limits.memory} GB")
    return f"{' and '.join(parts)} taken"


def _amount(use: Usage) -> str:
    return f"{use.cores} core{'s' if use.cores != 1 else ''} and {use.memory // GB} GB"
