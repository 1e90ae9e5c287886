"""Computations within events, against plain Python loops."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from flavorframe.engine.columnar.arrays import Names, Values
from flavorframe.engine.columnar.segments import (
    combine,
    extreme,
    first_match,
    ranges,
    reduce_segments,
)

counts_lists = st.lists(st.integers(0, 4), max_size=6)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_ranges(pairs):
    starts, counts = (np.array(x, int) for x in zip(*pairs, strict=True)) if pairs else ([], [])
    expected = [start + i for start, count in pairs for i in range(count)]
    assert ranges(np.array(starts, int), np.array(counts, int)).tolist() == expected


@given(st.lists(st.lists(st.sampled_from([1, 2, 3])), max_size=5), st.data())
def test_first_match(targets, data):
    wanted = [data.draw(st.lists(st.sampled_from([1, 2, 3, 4]))) for _ in targets]
    event = np.repeat(np.arange(len(targets)), [len(w) for w in wanted])
    sizes = np.array([len(x) for x in targets], int)
    starts = np.cumsum(sizes) - sizes
    keys = np.array([x for item in targets for x in item], int)
    values = np.array([x for item in wanted for x in item], int)
    found, number = first_match([keys], [values], starts[event], sizes[event])
    pairs = [(item, value) for item, asked in zip(targets, wanted, strict=True) for value in asked]
    assert found.tolist() == [item.index(v) if v in item else -1 for item, v in pairs]
    assert number.tolist() == [item.count(v) for item, v in pairs]


@given(counts_lists, st.integers(2, 3))
def test_combinations_of_one_collection(counts, size):
    import itertools

    sizes = np.array(counts, int)
    starts = np.cumsum(sizes) - sizes
    event, members = combine([starts] * size, [sizes] * size, [-1, 0, 1][:size])
    expected = [
        (i, *(starts[i] + k for k in chosen))
        for i, count in enumerate(counts)
        for chosen in itertools.combinations(range(count), size)
    ]
    assert list(zip(event.tolist(), *(m.tolist() for m in members), strict=True)) == expected


@pytest.mark.parametrize(
    ("reduction", "expected", "valid"),
    [
        ("min", [1.0, 0.0, 5.0], [True, False, True]),
        ("max", [3.0, 0.0, 5.0], [True, False, True]),
        ("argmin", [1, 0, 0], [True, False, True]),
        ("argmax", [0, 0, 0], [True, False, True]),
        ("first", [3.0, 0.0, 5.0], [True, False, True]),
    ],
)
def test_picks_set_nan_aside_and_take_the_first(reduction, expected, valid):
    values = Values(np.array([3.0, 1.0, np.nan, 1.0, 3.0, 5.0]))
    event, local = np.array([0, 0, 0, 0, 0, 2]), np.array([0, 1, 2, 3, 4, 0])
    picked = reduce_segments(reduction, values, event, local, 3)
    np.testing.assert_array_equal(picked.data, expected)
    assert picked.valid.tolist() == valid


def test_sums_of_integers_are_exact():
    big = 2**60
    total = reduce_segments("sum", Values(np.array([big, 1, 1])), np.array([0, 0, 1]), None, 2)
    assert total.data.tolist() == [big + 1, 1]


def test_missing_values_do_not_count():
    values = Values(np.array([True, True, False]), np.array([False, True, True]))
    event = np.array([0, 1, 2])
    assert reduce_segments("any", values, event, event, 3).data.tolist() == [False, True, False]
    assert reduce_segments("all", values, event, event, 3).data.tolist() == [False, True, False]
    assert reduce_segments("sum", values, event, event, 3).data.tolist() == [0, 1, 0]


def test_extreme_of_booleans_and_of_nothing():
    values = Values(np.array([False, True]))
    assert extreme(values, np.zeros(2, int), largest=True).tolist() == [1]
    assert extreme(Values(np.zeros(0)), np.zeros(0, int), largest=True).tolist() == []


def test_first_of_strings():
    names = Names(np.array([1, 0, 1]), ("a", "b"))
    first = reduce_segments("first", Values(names), np.array([0, 0, 1]), np.array([0, 1, 0]), 2)
    assert [first.data.words[code] for code in first.data.codes] == ["b", "b"]
