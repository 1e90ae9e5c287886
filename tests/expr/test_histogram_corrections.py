"""Corrections made of histograms, compound ones, pile-up weights and efficiencies in bins."""

import json
import os
import pickle
import warnings
from pathlib import Path

import correctionlib
import correctionlib.schemav2 as schema
import hist
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.errors import CorrectionError
from flavorframe.result.efficiency import of_counts, of_weights

events = ff.events()
t, muon = events.triplet, events.muon
DATA = os.environ.get("FLAVORFRAME_DATA")
real = pytest.mark.skipif(DATA is None, reason="needs real files: set FLAVORFRAME_DATA")
ENGINES = ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)]


def scale_factors(folder):
    """Return the path of a ROOT file with a TH2D in a folder of it, and the histogram."""
    axes = hist.axis.Variable([0, 4, 8, 50]), hist.axis.Variable([0, 1.2, 2.4])
    made = hist.Hist(*axes, storage=hist.storage.Weight())
    made.view().value[:] = [[0.9, 0.8], [1, 1.1], [1.2, 0.95]]
    made.view().variance[:] = [[0.01, 0.04], [0.0, 0.09], [0.16, 0.01]]
    with uproot.recreate(folder / "sf.root") as file:
        file["id/pt_eta"] = made
    return folder / "sf.root", made


def run(analysis, file, **options):
    if options.get("engine") == "rdataframe":
        pytest.importorskip("ROOT")
    return analysis.run(ff.dataset(str(file)), progress=False, **options)


def in_bins(table, pt, eta):
    return table[np.digitize(pt, [4, 8]), np.digitize(np.abs(eta), [1.2])]


@pytest.mark.parametrize("engine", ENGINES)
def test_histograms_of_root_files(tmp_path, small_nano, engine):
    file, made = scale_factors(tmp_path)
    sf = ff.correction(file, "id/pt_eta", inputs=("pt", "abseta"))
    given = {"pt": muon.pt, "abseta": abs(muon.eta)}
    assert sf(**given).formula == (
        "pt_eta(pt = muon.pt, abseta = |muon.eta|, systematic = 'nominal')"
    )
    rows = ff.snapshot(
        muon.pt, muon.eta, sf=sf(**given), up=sf(**given, systematic="up"),
        down=sf(**given, systematic="down"),
    )  # fmt: skip
    found = run(ff.Analysis(ff.Selection(muon), rows=rows), small_nano, engine=engine).rows
    error = np.sqrt(made.variances())
    for name, table in {"sf": 0 * error, "up": error, "down": -error}.items():
        expected = in_bins(made.values() + table, found["pt"], found["eta"])
        np.testing.assert_allclose(found[name], expected, rtol=1e-14)
    assert {*found["sf"]} == {*made.values().flat}


def test_what_holds_outside_of_the_bins(tmp_path, small_nano):
    file, made = scale_factors(tmp_path)

    def at(flow, pt=100.0):
        sf = ff.correction(file, "id/pt_eta", flow=flow)
        rows = ff.snapshot(sf=sf(x=muon.pt * 0 + pt, y=1))
        return run(ff.Analysis(ff.Selection(muon), rows=rows), small_nano).rows["sf"][0]

    assert at("clamp") == made.values()[2, 0]
    assert at(1.0) == 1
    assert at("clamp", pt=-1) == made.values()[0, 0]
    with pytest.raises(CorrectionError, match=r"pt_eta of .*sf.root .*x from 100 to 100"):
        at("error")
    with pytest.raises(CorrectionError, match="flow='edge': it is 'error', 'clamp' or a number"):
        at("edge")


def test_a_correction_of_a_histogram_is_whole_in_itself(tmp_path, small_nano):
    file, _ = scale_factors(tmp_path)
    weight = ff.correction(file, "id/pt_eta")(x=muon.pt, y=1)
    file.unlink()
    analysis = pickle.loads(pickle.dumps(ff.Analysis(ff.Selection(muon).weight("sf", weight))))
    assert not Delivery.of(analysis.plan, ff.dataset(str(small_nano))).corrections
    assert run(analysis, small_nano).cutflow["sf"].sumw_candidates > 0


