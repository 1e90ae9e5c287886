"""Weights that take the background out of other variables, and what is told against them."""

import sys

import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import Exponential, Gaussian, MassModel, Parameter

RANGE = (1.65, 2.01)
SIGMA = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
MODEL = MassModel(
    (
        Gaussian("Ds", Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV"), SIGMA),
        Exponential("background", Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")),
    ),
    RANGE,
)
SIGNAL, SIDEBANDS = (1.93, 2.005), [(1.70, 1.80), (1.82, 1.90)]


@pytest.fixture(scope="module")
def sample():
    """Return masses, and a time of 1 for the signal, 0.3 for the background, on average."""
    random = np.random.default_rng(1)
    signal, background = 1500, 3000
    masses = np.concatenate(
        [random.normal(1.968, 0.012, signal), random.uniform(*RANGE, background)]
    )
    times = np.concatenate([random.exponential(1.0, signal), random.exponential(0.3, background)])
    inside = (masses > RANGE[0]) & (masses < RANGE[1])
    return masses[inside], times[inside]


@pytest.fixture(scope="module")
def fit(sample):
    return MODEL.fit(sample[0]).require_valid()


def test_sweights_sum_to_yields_and_leave_the_signal(sample, fit):
    pytest.importorskip("sweights")
    masses, times = sample
    weights = fit.sweights(masses).require_valid()
    for name, found in fit.yields.items():
        assert weights[name].sum() == pytest.approx(found.value, rel=1e-3)
    assert np.average(times, weights=weights["Ds"]) == pytest.approx(1.0, abs=0.1)
    assert np.average(times, weights=weights["background"]) == pytest.approx(0.3, abs=0.03)


def test_candidates_out_of_range_get_no_weight(sample, fit):
    pytest.importorskip("sweights")
    weights = fit.sweights(np.append(sample[0], 5.0))
    assert weights["Ds"][-1] == weights["background"][-1] == 0
    with pytest.raises(FitError, match=r"no weights of 'ds'; there are Ds, background"):
        weights["ds"]


def test_sidebands_are_subtracted(sample, fit):
    masses, times = sample
    weights = fit.sideband_weights(masses, SIGNAL, SIDEBANDS).require_valid()["signal"]
    assert weights.sum() == pytest.approx(fit.yields["Ds"].value, rel=0.1)
    assert np.average(times, weights=weights) == pytest.approx(1.0, abs=0.1)
    assert set(np.sign(weights)) == {-1, 0, 1}


def test_a_peak_in_the_sidebands_is_told(sample, fit):
    found = fit.sideband_weights(sample[0], (1.96, 1.98), [(1.70, 1.80), (1.94, 1.955)])
    assert "of Ds lies in the sidebands, and is subtracted" in found.problems[0]
    assert "NOT VALID" in repr(found)


def test_a_variable_that_the_mass_depends_on_is_told(sample, fit):
    masses, _ = sample
    random = np.random.default_rng(2)
    apart = random.normal(size=len(masses))
    assert fit.sideband_weights(masses, SIGNAL, SIDEBANDS, control={"η": apart}).valid
    tilted = apart + 3 * masses
    found = fit.sideband_weights(masses, SIGNAL, SIDEBANDS, control={"pt": tilted})
    assert found.problems[0].startswith("the mass depends on pt: fits in 3 parts of it differ")
    with pytest.raises(FitError, match="the weights are not valid: the mass depends on pt"):
        found.require_valid()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda f, m: f.sideband_weights(m[:500], SIGNAL, SIDEBANDS),
            "give those that were fitted",
        ),
        (lambda f, m: f.sideband_weights(m, SIGNAL, []), "windows apart from each other"),
        (lambda f, m: f.sideband_weights(m, SIGNAL, [(1.9, 1.95)]), "windows apart"),
        (lambda f, m: f.sideband_weights(m, SIGNAL, [(1.6, 1.7)]), "in the range of the fit"),
        (
            lambda f, m: f.sideband_weights(m, SIGNAL, SIDEBANDS, control={"pt": m[1:]}),
            r"masses and \d+ values of pt",
        ),
    ],
)
def test_refused_with_one_clear_sentence(act, message, sample, fit):
    with pytest.raises(FitError, match=message):
        act(fit, sample[0])


def test_without_sweights_it_says_how_to_install_it(monkeypatch, sample, fit):
    monkeypatch.setitem(sys.modules, "sweights", None)
    with pytest.raises(FitError, match=r"^fit.sweights needs sweights: run pip install .*\[s"):
        fit.sweights(sample[0])
