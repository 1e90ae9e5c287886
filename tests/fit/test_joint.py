"""Fits of several spectra at once: shared parameters, mixed data, and what is refused."""

import pickle
from dataclasses import replace

import hist
import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import Constraint, Exponential, Gaussian, JointModel, MassModel, Parameter

RANGE = (1.65, 2.01)
SIGMA = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
PEAK = Gaussian("Ds", Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV"), SIGMA)
SLOPE = Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")
MODEL = MassModel((PEAK, Exponential("background", SLOPE)), RANGE)
ERAS = ("2017B", "2017C")


def candidates(signal, background, seed):
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(1.968, 0.012, signal), random.uniform(*RANGE, background)])


@pytest.fixture(scope="module")
def masses():
    return dict(zip(ERAS, (candidates(300, 1500, 1), candidates(900, 3000, 2)), strict=True))


@pytest.fixture(scope="module")
def histograms(masses):
    empty = hist.Hist.new.Reg(60, *RANGE, label="m [GeV]").Int64()
    return {era: empty.copy().fill(found) for era, found in masses.items()}


@pytest.fixture(scope="module")
def joint():
    return JointModel(dict.fromkeys(ERAS, MODEL), shared=["mean", "sigma"])


@pytest.fixture(scope="module")
def fit(joint, histograms):
    return joint.fit(histograms).require_valid()


def test_without_shared_parameters_it_is_every_fit_by_itself(histograms):
    apart = JointModel(dict.fromkeys(ERAS, MODEL)).fit(histograms)
    for era, data in histograms.items():
        alone = MODEL.fit(data)
        assert apart[era].chi2 == pytest.approx(alone.chi2, rel=1e-5)
        for one, other in zip(apart[era].fitted, alone.fitted, strict=True):
            assert one.name == other.name
            assert one.value == pytest.approx(other.value, abs=0.02 * other.error)
            assert one.error == pytest.approx(other.error, rel=0.02)


def test_what_is_shared_is_measured_by_all(fit, histograms):
    errors = [MODEL.fit(data).parameters["mean"].error for data in histograms.values()]
    combined = sum(error**-2 for error in errors) ** -0.5
    assert fit.parameters["mean"].error == pytest.approx(combined, rel=0.05)
    assert {fit[era].parameters["mean"].value for era in ERAS} == {fit.parameters["mean"].value}
    assert fit.ndf == 120 - 2 - 2 * 3
    assert fit.chi2 == pytest.approx(fit["2017B"].chi2 + fit["2017C"].chi2)
    assert fit.yields["2017C"]["Ds"].value == fit.parameters["N(Ds)[2017C]"].value


def test_histograms_and_candidates_mix(joint, fit, masses, histograms):
    mixed = joint.fit({"2017B": masses["2017B"], "2017C": histograms["2017C"]}).require_valid()
    for one, other in zip(mixed.fitted, fit.fitted, strict=True):
        assert one.value == pytest.approx(other.value, abs=0.2 * other.error)
    assert mixed["2017B"].plot().axes


def test_one_ratio_for_all_eras(masses):
    """Both eras have one ratio of D+ to Ds, fitted as such."""
    ratio = Parameter("ratio", 0.5, limits=(0, 3))
    total = Parameter("N", 600, limits=(0, 9000))
    second = Gaussian("D+", PEAK.mean - 0.0987, SIGMA, candidates=ratio * total)
    model = replace(
        MODEL, components=(replace(PEAK, candidates=total), second, MODEL.components[1])
    )
    random = np.random.default_rng(3)
    data = {
        era: np.concatenate([found, random.normal(1.8693, 0.012, n)])
        for (era, found), n in zip(masses.items(), (150, 450), strict=True)
    }
    fit = JointModel(dict.fromkeys(ERAS, model), shared=["ratio", "mean", "sigma"]).fit(data)
    found = fit.require_valid().parameters["ratio"]
    assert found.value == pytest.approx(0.5, abs=4 * found.error)
    assert fit.yields["2017B"]["D+"].value == pytest.approx(
        found.value * fit.parameters["N[2017B]"].value
    )


def test_a_shared_constraint_counts_once(joint, histograms, fit):
    known = Constraint(fit.parameters["sigma"].value, fit.parameters["sigma"].error)
    both = joint.change("sigma", constraint=known).fit(histograms)
    assert both.ndf == fit.ndf + 1
    expected = fit.parameters["sigma"].error / 2**0.5
    assert both.parameters["sigma"].error == pytest.approx(expected, rel=0.05)
    assert list(both.impacts("N(Ds)[2017B]").found) == ["sigma"]


def test_problems_name_the_spectrum(joint, histograms):
    empty = histograms["2017B"].copy().reset()
    empty.fill(np.random.default_rng(1).uniform(*RANGE, 500))
    apart = replace(joint, shared=()).fit({**histograms, "2017B": empty})
    assert any("no significant Ds peak" in p and "in 2017B" in p for p in apart.problems)
    assert "NOT VALID" in repr(apart)
    assert "NOT VALID" in apart._repr_html_()
    together = joint.change("slope[2017B]", fixed=True).fit({**histograms, "2017B": empty})
    assert together.valid  # the peak of the other era measures mean and width
    neither = joint.fit(dict.fromkeys(ERAS, empty)).problems
    assert sum("to measure mean and sigma on in 2017" in problem for problem in neither) == 2


def test_toys_of_all_spectra(fit):
    study = fit.toys(6)
    assert set(study.pulls) == {p.name for p in fit.fitted if not p.fixed}
    assert "N(Ds)[2017B]" in repr(study)
    assert "sigma                 0.01" in repr(study)
    assert [ax.get_xlabel() for ax in study.plot().axes][:1] == ["Pull of N(Ds)[2017B]"]


REFUSED = {
    "unknown": (lambda j, h: replace(j, shared=["Sigma"]), "'Sigma' is in fewer than two.*'sigma'"),
    "a word": (lambda j, h: replace(j, shared="mean"), r"give a list, \['mean'\]"),
    "none": (lambda j, h: JointModel({}), "needs a model for each spectrum"),
    "different": (
        lambda j, h: JointModel({"a": MODEL, "b": MODEL.change("mean", start=1.95)}, ["mean"]),
        "different parameters of the name 'mean'",
    ),
    "no model": (lambda j, h: j.fit({**h, "2017D": h["2017B"]}), "no model for '2017D'"),
    "no data": (lambda j, h: j.fit({"2017B": h["2017B"]}), "no data for 2017C"),
    "change": (lambda j, h: j.change("mu", start=1), "no parameter 'mu'; there are mean"),
    "spectrum": (lambda j, h: j.fit(h)["2017D"], "no spectrum '2017D'; there are 2017B, 2017C"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_clear_sentence(name, joint, histograms):
    act, message = REFUSED[name]
    with pytest.raises(FitError, match=message):
        act(joint, histograms)


def test_results_travel(fit):
    assert fit.likelihood(*fit.values) == pytest.approx(2 * fit.nll)
    again = pickle.loads(pickle.dumps(fit))
    assert again["2017B"].yields == fit["2017B"].yields


def test_reprs(joint, fit):
    assert "JointModel of 2017B, 2017C" in repr(joint)
    assert "Fit of 2017B, 2017C: valid" in repr(fit)
    assert "slope[2017C]" in repr(fit)
    assert "N(Ds)[2017B]" in fit._repr_html_()
