"""Toy studies: reproducible, honest about failed fits, right for weighted data."""

from dataclasses import replace

import hist
import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import dsphi
from flavorframe.fit.toys import ToyStudy, pseudo_data


@pytest.fixture(scope="module")
def fit(drawn):
    return dsphi().fit(drawn(0.1)).require_valid()


def test_a_seed_gives_the_same_toys(fit):
    first, again, other = fit.toys(5, seed=3), fit.toys(5, seed=3), fit.toys(5, seed=4)
    assert first.pulls["Ds"].tolist() == again.pulls["Ds"].tolist()
    assert first.pulls["Ds"].tolist() != other.pulls["Ds"].tolist()


def test_truth_is_what_was_fitted(fit):
    study = fit.toys(3)
    assert study.truth == {name: found.value for name, found in fit.yields.items()}
    assert {len(pulls) for pulls in study.pulls.values()} == {3}


def test_summary_is_mean_and_width_with_errors():
    study = ToyStudy(4, {"Ds": 10.0}, {"Ds": np.array([-1.0, 0.0, 1.0, 2.0])})
    mean, mean_error, width, width_error = study.summary["Ds"]
    assert (mean, width) == pytest.approx((0.5, 1.2910), abs=1e-4)
    assert (mean_error, width_error) == pytest.approx((0.6455, 0.5270), abs=1e-4)


@pytest.mark.slow
def test_failed_fits_are_counted_and_explained(fit):
    # In a sample of this size the tail is not determined: many toys end at its limit.
    free = fit.model.change("alpha", fixed=False)
    study = replace(fit, model=free).toys(20)
    assert 0 < study.valid_fraction < 1
    assert len(study.failures) == round(20 * (1 - study.valid_fraction))
    assert all("at its limit" in failure for failure in study.failures)
    assert len(study.pulls["Ds"]) == 20 - len(study.failures)


def test_toys_that_all_fail_are_an_error(fit):
    narrow = fit.model.change("slope", limits=(-1.001, -1.0))
    with pytest.raises(FitError, match=r"5 of 5 toys have no valid fit, e\.g\. slope"):
        replace(fit, model=narrow).toys(5)


def test_one_toy_is_no_study(fit):
    with pytest.raises(FitError, match="count=1 must be at least 2"):
        fit.toys(1)


@pytest.mark.slow
def test_toys_of_weighted_data_have_its_spread(drawn):
    counts = drawn()
    weighted = hist.Hist.new.Reg(62, 1.65, 2.01).Weight()
    weighted[...] = np.stack([counts.values() / 2, counts.values() / 4], axis=1)
    fit = dsphi().fit(weighted).require_valid()
    random = np.random.default_rng(1)
    toys = [pseudo_data(fit.model, fit.data, fit.values, random) for _ in range(400)]
    totals = np.array([toy.values.sum() for toy in toys])
    assert totals.mean() == pytest.approx(counts.values().sum() / 2, rel=1e-3)
    assert totals.std() == pytest.approx((counts.values().sum() / 4) ** 0.5, rel=0.15)
    assert toys[0].variances == pytest.approx(toys[0].values / 2)
    pulls = fit.toys(60).summary["Ds"]
    assert pulls.mean == pytest.approx(0, abs=4 * pulls.mean_error)
    assert pulls.width == pytest.approx(1, abs=4 * pulls.width_error)
