"""Exact sums: the same bits as the correctly rounded sum, in any order and grouping."""

import json
import math
import pickle

import boost_histogram as bh
import numpy as np
import pytest

from flavorframe.engines._exact import ExactFloat, ExactSums, exact_sum
from flavorframe.engines._weighted import WeightedHistogram


def numbers(spread, seed=1, size=3000):
    rng = np.random.default_rng(seed)
    return rng.normal(size=size) * np.exp(rng.uniform(-spread, spread, size))


@pytest.mark.parametrize("spread", [0, 1, 40, 300])
def test_sums_are_rounded_once(spread):
    values = numbers(spread)
    assert exact_sum(values) == math.fsum(values)
    parts = [exact_sum(part) for part in np.array_split(values[::-1], 7)]
    assert sum(parts, 0.0) == math.fsum(values)


def test_a_plain_sum_would_not_do():
    values = numbers(1)
    assert sum(map(float, np.array_split(values, 7)[0])) != float(values.sum())
    sums = {float(sum(part.sum() for part in np.array_split(values, n))) for n in (1, 3, 7, 50)}
    assert len(sums) > 1


def test_smallest_largest_and_unusual():
    tiny = 5e-324
    assert exact_sum(np.array([tiny, tiny])) == 2 * tiny
    assert exact_sum(np.array([1.7e308] * 2)) == math.inf
    assert exact_sum(np.array([1.7e308] * 2)) + exact_sum(np.array([-1.7e308])) == 1.7e308
    assert exact_sum(np.array([])) == 0
    assert exact_sum(np.array([1, math.inf])) == math.inf
    assert math.isnan(exact_sum(np.array([1.0])) + math.nan)


def test_they_travel_and_print_as_floats():
    total = exact_sum(np.array([0.1] * 10))
    again = pickle.loads(pickle.dumps(total))
    assert isinstance(again, ExactFloat)
    assert again.exact == total.exact
    assert json.dumps([total]) == "[1.0]"


@pytest.mark.parametrize("spread", [0, 40])
def test_sums_by_bin(spread):
    values, bins = numbers(spread), np.random.default_rng(2).integers(0, 5, 3000)
    expected = [math.fsum(values[bins == i]) for i in range(5)]
    total = ExactSums(5)
    for start in range(0, 3000, 17):
        part = ExactSums(5)
        part.add(bins[start : start + 17], values[start : start + 17])
        total = part + total
    assert total.rounded().tolist() == expected


def test_bins_with_infinite_weights():
    sums = ExactSums(3)
    sums.add(np.array([0, 1, 1, 2]), np.array([math.inf, 1, math.nan, 0.5]))
    first, second, third = sums.rounded()
    assert (first, third) == (math.inf, 0.5)
    assert math.isnan(second)


def test_histograms_agree_with_boost_histogram():
    x, y = numbers(0, 3), numbers(0, 4)
    x[:3] = math.nan, math.inf, -math.inf
    weight = np.abs(numbers(1, 5))
    axes = [bh.axis.Regular(10, -2, 2), bh.axis.Variable([-1, 0, 0.3, 4])]
    plain = bh.Histogram(*axes, storage=bh.storage.Weight()).fill(x, y, weight=weight)
    exact = WeightedHistogram(axes).fill(x, y, weight=weight)
    for field in ("value", "variance"):
        np.testing.assert_allclose(
            exact.view(flow=True)[field], plain.view(flow=True)[field], rtol=1e-12
        )
