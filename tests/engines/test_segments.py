"""Computations within events, against plain Python loops."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, strategies as st

from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import Strings
from flavorframe.engines._columnar.segments import (
    UNKNOWN,
    apply_tables,
    best,
    combine,
    extreme,
    find_sorted,
    first_match,
    ranges,
    reduce_segments,
    spread,
)
from flavorframe.engines._columnar.values import Values
from support.compiled_part import needs_compiled

counts_lists = st.lists(st.integers(0, 4), max_size=6)
either_way = pytest.mark.parametrize("native", [compiled.native, None], ids=["compiled", "numpy"])


def by(native):
    """Have the compiled part do it, or numpy, as where there was no compiler."""
    return mock.patch.object(compiled, "native", native)


@either_way
@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_ranges(native, pairs):
    starts, counts = (np.array(x, int) for x in zip(*pairs, strict=True)) if pairs else ([], [])
    expected = [start + i for start, count in pairs for i in range(count)]
    with by(native):
        assert ranges(np.array(starts, int), np.array(counts, int)).tolist() == expected
        assert spread(np.array(counts, int)).tolist() == [
            number for number, (_, count) in enumerate(pairs) for _ in range(count)
        ]


@either_way
@given(known=st.sets(st.integers(0, 20)), wanted=st.sets(st.integers(0, 20)))
def test_find_sorted(native, known, wanted):
    known, wanted = sorted(known), sorted(wanted)
    with by(native):
        found = find_sorted(np.array(known, int), np.array(wanted, int))
    assert found.tolist() == [known.index(x) if x in known else -1 for x in wanted]


@either_way
@given(data=st.data(), counts=counts_lists, steps=st.integers(0, 4))
def test_sift(native, data, counts, steps):
    size = sum(counts)
    event = [number for number, count in enumerate(counts) for _ in range(count)]
    tables = [data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
              for _ in range(steps)]  # fmt: skip
    cuts = data.draw(st.lists(st.booleans(), min_size=steps, max_size=steps))
    alive = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    joined = np.array([i > 0 and event[i] == event[i - 1] for i in range(size)], bool)
    with by(native):
        left, rows = apply_tables(
            [np.array(t, np.uint8) for t in tables], cuts, joined, np.array(alive, bool)
        )
    living, expected = [i for i in range(size) if alive[i]], []
    for table, cut in zip(tables, cuts, strict=True):
        said = [table[i] for i in living]
        if UNKNOWN in said:
            break
        living = [i for i in living if table[i] == 1 or not cut]
        events = len({event[i] for i in living}) if cut else 0
        expected.append([said.count(0), said.count(1), said.count(2), events])
    assert np.flatnonzero(left).tolist() == living
    assert rows.tolist() == expected


@needs_compiled
def test_sift_takes_nothing_that_does_not_fit():
    joined, alive = np.zeros(3, bool), np.ones(3, bool)
    assert len(apply_tables([np.ones(2, np.uint8)], [True], joined, alive)[1]) == 0
    with pytest.raises(ValueError, match="do not fit"):
        apply_tables([np.ones(3, np.uint8)], [True], joined[:2], alive)


numbers = st.sampled_from([1.0, 2.0, 2.0, -math.inf, math.inf, math.nan])


@either_way
@given(
    lists=st.lists(st.lists(st.tuples(numbers, st.booleans()), min_size=1, max_size=4), max_size=5),
    largest=st.booleans(),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_best(native, lists, largest, kind):
    flat = [pair for each in lists for pair in each]
    data = np.array([value for value, _ in flat], kind)
    valid = np.array([there for _, there in flat], bool)
    first = np.cumsum([0, *map(len, lists)], dtype=int)[:-1]
    with by(native):
        found = best(Values(data, valid), first, largest=largest)
    expected = []
    for each in lists:
        usable = [value for value, there in each if there and value == value]
        most = (max if largest else min)(usable, default=None)
        place = 0 if most is None else each.index((most, True))
        expected.append(place)
    assert (found - first).tolist() == expected


def test_best_of_integers():
    values = Values(np.array([2**53, 2**53 + 1, 5]))
    assert best(values, np.array([0, 2]), largest=True).tolist() == [1, 2]


@either_way
@given(
    targets=st.lists(st.lists(st.sampled_from([1, 2, 3])), max_size=5),
    data=st.data(),
    kinds=st.lists(st.sampled_from("fdilh"), min_size=1, max_size=3),
)
def test_first_match(native, targets, data, kinds):
    wanted = [data.draw(st.lists(st.sampled_from([1, 2, 3, 4]))) for _ in targets]
    event = np.repeat(np.arange(len(targets)), [len(w) for w in wanted])
    sizes = np.array([len(x) for x in targets], int)
    starts = np.cumsum(sizes) - sizes
    keys = np.array([x for item in targets for x in item], int)
    values = np.array([x for item in wanted for x in item], int)
    with by(native):
        found, number = first_match(
            [keys.astype(kind) for kind in kinds],
            [values.astype(kind) for kind in kinds],
            starts[event],
            sizes[event],
        )
    pairs = [(item, value) for item, asked in zip(targets, wanted, strict=True) for value in asked]
    assert found.tolist() == [item.index(v) if v in item else -1 for item, v in pairs]
    assert number.tolist() == [item.count(v) for item, v in pairs]


@either_way
def test_first_match_asks_for_all_keys_and_nan_matches_nothing(native):
    keys = [np.array([1.0, 1.0, np.nan]), np.array([5, 6, 7])]
    values = [np.array([1.0, np.nan, -0.0]), np.array([6, 7, 6])]
    with by(native):
        found, number = first_match(keys, values, np.zeros(3, int), np.full(3, 3))
    assert found.tolist() == [1, -1, -1]
    assert number.tolist() == [1, 0, 0]


@needs_compiled
def test_first_match_takes_nothing_that_does_not_fit():
    keys, values = [np.arange(3.0)], [np.arange(2.0)]
    for starts, counts in (([0, 2], [1, 2]), ([-1, 0], [1, 1]), ([0], [1])):
        with pytest.raises(ValueError, match="do not fit"):
            first_match(keys, values, np.array(starts), np.array(counts))


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
    names = Strings(np.array([1, 0, 1]), ("a", "b"))
    first = reduce_segments("first", Values(names), np.array([0, 0, 1]), np.array([0, 1, 0]), 2)
    assert [first.data.categories[code] for code in first.data.codes] == ["b", "b"]


def test_an_unknown_reduction_is_an_error():
    one = np.zeros(1, int)
    with pytest.raises(NotImplementedError, match="median"):
        reduce_segments("median", Values(one), one, one, 1)
