"""Values of candidates that were computed before: only those of new candidates are computed.

It is for expressions whose value on a candidate depends on that candidate and its event alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Names, Values
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.depth import SHALLOW
from flavorframe.engines._columnar.evaluate import apply
from flavorframe.engines._columnar.known import Known
from flavorframe.engines._columnar.segments import mask_at, places, sift

if TYPE_CHECKING:
    from flavorframe.engines._columnar.survivors import Survivors


def recall(survivors: Survivors, node: n.Node, known: Known) -> Values:
    """Return the values of the living candidates, computed where they are not known."""
    numbers, found = survivors.candidates.numbers, known.values(node)
    if found is None:
        return _computed(survivors, node, known)
    at = places(found[0], numbers)
    missing = np.flatnonzero(at < 0)
    if len(missing) == len(numbers) > 0:
        return _computed(survivors, node, known)
    if len(missing):
        _computed(survivors.only(survivors.candidates.take(missing)), node, known)
        found = known.values(node) or found
        at = places(found[0], numbers)
    if at.min(initial=0) < 0 or not _count_links(survivors, node, known):
        return _computed(survivors, node, known)
    return found[1][at]


def make_known_cuts(
    survivors: Survivors, cuts: Sequence[n.Node], known: Known
) -> list[tuple[int, int]]:
    """Make cuts at once, up to the first whose values are not known on every living candidate.

    Returns how many events and candidates are alive after each.
    """
    steps = _steps(survivors, cuts, known)
    if not steps:
        return []
    root, at, rows = survivors.candidates.root, survivors.candidates.at, []
    alive = np.ones(len(root), bool) if at is None else mask_at(at, len(root))
    marks = [step.link is None for step in steps]
    left, told = sift([step.table for step in steps], marks, known.joined(root), alive)
    counts: dict[str, tuple[int, int, int]] = {}
    for step, (none, one, several, events) in zip(steps, told.tolist(), strict=False):
        if step.link is not None:  # counts if the cut that asks for it is made
            counts[step.link] = (none + one + several, none, several)
            continue
        rows.append((events, one))
        if survivors.links is not None:
            survivors.links.counts.update(counts)
        counts = {}
    if rows:
        survivors.leave(np.flatnonzero(left))
    return rows


class _Step(NamedTuple):
    """A table of a cut, or of how a link fares that is to be counted before."""

    table: Array
    link: str | None = None


def _steps(survivors: Survivors, cuts: Sequence[n.Node], known: Known) -> list[_Step]:
    """Return the steps of cuts, up to the first of which nothing is known."""
    root, steps = survivors.candidates.root, list[_Step]()
    counted = set() if survivors.links is None else set(survivors.links.counts)
    for node in cuts:
        asked = dict(() if survivors.links is None else survivors.scheme.links[node])
        new = [name for name in asked if name not in counted]
        tables = [known.table(each, root) for each in (*map(asked.__getitem__, new), node)]
        found = [table for table in tables if table is not None]
        if len(found) < len(tables):
            break
        steps += map(_Step, found, (*new, None))
        counted.update(new)
    return steps


def _from_columns(node: n.Node, candidates: Candidates, known: Known) -> Values | None:
    """Return the values of a node where they follow from values of columns that are at hand."""
    if isinstance(node, n.Literal):
        return Values(np.asarray(node.value))
    if isinstance(node, n.Column):
        return known.column_values(node, candidates.numbers)
    if not isinstance(node, n.Apply) or node.height > SHALLOW:
        return None
    values = [_from_columns(argument, candidates, known) for argument in node.arguments]
    found = [each for each in values if each is not None]
    return apply(node, found) if len(found) == len(values) else None


def _computed(survivors: Survivors, node: n.Node, known: Known) -> Values:
    values = _from_columns(node, survivors.candidates, known)
    if values is None:
        values = survivors.view.spread(node, survivors.scheme.candidates)
    if not isinstance(values.data, Names):
        known.note_values(node, survivors.candidates.numbers, values)
    return values


def _count_links(survivors: Survivors, node: n.Node, known: Known) -> bool:
    """Count the links that the node would make; return whether all of them are known."""
    if survivors.links is None:
        return True
    numbers = survivors.candidates.numbers
    known_numbers: dict[str, Array] = {}
    for name, match in survivors.scheme.links[node]:
        if name in survivors.links.counts:
            continue
        found = known.values(match)
        at = None if found is None else places(found[0], numbers)
        if found is None or at is None or at.min(initial=0) < 0:
            return False
        known_numbers.setdefault(name, found[1].data.take(at))
    for name, number in known_numbers.items():
        survivors.links.count(name, number)
    return True
