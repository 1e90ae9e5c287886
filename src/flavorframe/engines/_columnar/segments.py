"""Computations within events, over flat arrays whose elements are sorted by event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flavorframe._expr.operations import equals, widen
from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import Array, Strings
from flavorframe._rootio.list_indices import as_int64, ranges, spread
from flavorframe.engines._columnar.orders import usable_values
from flavorframe.engines._columnar.values import Values


def find_sorted(known: Array, wanted: Array) -> Array:
    """Return the positions of the wanted numbers among known ones, −1 if missing; both sorted.

    >>> find_sorted(np.array([2, 5, 7]), np.array([5, 6]))
    array([ 1, -1])
    """
    if compiled.native is not None:
        found = np.empty(len(wanted), np.int64)
        compiled.native.places(as_int64(known), as_int64(wanted), found)
        return found
    if len(known) == 0:
        return np.full(len(wanted), -1)
    found = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found[known[found] != wanted] = -1
    return found


def mask_at(positions: Array, size: int) -> Array:
    """Return a mask that is true at some positions."""
    mask = np.zeros(size, bool)
    mask[positions] = True
    return mask


UNKNOWN = 3
"""What a table of `apply_tables` says of an element whose value is not cached."""


def apply_tables(
    tables: Sequence[Array], cutting: Sequence[bool], same_event: Array, alive: Array
) -> tuple[Array, Array]:
    """Look up one table after the other, until one does not know all of the living elements.

    A table has a byte for each element: 0, 1, 2 or UNKNOWN. A table that is ``cutting`` keeps the
    elements that have a 1. ``same_event`` are the elements in the event of the one before. Returns
    what is left alive, and a row for each table: how many of those that were alive have a 0, 1 and
    2, and, where it cuts, how many events have one that is left.

    >>> table, same_event = np.array([1, 0, 1, 1], np.uint8), np.array([False, True, False, True])
    >>> apply_tables([table], [True], same_event, np.array([True, True, True, False]))
    (array([ True, False,  True, False]), array([[1, 2, 0, 2]]))
    """
    rows, left = np.zeros((len(tables), UNKNOWN + 1), np.int64), alive.copy()
    if compiled.native is not None:
        found = compiled.native.sift(tuple(tables), bytes(cutting), same_event, left, rows)
        return left, rows[:found]
    event = np.cumsum(~same_event)
    for taken, (table, cut) in enumerate(zip(tables, cutting, strict=True)):
        rows[taken] = np.bincount(table[left], minlength=UNKNOWN + 1)
        if rows[taken, UNKNOWN]:
            return left, rows[:taken]
        if cut:
            left &= table == 1
            rows[taken, UNKNOWN] = len(np.unique(event[left]))
    return left, rows


def reduce_segments(
    reduction: str, values: Values, event: Array, local: Array | None, n: int
) -> Values:
    """Reduce elements to n events, or to n lists of a nested axis.

    ``local`` is each element's index in its event, which "argmin" and "argmax" need.
    """
    if reduction == "size":
        return Values(np.bincount(event, minlength=n))
    if reduction in ("any", "all", "count"):
        return _truths(reduction, values, event, n)
    if reduction == "sum":
        return Values(_sum(values, event, n))
    if reduction == "first":
        return _pick(values, event, first_of_each(event), n)
    if reduction not in ("min", "max", "argmin", "argmax"):
        raise NotImplementedError(reduction)
    chosen = extreme(values, event, largest=reduction in ("max", "argmax"))
    if local is not None and reduction in ("argmin", "argmax"):
        return _pick(Values(local), event, chosen, n)
    return _pick(values, event, chosen, n)


def extreme(values: Values, event: Array, *, largest: bool) -> Array:
    """Return the position of each event's extreme value, the first of equal ones.

    NaN and missing values are set aside; an event of nothing else has no position.
    """
    usable = usable_values(values)
    if usable.all():
        return _extreme(values.array, event, largest=largest)
    kept = np.flatnonzero(usable)
    return kept[_extreme(values.array[kept], event[kept], largest=largest)]


def best(values: Values, first: Array, *, largest: bool) -> Array:
    """Return the position of each event's extreme value, the first of equal ones.

    ``first`` is where each event begins; its first element is taken where all are NaN or missing.

    >>> best(Values(np.array([2.0, 1.0, np.nan, np.nan])), np.array([0, 2]), largest=False)
    array([1, 2])
    """
    if compiled.native is not None and values.array.dtype.kind == "f":
        positions = np.empty(len(first), np.int64)
        data = np.ascontiguousarray(values.numbers(), np.float64)
        compiled.native.best(data, as_int64(first), largest, positions)
        return positions
    event = spread(np.diff(first, append=len(values.data)))
    found = extreme(values, event, largest=largest)
    chosen: Array = first.copy()
    chosen[event[found]] = found
    return chosen


def _extreme(data: Array, event: Array, *, largest: bool) -> Array:
    begins = first_of_each(event)
    if len(begins) == 0:
        return begins
    most = (np.maximum if largest else np.minimum).reduceat(data, begins)
    segment = spread(np.diff(begins, append=len(event)))
    hits = np.flatnonzero(data == most.take(segment))
    return hits[first_of_each(segment.take(hits))]


def _truths(reduction: str, values: Values, event: Array, n: int) -> Values:
    holds = values.truth()
    count = np.bincount(event[np.flatnonzero(holds)], minlength=n)
    if reduction == "count":
        return Values(count)
    return Values(count > 0 if reduction == "any" else count == np.bincount(event, minlength=n))


def _sum(values: Values, event: Array, n: int) -> Array:
    data, valid = values.array, values.valid
    if valid is not None:
        data, event = data[valid], event[valid]
    if data.dtype.kind == "f":
        sums = np.bincount(event, weights=data.astype(np.float64), minlength=n)
        return sums.astype(np.float64)  # of no elements numpy makes integers
    data = widen(data)
    total = np.zeros(n, np.uint64 if data.dtype.kind == "u" else np.int64)
    np.add.at(total, event, data.astype(total.dtype, copy=False))
    return total


def first_of_each(event: Array) -> Array:
    """Return the position of the first element of each event that has any.

    >>> first_of_each(np.array([2, 2, 5]))
    array([0, 2])
    """
    if len(event) == 0:
        return np.zeros(0, np.intp)
    return np.concatenate(([0], np.flatnonzero(event[1:] != event[:-1]) + 1))


def _pick(values: Values, event: Array, positions: Array, n: int) -> Values:
    """Return the values at the positions, at most one an event, as values of n events."""
    if isinstance(values.data, Strings):
        codes = _pick(Values(values.data.codes, values.valid), event, positions, n)
        return Values(Strings(codes.array, values.data.categories), codes.valid)
    data = np.zeros(n, values.data.dtype)
    valid = np.zeros(n, bool)
    rows = event[positions]
    data[rows] = values.data[positions]
    valid[rows] = True if values.valid is None else values.valid[positions]
    return Values(data) if valid.all() else Values(data, valid)


def first_match(
    keys: list[Array], values: list[Array], starts: Array, counts: Array
) -> tuple[Array, Array]:
    """Return, for each element, the index of the first target whose keys equal its values.

    ``keys`` are the targets' fields and ``values`` the elements'; element i may match the targets
    starts[i] … starts[i]+counts[i]−1. The second array says how many match. −1 where none does.
    """
    pairs = list(zip(keys, values, strict=True))
    asking = _asking_long_lists(pairs, starts, counts)
    if not len(asking):
        return _compared(pairs, starts, counts)
    short = counts.copy()
    short[asking] = 0
    found, number = _compared(pairs, starts, short)
    taken = [(key, value.take(asking)) for key, value in pairs]
    found[asking], number[asking] = _looked_up(taken, starts.take(asking), counts.take(asking))
    return found, number


LONG = 64
"""Lists of more elements are sorted where more than so many look for a match in one."""


def _asking_long_lists(pairs: list[tuple[Array, Array]], starts: Array, counts: Array) -> Array:
    """Return the elements for which it would take too long to compare with one after the other."""
    none = np.zeros(0, np.intp)
    if counts.max(initial=0) <= LONG or not all(_is_sortable(k, v) for k, v in pairs):
        return none
    asking = np.flatnonzero(counts > LONG)
    _, which, askers = np.unique(starts.take(asking), return_inverse=True, return_counts=True)
    return asking[askers.take(which) > LONG]


def _is_sortable(key: Array, value: Array) -> bool:
    """Return whether the two have a type in common in which they are what they were."""
    whole = [array.dtype.kind in "iu" for array in (key, value)]
    return whole[0] == whole[1] and (not whole[0] or np.result_type(key, value).kind in "iu")


def _looked_up(
    pairs: list[tuple[Array, Array]], starts: Array, counts: Array
) -> tuple[Array, Array]:
    """Find matches by the order of the targets' keys; see `first_match`."""
    lists, first, which = np.unique(starts, return_index=True, return_inverse=True)
    sizes = counts.take(first)
    target, mine = ranges(lists, sizes), spread(sizes)
    code = np.concatenate((mine, which))  # equal for targets and elements that match
    usable = np.ones(len(code), bool)
    for key, value in pairs:
        both = np.concatenate((key.take(target), value))
        usable &= both == both  # NaN equals nothing
        _, column = np.unique(both, return_inverse=True)
        _, code = np.unique(code * len(both) + column, return_inverse=True)
    code[~usable] = -1
    codes, wanted = code[: len(target)], code[len(target) :]
    order = np.argsort(codes, kind="stable")
    begin, end = (np.searchsorted(codes.take(order), wanted, side) for side in ("left", "right"))
    number = np.where(wanted < 0, 0, end - begin)
    match = target.take(order.take(begin, mode="clip"))
    return np.where(number > 0, match - starts, -1), number


