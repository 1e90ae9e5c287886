"""Take steps from the latest checkpoint that is cached, and keep new checkpoints.

A checkpoint has the survivors after some steps, with the cutflow and the counts of links so far.
Its key is made of these steps, one after the other. An N−1 histogram has checkpoints of its own, of
all steps but one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._planning.plan import Plan
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.caching.cacheable import is_cacheable
from flavorframe.engines._columnar.caching.columns import CachedColumns
from flavorframe.engines._columnar.caching.keys import Key
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.survivors import CachedSurvivors
from flavorframe.engines._columnar.caching.tables import CheckpointCandidates, apply_cached_cuts
from flavorframe.engines._columnar.caching.views import CachedViewMaker
from flavorframe.engines._columnar.runner import Counts, Observer, Progress, Runner
from flavorframe.engines._columnar.state import CutCandidates, State, all_alive, state_of_events
from flavorframe.engines._columnar.survivors import Survivors, Weights
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.engines._exact import ExactFloat
from flavorframe.selection import Cut, Step


class CachedRunner(Runner):
    """A runner that takes no step twice, and computes no value twice."""

    def __init__(
        self, plan: Plan, views: CachedViewMaker, columns: CachedColumns, cache: PartitionCache
    ) -> None:
        super().__init__(plan, views)
        self._columns, self._cache = columns, cache

    def run(self, before: Observer) -> Progress:
        """Take all steps, with the cutflow and a count of links; call the observer before each.

        For steps that come from the cache it is called at the end, without survivors.
        """
        steps = self._plan.selection.steps
        observed: set[int] = set()

        def observe(position: int, progress: Progress | None) -> None:
            observed.add(position)
            before(position, progress)

        keys = self._cache.checkpoint_keys(self._plan, steps, counted=True)
        first_on_candidates = sum(_on_events(steps[: i + 1]) for i in range(len(steps)))
        self._columns.read_at_least_those_of(keys[first_on_candidates])
        views = self._views
        progress = self._latest(keys, views, counted=True) or self._first(views, keys, counted=True)
        self._advance(progress, steps, keys, observe)
        for position in range(len(steps)):
            if position not in observed:
                before(position, None)
        return progress

    def run_without(self, position: int, before: Progress | None) -> Progress:
        """Take all steps but one, from the survivors before it unless later ones are cached."""
        steps, views = self._steps_without(position), self._views.without_links()
        keys = self._cache.checkpoint_keys(self._plan, steps, counted=False)
        progress = self._latest(keys, views, counted=False)
        if before is None:
            progress = progress or self._first(views, keys, counted=False)
        elif progress is None or before.passed >= progress.passed < len(steps):
            progress = before.copied()
        self._advance(progress, steps, keys)
        return progress

    def _advance(
        self,
        progress: Progress,
        steps: Sequence[Step],
        keys: Sequence[Key],
        before: Observer | None = None,
    ) -> None:
        """Take the steps that are left, and keep the survivors after each."""
        while progress.passed < len(steps):
            if not self._apply_cached_cuts(progress, steps):
                if before is not None:
                    before(progress.passed, progress)
                self._take(steps, progress)
            self._keep(progress, keys, steps)

    def _first(self, views: ViewMaker, keys: Sequence[Key], *, counted: bool) -> Progress:
        survivors = CachedSurvivors(all_alive(views), self._cache)
        progress = self._started(Progress(survivors, counted=counted))
        self._keep(progress, keys, ())
        return progress

    def _apply_cached_cuts(self, progress: Progress, steps: Sequence[Step]) -> bool:
        """Make the next cuts as far as their values are cached; return whether any was."""
        if self._plan.is_weighted:
            return False
        survivors = progress.survivors
        nodes = [step.node for step in steps[progress.passed :] if isinstance(step, Cut)]
        cuts = list(takewhile(lambda node: is_cacheable(node, survivors.facts), nodes))
        rows = apply_cached_cuts(survivors, cuts, self._cache) if cuts else []
        progress.passed += len(rows)
        if progress.counted:
            progress.rows += rows
        return bool(rows)

    def _keep(self, progress: Progress, keys: Sequence[Key], steps: Sequence[Step]) -> None:
        """Keep a checkpoint.

        The disk holds what takes reading or computing to get again. So a checkpoint before the last
        one is kept in memory only, if it follows from values of cuts that are cached.
        """
        survivors = progress.survivors
        links = survivors.links
        if progress.counted and _on_events(steps[: progress.passed]):
            self._columns.read_at_least(survivors.view.events)
        facts = {
            "rows": [[_written(number) for number in row] for row in progress.rows],
            "links": None if links is None else dict(links.counts),
        }
        last = steps[progress.passed - 1].node if progress.passed else None
        follows = last is not None and is_cacheable(last, survivors.facts)
        on_disk = not follows or progress.passed == len(steps)
        entry = Entry(facts, _arrays_of(survivors))
        self._cache.put(keys[progress.passed], entry, on_disk=on_disk)

    def _latest(self, keys: Sequence[Key], views: ViewMaker, *, counted: bool) -> Progress | None:
        """Return the survivors of the checkpoint after the most steps; None if there is none."""
        for on_disk in (False, True):  # the disk is read only if memory has none at all
            for passed in range(len(keys) - 1, -1, -1):
                entry = self._cache.get(keys[passed], on_disk=on_disk)
                if entry is not None:
                    found = self._restored(entry, keys[passed], passed, views)
                    return replace(found, counted=counted)
        return None

    def _restored(self, entry: Entry, key: Key, passed: int, views: ViewMaker) -> Progress:
        if views.links is not None:
            views.links.counts.update({k: tuple(v) for k, v in entry.facts["links"].items()})
        arrays = entry.arrays
        survivors = CachedSurvivors(
            _state_from(arrays, key, views), self._cache, _weights_from(arrays)
        )
        rows = [Counts(*map(_read, row)) for row in entry.facts["rows"]]
        return Progress(survivors, passed, rows)


def _on_events(steps: Sequence[Step]) -> bool:
    return all(step.node.axis == n.EVENT for step in steps)


def _arrays_of(survivors: Survivors) -> dict[str, Array]:
    """Return what is alive and what it weighs as arrays for the cache."""
    weights = survivors.weights
    arrays: dict[str, Array] = {"has_best": np.array(weights.has_best)}
    if isinstance(survivors.state, CutCandidates):
        arrays["numbers"] = survivors.state.candidates.numbers
    else:
        arrays["events"] = survivors.view.events.astype(np.int32)
    if weights.of_events is not None:
        arrays["event_weight"] = weights.of_events
    if weights.of_candidates is not None:
        arrays["candidate_weight"] = weights.of_candidates
    return arrays


def _state_from(arrays: dict[str, Array], key: Key, views: ViewMaker) -> State:
    if "numbers" in arrays:
        return CutCandidates(views, CheckpointCandidates(arrays["numbers"], key))
    return state_of_events(views, arrays["events"].astype(np.int64))


def _weights_from(arrays: dict[str, Array]) -> Weights:
    return Weights(
        arrays.get("event_weight"), arrays.get("candidate_weight"), bool(arrays["has_best"])
    )


def _written(number: Any) -> Any:
    """Return a number of a row as JSON can hold it, with all its digits."""
    if isinstance(number, ExactFloat):
        return [str(number.exact.numerator), str(number.exact.denominator)]
    return repr(number) if isinstance(number, float) else number


def _read(number: Any) -> Any:
    if isinstance(number, list):
        return ExactFloat(Fraction(int(number[0]), int(number[1])))
    return float(number) if isinstance(number, str) else number
