"""The rows of skims: events with a candidate left, and the lists that the file has in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._planning.plan import BoundPlan
from flavorframe._planning.skimming import can_keep, left_out, require_trees
from flavorframe._rootio import arrays
from flavorframe._rootio.arrays import Array, Strings
from flavorframe._rootio.list_indices import ranges
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.schema import Schema
from flavorframe._snapshots.columns import Column, Lists
from flavorframe.engines._columnar.segments import mask_at
from flavorframe.engines._columnar.stored import stored_column
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines.partial import Chunk
from flavorframe.engines.protocol import Skimmed
from flavorframe.skims import Skim


def skimmed(plan: BoundPlan, file: RootFile, schema: Schema) -> Iterator[Skimmed]:
    """Yield what each skim copies of a file, other trees included."""
    for name, skim in plan.skims:
        trees = file.other_trees(skim.trees, partial(can_keep, skim))
        require_trees(skim, trees)
        told = [*left_out(name, skim, schema)]
        told += [f"skim {name!r} leaves out the tree {tree}, of which it can copy nothing"
                 for tree, columns in trees.items() if not columns]  # fmt: skip
        copied = tuple((tree, columns) for tree, columns in trees.items() if columns)
        yield Skimmed(name, skim.kept, copied, tuple(told))


def events_of(skim: Skim, survivors: Survivors) -> Chunk:
    """Return the events with a candidate left: branches of the file, then the new ones."""
    view, candidates = survivors.view, survivors.facts.candidates
    living = np.arange(len(view.events))
    if candidates != n.EVENT:
        living = np.flatnonzero(view.elements(candidates).counts)
    rows, chunk, counters = view.events.take(living), dict[str, Column](), dict(skim.counters)
    for kept in skim.kept:
        chunk[kept.branch] = _copied(view.columns.stored(kept.branch, rows), kept.counter)
    for name, node in skim.columns:
        if node.axis == n.EVENT:
            column = stored_column(name, node, survivors.values(node, n.EVENT)).take(living)
            chunk[name] = column
        else:
            values = stored_column(name, node, view.whole.spread(node, node.axis))
            chunk[name] = _lists(values, view.whole.elements(node.axis).counts, living,
                                 counters[name])  # fmt: skip
    if skim.passed is not None:
        passed, counts = _passed(survivors)
        chunk[skim.passed] = _lists(passed, counts, living, counters[skim.passed])
    if skim.candidate_rows is None:
        return chunk
    return _in_rows(chunk, view.whole.elements(skim.candidate_rows).counts.take(living))


def _in_rows(chunk: Chunk, sizes: Array) -> Chunk:
    """Return events as rows of candidates again, with the values of the event on each of them."""
    return {
        name: column.content if isinstance(column, Lists) else np.repeat(column, sizes)
        for name, column in chunk.items()
    }


def _copied(stored: arrays.Column, counter: str | None) -> Column:
    if not isinstance(stored, arrays.Lists):
        return _plain(stored)
    return Lists(_plain(stored.elements), stored.sizes, counter or "")


def _plain(content: arrays.Content) -> Array:
    if not isinstance(content, Strings):
        return content
    return np.array([*content.categories, ""], object)[content.codes]


def _lists(values: Array, counts: Array, living: Array, counter: str) -> Lists:
    """Return the lists of living events, of values for the elements of all events of a view."""
    starts = np.cumsum(counts) - counts
    sizes = counts.take(living)
    return Lists(values.take(ranges(starts.take(living), sizes)), sizes, counter)


def _passed(survivors: Survivors) -> tuple[Array, Array]:
    """Return which elements of the candidates' collection are alive, and how many events have."""
    view, axis = survivors.view, survivors.facts.candidates
    places = view.elements(axis).full
    for part in reversed(n.lineage(axis)[1:]):
        places = view.whole.elements(part).parents[0].take(places)
    counts = view.whole.elements(n.lineage(axis)[0]).counts
    return mask_at(places, int(counts.sum())), counts
