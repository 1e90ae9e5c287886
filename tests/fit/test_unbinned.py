"""Unbinned fits: candidates, their weights, gaps in the range, and what is refused."""

import pickle

import hist
import iminuit
import iminuit.cost
import numpy as np
import pytest
from numpy.testing import assert_allclose

from flavorframe.errors import FitError
from flavorframe.fit import Constraint, Exponential, Gaussian, MassModel, Parameter, Template
from flavorframe.fit.unbinned import fit_data_of

RANGE = (1.65, 2.01)
NARROW = (1.92, 2.0)

SIGMA = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
MODEL = MassModel(
    (
        Gaussian("Ds", Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV"), SIGMA),
        Exponential("background", Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")),
    ),
    RANGE,
)


def candidates(signal=1000, background=3000, seed=1):
    random = np.random.default_rng(seed)
    peak = random.normal(1.968, 0.012, random.poisson(signal))
    flat = random.uniform(*RANGE, random.poisson(background))
    return np.concatenate([peak, flat])


@pytest.fixture(scope="module")
def masses():
    return candidates()


@pytest.fixture(scope="module")
def fit(masses):
    return MODEL.fit(masses).require_valid()


@pytest.mark.parametrize("weighted", [False, True])
def test_as_in_roofit(masses, weighted):
    """Values and errors are those of RooFit's extended unbinned fit."""
    root = pytest.importorskip("ROOT")
    inside = masses[(masses > RANGE[0]) & (masses < RANGE[1])]
    weights = np.where(np.arange(len(inside)) % 5, 1.0, 5.0) if weighted else np.ones(len(inside))
    fit = MODEL.fit(inside, weights=weights if weighted else None)
    mass, weight = root.RooRealVar("mass", "", *RANGE), root.RooRealVar("weight", "", 0, 9)
    mean, sigma = root.RooRealVar("m", "", 1.968, 1.94, 2), root.RooRealVar("s", "", 0.01, 0.003, 1)
    slope = root.RooRealVar("slope", "", -0.1, -20, 20)
    n, b = root.RooRealVar("n", "", 900, 0, 9000), root.RooRealVar("b", "", 3100, 0, 20000)
    peak = root.RooGaussian("peak", "", mass, mean, sigma)
    flat = root.RooExponential("flat", "", mass, slope)
    model = root.RooAddPdf("model", "", root.RooArgList(peak, flat), root.RooArgList(n, b))
    columns = {"mass": inside, "weight": weights}
    name = "weight" if weighted else None
    data = root.RooDataSet.from_numpy(columns, [mass, weight], weight_name=name)
    options = [root.RooFit.Extended(), root.RooFit.PrintLevel(-1), root.RooFit.Strategy(2)]
    if weighted:
        options.append(root.RooFit.AsymptoticError(True))
    model.fitTo(data, *options)
    for variable, name in ((n, "N(Ds)"), (b, "N(background)"), (mean, "mean"), (sigma, "sigma")):
        found = fit.parameters[name]
        assert found.value == pytest.approx(variable.getVal(), abs=0.02 * variable.getError())
        assert found.error == pytest.approx(variable.getError(), rel=0.02)


def test_as_a_histogram_of_narrow_bins(masses, fit):
    binned = MODEL.fit(hist.Hist.new.Reg(720, *RANGE).Int64().fill(masses))
    for one, other in zip(fit.fitted, binned.fitted, strict=True):
        assert one.value == pytest.approx(other.value, abs=0.05 * other.error)
        assert one.error == pytest.approx(other.error, rel=0.02)


def test_chi2_and_pulls_are_of_bins_with_candidates(masses, fit):
    assert fit.bins.values.sum() == fit.data.counted == ((masses >= 1.65) & (masses <= 2.01)).sum()
    assert 0.7 < fit.chi2_ndf < 1.3
    assert fit.nll != fit.chi2 / 2
    assert fit.likelihood(*fit.values) / 2 == pytest.approx(fit.nll)
    assert "candidates, 1.65–2.01 GeV: valid" in repr(fit)


def test_weights_of_one_change_nothing(masses, fit):
    weighted = MODEL.fit(masses, weights=np.ones(len(masses)))
    for one, other in zip(weighted.fitted, fit.fitted, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-3 * other.error)
        assert one.error == pytest.approx(other.error, rel=0.04)


def test_errors_of_weighted_candidates_cover():
    """In toys with weights of 1 and 5 the pulls are of unit width; uncorrected, it is 1.8."""
    model = MODEL.change("mean", fixed=True).change("slope", fixed=True).change("sigma", fixed=True)
    pulls = []
    for seed in range(60):
        masses = candidates(60, 200, seed)
        weights = np.where(np.random.default_rng(seed).random(len(masses)) < 0.2, 5.0, 1.0)
        found = model.fit(masses, weights=weights).yields["Ds"]
        pulls.append((found.value - 60 * 1.8) / found.error)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.3)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.4)


