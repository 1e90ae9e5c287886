"""Variations and categories as users write them, and what is refused before a run."""

import pickle

import pytest

import flavorframe as ff
from flavorframe._expr.variations import Variation, shifted, variations_in
from flavorframe.errors import AnalysisError, ExpressionError

events = ff.events()
t, muon = events.triplet, events.muon


def test_what_has_one_source_is_shifted_together() -> None:
    pt = ff.vary("scale", t.pt, up=1.1 * t.pt, down=0.9 * t.pt)
    other = ff.vary("resolution", t.mass, up=t.mass + 1)
    both = pt + ff.vary("scale", t.eta, up=t.eta + 1, down=t.eta - 1) * other
    assert variations_in([both.node]) == (
        Variation("scale", "up"),
        Variation("scale", "down"),
        Variation("resolution", "up"),
    )
    assert shifted(both.node, None) is (t.pt + t.eta * t.mass).node
    up = shifted(both.node, Variation("scale", "up"))
    assert up is (1.1 * t.pt + (t.eta + 1) * t.mass).node


def test_a_number_stands_for_each_element() -> None:
    factor = ff.vary("factor", 1 / t.pt, up=1)
    up = shifted(factor.node, Variation("factor", "up"))
    assert up.axis == t.axis
    assert shifted(t.pt.node, Variation("factor", "up")) is t.pt.node


def test_a_number_is_varied_for_each_element() -> None:
    factor = ff.vary("pdf", 1.0, replicas=[t.pt, 2 * t.pt])
    assert factor.axis == t.axis
    assert shifted(factor.node, None).axis == t.axis
    in_gev = ff.vary("threshold", t.pt, up=12 * ff.GeV)
    up = shifted(in_gev.node, Variation("threshold", "up"))
    assert up.axis == t.axis
    assert (12 * ff.GeV).node in up.inside


def test_varied_parts_of_collections() -> None:
    hard = muon[ff.vary("scale", muon.pt, up=2 * muon.pt) > 3]
    up = shifted(hard.pt.node, Variation("scale", "up"))
    assert up is muon[2 * muon.pt > 3].pt.node


def test_replicas_are_numbered_and_pickled() -> None:
    weight = ff.vary("pdf", 1 + 0 * t.pt, replicas=[1 + i * t.pt for i in range(3)])
    labels = [v.label for v in variations_in([weight.node])]
    assert labels == ["pdf 0", "pdf 1", "pdf 2"]
    assert pickle.loads(pickle.dumps(weight)) is weight


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ff.vary("scale", t.pt), "varies nothing"),
        (lambda: ff.vary("", t.pt, up=1), "name of a source"),
        (lambda: ff.vary("scale", t.pt, up=muon.pt), "one value per muon"),
        (lambda: ff.vary("scale", t.pt, up=events.run), "one value per event"),
        (lambda: ff.vary("scale", t.pt, up="high"), "is a string"),
        (lambda: ff.vary("scale", t.pt, only="mc", up=t.pt), "only='mc'"),
        (lambda: ff.categories(a=True), "is the constant True"),
        (lambda: ff.categories(a=t.pt > 1, b=muon.pt > 1), "two collections"),
    ],
)
def test_what_is_refused_where_it_is_written(make, told) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ExpressionError, match=told):
        make()


def test_sources_with_other_shifts_are_told_apart() -> None:
    weight = ff.vary("scale", t.pt, up=2 * t.pt)
    cut = ff.vary("scale", t.mass, up=2 * t.mass, down=t.mass)
    selection = ff.Selection(t).weight("weight", weight).cut("mass", cut > 1)
    with pytest.raises(AnalysisError, match=r"'scale' has the shifts up of .* and up, down of"):
        ff.Analysis(selection)


def test_categories() -> None:
    by = ff.categories({"low η": abs(t.eta) < 1}, high=abs(t.eta) >= 1)
    assert by.names == ("low η", "high")
    assert by["high"] is (abs(t.eta) >= 1)
    with pytest.raises(AnalysisError, match="no category 'hihg'. Did you mean 'high'"):
        _ = by["hihg"]
    with pytest.raises(AnalysisError, match="first axis of each histogram of a region"):
        ff.hist(by, bins=2, range=(0, 2))  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="An output needs a name"):
        ff.Region(ff.Selection(t), **{"": ff.hist(t.mass, bins=2, range=(0, 2))})
    with pytest.raises(AnalysisError, match="under a name of its own"):
        ff.categories({"high": t.eta > 1}, high=t.eta > 2)
    with pytest.raises(ExpressionError, match="one value per muon, and the candidates are triplet"):
        ff.Region(ff.Selection(t), by=ff.categories(a=muon.pt > 1))


@pytest.mark.parametrize("name", ["cutflow", "_own", "is", "two words"])
def test_regions_have_names_of_their_own(name: str) -> None:
    with pytest.raises(AnalysisError, match="cannot be called"):
        ff.Analysis(**{name: ff.Region(ff.Selection(t))})


def test_regions_and_outputs_do_not_mix() -> None:
    region = ff.Region(ff.Selection(t))
    with pytest.raises(AnalysisError, match="a region beside a selection"):
        ff.Analysis(ff.Selection(t), signal=region)
    with pytest.raises(AnalysisError, match="regions by name, and 'mass' is"):
        ff.Analysis(mass=ff.hist(t.mass, bins=2, range=(0, 1)))
    analysis = ff.Analysis(signal=region, control=ff.Region(ff.Selection(muon)))
    with pytest.raises(AnalysisError, match="has regions, signal, control"):
        _ = analysis.selection
    assert analysis["control"].selection == ff.Selection(muon)
    with pytest.raises(AnalysisError, match="Did you mean 'signal'"):
        _ = analysis["signl"]
