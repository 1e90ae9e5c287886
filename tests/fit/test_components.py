"""Shapes: normalised on the range, and equal to the numerical integral of their formula."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from flavorframe.errors import FitError
from flavorframe.fit import (
    Argus,
    Bernstein,
    Chebyshev,
    Component,
    Convolved,
    CrystalBall,
    DoubleCrystalBall,
    Exponential,
    Gaussian,
    JohnsonSU,
    Parameter,
    StudentT,
    Sum,
    Template,
    Threshold,
    Voigt,
)

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


def voigt(mass, mean, width, sigma):
    def resonance(at):
        return width / ((at - mean) ** 2 + width**2 / 4) * gaussian(mass, at, sigma)

    return quad(resonance, mass - 8 * sigma, mass + 8 * sigma, points=[mean], limit=200)[0]


def argus(mass, end, chi):
    rest = max(1 - (mass / end) ** 2, 0)
    return mass * np.sqrt(rest) * np.exp(-(chi**2) * rest / 2)


def threshold(mass, start, power, slope):
    return (mass - start) ** power * np.exp(-(mass - start) * slope) if mass > start else 0.0


def double_crystal_ball(mass, mean, sigma, alpha_low, n_low, alpha_high, n_high):
    if mass < mean:
        return crystal_ball(mass, mean, sigma, alpha_low, n_low)
    return crystal_ball(2 * mean - mass, mean, sigma, alpha_high, n_high)


def johnson(mass, mean, sigma, gamma, delta):
    z = (mass - mean) / sigma
    return np.exp(-((gamma + delta * np.arcsinh(z)) ** 2) / 2) / np.sqrt(1 + z**2)


def student(mass, mean, sigma, n):
    return (1 + ((mass - mean) / sigma) ** 2 / n) ** (-(n + 1) / 2)


def two_gaussians(mass, mean, narrow, _, wide, fraction):
    return fraction * gaussian(mass, mean, narrow) / narrow + (1 - fraction) * (
        gaussian(mass, mean, wide) / wide
    )


def parabola(mass, c1, c2):
    u = (2 * mass - 3.66) / 0.36
    return 1 + c1 * u + c2 * (2 * u**2 - 1)


def bernstein(mass, b1, b2):
    u = (mass - 1.65) / 0.36
    return (1 - u) ** 2 + b1 * 2 * u * (1 - u) + b2 * u**2


def made(component, *names):
    return component("x", *map(parameter, names))


SHAPES = [
    (
        made(DoubleCrystalBall, "mean", "sigma", "low", "n_low", "high", "n_high"),
        double_crystal_ball,
        (1.9, 0.012, 1.2, 3.0, 0.8, 2.0),
    ),
    (made(JohnsonSU, "mean", "sigma", "gamma", "delta"), johnson, (1.9, 0.02, 0.4, 1.3)),
    (made(StudentT, "mean", "sigma", "n"), student, (1.9, 0.01, 2.5)),
    (made(Voigt, "mean", "width", "sigma"), voigt, (1.9, 0.008, 0.005)),
    (made(Argus, "end", "chi"), argus, (1.98, 2.5)),
    (made(Threshold, "start", "power", "slope"), threshold, (1.70, 0.6, 9.0)),
    (Chebyshev("x", (parameter("c1"), parameter("c2"))), parabola, (-0.4, 0.2)),
    (Bernstein("x", (parameter("b1"), parameter("b2"))), bernstein, (0.6, 0.2)),
    (
        Sum(
            "x",
            (
                Gaussian("", parameter("mean"), parameter("narrow")),
                Gaussian("", parameter("mean"), parameter("wide")),
            ),
            (parameter("fraction"),),
        ),
        two_gaussians,
        # The mean is an argument of both.
        (1.9, 0.01, 1.9, 0.02, 0.7),
    ),
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


@pytest.mark.parametrize(("component", "formula", "values"), SHAPES)
def test_densities_are_those_of_the_bins(component, formula, values):
    """The density, and the one that is got from fractions alone, which own shapes have."""
    masses = np.array([1.72, 1.875, 1.89, 1.903, 1.975])
    around = np.sort(np.concatenate([masses - 1e-6, masses + 1e-6, EDGES[[0, -1]]]))
    expected = np.diff(component.cumulative(around, *values))[1::2] / 2e-6
    ends = (EDGES[0], EDGES[-1])
    assert_allclose(component.density(masses, ends, *values), expected, rtol=1e-3, atol=1e-7)
    by_difference = Component.density(component, masses, ends, *values)
    assert_allclose(by_difference, expected, rtol=1e-3, atol=1e-7)


def test_a_convolution_of_gaussians_is_a_gaussian():
    seen = Convolved("Ds", made(Gaussian, "mean", "sigma"), parameter("resolution"))
    wide = GAUSSIAN.cumulative(EDGES, 2.0, 0.02)
    assert_allclose(seen.cumulative(EDGES, 2.0, 0.012, 0.016), wide, atol=2e-6)
    masses = np.linspace(1.96, 2.0, 9)
    ends = (EDGES[0], EDGES[-1])
    expected = GAUSSIAN.density(masses, ends, 2.0, 0.02)
    assert_allclose(seen.density(masses, ends, 2.0, 0.012, 0.016), expected, rtol=1e-4)


def test_a_kernel_estimate_is_the_sum_of_gaussians():
    near = np.array([1.80, 1.80, 1.90])
    estimate = Template.of_candidates("x", near, (1.65, 2.01), bandwidth=0.01)
    expected = sum(GAUSSIAN.cumulative(EDGES, mean, 0.01) for mean in near) / 3
    assert_allclose(estimate.cumulative(EDGES), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sum("x", (PEAK, GAUSSIAN), ()), "has 2 shapes and 0 fractions"),
        (lambda: Template("x", (0, 1), ()), "one edge more than bins"),
        (lambda: Template.of_candidates("x", [1.0], (0, 1)), "two or more finite masses"),
        (lambda: Template("x", (1, 2), (3,)).require_covers((0, 2)), "goes from 1 to 2, the model"),
    ],
)
def test_what_makes_no_shape_is_refused(make, message):
    with pytest.raises(FitError, match=message):
        make()


def test_values_that_make_no_shape_are_problems():
    ends = (EDGES[0], EDGES[-1])
    three = Sum("Ds", (GAUSSIAN, GAUSSIAN, GAUSSIAN), (parameter("f"), parameter("g")))
    assert three.problems(ends, 1.9, 0.01, 1.9, 0.01, 1.9, 0.01, 0.5, 0.4) == ()
    (told,) = three.problems(ends, 1.9, 0.01, 1.9, 0.01, 1.9, 0.01, 0.7, 0.5)
    assert told.startswith("the fractions in Ds add up to 1.2: ")
    seen = Convolved("Ds", GAUSSIAN, parameter("resolution"))
    assert seen.problems(ends, 1.9, 0.01, 0.04) == ()
    assert "is too wide for the range" in seen.problems(ends, 1.9, 0.01, 0.06)[0]


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
