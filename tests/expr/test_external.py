"""Users' functions and correction files as expressions."""

import gzip
import json
import pickle

import correctionlib
import correctionlib.schemav2 as schema
import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import CorrectionError, ExpressionError

t = ff.events().triplet


@pytest.fixture
def scale_factors(tmp_path):
    """Return the path of a file with one correction: pt bins times a systematic category."""

    def binned(scale):
        return schema.Binning(
            nodetype="binning", input="pt", edges=[2, 5, 10], flow="error",
            content=[0.9 * scale, 0.95 * scale],
        )  # fmt: skip

    category = schema.Category(
        nodetype="category", input="syst",
        content=[{"key": "nominal", "value": binned(1)}, {"key": "up", "value": binned(1.1)}],
    )  # fmt: skip
    correction = schema.Correction(
        name="muon_id", version=1, data=category,
        inputs=[{"name": "pt", "type": "real"}, {"name": "syst", "type": "string"}],
        output={"name": "sf", "type": "real"},
    )  # fmt: skip
    path = tmp_path / "sf.json"
    path.write_text(
        schema.CorrectionSet(schema_version=2, corrections=[correction]).model_dump_json(
            exclude_unset=True
        )
    )
    return path


def test_prints_its_inputs(scale_factors):
    weight = ff.correction(scale_factors, "muon_id")(pt=t.mu1.pt, syst="nominal")
    assert weight.formula == "muon_id(pt = triplet.mu1.pt, syst = 'nominal')"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"pt": 3.0, "systm": "up"}, "no input 'systm'.*Did you mean 'syst'"),
        ({"pt": 3.0}, "needs syst as well"),
        ({"pt": 3.0, "syst": "upp"}, "no syst='upp'.*Did you mean 'up'"),
    ],
)
def test_inputs_are_checked_by_name(scale_factors, inputs, message):
    with pytest.raises(CorrectionError, match=message):
        ff.correction(scale_factors, "muon_id")(**inputs)


def test_unknown_correction_and_file(scale_factors, tmp_path):
    with pytest.raises(CorrectionError, match="Did you mean 'muon_id'"):
        ff.correction(scale_factors, "muon_ID2")
    with pytest.raises(CorrectionError, match="no correction file"):
        ff.correction(tmp_path / "none.json", "muon_id")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(CorrectionError, match="not a correctionlib file"):
        ff.correction(tmp_path / "bad.json", "muon_id")


def test_a_changed_file_is_another_correction(scale_factors):
    before = ff.correction(scale_factors, "muon_id")
    scale_factors.write_text(scale_factors.read_text().replace("0.9", "0.8"))
    assert ff.correction(scale_factors, "muon_id") != before


def test_gzipped_files_and_pickles(scale_factors, tmp_path):
    packed = tmp_path / "sf.json.gz"
    packed.write_bytes(gzip.compress(scale_factors.read_bytes()))
    correction = ff.correction(packed, "muon_id")
    with pytest.raises(CorrectionError, match="no syst"):
        correction(pt=t.pt, syst="x")
    assert pickle.loads(pickle.dumps(correction)) == correction


def test_a_category_with_a_default_takes_any_key(scale_factors):
    content = json.loads(scale_factors.read_text())
    content["corrections"][0]["data"]["default"] = 1.0
    scale_factors.write_text(json.dumps(content))
    assert ff.correction(scale_factors, "muon_id")(pt=t.pt, syst="anything").axis.name == "triplet"


def test_values_equal_correctionlib_called_directly(scale_factors, small_nano):
    corrected = ff.correction(scale_factors, "muon_id")(pt=t.mu1.pt, syst="up")
    selection = ff.Selection(t).cut("in range", t.mu1.pt.between(2, 10))
    analysis = ff.Analysis(
        selection.weight("SF", corrected),
        rows=ff.snapshot(t.mu1.pt, sf=corrected),
        mass=ff.hist(t.mass, bins=5, range=(1.6, 2.1)),
    )
    result = analysis.run(ff.dataset(small_nano), progress=False)
    direct = correctionlib.CorrectionSet.from_file(str(scale_factors))["muon_id"]
    expected = direct.evaluate(result.rows["mu1_pt"], "up")
    np.testing.assert_array_equal(result.rows["sf"], expected)
    np.testing.assert_array_equal(result.rows["weight"], expected)
    assert result.cutflow["SF"].sumw_candidates == pytest.approx(expected.sum(), rel=1e-12)
    assert result.cutflow["in range"].sumw_candidates == len(expected)
    assert result.mass.sum(flow=True).value == pytest.approx(expected.sum(), rel=1e-12)


def test_out_of_range_says_which_values_came(scale_factors, small_nano):
    weight = ff.correction(scale_factors, "muon_id")(pt=t.mu1.pt * 100, syst="up")
    with pytest.raises(CorrectionError, match=r"pt from .* Put the weight after the cuts"):
        ff.Analysis(ff.Selection(t).weight("SF", weight)).run(
            ff.dataset(small_nano), progress=False
        )


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda x: x[:1], r"returned shape \(1,\)"),
        (lambda x: 1 / 0, "failed: ZeroDivisionError"),
        (lambda x: 3.0, "one value per element"),
    ],
)
def test_functions_that_fail_say_so(small_nano, compute, message):
    selection = ff.Selection(t).cut("mine", ff.function(compute)(t.mass) > 0)
    with pytest.raises(ExpressionError, match=message):
        ff.Analysis(selection).run(ff.dataset(small_nano), progress=False)


def test_functions_take_constants_and_event_values(small_nano):
    @ff.function
    def combine(mass, run, factor):
        assert mass.shape == run.shape == factor.shape
        return mass * factor + run

    events = ff.events()
    rows = ff.snapshot(t.mass, events.run, mine=combine(t.mass, events.run, 2.0))
    result = ff.Analysis(ff.Selection(t), rows=rows).run(ff.dataset(small_nano), progress=False)
    expected = result.rows["mass"] * 2 + result.rows["run"]
    np.testing.assert_array_equal(result.rows["mine"], expected)


def test_a_function_needs_an_expression():
    with pytest.raises(ExpressionError, match="at least one expression"):
        ff.function(np.sqrt)(3.0)
    with pytest.raises(ExpressionError, match="takes a function"):
        ff.function(3)


def test_plans_tell_corrections_apart_beside_functions_that_are_not_kept(scale_factors):
    @ff.function
    def smeared(mass):
        return mass + np.random.default_rng().normal(size=len(mass))

    def digest():
        weight = ff.correction(scale_factors, "muon_id")(pt=t.mu1.pt, syst="nominal")
        return ff.Analysis(ff.Selection(t).weight("w", weight * smeared(t.mass))).plan.digest

    before = digest()
    assert digest() == before
    scale_factors.write_text(scale_factors.read_text().replace("0.95", "0.96"))
    assert digest() != before
