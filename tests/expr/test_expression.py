"""Expressions: immutable, hashable, typed by axis, printed as formulas."""

import copy
import functools
import gc
import operator
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._expr import nodes as n, parts
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe.errors import ExpressionError

events = ff.events()
t, muon, track = events.triplet, events.muon, events.track


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        (t.mass, "triplet.mass"),
        (t.mu1.is_global, "triplet.mu1.is_global"),
        (events.run, "run"),
        (events["AnyBranch"] > 1, "AnyBranch > 1"),
        (t["Triplet2_Mass"], "Triplet2_Mass"),
        (t.mass.between(1.62, 2.02), "1.62 ≤ triplet.mass < 2.02"),
        (t.mass.between(1, 2, closed="right"), "1 < triplet.mass ≤ 2"),
        (abs(t.mu1.eta) < 1.2, "|triplet.mu1.eta| < 1.2"),
        ((t.pt + 1) * 2, "(triplet.pt + 1) · 2"),
        (t.pt - (t.eta - 1), "triplet.pt − (triplet.eta − 1)"),
        (-(t.pt**2), "−triplet.pt^2"),
        (1 / t.pt, "1 / triplet.pt"),
        (t.charge.isin(-1, 1), "triplet.charge ∈ {-1, 1}"),
        ((t.pt > 1) & ((t.eta > 1) | (t.eta < -1)),
         "triplet.pt > 1 and (triplet.eta > 1 or triplet.eta < −1)"),
        (~(t.pt > 1), "not triplet.pt > 1"),
        (ff.sqrt(t.pt), "√(triplet.pt)"),
        (muon.pt.max(), "max(muon.pt)"),
        (muon.count(), "count(muon)"),
        (muon[muon.pt > 5].count(), "count(muon[muon.pt > 5])"),
        (muon.at(t.mu1_idx).pt, "muon.at(triplet.mu1_idx).pt"),
        (muon.match(pt=t.mu1.pt).is_pf, "muon.match(pt = triplet.mu1.pt).is_pf"),
        (muon.match(pt=t.mu1.pt).found, "muon.match(pt = triplet.mu1.pt) exists"),
        (ff.delta_r(t.mu1, t.track), "ΔR(triplet.mu1, triplet.track)"),
        (ff.delta_phi(t.mu1, t.track), "Δφ(triplet.mu1, triplet.track)"),
        (ff.transverse_mass(t.mu1, t.track), "mT(triplet.mu1, triplet.track)"),
        (ff.where(t.pt > 1, t.eta, 0), "(triplet.eta if triplet.pt > 1 else 0)"),
        (events.hlt.fired("HLT_a_v*", "HLT_b"), "HLT_a_v* or HLT_b fired"),
        (events["Trigger_hltname"].contains("Tau"), "Trigger_hltname contains 'Tau'"),
    ],
)  # fmt: skip
def test_formula(expression, formula):
    assert expression.formula == formula


@pytest.mark.parametrize(
    ("expression", "axis"),
    [
        (t.mass > 1, "triplet"),
        (t.mass > events.run, "triplet"),
        (muon.pt.max() > 3, "event"),
        (muon.at(t.mu1_idx).pt, "triplet"),
        (muon[muon.pt > 5].pt, "muon[muon.pt > 5]"),
        (ff.pairs(muon).members[0].pt, "pairs(muon)"),
        (ff.pairs(muon, track).members[1].pt, "pairs(muon, track)"),
        (ff.triples(muon, muon, track).members[2].pt, "triples(muon, muon, track)"),
        (events["x"] + t.mass, "triplet"),
    ],
)
def test_axis(expression, axis):
    assert expression.axis.name == axis


def test_equal_expressions_are_one_object():
    assert (t.mass + 1) is (t.mass + 1)
    assert len({t.mass, t.mass, t.pt}) == 2
    assert (t.mass > 1) is not (t.mass > 1.0)


def test_pickles_to_itself():
    expression = ff.delta_r(t.mu1, t.track).between(1e-4, 0.8) & muon.match(pt=t.mu1.pt).is_global
    assert pickle.loads(pickle.dumps(expression)) is expression


