"""Take the survivors of a partition through the steps of the selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flavorframe._planning.plan import Plan
from flavorframe.engines._columnar.state import all_alive
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.engines._exact import exact_sum
from flavorframe.selection import Best, Cut, Step


class Counts(NamedTuple):
    """The numbers of a row of the cutflow: what is alive and, with weights, their sums."""

    events: int
    candidates: int
    sumw_events: float | None = None
    sumw_candidates: float | None = None
    sumw2_candidates: float | None = None


@dataclass
class Progress:
    """The survivors after the first ``passed`` steps, and the cutflow so far.

    ``counted`` says whether each step adds a row to the cutflow. It is false for N−1 histograms.
    """

    survivors: Survivors
    passed: int = 0
    rows: list[Counts] = field(default_factory=list)
    counted: bool = True

    def copied(self) -> Progress:
        """Return a copy for other steps, which adds no rows to the cutflow."""
        return Progress(self.survivors.copied(), self.passed, counted=False)


Observer = Callable[[int, Progress | None], None]
"""What the runner calls before each step, to fill the N−1 histograms that leave the step out.

It gets the position of the step, and the survivors before it; None if a cache had those after it.
"""


class Runner:
    """Takes the survivors of a partition through the steps of a bound plan."""

    def __init__(self, plan: Plan, views: ViewMaker) -> None:
        """``views`` makes the views of the partition, and counts links."""
        self._plan, self._views = plan, views

    def run(self, before: Observer) -> Progress:
        """Take all steps, with the cutflow and a count of links; call the observer before each."""
        progress = self._started(Progress(Survivors(all_alive(self._views))))
        while progress.passed < len(self._plan.selection.steps):
            before(progress.passed, progress)
            self._take(self._plan.selection.steps, progress)
        return progress

    def run_without(self, position: int, before: Progress | None) -> Progress:
        """Take all steps but one, without cutflow, from the survivors ``before`` that step."""
        assert before is not None
        steps, progress = self._steps_without(position), before.copied()
        while progress.passed < len(steps):
            self._take(steps, progress)
        return progress

    def _steps_without(self, position: int) -> tuple[Step, ...]:
        steps = self._plan.selection.steps
        return steps[:position] + steps[position + 1 :]

    def _started(self, progress: Progress) -> Progress:
        self._count(progress)
        return progress

    def _take(self, steps: Sequence[Step], progress: Progress) -> None:
        """Take the next step."""
        take(steps[progress.passed], progress.survivors)
        progress.passed += 1
        self._count(progress)

    def _count(self, progress: Progress) -> None:
        if progress.counted:
            progress.rows.append(counts(self._plan, progress.survivors))


def take(step: Step, survivors: Survivors) -> None:
    """Take a step: only what passes it stays alive."""
    if isinstance(step, Cut):
        survivors.cut(step.node)
    elif isinstance(step, Best):
        survivors.best(step.node, highest=step.highest)
    else:
        survivors.weigh(step.node)


def counts(plan: Plan, survivors: Survivors) -> Counts:
    """Return how much is alive and, where the plan has weights, the sums of weights."""
    alive = Counts(survivors.n_events, survivors.n_candidates)
    if not plan.is_weighted:
        return alive
    candidates = survivors.weights_on(survivors.facts.candidates)
    events = survivors.event_weights()
    return alive._replace(
        sumw_events=None if events is None else exact_sum(events),
        sumw_candidates=exact_sum(candidates),
        sumw2_candidates=exact_sum(candidates**2),
    )
