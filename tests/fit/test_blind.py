"""Blind fits: nothing that they show tells what is hidden."""

from dataclasses import replace

import numpy as np
import pytest

from flavorframe.errors import FitError
from flavorframe.fit import BlindModel, Exponential, Gaussian, JointModel, MassModel, Parameter

RANGE = (1.65, 2.01)
SIGMA = Parameter("sigma", 0.012, limits=(0.003, 0.04), unit="GeV")
MODEL = MassModel(
    (
        Gaussian("Ds", Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV"), SIGMA),
        Exponential("background", Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")),
    ),
    RANGE,
)
BLIND = BlindModel(MODEL, "a phrase", spread=900)


def candidates(signal, seed=1):
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(1.968, 0.012, signal), random.uniform(*RANGE, 3000)])


@pytest.fixture(scope="module")
def fits():
    masses = candidates(1000)
    return BLIND.fit(masses), MODEL.fit(masses)


def test_yields_are_hidden_and_nothing_else(fits):
    blind, seen = fits
    assert blind.valid
    for name in ("N(Ds)", "N(background)"):
        assert 1 < abs(blind.parameters[name].value - seen.parameters[name].value) <= 900
        assert blind.parameters[name].error == seen.parameters[name].error
    for name in ("mean", "sigma", "slope"):
        assert blind.parameters[name] == seen.parameters[name]
    assert (blind.chi2, blind.ndf) == (seen.chi2, seen.ndf)
    # The sum of the yields is known, so that neither may be told by the other.
    hidden = sum(blind.parameters[name].value for name in ("N(Ds)", "N(background)"))
    assert abs(hidden - seen.data.total) > 1


def test_what_is_shown_does_not_tell(fits):
    blind, seen = fits
    shown = repr(blind)
    assert "hidden offsets in N(Ds), N(background)" in shown
    assert not any(f"{found.value:.0f}" in shown for found in seen.yields.values())


def test_offsets_are_those_of_the_phrase(fits):
    blind, _ = fits
    more = BLIND.fit(candidates(1100))
    apart = more.parameters["N(Ds)"].value - blind.parameters["N(Ds)"].value
    assert apart == pytest.approx(100, abs=40)
    other = BlindModel(MODEL, "another phrase", spread=900).fit(candidates(1000))
    assert other.parameters["N(Ds)"].value != blind.parameters["N(Ds)"].value


def test_unblinding_keeps_the_reason(fits):
    blind, seen = fits
    with pytest.raises(FitError, match="give the reason"):
        blind.unblind(" ")
    found = blind.unblind("the selection is frozen")
    assert found.yields == seen.yields
    assert "unblinded: the selection is frozen" in repr(found)
    assert found.to_dict()["unblinded"] == "the selection is frozen"


def test_problems_do_not_tell():
    blind = BLIND.fit(np.random.default_rng(1).uniform(*RANGE, 500))
    assert not blind.valid
    assert "a problem that tells a hidden number" in blind.problems


def test_what_candidates_are_expressed_by_is_hidden():
    total = Parameter("N", 1000, limits=(0, 9000))
    peak, flat = MODEL.components
    model = MassModel((replace(peak, candidates=total), replace(flat, candidates=3 * total)), RANGE)
    blind = BlindModel(model, "a phrase", spread=90).fit(candidates(1000))
    assert abs(blind.parameters["N"].value - 1000) > 100
    assert "hidden offsets in N" in repr(blind)
    bad = BlindModel(model.change("slope", limits=(-0.01, 0.01)), "a phrase", spread=90)
    tilted = candidates(1000) ** 2 / 2.01
    assert any("slope" in problem for problem in bad.fit(tilted).problems)


def test_joint_models_and_other_parameters_are_hidden_as_well():
    joint = JointModel({"a": MODEL, "b": MODEL}, shared=["mean", "sigma"])
    data = {"a": candidates(1000), "b": candidates(1000, 2)}
    blind = BlindModel(joint, "a phrase", spread=90, also=["slope[a]"]).fit(data)
    found = blind.unblind("a test")
    moved = [n for n in blind.parameters if blind.parameters[n] != found.parameters[n]]
    assert set(moved) == {n for n in found.parameters if n.startswith("N(")} | {"slope[a]"}
    with pytest.raises(FitError, match="no parameter 'slop' to hide"):
        BlindModel(joint, "a phrase", spread=9, also=["slop"]).fit(data)
    with pytest.raises(FitError, match="spread=0 hides nothing"):
        BlindModel(joint, "a phrase", spread=0)
