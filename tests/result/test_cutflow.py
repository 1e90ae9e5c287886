"""Cutflows: sums, efficiencies with their intervals, and how they look."""

import json
import math
import pickle

import pytest
from hypothesis import assume, given, strategies as st
from scipy import stats

from flavorframe.errors import AnalysisError
from flavorframe.result import Cutflow, CutRow

FLOW = Cutflow(
    (
        CutRow("all", "", "event", 10_000, 25_000),
        CutRow("HLT", "hlt.fired('HLT_DoubleMu3_*')", "event", 4_000, 10_000),
        CutRow("φ mass", "1.00 ≤ m(μμ) & m(μμ) < 1.04", "triplet", 900, 1_000),
        CutRow("trigger match", "ΔR < 0.03", "triplet", 0, 0),
        CutRow("vertex", "χ² < 10", "triplet", 0, 0),
    )
)
WEIGHTED = Cutflow(
    (
        CutRow("all", "", "event", 100, 200, 90.5, 181.0, 175.0),
        CutRow("HLT", "hlt", "event", 50, 100, 40.0, 80.5, 70.0),
    )
)


def flow(*counts):
    return Cutflow(tuple(CutRow(f"cut {i}", "", "event", n, n) for i, n in enumerate(counts)))


def weighted(*weights_of_each_row):
    rows = [
        (len(w), len(w), math.fsum(w), math.fsum(w), math.fsum(x * x for x in w))
        for w in weights_of_each_row
    ]
    return Cutflow(tuple(CutRow(f"cut {i}", "", "event", *row) for i, row in enumerate(rows)))


# Rows


def test_rows_by_name_and_index():
    assert FLOW["HLT"] is FLOW[1]
    assert FLOW[-1].name == "vertex"
    assert len(FLOW) == 5
    assert [row.name for row in FLOW][:2] == ["all", "HLT"]


def test_an_unknown_cut_names_the_nearest():
    with pytest.raises(AnalysisError, match=r"no cut 'phi mass'\. Did you mean 'φ mass'"):
        FLOW["phi mass"]
    with pytest.raises(AnalysisError, match=r"no cut 'zzz'\. It has 'all', 'HLT'"):
        FLOW.relative("zzz")


def test_to_dict_is_ready_for_json():
    rows = json.loads(json.dumps(FLOW.to_dict()))
    assert rows[1]["name"] == "HLT"
    assert rows[1]["candidates"] == 10_000
    assert rows[1]["sumw_events"] is None


def test_a_cutflow_travels():
    assert pickle.loads(pickle.dumps(FLOW)) == FLOW


# Sums


def test_adding_adds_counts_and_weights():
    total = WEIGHTED + WEIGHTED
    assert total["HLT"] == CutRow("HLT", "hlt", "event", 100, 200, 80.0, 161.0, 140.0)
    assert (FLOW + FLOW)["φ mass"].candidates == 2_000


def test_empty_is_the_zero_of_addition():
    cuts = [(row.name, row.formula, row.axis) for row in FLOW][1:]
    assert Cutflow.empty(cuts) + FLOW == FLOW
    assert WEIGHTED + Cutflow.empty([("HLT", "hlt", "event")], weighted=True) == WEIGHTED


@given(st.lists(st.tuples(*[st.integers(0, 10**15)] * 3), min_size=3, max_size=3))
def test_addition_is_associative(counts):
    a, b, c = (flow(*row) for row in counts)
    assert (a + b) + c == a + (b + c)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (flow(1, 2, 3), "cutflows with 1 and 2 cuts"),
        (Cutflow.empty([("HLT", "hlt", "event")]), "one has weights and the other has none"),
        (Cutflow.empty([("L1", "hlt", "event")], weighted=True), "name, 'HLT' and 'L1'"),
        (Cutflow.empty([("HLT", "l1", "event")], weighted=True), "cut 1 differs in formula"),
        (Cutflow.empty([("HLT", "hlt", "muon")], weighted=True), "axis, 'event' and 'muon'"),
    ],
)
def test_different_cutflows_cannot_be_added(other, message):
    with pytest.raises(AnalysisError, match=message):
        WEIGHTED + other


# Efficiencies


def test_relative_and_cumulative():
    assert FLOW.relative("φ mass").value == 0.1
    assert FLOW.relative("φ mass", "events").value == 0.225
    assert FLOW.cumulative(2).value == 0.04
    assert FLOW.cumulative(2, "events").value == 0.09
    assert FLOW.relative("all").value == FLOW.cumulative("all").value == 1.0


