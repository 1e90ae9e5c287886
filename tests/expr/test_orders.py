"""Sorted collections, places in an order, and collections put together, as expressions."""

import pickle

import pytest

import flavorframe as ff
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe.errors import ExpressionError

events = ff.events()
muon, electron, jet = events.muon, events.electron, events.jet
falling = muon.sorted(muon.pt, descending=True)
lepton = ff.concatenate(muon, electron)
first, second = ff.pairs(lepton).members

WRITTEN = [
    (falling.eta, "muon.sorted(muon.pt, descending).eta"),
    (muon.sorted(muon.pt).at(1).pt, "muon.sorted(muon.pt).at(1).pt"),
    (muon.at(-1).pt, "muon.at(−1).pt"),
    (muon.first(2).pt, "muon.first(2).pt"),
    (falling[falling.eta > 0].first(2).pt,
     "muon.sorted(muon.pt, descending)[muon.sorted(muon.pt, descending).eta > 0].first(2).pt"),
    (muon.rank(muon.pt, descending=True), "rank(muon.pt, descending)"),
    (lepton.pt, "concatenate(muon, electron).pt"),
    (lepton.source, "concatenate(muon, electron).source"),
    (first.is_from(muon), "concatenate(muon, electron)₁.is_from(muon)"),
    (ff.concatenate(muon, electron[electron.pt > 5]).jet.pt,
     "concatenate(muon, electron[electron.pt > 5]).jet.pt"),
    (second.index, "index(concatenate(muon, electron)₂)"),
    (muon.at(events.triplet.mu1_idx).index, "index(muon.at(triplet.mu1_idx))"),
    (lepton.mva.default(-1), "concatenate(muon, electron).mva.default(−1)"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "formula"), WRITTEN)
def test_formula_and_pickling(expression, formula):
    assert expression.formula == formula
    assert pickle.loads(pickle.dumps(expression)) is expression


def test_each_has_an_identity_of_its_own():
    different = [
        muon.pt, falling.pt, muon.sorted(muon.pt).pt, muon.sorted(muon.eta).pt, muon.first(1).pt,
        muon.first(2).pt, muon.at(0).pt, muon.at(-1).pt, muon.at(-2).pt, muon.rank(muon.pt),
        muon.rank(muon.pt, descending=True), lepton.pt, ff.concatenate(electron, muon).pt,
        lepton.source, lepton.is_from(muon), lepton.is_from(electron),
    ]  # fmt: skip
    assert len({fingerprint(each.node) for each in different}) == len(different)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: muon.sorted(3), r"muon\.sorted\(3\): an order takes an expression"),
        (lambda: muon.sorted(muon), "muon is an object, not a value"),
        (lambda: muon.first(), r"muon\.first\(\): write how many .* muon\.at\(0\)"),
        (lambda: muon.first(-1), r"muon\.first\(-1\): write how many"),
        (lambda: muon.at(0.5), r"\.at\(\) takes an expression or a whole number, not 0\.5"),
        (lambda: ff.concatenate(muon), "two or more collections"),
        (lambda: ff.concatenate(muon, muon), "would have each muon twice"),
        (lambda: ff.concatenate(muon, electron.pt), "is not a collection"),
        (lambda: ff.concatenate(jet, muon.per(jet)), r"together, and take \.per\(jet\) of that"),
        (lambda: lepton["Muon_pt"], "has no branches of its own"),
        (lambda: ff.concatenate(muon, ff.pairs(muon)).members, "has no members"),
        (lambda: lepton.is_from(jet), r"is_from\(jet\): .* is made of muon and electron"),
        (lambda: muon.is_from(muon), "muon is not made by ff.concatenate"),
        (lambda: lepton.pt + muon.pt, "two collections do not combine"),
    ],
)
def test_what_is_refused(build, message):
    with pytest.raises(ExpressionError, match=message):
        build()


def test_completion_offers_the_fields_that_all_have():
    offered = {*dir(ff.concatenate(muon, events.track))}
    assert {"pt", "charge", "source"} <= offered
    assert "is_global" in dir(muon)
    assert "is_global" not in offered
