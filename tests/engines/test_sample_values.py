"""What catalogues say of datasets, as expressions: one analysis on data and simulation."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.errors import DatasetError, ExpressionError

muon = ff.events().muon
cross_section = ff.sample("cross_section").default(1.0)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    for name in ("data", "more", "signal", "background"):
        with uproot.recreate(folder / f"{name}.root") as file:
            file["Events"] = {"run": np.array([1, 2], np.uint32),
                              "Muon": ak.zip({"pt": ak.Array([[3.0, 5.0], [7.0]])})}  # fmt: skip
    return ff.catalog(
        {
            "2017B": {"type": "data", "files": "data.root", "lumi": 4.5},
            "2017C": {"type": "data", "files": "more.root", "lumi": 9.5},
            "signal": {"type": "mc", "files": "signal.root", "xsec": 20.0, "is_tau": 1, "k": 2},
            "background": {"type": "mc", "files": "background.root", "xsec": 50.0, "is_tau": 0},
        },
        base=folder,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_and_cuts_by_sample_in_one_analysis(catalogue, engine):
    selection = (
        ff.Selection(muon)
        .cut("of taus", ff.sample("is_tau").default(True))
        .cut("hard in data", ff.is_simulation | (muon.pt > 4))
        .weight("σ", ff.where(ff.is_simulation, cross_section, 1))
    )
    analysis = ff.Analysis(
        selection,
        pt=ff.hist(muon.pt, bins=1, range=(0, 10)),
        rows=ff.snapshot(
            number=cross_section + 0.5,
            k=ff.sample("k").default(0.5) + 0 * muon.pt,
            early=ff.sample("era").isin("2017B", "2016H"),
        ),
    )
    results = analysis.run(catalogue, engine=engine)
    assert [float(result.pt.values()[0]) for result in results.values()] == [2, 2, 60, 0]
    assert results["signal"].rows["number"].tolist() == [20.5] * 3
    assert results["2017B"].rows["number"].tolist() == [1.5] * 2
    assert [results[name].rows["k"][0] for name in ("2017B", "signal")] == [0.5, 2]
    assert [results[name].rows["early"][0] for name in ("2017B", "2017C")] == [True, False]
    total = results["2017B"] + results["2017C"]  # one plan whatever the dataset
    assert total.cutflow["of taus"].formula == "sample('is_tau').default(true)"
    assert len({result.provenance.plan for result in results.values()}) == 1
    assert not results["2017B"].warnings


def test_formulas_are_those_of_the_user():
    assert repr(ff.is_simulation) == "<is_simulation, one value per event>"
    assert ff.sample("era").formula == "sample('era')"


def test_what_a_dataset_lacks_is_told_before_the_run(catalogue):
    selection = ff.Selection(muon).weight("σ", ff.sample("cross_sections"))
    message = (
        r"dataset 'signal': ff.sample\('cross_sections'\) is not there. Did you mean "
        r"'cross_section'\? It has cross_section, era, is_simulation, is_tau, k, name: add"
    )
    with pytest.raises(DatasetError, match=message):
        ff.Analysis(selection).run(catalogue["signal"])
    chosen = ff.where(ff.sample("is_tau").default(True), ff.sample("cross_section"), 1)
    with pytest.raises(DatasetError, match="2017B.*'cross_section'.*is not there"):
        ff.Analysis(ff.Selection(muon).weight("σ", chosen)).run(catalogue["2017B"])
    both = ff.Selection(muon).weight("σ", ff.sample("cross_section") + cross_section)
    with pytest.raises(DatasetError, match="2017B.*'cross_section'.*is not there"):
        ff.Analysis(both).run(catalogue["2017B"])
    with pytest.raises(ExpressionError, match="takes the name of a key of catalogues, not 3"):
        ff.sample(3)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_sample_does_not_choose_may_be_lacking(tmp_path, engine):
    for name, more in (("data", {}), ("mc", {"genWeight": np.array([2.0, -2.0])})):
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file["Events"] = {"run": np.array([1, 2], np.uint32), **more,
                              "Muon": ak.zip({"pt": ak.Array([[3.0, 5.0], [7.0]])})}  # fmt: skip
    eras = {"data": {"type": "data", "files": "data.root"},
            "mc": {"type": "mc", "files": "mc.root", "year": 2017}}  # fmt: skip
    weight = ff.events()["genWeight"]
    of_2017 = ff.sample("year").default(0) == 2017
    selection = (
        ff.Selection(muon)
        .cut("positive", ~ff.is_simulation | (weight > 0))
        .cut("never", ~(ff.is_simulation & ~of_2017 & (ff.events()["nothing"] > 0)))
        .weight("generator", ff.where(ff.is_simulation, weight * ff.sample("year") / 2017, 1))
    )
    spread = ff.where(ff.is_simulation, 0.5 * muon.pt, ff.events().run)
    analysis = ff.Analysis(selection, x=ff.hist(spread, bins=4, range=(0, 4)))
    results = analysis.run(ff.catalog(eras, base=tmp_path), engine=engine)
    assert results["data"].x.values().tolist() == [0, 2, 1, 0]  # for each muon, the run
    assert results["mc"].x.values().tolist() == [0, 2, 2, 0]
    formulas = [[row.formula for row in result.cutflow] for result in results.values()]
    assert formulas[0] == formulas[1]