def test_gaps_leave_candidates_out_and_yields_are_of_the_whole_range(masses):
    sidebands = MODEL.only("background")
    outside = masses[(masses < NARROW[0]) | (masses >= NARROW[1])]
    fit = sidebands.fit(masses, gaps=[NARROW]).require_valid()
    assert fit.data.counted == ((outside >= 1.65) & (outside <= 2.01)).sum()
    assert fit.yields["background"].value == pytest.approx(3000, abs=200)
    narrow = hist.Hist.new.Reg(360, *RANGE).Int64().fill(masses)
    binned = sidebands.fit(narrow, gaps=[NARROW])
    assert binned.yields["background"].value == pytest.approx(
        fit.yields["background"].value, rel=2e-3
    )
    assert binned.ndf == 360 - 80 - 2
    assert np.isnan(binned.pulls[300])
    assert "without 1.92–2" in repr(binned)


def test_what_lies_in_a_gap_is_a_problem(masses):
    fit = MODEL.change("mean", fixed=True).change("sigma", fixed=True).fit(masses, gaps=[NARROW])
    assert any("Ds lies in the gaps of the fit" in problem for problem in fit.problems)


def test_a_constraint_is_one_measurement_more(masses, fit):
    error = fit.parameters["sigma"].error
    constraint = Constraint(fit.parameters["sigma"].value + error, error)
    both = MODEL.change("sigma", constraint=constraint).fit(masses)
    moved = both.parameters["sigma"].value - fit.parameters["sigma"].value
    assert moved == pytest.approx(error / 2, rel=0.1)
    assert both.parameters["sigma"].error == pytest.approx(error / 2**0.5, rel=0.05)
    assert both.ndf == fit.ndf + 1


def test_a_constraint_that_the_data_contradict_is_a_problem(masses):
    fit = MODEL.change("sigma", constraint=Constraint(0.018, 0.0005)).fit(masses)
    (problem,) = fit.problems
    assert "sigma is -" in problem
    assert "the data contradict it" in problem


def test_ratios_are_fitted_as_such():
    total = Parameter("N", 1000, limits=(0, 9000))
    ratio = Parameter("ratio", 0.5, limits=(0, 2))
    mean = Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV")
    model = MassModel(
        (
            Gaussian("Ds", mean, SIGMA, candidates=total),
            Gaussian("D+", mean - 0.0987, SIGMA, candidates=ratio * total),
            MODEL.components[1],
        ),
        RANGE,
    )
    dplus = np.random.default_rng(5).normal(1.8693, 0.012, 400)
    fit = model.fit(np.concatenate([candidates(), dplus])).require_valid()
    ds, second = fit.yields["Ds"], fit.yields["D+"]
    assert fit.parameters["ratio"].value == pytest.approx(second.value / ds.value)
    assert second.value == pytest.approx(400, abs=4 * second.error)
    assert second.error == pytest.approx(33, abs=8)  # of N alone it would be 17, of the ratio 45


