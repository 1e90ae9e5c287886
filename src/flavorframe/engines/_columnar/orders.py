"""Elements in another order, and elements of several lists one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flavorframe._expr.operations import compute
from flavorframe._rootio.arrays import Array, Strings
from flavorframe._rootio.list_indices import spread
from flavorframe.engines._columnar.values import Values


def in_order(values: Values, event: Array, *, descending: bool) -> Array:
    """Return the positions of elements by event and value; those without a value come last.

    Elements of equal value, and those without one, stay in order; ``event`` is sorted.

    >>> in_order(Values(np.array([1.0, np.nan, 2.0, 1.0])), np.array([0, 0, 0, 0]), descending=True)
    array([2, 0, 3, 1])
    """
    usable = usable_values(values)
    data = np.where(usable, values.array, values.array.dtype.type(0))
    if data.dtype.itemsize <= np.float32().itemsize and event.max(initial=0) < MOST_LISTS:
        codes = -_codes(data) if descending else _codes(data)
        codes[~usable] = 1 << CODE
        return np.argsort((event << (CODE + 2)) + codes, kind="stable")
    if descending:
        data = -data if data.dtype.kind == "f" else ~data  # the largest is the smallest of these
    return np.lexsort((data, ~usable, event))


CODE = 33
"""The codes of values of 32 bits are of this many bits, with the sign."""


MOST_LISTS = 1 << 27
"""The numbers of so many events fit beside them into 64 bits."""


def _codes(data: Array) -> Array:
    """Return whole numbers in the order of values of up to 32 bits.

    Together with the event they are one number of 64 bits, which is sorted ten times as fast as
    two.

    >>> _codes(np.array([-2.0, -0.0, 0.0, 1e-45, np.inf], np.float32))
    array([-1073741824,           0,           0,           1,  2139095040])
    """
    if data.dtype.kind != "f":
        return data.astype(np.int64)
    bits = data.astype(np.float32, copy=False).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def usable_values(values: Values) -> Array:
    """Return which values can be compared: those that are neither NaN nor missing."""
    data = values.array
    usable = np.ones(len(data), bool) if values.valid is None else values.valid
    return usable & ~np.isnan(data) if data.dtype.kind == "f" else usable


def one_after_the_other(counts: Sequence[Array]) -> Array:
    """Return the elements of several lists in each event, first those of the first list.

    An element is known by its position among those of all events and of all lists, as
    `chained` has their values. ``counts`` has how many elements each list has in each event.

    >>> one_after_the_other([np.array([2, 1]), np.array([0, 3])])
    array([0, 1, 2, 3, 4, 5])
    >>> one_after_the_other([np.array([1, 1]), np.array([1, 0])])
    array([0, 2, 1])
    """
    return np.argsort(np.concatenate([spread(each) for each in counts]), kind="stable")


def chained(several: Sequence[Values]) -> Values:
    """Return the values of several lists, those of one list after those of the other.

    Where their types differ, they are as in a choice between them.
    """
    valid = None
    if any(values.valid is not None for values in several):
        valid = np.concatenate([_validity(values) for values in several])
    if all(isinstance(values.data, Strings) for values in several):
        return Values(
            _chained_strings([v.data for v in several if isinstance(v.data, Strings)]), valid
        )
    arrays = [values.array for values in several]
    if len({array.dtype for array in arrays}) > 1:
        arrays = _of_one_type(arrays)
    return Values(np.concatenate(arrays), valid)


def _validity(values: Values) -> Array:
    return np.ones(len(values.data), bool) if values.valid is None else values.valid


def _chained_strings(several: Sequence[Strings]) -> Strings:
    categories = tuple(dict.fromkeys(word for each in several for word in each.categories))
    number = {word: code for code, word in enumerate(categories)}
    codes = [
        np.array([number[word] for word in each.categories], each.codes.dtype).take(each.codes)
        for each in several
        if len(each.codes)
    ]
    return Strings(np.concatenate(codes or [np.zeros(0, np.int32)]), categories)


def _of_one_type(arrays: Sequence[Array]) -> list[Array]:
    """Return the arrays in the type of a choice between them."""
    common = arrays[0][:0]
    for array in arrays[1:]:
        common = compute("where", [np.zeros(0, bool), common, array[:0]])
    return [array.astype(common.dtype) for array in arrays]
