"""Take the survivors of a partition through the steps of a plan's chains.

Chains that begin with the same steps part where they differ: there the survivors are copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._planning.chains import Chain
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.columns import Columns, ReadAhead
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.state import all_alive
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.engines._exact import exact_sum
from flavorframe.selection import Best, Cut, Step, Weight


class Counts(NamedTuple):
    """The numbers of a row of the cutflow: what is alive and, with weights, their sums."""

    events: int
    candidates: int
    sumw_events: float | None = None
    sumw_candidates: float | None = None
    sumw2_candidates: float | None = None
    categories: tuple[int, ...] = ()


@dataclass
class Progress:
    """The survivors after the first ``passed`` steps of a chain, and its cutflow so far.

    Only a region's own chain has rows, and counts its links.
    """

    survivors: Survivors
    passed: int = 0
    rows: list[Counts] = field(default_factory=list)

    def copied(self, *, counted: bool) -> Progress:
        """Return a copy for other steps, ``counted`` if it is to have rows and counts of links."""
        links = self.survivors.links
        own = LinkCounts(dict(links.counts)) if counted and links is not None else None
        rows = list(self.rows) if counted else []
        return Progress(self.survivors.copied(own), self.passed, rows)


@dataclass(frozen=True)
class Fork:
    """Where a chain leaves an earlier one: after so many ``steps`` of the chain ``source``."""

    source: int
    steps: int


def forks_of(chains: Sequence[Chain]) -> list[Fork | None]:
    """Return, for each chain, where it leaves the earlier one that it goes along with longest."""
    forks: list[Fork | None] = []
    for i, chain in enumerate(chains):
        common = [chains[j].common_steps(chain) for j in range(i)]
        longest = max(common, default=-1)
        forks.append(Fork(common.index(longest), longest) if longest >= 0 else None)
    return forks


class Runner:
    """Takes the survivors of a partition through the chains of a bound plan."""

    def __init__(
        self,
        chains: Sequence[Chain],
        forks: Sequence[Fork | None],
        views: Mapping[n.Axis, ViewMaker],
        columns: Columns,
    ) -> None:
        """``views`` makes the views of the partition, for each axis of candidates."""
        self._chains, self._forks, self._views = chains, forks, views
        self._waiting: dict[int, Progress] = {}  # where a chain begins, by its number
        columns.ahead = self._reads_ahead

    def run(self) -> Iterator[tuple[Chain, Progress]]:
        """Yield each chain with the survivors at its end."""
        for number, fork in enumerate(self._forks):
            if fork is None:
                self._begin(number)
        for number, chain in enumerate(self._chains):
            progress = self._resumed(number)
            self._advance(number, progress, len(chain.steps))
            yield chain, progress

    def _begin(self, number: int) -> None:
        """Take the cuts on events that a chain begins with, and let it wait there."""
        progress = Progress(Survivors(all_alive(self._views_of(number))))
        self._count(self._chains[number], progress)
        self._waiting[number] = progress
        self._take_cuts_on_events(number)

    def _take_cuts_on_events(self, number: int) -> None:
        """Take the first steps of a chain, so that it is known where it needs branches."""
        first = first_on_candidates(self._chains[number].steps)
        self._advance(number, self._waiting[number], first)

    def _views_of(self, number: int) -> ViewMaker:
        """Return what makes the views for a chain, and counts its links."""
        chain = self._chains[number]
        return self._views[chain.candidates].counting(LinkCounts() if chain.is_main else None)

    def _resumed(self, number: int) -> Progress:
        """Return where a chain goes on."""
        return self._waiting.pop(number)

    def _advance(self, number: int, progress: Progress, until: int) -> None:
        """Take the steps of a chain up to one, and let others wait where they leave it."""
        chain = self._chains[number]
        while progress.passed < until:
            self._part(number, progress)
            self._take(chain, progress)
        if progress.passed == len(chain.steps):
            self._part(number, progress)

    def _part(self, number: int, progress: Progress) -> None:
        """Let the chains that leave this one here wait for their turn."""
        here = Fork(number, progress.passed)
        for other, fork in enumerate(self._forks):
            if fork == here and other not in self._waiting:
                counted = self._chains[other].is_main
                self._waiting[other] = progress.copied(counted=counted)

    def _reads_ahead(self) -> Iterator[ReadAhead]:
        """Yield where branches will be needed for the chains that come later."""
        for number, waiting in self._waiting.items():
            yield ReadAhead(waiting.survivors.state.events, self._chains[number].branches)

    def _take(self, chain: Chain, progress: Progress) -> None:
        """Take the next step."""
        take(chain.steps[progress.passed], progress.survivors)
        progress.passed += 1
        self._count(chain, progress)

    def _count(self, chain: Chain, progress: Progress) -> None:
        if chain.is_main:
            progress.rows.append(counts(chain, progress.survivors))


def first_on_candidates(steps: Sequence[Step]) -> int:
    """Return how many steps come before the first on candidates."""
    on_events = [step.node.axis == n.EVENT for step in steps]
    return [*on_events, False].index(False)


def take(step: Step, survivors: Survivors) -> None:
    """Take a step: only what passes it stays alive."""
    if isinstance(step, Cut):
        survivors.cut(step.node)
    elif isinstance(step, Best):
        survivors.best(step.node, highest=step.highest)
    elif isinstance(step, Weight):
        survivors.weigh(step.node, step.varied)


def counts(chain: Chain, survivors: Survivors) -> Counts:
    """Return how much is alive and, where the plan has weights, the sums of weights."""
    alive = Counts(survivors.n_events, survivors.n_candidates)
    if chain.category is not None:
        alive = alive._replace(categories=_by_category(chain.category, survivors))
    if not chain.is_weighted:
        return alive
    candidates = survivors.weights_on(survivors.facts.candidates)
    events = survivors.event_weights()
    return alive._replace(
        sumw_events=None if events is None else exact_sum(events),
        sumw_candidates=exact_sum(candidates),
        sumw2_candidates=exact_sum(candidates**2),
    )


def _by_category(category: n.Category, survivors: Survivors) -> tuple[int, ...]:
    """Return how many candidates are in each category, and how many fit several."""
    axis = survivors.facts.candidates
    fitting: list[Array] = [survivors.values(c, axis).truth() for c in category.conditions]
    found = np.zeros(survivors.n_candidates, np.int64)
    numbers = []
    for holds in fitting:
        numbers.append(int(np.count_nonzero(holds & (found == 0))))
        found += holds
    return (*numbers, int(np.count_nonzero(found > 1)))