def _compared(
    pairs: list[tuple[Array, Array]], starts: Array, counts: Array
) -> tuple[Array, Array]:
    """Find matches by comparing with one target after the other; see `first_match`."""
    comparable = all(k.dtype == v.dtype and k.dtype in COMPARED for k, v in pairs)
    if compiled.native is not None and comparable:
        return _first_match(pairs, starts, counts)
    found = np.full(len(counts), -1, np.int64)
    number = np.zeros(len(counts), np.int64)
    elements, step = np.flatnonzero(counts), 0
    while len(elements):
        target = starts.take(elements) + step
        equal = np.ones(len(elements), bool)
        for key, value in pairs:
            equal &= equals(key.take(target), value.take(elements))
        hit = elements[equal]
        number[hit] += 1
        found[hit[found[hit] < 0]] = step
        step += 1
        elements = elements[counts.take(elements) > step]
    return found, number


COMPARED = tuple(map(np.dtype, (np.float32, np.float64, np.int32, np.int64)))
"""The types that the compiled part compares."""


def _first_match(
    pairs: list[tuple[Array, Array]], starts: Array, counts: Array
) -> tuple[Array, Array]:
    found, number = np.empty(len(counts), np.int64), np.empty(len(counts), np.int64)
    kinds = "".join(key.dtype.char for key, _ in pairs)
    arrays = tuple(np.ascontiguousarray(array) for pair in pairs for array in pair)
    compiled.native.first_match(kinds, arrays, as_int64(starts), as_int64(counts), found, number)
    return found, number


def combine(starts: list[Array], counts: list[Array], same: list[int]) -> tuple[Array, list[Array]]:
    """Return the combinations of one element of each list in each event.

    ``starts`` and ``counts`` give, for each list, where an event's elements stand; ``same[i]`` is
    the last earlier list that is the same collection as list i, or −1: of such lists each set of
    elements comes once. Returns the event and, list by list, the positions of the members,
    ordered by event, then by first member, second member …
    """
    event = spread(counts[0])
    members = [ranges(starts[0], counts[0])]
    for start, count, earlier in zip(starts[1:], counts[1:], same[1:], strict=True):
        first = start[event] if earlier < 0 else members[earlier] + 1
        number = start[event] + count[event] - first
        repeat = spread(number)
        new = ranges(first, number)
        event, members = event[repeat], [m[repeat] for m in members]
        members.append(new)
    return event, members
