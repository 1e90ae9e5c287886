"""The Ds → φπ model: recovers the truth, at the published sample size and far below."""

import numpy as np
import pytest

from flavorframe.fit import dsphi

DEMO_SIZES = [1.0, 0.1, 0.05]


@pytest.mark.parametrize("size", DEMO_SIZES)
def test_expected_spectrum_gives_back_the_truth(expected, size):
    fit = dsphi().fit(expected(size)).require_valid()
    assert fit.yields["Ds"].value == pytest.approx(5280 * size, rel=1e-3)
    assert fit.yields["D+"].value == pytest.approx(1840 * size, rel=1e-3)
    assert fit.parameters["mean"].value == pytest.approx(1.968, abs=1e-5)
    assert fit.parameters["sigma"].value == pytest.approx(0.012, rel=1e-3)
    assert fit.parameters["slope"].value == pytest.approx(-1.17, rel=1e-3)
    assert fit.chi2 == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("size", [DEMO_SIZES[0], DEMO_SIZES[-1]])
def test_toys_are_valid_and_their_errors_right(expected, size):
    study = dsphi().fit(expected(size)).toys(500)
    assert study.valid_fraction >= 0.995
    assert study.summary["Ds"].mean == pytest.approx(0, abs=0.1)
    assert study.summary["Ds"].width == pytest.approx(1, abs=0.1)


def test_drawn_spectrum_is_described(drawn):
    fit = dsphi().fit(drawn()).require_valid()
    assert fit.p_value > 0.01
    for name, truth in {"Ds": 5280, "D+": 1840, "background": 63240}.items():
        assert abs(fit.yields[name].value - truth) < 3 * fit.yields[name].error


def test_tail_can_be_measured_on_simulation_and_used_on_data(drawn):
    from numba_stats import crystalball  # which compiles as it is imported

    tail = dsphi().only("Ds").change("alpha", fixed=False)
    simulated = drawn()
    masses = crystalball.ppf(np.random.default_rng(1).random(20_000), 1.7, 3.0, 1.968, 0.012)
    found = tail.fit(simulated.reset().fill(masses)).require_valid().parameters["alpha"]
    assert found.value == pytest.approx(1.7, abs=3 * found.error)
    assert dsphi().change("alpha", start=found.value).fit(drawn()).valid
