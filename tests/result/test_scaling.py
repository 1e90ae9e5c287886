"""Simulation scaled to data: sums of generator weights of what was read, stacks with a ratio."""

import re
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._data_quality.generated import Generated
from flavorframe._run.outcome import Gap
from flavorframe.engines import ENGINES
from flavorframe.errors import AnalysisError, RunError
from flavorframe.result import Result

events = ff.events()
muon = events.muon
ANALYSIS = ff.Analysis(
    ff.Selection(muon).weight("generator", ff.where(ff.is_simulation, events["genWeight"], 1)),
    pt=ff.hist(muon.pt, bins=2, range=(0, 10)),
    grid=ff.hist(ff.axis(muon.pt, bins=2, range=(0, 10)), ff.axis(muon.eta, bins=1, range=(-3, 3))),
)


def write(path, weights, total=None, name="genEventSumw"):
    """Write events with one muon each; ``total`` is the sum of weights before a skim."""
    size = len(weights)
    with uproot.recreate(path) as file:
        file["Events"] = {
            "run": np.ones(size, np.uint32),
            "genWeight": np.array(weights, np.float32),
            "Muon": ak.zip({"pt": ak.unflatten(np.linspace(1, 9, size), [1] * size),
                            "eta": ak.unflatten(np.zeros(size), [1] * size)}),
        }  # fmt: skip
        if total is not None:
            file["Runs"] = {"run": np.ones(2, np.uint32), name: np.array([total, 0.5]),
                            name.replace("Sumw", "Count"): np.array([8, 2])}  # fmt: skip
        file["weights"] = np.histogram([1, 1, 5], bins=2, range=(0, 2), weights=[3.0, 4.0, 1.0])
    return path


@pytest.fixture
def catalogue(tmp_path):
    write(tmp_path / "data.root", [1] * 4)
    write(tmp_path / "tau1.root", [2, 2, -1, 2], 10)
    write(tmp_path / "tau2.root", [2, 2], 10, "genEventSumw_")
    write(tmp_path / "ds.root", [1, 1, 1], 3.5)
    return {
        "2017B": {"type": "data", "files": "data.root", "lumi": 2.0},
        "tau": {"type": "mc", "files": "tau1.root tau2.root", "xsec": 0.042},
        "ds": {"type": "mc", "files": "ds.root", "xsec": 0.002},
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_scaled_by_the_sums_in_the_files(catalogue, tmp_path, engine):
    results = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path), engine=engine)
    tau = results["tau"]
    assert (tau.generated.weights, tau.generated.events) == (21.0, 20)
    scaled = tau.scaled(2.0)
    assert scaled.factor == pytest.approx(0.042 * 1000 * 2 / 21)  # 4
    np.testing.assert_allclose(scaled.pt.values(), [4 * 6, 4 * 3])
    np.testing.assert_allclose(scaled.pt.variances(), [16 * 12, 16 * 9])
    assert list(results.simulation) == ["tau", "ds"]
    assert list(results.data) == ["2017B"]
    assert results["2017B"].generated is None


def test_of_files_read_in_part_it_is_their_share(catalogue, tmp_path):
    (tmp_path / "tau2.root").write_bytes(b"no file of ROOT")
    data = ff.catalog(catalogue, base=tmp_path)["tau"]
    result = ANALYSIS.run(data)
    assert (result.generated.weights, result.generated.is_estimate) == (10.5, False)
    outcome = result.unfinished
    gap = Gap(data.files[0], 1, None, {})
    cut_short = Result.of(outcome.plan, data, replace(outcome, gaps=(gap, *outcome.gaps)))
    assert cut_short.generated == Generated(10.5 / 4, 2, "Runs/genEventSumw", is_estimate=True)
    catalogue["tau"]["sumw"] = 30.0
    told = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path)["tau"])
    assert (told.generated.weights, told.generated.is_estimate) == (15.0, True)
    assert "sum of weights 15 (from the catalogue, an estimate, as files" in repr(told.generated)


def test_where_the_catalogue_says_it_is(catalogue, tmp_path):
    for place, total in (("weights", 14.0), ("Events/genWeight", 9.0), ("Runs/run", 4.0)):
        catalogue["tau"]["sumw"] = place
        result = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path)["tau"])
        assert result.generated.source == place
        assert result.generated.weights == total
    catalogue["tau"]["sumw"] = "Runs/nothing"
    with pytest.raises(RunError, match="neither a branch nor a histogram 'Runs/nothing'"):
        ANALYSIS.run(ff.catalog(catalogue, base=tmp_path)["tau"])


