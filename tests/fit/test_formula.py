"""Expressions of parameters: their values, their text, and where they stand in a model."""

import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import Constraint, Exponential, Gaussian, MassModel, Parameter

A, B = (Parameter(name, 2.0, limits=(0.0, 10.0)) for name in "ab")
AT = {"a": 3.0, "b": 2.0}


@pytest.mark.parametrize(
    ("formula", "text", "value"),
    [
        (A + 2 * B, "a + 2·b", 7.0),
        (1 - A, "1 − a", -2.0),
        (A - (B - 1), "a − (b − 1)", 2.0),
        ((A + 1) * B, "(a + 1)·b", 8.0),
        (1 / A / B, "1/a/b", 1 / 6),
        (A / (B * 2), "a/(b·2)", 0.75),
        (A**2, "a**2", 9.0),
        (-A, "-1·a", -3.0),
        (3 + A.times(0.5), "3 + 0.5·a", 4.5),
    ],
)
def test_values_and_text(formula, text, value):
    assert (repr(formula), formula.at(AT)) == (text, pytest.approx(value))


def ratio_model():
    total = Parameter("N", 1000, limits=(0, 9000))
    ratio = Parameter("ratio", 0.5, limits=(0, 2))
    mean = Parameter("mean", 1.97, limits=(1.9, 2.0), unit="GeV")
    sigma = Parameter("sigma", 0.01, limits=(0.001, 0.1), unit="GeV")
    return MassModel(
        (
            Gaussian("Ds", mean, sigma, candidates=total),
            Gaussian("D+", mean - 0.1, sigma, candidates=ratio * total),
            Exponential("background", Parameter("slope", 0.0, limits=(-20, 20))),
        ),
        (1.65, 2.01),
    )


def test_a_model_takes_them_for_shapes_and_for_candidates():
    model = ratio_model()
    assert model.names == ("N(background)", "mean", "sigma", "N", "ratio", "slope")
    edges = np.linspace(1.65, 2.01, 37)
    found = model.expected(edges, (10.0, 1.97, 0.004, 1000.0, 0.25, 0.0))
    assert found["D+"].sum() == pytest.approx(250)
    assert edges[np.argmax(found["D+"])] == pytest.approx(1.865, abs=0.006)
    assert model.change("ratio", start=0.1).parameters["ratio"].start == 0.1


def test_a_model_shows_them():
    shown = repr(ratio_model().change("sigma", constraint=Constraint(0.0121, 0.0004)))
    assert "mean − 0.1, sigma  ratio·N" in shown
    assert "0.01210 ± 0.00040" in shown


def test_a_yield_that_is_also_a_parameter_is_refused():
    n = Parameter("N(Ds)", 1, limits=(0, 9))
    width = Parameter("s", 0.01, limits=(0.001, 0.1))
    with pytest.raises(FitError, match="give it to that too, candidates=parameter"):
        MassModel((Gaussian("Ds", n, width), Exponential("b", width)), (0, 1))


def test_constraints():
    assert Constraint(2.0, 0.5).pull(3.0) == 2.0
    assert Constraint(2.0, 0.2, log_normal=True).pull(2.2) == pytest.approx(1.0)
    with pytest.raises(FitError, match="fixed=True"):
        Constraint(2.0, 0.0)
    with pytest.raises(FitError, match="leave out log_normal=True"):
        Constraint(-2.0, 1.0, log_normal=True)
