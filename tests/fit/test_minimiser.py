"""The fit itself: likelihood, weights, MINOS, and spectra that cannot be fitted."""

import hist
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from flavorframe.errors import FitError
from flavorframe.fit import dsphi


@pytest.fixture(scope="module")
def fit(drawn):
    return dsphi().fit(drawn(), minos=True).require_valid()


def weighted(counts, weights, seed=1):
    """Make a weighted histogram of counts: each candidate with a weight drawn from a function."""
    result = hist.Hist.new.Reg(62, 1.65, 2.01, label="m(μμπ) [GeV]").Weight()
    random = np.random.default_rng(seed)
    for centre, count in zip(counts.axes[0].centers, counts.values().astype(int), strict=True):
        result.fill(np.full(count, centre), weight=weights(random, count))
    return result


def test_chi2_is_the_likelihood_ratio_of_baker_and_cousins(fit):
    n, mu = fit.data.values, fit.expected
    likelihood = stats.poisson.logpmf(n, mu) - stats.poisson.logpmf(n, n)
    assert fit.chi2 == pytest.approx(-2 * likelihood.sum(), rel=1e-9)
    assert fit.nll == pytest.approx(-likelihood.sum(), rel=1e-9)
    assert fit.p_value == pytest.approx(stats.chi2.sf(fit.chi2, fit.ndf), rel=1e-9)


def test_degrees_of_freedom_are_bins_less_free_parameters(fit):
    assert fit.ndf == 62 - 6
    assert fit.chi2_ndf == fit.chi2 / 56


def test_the_sum_of_yields_is_the_number_of_candidates(fit):
    total = sum(found.value for found in fit.yields.values())
    assert total == pytest.approx(fit.data.values.sum(), rel=1e-4)


def test_minos_agrees_with_hesse_where_the_likelihood_is_a_parabola(fit):
    for parameter in fit.fitted:
        if parameter.fixed:
            assert parameter.minos is None
        else:
            lower, upper = parameter.minos
            assert_allclose([-lower, upper], parameter.error, rtol=0.1)


def test_without_minos_there_are_no_minos_errors(drawn):
    assert {parameter.minos for parameter in dsphi().fit(drawn()).fitted} == {None}


def test_covariance_has_the_errors_on_its_diagonal(fit):
    errors = [parameter.error for parameter in fit.fitted]
    assert_allclose(np.sqrt(np.diag(fit.covariance)), errors, rtol=0.02)
    assert fit.parameters["alpha"].error == 0


def test_unit_weights_give_the_fit_of_the_counts(fit):
    again = dsphi().fit(weighted(fit_counts(fit), lambda _, size: np.ones(size)))
    assert_allclose(again.values, fit.values, rtol=1e-4)
    assert again.chi2 == pytest.approx(fit.chi2, rel=1e-6)


def test_a_common_weight_scales_yields_and_errors(fit):
    again = dsphi().fit(weighted(fit_counts(fit), lambda _, size: np.full(size, 0.1)))
    assert again.valid
    assert_allclose(again.yields["Ds"], np.multiply(0.1, fit.yields["Ds"]), rtol=1e-3)
    assert again.chi2 == pytest.approx(fit.chi2, rel=1e-4)


def test_uneven_weights_widen_the_error(fit):
    spread = weighted(fit_counts(fit), lambda random, size: random.choice([0.5, 1.5], size))
    again = dsphi().fit(spread).require_valid()
    widening = again.yields["Ds"].error / fit.yields["Ds"].error
    # √⟨w²⟩ = √1.25 for weights of mean one.
    assert widening == pytest.approx(1.25**0.5, rel=0.05)


def test_too_few_candidates_for_the_parameters(drawn):
    few = drawn().reset().fill([1.7, 1.8, 1.968, 1.969, 1.970, 1.970])
    with pytest.raises(FitError, match="bins with candidates: 4, too few for the 6 free"):
        dsphi().fit(few)


def test_no_peak_is_not_valid(background):
    for size in (1.0, 0.05):
        fit = dsphi().fit(background(size))
        assert not fit.valid
        assert any("no significant Ds peak" in problem for problem in fit.problems)


def test_a_handful_of_candidates_is_not_valid(drawn):
    few = drawn().reset().fill(np.random.default_rng(1).uniform(1.65, 2.01, 30))
    assert not dsphi().fit(few).valid


def test_a_parameter_pushed_to_its_limit_is_not_valid(drawn):
    fit = dsphi().change("slope", limits=(-1.0, -0.01)).fit(drawn())
    assert not fit.valid
    assert any("slope = -1.0" in p and "at its limit" in p for p in fit.problems)


def test_a_component_that_is_missing_in_simulation_is_not_valid(drawn):
    signal = drawn().reset().fill(np.random.default_rng(1).normal(1.968, 0.012, 20_000))
    assert not dsphi().fit(signal).valid


def fit_counts(fit):
    counts = hist.Hist.new.Reg(62, 1.65, 2.01).Int64()
    counts[...] = fit.data.values
    return counts
