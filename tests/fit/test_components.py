"""Shapes: normalised on the range, and equal to the numerical integral of their formula."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from flavorframe.fit import CrystalBall, Exponential, Gaussian, Parameter

EDGES = np.linspace(1.65, 2.01, 63)


def parameter(name):
    return Parameter(name, 1.0, limits=(0.0, 3.0))


PEAK = CrystalBall("Ds", *map(parameter, ("mean", "sigma", "alpha", "n")))
GAUSSIAN = Gaussian("phi", parameter("mean"), parameter("sigma"))
EXPONENTIAL = Exponential("background", parameter("slope"))


def crystal_ball(mass, mean, sigma, alpha, n):
    z = (mass - mean) / sigma
    if z > -alpha:
        return np.exp(-(z**2) / 2)
    a = (n / alpha) ** n * np.exp(-(alpha**2) / 2)
    return a * (n / alpha - alpha - z) ** -n


def gaussian(mass, mean, sigma):
    return np.exp(-(((mass - mean) / sigma) ** 2) / 2)


def exponential(mass, slope):
    return np.exp(slope * (mass - EDGES[0]))


SHAPES = [
    (PEAK, crystal_ball, (1.968, 0.012, 2.0, 3.0)),
    (PEAK, crystal_ball, (1.870, 0.020, 0.7, 1.2)),
    (PEAK, crystal_ball, (2.005, 0.012, 1.5, 40.0)),
    (GAUSSIAN, gaussian, (1.968, 0.012)),
    (GAUSSIAN, gaussian, (1.655, 0.004)),
    (EXPONENTIAL, exponential, (-1.17,)),
    (EXPONENTIAL, exponential, (20.0,)),
    (EXPONENTIAL, exponential, (0.0,)),
]


@pytest.mark.parametrize(("component", "formula", "values"), SHAPES)
def test_bins_are_integrals_not_centres(component, formula, values):
    def integral(low, high):
        return quad(formula, low, high, args=values, epsabs=0, epsrel=1e-10, limit=200)[0]

    bins = np.array([integral(*pair) for pair in pairwise(EDGES)])
    found = np.diff(component.cumulative(EDGES, *values))
    assert_allclose(found, bins / bins.sum(), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("component", "formula", "values"), SHAPES)
def test_normalised_on_the_range(component, formula, values):
    fractions = component.cumulative(EDGES, *values)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1, abs=1e-14)
    assert (np.diff(fractions) >= 0).all()


def test_exponential_goes_smoothly_through_zero_slope():
    flat = EXPONENTIAL.cumulative(EDGES, 0.0)
    for slope in (-1e-6, -1e-12, -1e-300, 1e-300, 1e-12, 1e-6):
        assert_allclose(EXPONENTIAL.cumulative(EDGES, slope), flat, atol=1e-6)
    either_side = [EXPONENTIAL.cumulative(EDGES, slope)[31] - flat[31] for slope in (-1e-4, 1e-4)]
    assert either_side[0] == pytest.approx(-either_side[1], rel=1e-3)


def test_kinds_and_titles():
    assert (PEAK.kind, GAUSSIAN.kind, EXPONENTIAL.kind) == ("signal", "signal", "background")
    reflected = Gaussian("Λc", *GAUSSIAN.parameters, kind="background", title="$Λ_c$")
    assert (reflected.kind, reflected.title) == ("background", "$Λ_c$")


def test_change_keeps_what_a_component_makes_of_the_parameter():
    scaled = Gaussian("D+", parameter("mean").times(0.95), parameter("sigma"))
    changed = scaled.change("mean", start=1.5).parameters
    assert (changed[0].start, changed[0].factor) == (1.5, 0.95)
    assert changed[1] == scaled.parameters[1]
