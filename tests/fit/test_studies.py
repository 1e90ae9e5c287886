"""What comes with a fit: scans, contours, impacts, goodness by toys, bias, envelopes."""

from dataclasses import replace

import hist
import numpy as np
import pytest
from numpy.testing import assert_allclose

from flavorframe.errors import FitError
from flavorframe.fit import (
    Bernstein,
    Chebyshev,
    Constraint,
    Exponential,
    Gaussian,
    MassModel,
    Parameter,
    envelope,
)

RANGE = (1.65, 2.01)
SIGMA = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
PEAK = Gaussian("Ds", Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV"), SIGMA)
SLOPE = Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")
MODEL = MassModel((PEAK, Exponential("background", SLOPE)), RANGE)
CONSTRAINED = MODEL.change("sigma", constraint=Constraint(0.0125, 0.0006))


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(1)
    masses = np.concatenate([random.normal(1.968, 0.012, 600), random.uniform(*RANGE, 3000)])
    return hist.Hist.new.Reg(60, *RANGE).Int64().fill(masses)


@pytest.fixture(scope="module")
def fit(data):
    return CONSTRAINED.fit(data, minos=True).require_valid()


def test_a_scan_crosses_one_where_minos_does(fit):
    scan = fit.scan("N(Ds)")
    lower, upper = fit.parameters["N(Ds)"].minos
    low, high = scan.interval()
    assert low - scan.best == pytest.approx(lower, rel=0.01)
    assert high - scan.best == pytest.approx(upper, rel=0.01)
    assert scan.interval(0.9999)[1] == np.inf
    assert "Scan of N(Ds)" in repr(scan)
    assert scan.plot().axes


def test_a_contour_is_the_ellipse_of_the_covariance(fit):
    contour = fit.contour("N(Ds)", "sigma", points=12)
    distance = contour.points - contour.best
    places = [list(fit.parameters).index(name) for name in contour.names]
    inverse = np.linalg.inv(fit.covariance[np.ix_(places, places)])
    # χ² of two parameters at 68.3 % is 2.30
    assert_allclose(np.einsum("pi,ij,pj->p", distance, inverse, distance), 2.30, rtol=0.15)
    assert contour.plot().axes


def test_the_correlation_matrix(fit):
    found = fit.correlation
    assert_allclose(np.diag(found), 1)
    assert -1 < found[0, 1] < 0  # what is signal is no background


def test_impacts_and_pulls(fit, data):
    impacts = fit.impacts("N(Ds)")
    sigma = impacts.found["sigma"]
    assert sigma.pull == pytest.approx((fit.parameters["sigma"].value - 0.0125) / 0.0006)
    assert sigma.pull_error == pytest.approx(fit.parameters["sigma"].error / 0.0006, rel=1e-6)
    higher = fit.parameters["sigma"].value + fit.parameters["sigma"].error
    fixed = MODEL.change("sigma", start=higher, fixed=True).fit(data)
    assert sigma.up == pytest.approx(fixed.yields["Ds"].value - fit.yields["Ds"].value, rel=0.02)
    assert sigma.down < 0 < sigma.up
    assert "sigma" in repr(impacts)
    assert impacts.plot().axes


def test_goodness_of_fit_by_toys(fit, data):
    assert 0.01 < fit.goodness_of_fit(30).p_value < 0.99
    beside = data.copy()
    beside.view()[10:12] += 60  # a peak that the model does not have
    assert CONSTRAINED.fit(beside).goodness_of_fit(30).p_value == 0


def test_what_is_constrained_is_drawn_in_toys():
    known = Constraint(2.0, 0.1, log_normal=True)
    drawn = [known.drawn(2.0, np.random.default_rng(seed)) for seed in range(200)]
    assert np.std([c.pull(2.0) for c in drawn]) == pytest.approx(1.0, abs=0.15)


def test_bias_with_another_model(data):
    """A parabola fitted with a straight line: the yield of the peak is off by what is told."""
    curved = Chebyshev("background", tuple(Parameter(f"c{i}", 0, (-1, 1)) for i in (1, 2)))
    bent = data.copy()
    x = np.linspace(-1, 1, 60)
    bent[...] = data.values() + np.round(40 * (2 * x**2 - 1) + 45)
    nature = replace(MODEL, components=(PEAK, curved)).fit(bent).require_valid()
    straight = MODEL.change("mean", fixed=True).change("sigma", fixed=True)
    unbiased = nature.toys(10)
    biased = nature.toys(10, model=straight)
    assert abs(unbiased.summary["Ds"].mean) < 1.2
    assert biased.summary["Ds"].mean > unbiased.summary["Ds"].mean + 2
    other = MassModel((replace(PEAK, name="Bs"), Exponential("rest", SLOPE)), RANGE)
    with pytest.raises(FitError, match="has none of Ds, background: name its components alike"):
        nature.toys(3, model=other)
    with pytest.raises(FitError, match=r"data are of 1.65–2.01 GeV, the model is on 1.7–2.01 GeV"):
        nature.toys(3, model=replace(straight, range=(1.7, 2.01)))


def test_an_envelope_is_as_wide_as_the_models_differ(data):
    parabola = Bernstein("background", tuple(Parameter(f"b{i}", 1, (0, 9)) for i in (1, 2)))
    fits = {
        "exponential": MODEL.fit(data),
        "parabola": replace(MODEL, components=(PEAK, parabola)).fit(data),
    }
    found = envelope(fits, "N(Ds)", points=25)
    assert found.best_model == min(fits, key=lambda f: fits[f].chi2 + len(fits[f].model.names))
    assert_allclose(found.rise, np.min([*found.curves.values()], axis=0))
    assert min(found.rise) == pytest.approx(0, abs=0.05)
    low, high = found.interval(0.95)
    assert low < 600 < high
    assert found.plot().axes
    with pytest.raises(FitError, match="'other' is of other data than the first"):
        envelope({"one": fits["parabola"], "other": MODEL.fit(data.copy() + data)}, "N(Ds)")


def test_what_cannot_be_followed_is_told(fit, data):
    with pytest.raises(FitError, match=r"no parameter 'N\(DS\)'.*Did you mean 'N\(Ds\)'"):
        fit.scan("N(DS)")
    with pytest.raises(FitError, match="'mean' was fixed: free it"):
        CONSTRAINED.change("mean", fixed=True).fit(data).scan("mean")
    with pytest.raises(FitError, match="no parameter is constrained"):
        MODEL.fit(data).impacts("N(Ds)")
    masses = np.random.default_rng(1).uniform(*RANGE, 500)
    weighted = MODEL.only("background").fit(masses, weights=np.ones(500))
    with pytest.raises(FitError, match="weighted candidates does not tell errors"):
        weighted.scan("slope")
