"""The fit as HS3: what the file says, and that RooFit, which reads it, finds the same."""

import json
import warnings
from dataclasses import dataclass, replace

import hist
import numpy as np
import pytest

from flavorframe.errors import FitError, RunError
from flavorframe.fit import Component, Gaussian, MassModel, Parameter, dsphi
from flavorframe.fit.hs3 import hs3

WORDS = {"N(Ds)": "N_Ds", "N(D+)": "N_Dp", "N(background)": "N_background", "N(peak)": "N_peak"}


def named(entries):
    return {entry["name"]: entry for entry in entries}


@pytest.fixture(scope="module")
def fit(drawn):
    return dsphi().fit(drawn()).require_valid()


def test_has_the_model_the_data_the_limits_and_the_values(fit):
    content = json.loads(json.dumps(hs3(fit)))
    shapes = named(content["distributions"])
    assert shapes["Ds"] == {
        "name": "Ds", "type": "crystalball_dist", "m": "mass", "m0": "mean", "sigma": "sigma",
        "alpha": "alpha", "n": "n",
    }  # fmt: skip
    assert shapes["background"]["c"] == "slope_of_background"
    assert shapes["model"]["coefficients"] == ["N_Ds", "N_Dp", "N_background"]
    scaled = named(content["functions"])
    assert scaled["slope_of_background"]["factors"] == ["slope", -1.0]
    assert scaled["mean_of_Dp"]["factors"] == ["mean", pytest.approx(1.86966 / 1.96835)]
    (data,) = content["data"]
    assert data["contents"] == fit.data.values.tolist()
    assert data["axes"] == [{"name": "mass", "min": 1.65, "max": pytest.approx(2.01), "nbins": 62}]
    limits = named(content["domains"][0]["axes"])
    assert (limits["sigma"]["min"], limits["sigma"]["max"]) == (0.003, 0.040)
    values = named(content["parameter_points"][0]["parameters"])
    assert values["N_Ds"]["value"] == fit.yields["Ds"].value
    assert [name for name, value in values.items() if value.get("const")] == ["alpha", "n"]
    assert content["likelihoods"][0]["distributions"] == ["model"]


def test_keeps_irregular_bins_and_errors_of_weights():
    edges = [1.65, *np.linspace(1.7, 2.01, 40)]
    histogram = hist.Hist.new.Var(edges).Weight()
    expected = np.diff(dsphi().cumulative(np.array(edges), 500, 184, 6324, 1.968, 0.012, 2, 3, -1))
    histogram[...] = np.stack([expected, 2 * expected], axis=1)
    (data,) = hs3(dsphi().fit(histogram))["data"]
    assert data["axes"][0]["edges"] == pytest.approx(edges)
    assert data["uncertainty"]["sigma"] == pytest.approx(np.sqrt(2 * expected))


def test_refuses_components_that_hs3_has_no_name_for(fit):
    @dataclass(frozen=True)
    class Flat(Component):
        def cumulative(self, edges, *values):
            return (edges - edges[0]) / (edges[-1] - edges[0])

    model = MassModel((*dsphi().components[:2], Flat("flat", kind="background")), (1.65, 2.01))
    with pytest.raises(FitError, match="component 'flat' is a Flat, for which HS3 has no name"):
        hs3(model.fit(as_hist(fit.data)))


def test_refuses_names_that_become_one(fit):
    ds, dplus, background = dsphi().components
    model = MassModel((replace(ds, name="Dp"), dplus, background), (1.65, 2.01))
    with pytest.raises(FitError, match=r"'D\+' would be 'Dp' in HS3, as 'Dp' is: choose another"):
        hs3(model.fit(as_hist(fit.data)))


def as_hist(data):
    histogram = hist.Hist(hist.axis.Variable(data.edges))
    histogram[...] = data.values
    return histogram


def test_a_file_that_cannot_be_written(fit, tmp_path):
    with pytest.raises(RunError, match=r"cannot write fit\.json in folder .*none"):
        fit.to_hs3(tmp_path / "none" / "fit.json")


# against RooFit


@pytest.fixture(scope="module")
def root():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ROOT
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.WARNING)
    return ROOT


def imported(root, fit, tmp_path):
    workspace = root.RooWorkspace("workspace")
    path = fit.to_hs3(tmp_path / "fit.json")
    assert root.RooJSONFactoryWSTool(workspace).importJSON(str(path))
    return workspace