def test_sums_are_added_and_saved(catalogue, tmp_path):
    for number in (1, 2):
        catalogue[f"tau{number}"] = {**catalogue["tau"], "files": f"tau{number}.root"}
    results = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path))
    total = results["tau1"] + results["tau2"]
    assert total.scaled(1).factor == results["tau"].scaled(1).factor
    loaded = ff.load(results.save(tmp_path / "saved"))
    assert loaded["tau"].generated == results["tau"].generated


def test_what_cannot_be_scaled_says_why(catalogue, tmp_path):
    write(tmp_path / "negative.root", [1, -3], -2.0)
    write(tmp_path / "unknown.root", [1, 1])
    catalogue |= {
        "negative": {"type": "mc", "files": "negative.root", "xsec": 1.0},
        "unknown": {"type": "mc", "files": "unknown.root", "xsec": 1.0},
        "free": {"type": "mc", "files": "ds.root"},
    }
    results = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path))
    messages = {
        "2017B": "2017B is data: only simulation is scaled",
        "negative": "negative: the sum of weights −1.5|-1.5 of 10 events",
        "unknown": "unknown: the sum of generator weights is not known: its files have no Runs",
        "free": "free has no cross-section: give it as 'xsec'",
    }
    for name, message in messages.items():
        with pytest.raises(AnalysisError, match=message):
            results[name].scaled(1.0)
    with pytest.raises(AnalysisError, match="luminosity=-1 should be a number"):
        results["tau"].scaled(-1)
    with pytest.raises(AnalysisError, match="has 2 axes, and a stack is drawn of one"):
        ff.Results({k: results[k] for k in ("2017B", "tau")}).stack("grid")
    with pytest.raises(AnalysisError, match="titles: there is no simulation 'Tau'. Did you mean"):
        results.stack("pt", titles={"Tau": "τ"})
    with pytest.raises(AnalysisError, match="There is no simulation to stack among 2017B"):
        results.data.stack("pt")
    with pytest.raises(AnalysisError, match="There are no data: say luminosity="):
        results.simulation.stack("pt")


def test_generator_weights_that_are_left_out_are_told(catalogue, tmp_path):
    plain = ff.Analysis(ff.Selection(muon), pt=ff.hist(muon.pt, bins=2, range=(0, 10)))
    result = plain.run(ff.catalog(catalogue, base=tmp_path)["tau"])
    with pytest.warns(RuntimeWarning, match=re.escape("add .weight('generator', events['genWei")):
        result.scaled(1.0)


def test_stack_of_data_and_simulation(catalogue, tmp_path):
    results = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path))
    path = tmp_path / "stack.png"
    figure = results.stack("pt", titles={"ds": "Ds → φπ"}, label="Private", path=path)
    top, ratio = figure.axes
    assert path.stat().st_size > 10_000
    assert [text.get_text() for text in top.get_legend().get_texts()] == [
        "Data", "Simulation, stat. error", "Ds → φπ", "tau"
    ]  # fmt: skip
    heights = [patch.get_data().values for patch in top.patches]
    np.testing.assert_allclose(heights[0], results["tau"].scaled(2.0).pt.values())
    np.testing.assert_allclose(heights[1] - heights[0], results["ds"].scaled(2.0).pt.values())
    points = ratio.containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(points, results["2017B"].pt.values() / heights[1])
    both = results.stack("pt", titles={"ds": "all", "tau": "all"}, logarithmic=True)
    assert len(both.axes[0].patches) == 1
    assert len(results.simulation.stack("pt", luminosity=3).axes) == 1


def test_stack_of_a_region_with_categories_and_variations(catalogue, tmp_path):
    weight = ff.where(ff.is_simulation, events["genWeight"], 1)
    selection = ff.Selection(muon).weight("generator", ff.vary("scale", weight, up=2 * weight))
    halves = ff.categories(low=muon.pt < 5, high=muon.pt >= 5)
    region = ff.Region(selection, by=halves, pt=ff.hist(muon.pt, bins=2, range=(0, 10)))
    results = ff.Analysis(all=region).run(ff.catalog(catalogue, base=tmp_path))
    heights = [patch.get_data().values for patch in results.stack("all.pt").axes[0].patches]
    plain = ANALYSIS.run(ff.catalog(catalogue, base=tmp_path))
    np.testing.assert_allclose(heights[0], plain["tau"].scaled(2.0).pt.values())
    up = results["tau"].all.scaled(2.0).pt[{"variation": "scale up", "category": sum}]
    np.testing.assert_allclose(up.values(), 2 * heights[0])