def test_what_is_wrong_with_a_histogram_is_told(tmp_path):
    file, made = scale_factors(tmp_path)
    with pytest.raises(
        CorrectionError, match=r"no histogram 'id/pt_etta'.*Did you mean 'id/pt_eta"
    ):
        ff.correction(file, "id/pt_etta")
    with pytest.raises(CorrectionError, match="2 axes: inputs= needs a name for each, not pt"):
        ff.correction(file, "id/pt_eta", inputs=["pt"])
    with pytest.raises(CorrectionError, match=r"no systematic='Up'.*Did you mean 'up'"):
        ff.correction(file, "id/pt_eta")(x=muon.pt, y=1, systematic="Up")
    with pytest.raises(CorrectionError, match="takes x, y, systematic: give them by name"):
        ff.correction(file, "id/pt_eta")(muon.pt)
    made.view().value[0, 0] = np.nan
    with pytest.raises(CorrectionError, match="nominal value that is not a number"):
        ff.correction(made, "sf")
    categories = hist.Hist(hist.axis.StrCategory(["a"]))
    with pytest.raises(CorrectionError, match=r"axis of categories.*as in histogram\['a'\]"):
        ff.correction(categories, "sf")
    (tmp_path / "text.root").write_text("nothing")
    with pytest.raises(CorrectionError, match="cannot be read as a ROOT file"):
        ff.correction(tmp_path / "text.root", "sf")


@real
def test_the_scale_factors_and_pile_up_of_a_published_analysis():
    (file,) = Path(DATA).glob("EfficienciesAndSF_*_2017.root")
    sf = ff.correction(file, "MTau3MuID/pt_abseta_ratio", inputs=("pt", "abseta"))
    with uproot.open(file) as content:
        table = content["MTau3MuID/pt_abseta_ratio"]
    pt, eta = (edges[:-1] + np.diff(edges) / 2 for edges in (a.edges() for a in table.axes))
    found = sf.evaluator.evaluate(*(x.ravel() for x in np.meshgrid(pt, eta, indexing="ij")), "up")
    np.testing.assert_allclose(found, (table.values() + table.errors()).ravel(), rtol=1e-12)
    weights = ff.correction(Path(DATA, "PileUp_ReweightingStudy_2017DsPhiPi.root"),
                            "PileUp_Reweighting")  # fmt: skip
    assert weights.evaluator.evaluate(1.0, "nominal") == pytest.approx(1.98829674)


@pytest.mark.parametrize("engine", ENGINES)
def test_compound_corrections(tmp_path, small_nano, engine):
    def one(name, values):
        data = {"nodetype": "category", "input": "syst", "content": values}
        inputs = [{"name": "x", "type": "real"}, {"name": "syst", "type": "string"}]
        return {"name": name, "version": 1, "inputs": inputs, "data": data,
                "output": {"name": name, "type": "real"}}  # fmt: skip

    both = one("jec", [])
    del both["data"], both["version"]
    compound = {**both, "inputs_update": [], "input_op": "*", "output_op": "*",
                "stack": ["l1", "l2"]}  # fmt: skip
    l1 = one("l1", [{"key": "nominal", "value": 2.0}, {"key": "up", "value": 3.0}])
    l2 = one("l2", [{"key": "nominal", "value": 5.0}])
    content = {"schema_version": 2, "corrections": [l1, l2], "compound_corrections": [compound]}
    path = tmp_path / "jec.json"
    path.write_text(
        schema.CorrectionSet.model_validate(content).model_dump_json(exclude_unset=True)
    )
    jec = ff.correction(path, "jec")
    rows = ff.snapshot(factor=jec(x=t.mass, syst="nominal"))
    found = run(ff.Analysis(ff.Selection(t), rows=rows), small_nano, engine=engine).rows
    assert {*found["factor"]} == {10.0}
    with pytest.raises(CorrectionError, match="no syst='up': it knows nominal"):  # of both
        jec(x=t.mass, syst="up")
    with pytest.raises(CorrectionError, match="it has l1, l2, jec"):
        ff.correction(path, "l3")
    with pytest.raises(CorrectionError, match="are for histograms"):
        ff.correction(path, "jec", flow="clamp")


# Pile-up


def profile(*values, stop=40):
    made = hist.Hist(hist.axis.Regular(len(values), 0, stop))
    made.view()[:] = values
    return made


def test_pile_up_weights_make_the_profile_of_the_data():
    data, simulation = profile(10, 40, 30, 20), profile(1, 1, 1, 1)
    pile_up = ff.pile_up_weights(data=data, simulation=simulation, up=profile(0, 0, 0, 7))
    at = np.array([5.0, 15, 25, 35])
    weights = pile_up.evaluator.evaluate(at, "nominal")
    np.testing.assert_allclose(weights, [0.4, 1.6, 1.2, 0.8])
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_array_equal(pile_up.evaluator.evaluate(at, "up"), [0, 0, 0, 4])
    assert pile_up(events.n_pileup) is pile_up(interactions=events.n_pileup, systematic="nominal")
    with pytest.raises(CorrectionError, match="knows nominal, up"):
        pile_up(events.n_pileup, systematic="down")