def fitted_by_roofit(root, workspace):
    """Return RooFit's NLL at our values, and what it is at the minimum that RooFit finds."""
    options = [root.RooFit.Extended(), root.RooFit.IntegrateBins(1e-9)]
    model, data = workspace.pdf("model"), workspace.data("data")
    nll = model.createNLL(data, *options)
    ours = nll.getVal()
    for variable in workspace.allVars():
        if not variable.isConstant() and variable.GetName() != "mass":
            value = variable.getVal()  # away from our values, or nothing would be fitted
            variable.setVal(value * (1.001 if variable.GetName() == "mean" else 1.1))
            variable.setError(0.05 * abs(value))
    assert nll.getVal() > ours + 1
    result = model.fitTo(data, *options, root.RooFit.Save(), root.RooFit.PrintLevel(-1))
    assert (result.status(), result.covQual()) == (0, 3)
    return ours, nll.getVal()


def assert_agree(fit, root, workspace):
    ours, theirs = fitted_by_roofit(root, workspace)
    assert abs(theirs - ours) <= 1e-3
    for parameter in fit.fitted:
        found = workspace.var(WORDS.get(parameter.name, parameter.name))
        assert found.isConstant() == parameter.fixed
        if not parameter.fixed:
            assert found.getVal() == pytest.approx(parameter.value, abs=0.02 * parameter.error)
            assert found.getError() == pytest.approx(parameter.error, rel=0.05)
    for name in fit.yields:
        found = workspace.var(WORDS[f"N({name})"])
        assert found.getVal() == pytest.approx(fit.yields[name].value, rel=0.01)


@pytest.mark.xdist_group("root")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_roofit_finds_the_same(root, drawn, tmp_path, seed):
    fit = dsphi().fit(drawn(seed=seed)).require_valid()
    workspace = imported(root, fit, tmp_path)
    contents = [workspace.data("data").weight(i) for i in range(62)]
    assert contents == fit.data.values.tolist()
    assert_agree(fit, root, workspace)


@pytest.mark.xdist_group("root")
def test_root_writes_what_it_read(root, fit, tmp_path):
    workspace = imported(root, fit, tmp_path)
    again = tmp_path / "again.json"
    assert root.RooJSONFactoryWSTool(workspace).exportJSON(str(again))
    written = named(json.loads(again.read_text())["distributions"])
    assert {"Ds", "Dp", "background", "model"} <= written.keys()
    workspace.writeToFile(str(tmp_path / "workspace.root"))
    assert root.TFile(str(tmp_path / "workspace.root")).Get("workspace").pdf("model")


@pytest.mark.xdist_group("root")
def test_roofit_has_the_same_shape(root, fit, tmp_path):
    workspace = imported(root, fit, tmp_path)
    mass, model = workspace.var("mass"), workspace.pdf("model")
    edges, total = np.linspace(1.65, 2.01, 20), sum(y.value for y in fit.yields.values())
    ours = np.diff(fit.model.cumulative(edges, *fit.values)) / total
    for low, high, share in zip(edges, edges[1:], ours, strict=False):
        mass.setRange("bin", low, high)
        inside = model.createIntegral(root.RooArgSet(mass), root.RooArgSet(mass), "bin")
        assert inside.getVal() == pytest.approx(share, rel=1e-4)  # its erf is approximate


@pytest.mark.xdist_group("root")
def test_roofit_reads_gaussians_and_irregular_bins(root, tmp_path):
    mean = Parameter("mean", 1.97, limits=(1.94, 2.0), unit="GeV")
    sigma = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
    background = dsphi().components[2]
    model = MassModel((Gaussian("peak", mean, sigma), background), (1.65, 2.01))
    edges = np.array([1.65, 1.68, *np.linspace(1.7, 2.01, 50)])
    histogram = hist.Hist.new.Var(edges).Int64()
    expected = np.diff(model.cumulative(edges, 2000, 30000, 1.968, 0.012, -1.2))
    histogram[...] = np.random.default_rng(1).poisson(expected)
    fit = model.fit(histogram).require_valid()
    assert_agree(fit, root, imported(root, fit, tmp_path))


def test_what_is_no_number_is_refused_and_no_file_is_left(handmade, tmp_path):
    first, *others = handmade().fitted
    for changed in (
        replace(first, value=np.nan),
        replace(first, value=np.inf),
        replace(first, limits=(-np.inf, np.inf)),
    ):
        failed = handmade("not a finite number: N(Ds)", fitted=(changed, *others))
        with pytest.raises(FitError, match=r"N\(Ds\) is .*: HS3 is JSON, which has no NaN"):
            failed.to_hs3(tmp_path / "fit.json")
    assert not list(tmp_path.iterdir())