def test_errors_of_templates_widen_those_of_yields(masses):
    narrow = hist.Hist.new.Reg(36, *RANGE).Int64()
    simulated = narrow.copy().fill(np.random.default_rng(2).normal(1.968, 0.012, 150))
    data = narrow.copy().fill(masses)

    def found(**options):
        template = Template.of_histogram("Ds", simulated, **options)
        fit = MassModel((template, MODEL.components[1]), RANGE).fit(data)
        return fit.require_valid().yields["Ds"]

    def background(edges, yields, slope):
        return yields * MODEL.components[1].cumulative(edges, slope)

    counts, edges = data.to_numpy()
    cost = iminuit.cost.Template(
        counts, edges, (simulated.values(), background), name=("N", "B", "slope"), method="da"
    )
    reference = iminuit.Minuit(cost, 1000, 3000, 0).migrad()
    assert found().value == pytest.approx(reference.values["N"], rel=1e-3)
    assert found().error == pytest.approx(reference.errors["N"], rel=0.03)
    assert found().error > 1.5 * found(errors=False).error
    with pytest.raises(FitError, match="which an unbinned fit cannot take"):
        MassModel((Template.of_histogram("Ds", simulated), MODEL.components[1]), RANGE).fit(masses)


REFUSED = {
    "NaN": ([1.8, np.nan], {}, "1 of the masses are NaN or infinite, the first at 1"),
    "two axes": (np.ones((3, 2)), {}, r"one number for each candidate, not of shape \(3, 2\)"),
    "words": (["a"], {}, "the masses of a fit are numbers"),
    "missing": (np.ma.masked_array([1.8, 1.9], [True, False]), {}, "1 of the masses are missing"),
    "elsewhere": ([3.0], {}, "no candidates between 1.65 and 2.01.*from 3 to 3"),
    "few weights": ([1.8, 1.9], {"weights": [1.0]}, "2 masses and 1 weights"),
    "no weight": ([1.8, 1.9], {"weights": [-1.0, 1.0]}, "no weights of a sum above zero"),
    "gap beyond": ([1.8], {"gaps": [(2.0, 2.1)]}, "must lie apart from each other within"),
    "worth few": (
        np.linspace(1.7, 1.9, 50),
        {"weights": [1000.0] + 49 * [1.0]},
        "candidates, by their weights: 1, too few for the 5 free parameters",
    ),
    "weights of bins": (
        hist.Hist.new.Reg(9, *RANGE).Int64(),
        {"weights": [1.0]},
        "a histogram has its own",
    ),
    "gap in a bin": (
        hist.Hist.new.Reg(9, *RANGE).Int64().fill([1.8]),
        {"gaps": [(1.7, 1.8)]},
        "a gap must begin and end at bin edges; that nearest to 1.7 is at 1.69",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_clear_sentence(name):
    given, options, message = REFUSED[name]
    with pytest.raises(FitError, match=message):
        MODEL.fit(given, **options)


def test_minos_of_weighted_candidates_is_refused(masses):
    with pytest.raises(FitError, match="leave out minos=True"):
        MODEL.fit(masses, weights=np.ones(len(masses)), minos=True)


def test_bins_of_candidates_end_at_gaps():
    data = fit_data_of([1.7, 1.8, 1.95], RANGE, "GeV", gaps=[NARROW])
    assert {*NARROW} <= {*data.bins.edges}
    assert_allclose(data.bins.values.sum(), 2)


def test_results_travel(fit):
    assert fit.likelihood is not None
    again = pickle.loads(pickle.dumps(fit))
    assert again.yields == fit.yields
    assert again.expected.tolist() == fit.expected.tolist()


def test_toys_of_candidates(fit):
    study = fit.toys(10)
    assert abs(study.summary["Ds"].mean) < 1
    assert 0.4 < study.summary["Ds"].width < 1.8
