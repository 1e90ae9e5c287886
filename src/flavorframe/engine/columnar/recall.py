"""Values of candidates that were computed before: only those of new candidates are computed.

It is for expressions whose value on a candidate depends on that candidate and its event alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names, Values
from flavorframe.engine.columnar.known import Known
from flavorframe.engine.columnar.segments import places
from flavorframe.expr import nodes as n

if TYPE_CHECKING:
    from flavorframe.engine.columnar.survivors import Survivors
    from flavorframe.engine.columnar.view import View

MOST_IN_EVENT = 1 << 20
"""So many candidates of an event can be told apart."""


def recall(survivors: Survivors, node: n.Node, known: Known) -> Values:
    """Return the values of the living candidates, computed where they are not known."""
    numbers = numbers_of(survivors.view)
    counted = _counted(survivors, node, numbers, known)
    found = known.values(node) if counted is not None else None
    if found is None:
        return _computed(survivors, node, numbers, known)
    at = places(found[0], numbers)
    missing = np.flatnonzero(at < 0)
    if len(missing) == len(numbers) > 0:
        return _computed(survivors, node, numbers, known)
    if survivors.links is not None:
        survivors.links.counts.update(counted or {})
    if len(missing):
        part = survivors.among(missing)
        _computed(part, node, numbers[missing], known)
        merged = known.values(node)
        assert merged is not None
        return merged[1][places(merged[0], numbers)]
    return found[1][at]


def make_known_cuts(
    survivors: Survivors, cuts: Sequence[n.Node], known: Known
) -> list[tuple[int, int]]:
    """Make cuts at once, up to the first whose values are not known on every living candidate.

    Returns how many events and candidates are alive after each.
    """
    view = survivors.view
    numbers, event = numbers_of(view), view.event_of(survivors.scheme.candidates)
    alive, rows = np.arange(len(numbers)), []
    for node in cuts:
        counted = _counted(survivors, node, numbers, known)
        found = known.values(node) if counted is not None else None
        at = None if found is None else places(found[0], numbers)
        if found is None or at is None or (at < 0).any():
            break
        if survivors.links is not None:
            survivors.links.counts.update(counted or {})
        kept = np.flatnonzero(found[1][at].truth())
        alive, numbers, event = alive[kept], numbers[kept], event[kept]
        rows.append((int(np.count_nonzero(np.diff(event, prepend=-1))), len(kept)))
    if rows:
        survivors.keep_candidates(alive)
    return rows


def numbers_of(view: View) -> Array:
    """Return a number for each living candidate, which it has in every view of the partition."""
    elements = view.elements(view.scheme.candidates)
    return view.events[elements.event] * MOST_IN_EVENT + elements.local


def note_matches(view: View, node: n.Match, number: Array) -> None:
    """Take up how many elements each candidate's link finds: none, one, or several."""
    known = view.columns.known
    if known is not None and view.full is not None and node.axis == view.scheme.candidates:
        known.note_values(node, numbers_of(view), Values(np.minimum(number, 2).astype(np.int8)))


def _computed(survivors: Survivors, node: n.Node, numbers: Array, known: Known) -> Values:
    values = survivors.view.spread(node, survivors.scheme.candidates)
    if not isinstance(values.data, Names):
        known.note_values(node, numbers, values)
    return values


def _counted(
    survivors: Survivors, node: n.Node, numbers: Array, known: Known
) -> dict[str, tuple[int, int, int]] | None:
    """Return the counts of links that the node would make; None where they are not known."""
    counts: dict[str, tuple[int, int, int]] = {}
    if survivors.links is None:
        return counts
    for name, match in survivors.scheme.links[node]:
        if name in survivors.links.counts:
            continue
        found = known.values(match)
        at = None if found is None else places(found[0], numbers)
        if found is None or at is None or (at < 0).any():
            return None
        number = found[1].data[at]
        asked = (len(number), int((number == 0).sum()), int((number > 1).sum()))
        counts.setdefault(name, asked)
    return counts