def test_is_immutable():
    with pytest.raises(AttributeError, match="immutable"):
        t.mass.node = None


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: (t.mass > 1) and (t.mass < 2), "Use & for 'and'"),
        (lambda: 1 < t.mass < 2, r"x\.between\(a, b\)"),
        (lambda: not (t.mass > 1), "~ for 'not'"),
        (lambda: t.mass > muon.pt, "two collections do not combine.*match.*any"),
        (lambda: t > 3, "ask one of its fields"),
        (lambda: events.soft_drop > 3, r"events\['Name'\]"),
        (lambda: list(t.mass), "looped over"),
        (lambda: len(t.mass), r"\.count\(\)"),
        (lambda: t.mass.between(2, 1), "lower end first"),
        (lambda: t.mass.between(1, 2, closed="lef"), "left, right, both, none"),
        (lambda: t.mass + np.arange(3), "ff.function"),
        (lambda: t.mass + [1], "ff.function"),
        (lambda: events.run.max(), "nothing to reduce"),
        (lambda: t[muon.pt > 3], "one value per triplet"),
        (lambda: muon.match(), "at least one field"),
        (lambda: muon.at("x"), "takes an expression"),
        (lambda: t.mass.startswith(3), "one or more strings"),
        (lambda: events.hlt.fired(), "one or more path names"),
        (lambda: ff.pairs(t.mass), "is not a collection"),
        (lambda: ff.triples(muon, track), "one collection or three"),
        (lambda: muon.members, "not made by ff.pairs"),
        (lambda: ff.mass(t.mu1), "two or more"),
        (lambda: ff.mass(t.mu1, t.mu2, masses=(1, 2, 3)), "2 objects and 3 masses"),
        (lambda: np.cbrt(t.mass), "np.cbrt does not work"),
        (lambda: t.mass.found, "not a link"),
    ],
)
def test_mistakes_are_explained(mistake, message):
    with pytest.raises(ExpressionError, match=message):
        mistake()


def test_numpy_functions_build_expressions():
    assert np.sqrt(t.pt) is ff.sqrt(t.pt)
    assert np.abs(t.pt) is abs(t.pt)
    assert (np.float64(2) * t.pt).formula == "2 · triplet.pt"


def test_values_have_no_fields_but_objects_do():
    with pytest.raises(AttributeError, match="has no field"):
        _ = (t.mass + 1).pt
    assert t.mu1.pt.axis == n.CollectionAxis("triplet")


def test_tab_completion_offers_the_vocabulary():
    assert {"mass", "mu1", "vertex_chi2"} <= set(dir(t))
    assert {"pt", "trigger_dr"} <= set(dir(t.mu1))
    assert {"triplet", "muon", "hlt", "run"} <= set(dir(events))
    assert {"Selection", "hist", "fit", "catalog"} <= set(dir(ff))


def test_html_is_escaped():
    assert "&lt;" in (t.mass < 3)._repr_html_()


# Deep trees


def long_sum(terms):
    return functools.reduce(operator.add, [t.mass * i for i in range(terms)])


def nested_links(depth):
    index = events.muon["other"]
    for _ in range(depth):
        index = events.muon.at(index).other
    return index


def part_of_part(depth):
    muon = events.muon
    for i in range(depth):
        muon = muon[muon.pt > i]
    return muon.eta


def doubled(times):
    value = t.mass
    for _ in range(times):
        value = value * value
    return value


@pytest.mark.parametrize(
    ("make", "depth"),
    [(long_sum, 5000), (nested_links, 5000), (part_of_part, 300), (doubled, 3000)],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_deep_trees_are_never_entered(make, depth):
    expression = make(depth)
    assert make(depth) is expression
    assert make(depth - 1) is not expression
    assert copy.deepcopy(expression) is expression
    assert pickle.loads(pickle.dumps(expression)) is expression
    assert fingerprint(expression.node) != fingerprint(make(depth - 1).node)
    assert len(list(n.walk(expression.node))) > depth
    assert expression.formula != make(depth - 1).formula
    assert hash(ff.Selection(t).cut("deep", expression.sum() > 0))
    assert "…" in repr(expression)


def test_pickles_grow_as_trees_do():
    """A part that is used twice travels once."""
    assert len(pickle.dumps(doubled(2000))) < 2.2 * len(pickle.dumps(doubled(1000)))


def test_the_formula_of_a_long_list_is_whole():
    runs = functools.reduce(operator.or_, [events.run == 297050 + i for i in range(5000)])
    assert runs.formula == " or ".join(f"run = {297050 + i}" for i in range(5000))


def test_formulas_that_double_are_cut_short_and_still_tell_expressions_apart():
    one, other = doubled(100), doubled(101)
    assert len(one.formula) < 1_100_000
    assert one.formula.startswith("triplet.mass · triplet.mass")
    assert one.formula != other.formula


def test_errors_about_deep_expressions_are_short():
    with pytest.raises(ExpressionError) as told:
        _ = long_sum(5000) + events.muon.pt
    assert len(str(told.value)) < 1000
    assert "4999" in str(told.value)


def test_zeros_of_either_sign_are_two_literals():
    assert (t.mass * 0.0) is not (t.mass * -0.0)
    assert t.mass.isin(1) is not t.mass.isin(1.0)


def test_parts_are_made_by_many_threads_at_once():
    """Equal expressions are one object whoever makes them."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: long_sum(300), range(16)))
    assert len(set(map(id, made))) == 1


def test_trees_that_nobody_holds_are_forgotten():
    known = len(parts._UNIQUE)
    expression = long_sum(20_000)
    assert len(parts._UNIQUE) > known + 20_000
    del expression
    gc.collect()
    assert len(parts._UNIQUE) < known + 1000