@given(st.integers(1, 200), st.data())
def test_clopper_pearson_interval_leaves_sixteen_percent_on_each_side(total, data):
    passed = data.draw(st.integers(0, total))
    found = flow(total, passed).relative(1)
    tail = stats.norm.cdf(-1)
    assert found.low <= found.value <= found.high
    if passed:
        assert stats.binom.sf(passed - 1, total, found.low) == pytest.approx(tail)
    else:
        assert found.low == 0
    if passed < total:
        assert stats.binom.cdf(passed, total, found.high) == pytest.approx(tail)
    else:
        assert found.high == 1


def test_none_of_none_is_undefined():
    for found in (FLOW.relative("vertex"), weighted([], []).relative(1, "weights")):
        assert all(math.isnan(x) for x in (found.value, found.low, found.high))


def test_unit_weights_give_the_binomial_standard_deviation():
    found = weighted([1.0] * 400, [1.0] * 100).cumulative(1, "weights")
    sigma = math.sqrt(0.25 * 0.75 / 400)
    assert found.value == 0.25
    assert found.high - found.value == pytest.approx(sigma)
    assert found.value - found.low == pytest.approx(sigma)


def test_weights_of_one_size_do_not_change_the_interval():
    small = weighted([0.01] * 400, [0.01] * 100).relative(1, "weights")
    assert small.high == pytest.approx(
        weighted([1.0] * 400, [1.0] * 100).relative(1, "weights").high
    )


@given(st.lists(st.floats(-2, 5), min_size=1, max_size=30), st.data())
def test_weighted_interval_is_the_propagated_uncertainty_of_passed_and_failed(weights, data):
    passed = weights[: data.draw(st.integers(0, len(weights)))]
    failed = weights[len(passed) :]
    sumw = math.fsum(weights)
    assume(abs(sumw) > 0.1)
    found = weighted(weights, passed).relative(1, "weights")
    value = math.fsum(passed) / sumw
    terms = [((1 - value) * w) ** 2 for w in passed] + [(value * w) ** 2 for w in failed]
    expected = math.sqrt(math.fsum(terms)) / abs(sumw)
    assert found.high - found.value == pytest.approx(expected, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("weights", [[5e-258], [1e-200, 1e200, -1e200], [5e-324], [1e300]])
def test_extreme_weights_break_neither_numbers_nor_text(weights):
    flow = weighted(weights, weights[:2])
    flow.relative(1, "weights")
    assert "cut 1" in repr(flow)


def test_efficiencies_that_cannot_be_had():
    with pytest.raises(AnalysisError, match="'HLT' has no weights: ask for candidates or events"):
        FLOW.relative("HLT", "weights")
    with pytest.raises(AnalysisError, match="choose 'candidates', 'events' or 'weights'"):
        FLOW.relative("HLT", "muons")


# Representations

TEXT = """\
cut            events  candidates  rel. eff [%]            cum. eff [%]
all            10,000      25,000
HLT             4,000      10,000         40.00       40.00 −0.31 +0.31
φ mass            900       1,000         10.00        4.00 −0.12 +0.13
trigger match       0           0         0.000  0.0000 −0.0000 +0.0074
vertex              0           0             –  0.0000 −0.0000 +0.0074"""

WEIGHTED_TEXT = """\
cut  events  candidates  rel. eff [%]    cum. eff [%]  Σw events  Σw candidates \
 cum. eff of Σw [%]
all     100         200                                     90.5            181
HLT      50         100          50.0  50.0 −3.8 +3.8         40           80.5 \
     44.5 −3.6 +3.6"""

HTML = """\
<table class="ff ff-cutflow">
<thead><tr><th>cut</th><th>formula</th><th>events</th><th>candidates</th>\
<th>rel. eff [%]</th><th>cum. eff [%]</th></tr></thead>
<tbody>
<tr><td>all</td><td></td><td class="number">2</td><td class="number">4</td>\
<td class="number"></td><td class="number"></td></tr>
<tr><td>a&lt;b</td><td>pt &gt; 3 &amp; η &lt; 2</td><td class="number">1</td>\
<td class="number">2</td><td class="number">50</td><td class="number">50 −31 +31</td></tr>
</tbody>
</table>"""


def test_text():
    assert repr(FLOW) == TEXT


def test_text_with_weights():
    assert repr(WEIGHTED) == WEIGHTED_TEXT


def test_html_escapes_names_and_formulas():
    rows = (CutRow("all", "", "event", 2, 4), CutRow("a<b", "pt > 3 & η < 2", "muon", 1, 2))
    assert Cutflow(rows)._repr_html_() == HTML
