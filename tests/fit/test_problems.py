"""What is wrong with a fit is said: every verdict of Minuit, and what Minuit does not notice."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import CrystalBall, Exponential, Gaussian, MassModel, Parameter, dsphi
from flavorframe.fit.problems import covariance_problems, migrad_problems

GOOD = {
    "is_valid": True,
    "is_above_max_edm": False,
    "has_reached_call_limit": False,
    "edm": 1e-6,
    "edm_goal": 2e-4,
    "nfcn": 300,
    "has_covariance": True,
    "hesse_failed": False,
    "has_made_posdef_covar": False,
    "has_posdef_covar": True,
    "has_accurate_covar": True,
}


def minimum(**changes):
    return SimpleNamespace(**(GOOD | changes))


def as_published():
    """Return the published model: everything free, in the limits of the notebook."""
    return MassModel(
        components=(
            CrystalBall(
                "Ds",
                Parameter("mean1", 1.97, limits=(1.94, 2.1)),
                Parameter("sigma1", 0.02, limits=(0.001, 0.1)),
                Parameter("alpha1", 1.0, limits=(0.01, 10)),
                Parameter("n1", 1.1, limits=(1.001, 25)),
            ),
            CrystalBall(
                "D+",
                Parameter("mean2", 1.87, limits=(1.82, 1.89)),
                Parameter("sigma2", 0.05, limits=(0.001, 0.05)),
                Parameter("alpha2", 1.0, limits=(0.01, 10)),
                Parameter("n2", 1.1, limits=(1.001, 25)),
            ),
            Exponential("background", Parameter("gamma", -1.0, limits=(-2.0, -0.01))),
        ),
        range=(1.65, 2.01),
    )


def test_a_good_minimum_has_no_problems():
    assert migrad_problems(minimum()) == covariance_problems(minimum()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"is_above_max_edm": True, "edm": 1267.69}, "EDM = 1268, should be below 0.0002"),
        ({"has_reached_call_limit": True}, "within its limit of calls (300 used)"),
        ({}, "did not find a minimum"),
    ],
)
def test_migrad_says_why_it_failed(changes, message):
    (problem,) = migrad_problems(minimum(is_valid=False, **changes))
    assert message in problem


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hesse_failed": True}, "there is no covariance matrix"),
        ({"has_covariance": False}, "there is no covariance matrix"),
        ({"has_made_posdef_covar": True}, "forced to be positive-definite"),
        ({"has_posdef_covar": False}, "is not positive-definite"),
        ({"has_accurate_covar": False}, "only approximate"),
    ],
)
def test_hesse_says_why_it_failed(changes, message):
    (problem,) = covariance_problems(minimum(**changes))
    assert message in problem


def test_the_published_parametrisation_cannot_pass_unnoticed(drawn):
    fit = as_published().fit(drawn())
    assert not fit.valid
    assert any("at its limit" in problem for problem in fit.problems)
    with pytest.raises(FitError, match="the fit is not valid: "):
        fit.require_valid()


def test_numbers_that_are_not_finite_are_named(drawn):
    beyond = Parameter("mean", 9.0, limits=(8.0, 10.0), unit="GeV")
    peak = Gaussian("far", beyond, Parameter("sigma", 0.01, limits=(0.001, 0.02), unit="GeV"))
    slope = Parameter("slope", -1.0, limits=(-20, 20))
    fit = MassModel((peak, Exponential("background", slope)), (1.65, 2.01)).fit(drawn())
    assert any(problem.startswith("not a finite number: ") for problem in fit.problems)
    assert "NOT VALID" in repr(fit)
    assert fit.plot().axes
    assert json.dumps(fit.to_dict(), allow_nan=False)


def test_a_negative_sum_is_noticed(drawn):
    hole = drawn()
    hole.view()[36:42] = 0
    fit = dsphi().fit(hole)
    assert any("expects no or negative candidates" in problem for problem in fit.problems)


def test_a_weak_peak_beside_a_strong_one_is_no_problem(expected):
    without_dplus = expected()
    model = dsphi().only("Ds", "background")
    values = [5280.0, 63240.0, 1.968, 0.012, 2.0, 3.0, -1.17]
    without_dplus[...] = np.diff(model.cumulative(without_dplus.axes[0].edges, *values))
    fit = dsphi().fit(without_dplus).require_valid()
    assert abs(fit.yields["D+"].value) < fit.yields["D+"].error


def test_failed_minos_is_a_problem(drawn, monkeypatch):
    from iminuit import Minuit

    def minos(self):
        self._merrors["mean"] = SimpleNamespace(is_valid=False, lower=0.0, upper=0.0)

    monkeypatch.setattr(Minuit, "minos", minos)
    fit = dsphi().fit(drawn(), minos=True)
    assert fit.problems == ("MINOS found no asymmetric error for mean",)
    assert fit.parameters["mean"].minos is None
