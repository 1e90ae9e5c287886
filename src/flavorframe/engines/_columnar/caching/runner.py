"""Take steps from the latest checkpoint that is cached, and keep new checkpoints.

A checkpoint has the survivors after some steps of a chain, with the cutflow and the counts of links
so far. Its key is made of these steps, one after the other, so chains share those of their
beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._planning.chains import Chain
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.caching.cacheable import is_cacheable
from flavorframe.engines._columnar.caching.columns import CachedColumns
from flavorframe.engines._columnar.caching.keys import Key
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.survivors import CachedSurvivors
from flavorframe.engines._columnar.caching.tables import CheckpointCandidates, apply_cached_cuts
from flavorframe.engines._columnar.caching.views import CachedViewMaker
from flavorframe.engines._columnar.runner import (
    Counts,
    Fork,
    Progress,
    Runner,
    first_on_candidates,
)
from flavorframe.engines._columnar.state import CutCandidates, State, all_alive, state_of_events
from flavorframe.engines._columnar.survivors import Survivors, Weights
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.engines._exact import ExactFloat
from flavorframe.selection import Cut


class CachedRunner(Runner):
    """A runner that takes no step twice, and computes no value twice."""

    def __init__(
        self,
        chains: Sequence[Chain],
        forks: Sequence[Fork | None],
        views: Mapping[n.Axis, CachedViewMaker],
        columns: CachedColumns,
        cache: PartitionCache,
    ) -> None:
        super().__init__(chains, forks, views, columns)
        self._cached_columns, self._cache = columns, cache
        self._keys = [cache.checkpoint_keys(chain) for chain in chains]

    def _begin(self, number: int) -> None:
        """Let a chain wait at the latest checkpoint that the cache has."""
        chain = self._chains[number]
        if chain.is_main:
            first = first_on_candidates(chain.steps)
            self._cached_columns.read_at_least_those_of(self._keys[number][first])
        self._waiting[number] = self._latest(number) or self._first(number)
        self._take_cuts_on_events(number)

    def _resumed(self, number: int) -> Progress:
        """Return where a chain goes on: where it left another, or at a later checkpoint."""
        waiting, latest = self._waiting.pop(number, None), self._latest(number)
        if waiting is None:  # the other one came by there without computing anything
            return latest or self._first(number)
        if latest is None or waiting.passed >= latest.passed < len(self._chains[number].steps):
            return waiting
        return latest

    def _advance(self, number: int, progress: Progress, until: int) -> None:
        """Take the steps of a chain up to one, and keep the survivors after each."""
        chain = self._chains[number]
        while progress.passed < until:
            if not self._apply_cached_cuts(chain, progress):
                self._part(number, progress)
                self._take(chain, progress)
            self._keep(number, progress)
        if progress.passed == len(chain.steps):
            self._part(number, progress)

    def _first(self, number: int) -> Progress:
        survivors = CachedSurvivors(all_alive(self._views_of(number)), self._cache)
        progress = Progress(survivors)
        self._count(self._chains[number], progress)
        self._keep(number, progress)
        return progress

    def _apply_cached_cuts(self, chain: Chain, progress: Progress) -> bool:
        """Make the next cuts as far as their values are cached; return whether any was."""
        if chain.is_weighted or chain.category is not None:
            return False
        survivors = progress.survivors
        nodes = [step.node for step in chain.steps[progress.passed :] if isinstance(step, Cut)]
        cuts = list(takewhile(lambda node: is_cacheable(node, survivors.facts), nodes))
        rows = apply_cached_cuts(survivors, cuts, self._cache) if cuts else []
        progress.passed += len(rows)
        if chain.is_main:
            progress.rows += rows
        return bool(rows)

    def _keep(self, number: int, progress: Progress) -> None:
        """Keep a checkpoint.

        The disk holds what takes reading or computing to get again. So a checkpoint before the last
        one is kept in memory only, if it follows from values of cuts that are cached.
        """
        survivors, chain = progress.survivors, self._chains[number]
        links, steps = survivors.links, chain.steps
        if chain.is_main and progress.passed <= first_on_candidates(steps):
            self._cached_columns.read_at_least(survivors.view.events)
        facts = {
            "rows": [[_written(number) for number in row] for row in progress.rows],
            "links": None if links is None else dict(links.counts),
        }
        last = steps[progress.passed - 1].node if progress.passed else None
        follows = last is not None and is_cacheable(last, survivors.facts)
        on_disk = not follows or progress.passed == len(steps)
        entry = Entry(facts, _arrays_of(survivors))
        self._cache.put(self._keys[number][progress.passed], entry, on_disk=on_disk)

    def _latest(self, number: int) -> Progress | None:
        """Return the survivors of the checkpoint after the most steps; None if there is none."""
        keys = self._keys[number]
        for on_disk in (False, True):  # the disk is read only if memory has none at all
            for passed in range(len(keys) - 1, -1, -1):
                entry = self._cache.get(keys[passed], on_disk=on_disk)
                if entry is not None:
                    return self._restored(entry, number, passed)
        return None

    def _restored(self, entry: Entry, number: int, passed: int) -> Progress:
        views, key = self._views_of(number), self._keys[number][passed]
        if views.links is not None:
            views.links.counts.update({k: tuple(v) for k, v in entry.facts["links"].items()})
        arrays, variations = entry.arrays, self._chains[number].weight_variations
        survivors = CachedSurvivors(
            _state_from(arrays, key, views), self._cache, _weights_from(arrays, "")
        )
        survivors.varied = {
            variation: _weights_from(arrays, variation.label)
            for variation in variations
            if _mark(variation.label) in arrays
        }
        rows = [Counts(*map(_read, row)) for row in entry.facts["rows"]]
        return Progress(survivors, passed, rows)


def _arrays_of(survivors: Survivors) -> dict[str, Array]:
    """Return what is alive and what it weighs as arrays for the cache."""
    arrays = _weight_arrays(survivors.weights, "")
    if isinstance(survivors.state, CutCandidates):
        arrays["numbers"] = survivors.state.candidates.numbers
    else:
        arrays["events"] = survivors.view.events.astype(np.int32)
    for variation, weights in survivors.varied.items():
        arrays |= _weight_arrays(weights, variation.label)
    return arrays


def _mark(label: str) -> str:
    """Return the name of the array that tells that there are weights, of a variation or of none."""
    return f"has_best{label}"


def _weight_arrays(weights: Weights, label: str) -> dict[str, Array]:
    arrays: dict[str, Array] = {_mark(label): np.array(weights.has_best)}
    if weights.of_events is not None:
        arrays[f"event_weight{label}"] = weights.of_events
    if weights.of_candidates is not None:
        arrays[f"candidate_weight{label}"] = weights.of_candidates
    return arrays


def _state_from(arrays: dict[str, Array], key: Key, views: ViewMaker) -> State:
    if "numbers" in arrays:
        return CutCandidates(views, CheckpointCandidates(arrays["numbers"], key))
    return state_of_events(views, arrays["events"].astype(np.int64))


def _weights_from(arrays: dict[str, Array], label: str) -> Weights:
    return Weights(
        arrays.get(f"event_weight{label}"),
        arrays.get(f"candidate_weight{label}"),
        bool(arrays[_mark(label)]),
    )


def _written(number: Any) -> Any:
    """Return a number of a row as JSON can hold it, with all its digits."""
    if isinstance(number, ExactFloat):
        return [str(number.exact.numerator), str(number.exact.denominator)]
    return repr(number) if isinstance(number, float) else number


def _read(number: Any) -> Any:
    if isinstance(number, list):
        if all(isinstance(part, int) for part in number):
            return tuple(number)
        return ExactFloat(Fraction(int(number[0]), int(number[1])))
    return float(number) if isinstance(number, str) else number
