"""Models: composition, sharing of parameters, and what they refuse."""

import pickle
from dataclasses import replace

import hist
import numpy as np
import pytest
from numpy.testing import assert_allclose

from flavorframe.errors import FitError
from flavorframe.fit import Exponential, Gaussian, MassModel, Parameter, Stage, dsphi

EDGES = np.linspace(1.65, 2.01, 63)
VALUES = (500.0, 200.0, 6000.0, 1.968, 0.012, 2.0, 3.0, -1.2)


def flat(name="background", slope="slope"):
    return Exponential(name, Parameter(slope, 0.0, limits=(-20, 20)))


def test_yields_are_candidates_in_the_range():
    by_component = dsphi().expected(EDGES, VALUES)
    sums = {name: bins.sum() for name, bins in by_component.items()}
    assert sums == pytest.approx({"Ds": 500, "D+": 200, "background": 6000}, rel=1e-12)


def test_cumulative_is_the_sum_of_components():
    model = dsphi()
    total = np.sum(list(model.expected(EDGES, VALUES).values()), axis=0)
    assert_allclose(np.diff(model.cumulative(EDGES, *VALUES)), total, rtol=1e-9)


def test_shared_parameters_are_there_once_and_scaled_by_component():
    model = dsphi()
    assert list(model.parameters) == ["mean", "sigma", "alpha", "n", "slope"]
    dplus = model.expected(EDGES, VALUES)["D+"]
    assert EDGES[np.argmax(dplus)] == pytest.approx(1.8697, abs=0.006)


def test_change_reaches_every_component_that_has_the_parameter():
    model = dsphi().change("alpha", start=1.5, fixed=False)
    assert {c.parameters[2].start for c in model.components[:2]} == {1.5}
    assert not model.parameters["alpha"].fixed


def test_change_names_the_parameters_there_are():
    with pytest.raises(FitError, match=r"no parameter 'Alpha'.*Did you mean 'alpha'"):
        dsphi().change("Alpha", start=1.5)


def test_only_keeps_the_stages_of_what_is_left():
    model = dsphi().only("Ds", "background")
    assert model.names == ("N(Ds)", "N(background)", "mean", "sigma", "alpha", "n", "slope")
    assert [stage.component for stage in model.stages] == ["background", "Ds"]


def test_only_names_the_components_there_are():
    with pytest.raises(FitError, match=r"no component 'D_s'; there are Ds, D\+, background"):
        dsphi().only("D_s")


@pytest.mark.parametrize("components", [(), (flat(), flat())])
def test_components_need_different_names(components):
    with pytest.raises(FitError, match="components of different names"):
        MassModel(components, (1.65, 2.01))


def test_one_name_cannot_stand_for_two_parameters():
    other = Exponential("more", Parameter("slope", 1.0, limits=(-20, 20)))
    with pytest.raises(FitError, match=r"different parameters of the name 'slope'"):
        MassModel((flat(), other), (1.65, 2.01))


def test_a_stage_must_know_its_component():
    with pytest.raises(FitError, match=r"no component 'bkg'.*background"):
        MassModel((flat(),), (1.65, 2.01), stages=(Stage("bkg", ((1.65, 1.8),)),))


def test_a_stage_selects_the_centres_in_its_windows():
    stage = Stage("background", ((1.0, 2.0), (3.0, 4.0)))
    assert stage.selects(np.array([0.5, 1.0, 2.0, 3.5])).tolist() == [False, True, False, True]


def test_a_model_of_ones_own_fits():
    mean = Parameter("mean", 1.02, limits=(1.01, 1.03), unit="GeV")
    sigma = Parameter("sigma", 0.005, limits=(0.001, 0.02), unit="GeV")
    model = MassModel((Gaussian("phi", mean, sigma), flat()), (0.96, 1.08))
    random = np.random.default_rng(1)
    masses = hist.Hist.new.Reg(60, 0.96, 1.08).Int64()
    masses.fill(random.normal(1.0195, 0.004, 2000)).fill(random.uniform(0.96, 1.08, 5000))
    fit = model.fit(masses).require_valid()
    assert fit.yields["phi"].value == pytest.approx(2000, abs=3 * fit.yields["phi"].error)
    assert fit.parameters["mean"].value == pytest.approx(1.0195, abs=0.0005)


def test_pickles():
    model = dsphi()
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert replace(again, range=(1.6, 2.0)) != model
