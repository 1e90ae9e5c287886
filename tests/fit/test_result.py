"""Results: what they hold, what they refuse, what they become in JSON."""

import json
import math
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from flavorframe.errors import FitError


def test_require_valid_returns_the_result(handmade):
    fit = handmade()
    assert fit.valid
    assert fit.require_valid() is fit


def test_require_valid_gives_all_reasons_and_what_to_do(handmade):
    fit = handmade("MIGRAD did not converge", "sigma is at its limit")
    assert not fit.valid
    with pytest.raises(FitError) as raised:
        fit.require_valid()
    assert str(raised.value) == (
        "the fit is not valid: MIGRAD did not converge; sigma is at its limit. Look at .plot(); "
        "then fit more data, move or widen a parameter's limits, or fix it: "
        "model.change(name, fixed=True)"
    )


def test_yields_and_parameters_by_name(handmade):
    fit = handmade()
    assert list(fit.yields) == ["Ds", "background"]
    value, error = fit.yields["Ds"]
    assert (value, error) == (5279.8, 175.2)
    assert fit.yields["Ds"].value == fit.parameters["N(Ds)"].value
    assert fit.parameters["mean"].unit == "GeV"
    assert fit.parameters["n"].fixed


def test_pulls_follow_the_expected_errors(handmade):
    fit = handmade()
    assert np.abs(fit.pulls).max() < 0.02
    more = replace(fit.data, values=fit.data.values + np.sqrt(fit.expected))
    assert replace(fit, data=more).pulls == pytest.approx(1, abs=0.02)


def test_pulls_are_nan_where_nothing_is_expected(handmade):
    fit = handmade()
    nothing = tuple(replace(parameter, value=0.0) for parameter in fit.fitted[:2])
    pulls = replace(fit, fitted=nothing + fit.fitted[2:]).pulls
    assert np.isnan(pulls).all()


def test_without_degrees_of_freedom_there_is_no_p_value(handmade):
    fit = handmade()
    data = replace(fit.data, edges=fit.data.edges[:6], values=fit.data.values[:5])
    bare = replace(fit, data=data)
    assert bare.ndf == 0
    assert math.isnan(bare.chi2_ndf)
    assert math.isnan(bare.p_value)


def test_a_result_cannot_be_changed(handmade):
    with pytest.raises(FrozenInstanceError):
        handmade("bad").problems = ()


def test_to_dict_is_json(handmade):
    fit = handmade("sigma is at its limit", luminosity=4.8, covariance=np.full((7, 7), np.nan))
    text = json.dumps(fit.to_dict(), allow_nan=False)
    numbers = json.loads(text)
    assert numbers["valid"] is False
    assert numbers["problems"] == ["sigma is at its limit"]
    assert numbers["yields"]["Ds"] == {"value": 5279.8, "error": 175.2}
    assert numbers["parameters"]["N(Ds)"]["minos"] == [-174.1, 176.4]
    assert numbers["parameters"]["mean"]["limits"] == [1.94, 2.0]
    assert numbers["covariance"][0][0] is None
    assert (numbers["bins"], numbers["ndf"], numbers["luminosity"]) == (62, 57, 4.8)


def test_pickles(handmade):
    again = pickle.loads(pickle.dumps(handmade("bad")))
    assert again.problems == ("bad",)
    assert again.yields == handmade().yields


def test_toys_need_a_valid_fit(handmade):
    with pytest.raises(FitError, match="the fit is not valid: bad"):
        handmade("bad").toys(10)
