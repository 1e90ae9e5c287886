"""Selections, outputs and analyses as they are declared."""

import pickle

import pytest

import flavorframe as ff
from flavorframe.errors import AnalysisError, ExpressionError

events = ff.events()
t, muon = events.triplet, events.muon
mass_cut = ff.Selection(t).cut("mass", t.mass > 1)


def mass_hist(**options):
    return ff.hist(t.mass, bins=2, range=(0, 1), **options)


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: mass_cut.cut("mass", t.pt > 1), AnalysisError, "used twice"),
        (lambda: mass_cut.cut("", t.pt > 1), AnalysisError, "needs a name"),
        (lambda: mass_cut.cut("pt", muon.pt > 1), ExpressionError, "candidates are triplet"),
        (lambda: mass_cut.cut("pt", True), ExpressionError, "the constant True"),
        (lambda: mass_cut.best(lowest=t.pt).cut("x", t.pt > 1), AnalysisError, "put .best"),
        (lambda: mass_cut.best(), AnalysisError, "either lowest"),
        (lambda: mass_cut.best(lowest=t.pt).best(lowest=t.pt), AnalysisError, "already"),
        (lambda: ff.Selection(t.mass), AnalysisError, "takes a collection"),
        (lambda: ff.Selection(events).best(lowest=events.run), AnalysisError, "selects events"),
        (lambda: mass_cut.cut("pt", "mass > 1"), ExpressionError, r"becomes one by ff.parse\(\)"),
        (lambda: mass_cut.without("mas"), AnalysisError, "Did you mean 'mass'"),
        (lambda: ff.Selection(t).without("mass"), AnalysisError, "The selection has no cut"),
        (lambda: ff.hist(t.mass), AnalysisError, "needs bins="),
        (lambda: ff.hist(t.mass, bins=3), AnalysisError, "needs range="),
        (lambda: ff.hist(t.mass, bins=0, range=(0, 1)), AnalysisError, "at least one"),
        (lambda: ff.hist(t.mass, bins=2.5, range=(0, 1)), AnalysisError, "no number of bins"),
        (lambda: ff.hist(t.mass, bins=[0, None]), AnalysisError, r"\[0, None\] are no bin edges"),
        (lambda: ff.hist(t.mass, bins=3, range=5), AnalysisError, r"range=\(low, high\), not 5"),
        (lambda: ff.hist(t.mass, bins=3, range=(2, 1)), AnalysisError, r"Did you mean \(1, 2\)"),
        (lambda: ff.hist(t.mass, bins=3, range=(0, float("nan"))), AnalysisError, "must rise"),
        (lambda: ff.hist(t.mass, bins=[1, 1, 2]), AnalysisError, "edges must rise"),
        (lambda: ff.hist(t.mass, bins=[1, 2], range=(1, 2)), AnalysisError, "not both"),
        (lambda: ff.hist(t.mass, t.pt, bins=3), AnalysisError, "takes axes"),
        (lambda: ff.hist(), AnalysisError, "takes an expression"),
        (lambda: ff.hist(3.0, bins=3, range=(0, 1)), ExpressionError, "not the constant"),
        (lambda: ff.hist(*[ff.axis(t.pt, bins=[0, 1])] * 2), AnalysisError, "same quantity"),
        (lambda: ff.hist(ff.axis(t.pt, bins=[0, 1]), bins=3), AnalysisError, "belong into each"),
        (lambda: ff.hist(t.mass, bins=[0, 1], weight=muon.pt), ExpressionError, "do not combine"),
        (lambda: ff.hist(t.mass, bins=3, range=(-1e308, 1e308)), AnalysisError, "too wide"),
        (lambda: ff.snapshot(), AnalysisError, "at least one"),
        (lambda: ff.snapshot(t.pt, pt=t.eta), AnalysisError, "two columns named 'pt'"),
        (lambda: ff.snapshot(t.pt, muon.eta), ExpressionError, "do not combine"),
        (lambda: ff.snapshot(a="z"), ExpressionError, "'a' of the snapshot is the text 'z'"),
        (lambda: ff.snapshot(t.pt, "z"), ExpressionError, "is the text 'z'"),
        (lambda: ff.snapshot(t.pt, format="csv"), AnalysisError, "ttree, rntuple, parquet"),
        (lambda: ff.Analysis(t), AnalysisError, "takes a selection first"),
        (lambda: ff.Analysis(mass_cut, x=t.mass), AnalysisError, "made by ff.hist"),
        (lambda: ff.Analysis(mass_cut, cutflow=mass_hist()), AnalysisError, "cannot be called"),
        (lambda: ff.Analysis(mass_cut, x=mass_hist(without="mas")), AnalysisError, "no cut 'mas'"),
        (lambda: ff.Analysis(mass_cut).run("a.root"), AnalysisError, "takes a dataset"),
    ],
)
def test_mistakes_are_explained(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


def test_repr_is_the_analysis_note():
    selection = (
        ff.Selection(t)
        .cut("HLT", events.hlt.fired("HLT_*"))
        .weight("SF", t.pt * 0.9)
        .best(highest=t.pt)
    )
    assert repr(selection) == (
        "Selection of triplet\n"
        "  1. HLT               HLT_* fired\n"
        "  2. SF                weight triplet.pt · 0.9\n"
        "  3. best candidate    highest triplet.pt"
    )
    assert "<caption>Selection of triplet" in selection._repr_html_()


def test_plans_are_hashable_pickle_and_digest_alike():
    def plan(cut):
        return ff.Analysis(ff.Selection(t).cut("mass", t.mass > cut), m=mass_hist()).plan

    assert plan(1) == plan(1)
    assert hash(plan(1)) == hash(plan(1))
    assert pickle.loads(pickle.dumps(plan(1))) == plan(1)
    assert plan(1).digest == plan(1).digest != plan(2).digest


def test_column_names():
    snapshot = ff.snapshot(
        t.mass, t.mu1.pt, events["Any_Branch"], t.pt + 1, muon.at(t.mu1_idx).eta, mine=t.eta
    )
    names = [name for name, _ in snapshot.columns]
    assert names == ["mass", "mu1_pt", "Any_Branch", "triplet_pt_1", "eta", "mine"]


def test_outputs_can_be_added_to_an_analysis():
    analysis = ff.Analysis(mass_cut, a=mass_hist()).with_outputs(b=mass_hist())
    assert [name for name, _ in analysis.outputs] == ["a", "b"]
    assert repr(analysis).startswith("Analysis: a (histogram), b (histogram)\nSelection of triplet")
