"""Regions, categories and variations: the numbers of runs that know nothing of each other."""

import warnings

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings, strategies as st
from hypothesis.errors import HypothesisWarning

from flavorframe.engines import get_engine
from flavorframe.errors import ExpressionError
from support import agreement, oracle, regional
from support.reference import EVENTS, MORE


def try_random(file, examples, check):
    """Call ``check`` with random analyses and a function that evaluates on some random events."""
    last = oracle.open_file(file).events - EVENTS

    @settings(
        max_examples=examples * MORE,
        derandomize=True,
        phases=[Phase.generate],  # two regions take minutes to shorten
        suppress_health_check=list(HealthCheck),
    )
    @given(regional.analyses(), st.integers(0, last))
    def try_one(analysis, start):
        def evaluate(engine, what):
            return agreement.run(engine, what, file, start, start + EVENTS)

        def answer(what):
            return oracle.evaluate(what, oracle.open_file(file), start, start + EVENTS)

        check(analysis, evaluate, answer)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # of long analyses
        try_one()


@pytest.mark.slow
def test_random_regions_are_separate_runs_bit_for_bit(sample, tmp_path):
    plain, cached = get_engine("columnar", False), get_engine("columnar", tmp_path / "cache")

    def check(analysis, evaluate, answer):
        try:
            whole = evaluate(plain, analysis)
        except ExpressionError:  # categories of candidates, and branches of another collection
            assume(False)
        again = [evaluate(cached, analysis) for _ in range(2)]
        for each in regional.simple(analysis):
            alone, nominal = evaluate(plain, each.analysis), each.variation is None
            if nominal:
                agreement.assert_agree(each.analysis, alone, answer(each.analysis))
            expected = regional.bits(alone, with_cutflow=nominal)
            for found in (whole, *again):
                seen = regional.bits(each.part_of(found), with_cutflow=nominal)
                assert seen == expected, (each.region, each.variation)

    try_random(str(sample("nano")), 12, check)


@pytest.mark.slow
@pytest.mark.root
def test_random_regions_with_rdataframe(sample):
    def check(analysis, evaluate, answer):
        try:
            whole = evaluate(get_engine("rdataframe"), analysis)
        except ExpressionError:
            assume(False)
        for each in regional.simple(analysis):
            found = each.part_of(whole)
            if each.variation is None:
                agreement.assert_agree(each.analysis, found, answer(each.analysis))
            else:
                agreement.assert_histograms_agree(each.analysis, found, answer(each.analysis))

    try_random(str(sample("nano")), 1, check)