def test_profiles_of_files(tmp_path):
    with uproot.recreate(tmp_path / "pu.root") as file:
        file["data"], file["mc"] = profile(1, 3), profile(1, 1)
    pile_up = ff.pile_up_weights(
        data=f"{tmp_path}/pu.root:data", simulation=tmp_path / "pu.root:mc", flow="clamp"
    )
    np.testing.assert_allclose(pile_up.evaluator.evaluate([1.0, 99.0], "nominal"), [0.5, 1.5])


def test_data_where_nothing_was_generated_is_told():
    with pytest.warns(
        UserWarning, match=r"25 % of the data .* without simulation \(from 30\)"
    ) as told:
        pile_up = ff.pile_up_weights(data=profile(1, 1, 1, 1), simulation=profile(1, 1, 1, 0))
    assert told[0].filename == __file__
    assert pile_up.evaluator.evaluate(35.0, "nominal") == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ff.pile_up_weights(data=profile(1, 1, 1, 0), simulation=profile(1, 1, 1, 0))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (profile(1, 1, stop=20), "2 bins from 0 to 20, and .* 2 from 0 to 40"),
        (profile(1, 1, 1), "3 bins"),
        (profile(1, -1), "negative bin"),
        (profile(0, 0), "is empty"),
        ("pu.root", "write 'FILE.root:HISTOGRAM'"),
        (3, "is not a histogram"),
    ],
)
def test_profiles_that_cannot_be_compared(data, message):
    with pytest.raises(CorrectionError, match=message):
        ff.pile_up_weights(data=data, simulation=profile(1, 1))


# Efficiencies


def test_an_efficiency_of_histograms_of_a_result_is_read_back_by_correctionlib(
    tmp_path, small_nano
):
    axes = [ff.axis(muon.pt, bins=3, range=(2, 9)), ff.axis(abs(muon.eta), bins=2, range=(0, 2))]
    tight = ff.Selection(muon).cut("global", muon.is_global)
    total = run(ff.Analysis(ff.Selection(muon), pt=ff.hist(*axes)), small_nano).pt
    passed = run(ff.Analysis(tight, pt=ff.hist(*axes)), small_nano).pt
    found = ff.efficiency_map(passed, total, name="global")
    back = correctionlib.CorrectionSet.from_file(str(found.to_json(tmp_path / "eff.json")))
    again = ff.correction(tmp_path / "eff.json", "global")
    assert json.loads(again.text) == json.loads(found.text)
    centres = np.meshgrid(*(axis.centers for axis in total.axes), indexing="ij")
    bins = zip(passed.values().flat, total.values().flat, strict=True)
    expected = [of_counts(int(some), int(every)) for some, every in bins]
    for systematic, end in {"nominal": "value", "up": "high", "down": "low"}.items():
        values = back["global"].evaluate(*(x.ravel() for x in centres), systematic)
        np.testing.assert_array_equal(values, [getattr(each, end) for each in expected])


def test_efficiencies_of_weights_and_of_empty_bins():
    total = hist.Hist(hist.axis.Regular(2, 0, 2, name="x"), storage=hist.storage.Weight())
    passed = total.copy()
    total.fill([0.5, 0.5], weight=[1.5, 2.5])
    passed.fill([0.5], weight=[1.5])
    with pytest.warns(UserWarning, match="1 of 2 bins of trigger are empty"):
        found = ff.efficiency_map(passed, total, name="trigger")
    expected = of_weights(1.5, 2.25, 4, 8.5)
    assert found.evaluator.evaluate(0.5, "nominal") == 0.375
    assert found.evaluator.evaluate(0.5, "up") == expected.high
    assert [found.evaluator.evaluate(1.5, each) for each in ("down", "nominal", "up")] == [0, 0, 1]


def test_histograms_of_which_no_efficiency_can_be_made():
    with pytest.raises(CorrectionError, match="other bins"):
        ff.efficiency_map(profile(1, 1), profile(1, 1, stop=20))
    with pytest.raises(CorrectionError, match="are they swapped"):
        ff.efficiency_map(profile(3, 1), profile(2, 2))
