"""Regions, categories and variations: the numbers of runs that know nothing of each other."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from flavorframe.engines import get_engine
from support import agreement, oracle, regional
from support.reference import EVENTS, MORE

OPTIONS = settings(
    derandomize=True,
    report_multiple_bugs=False,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@pytest.mark.parametrize("layout", ["nano"])
def test_random_regions_are_separate_runs_bit_for_bit(sample, tmp_path, layout):
    file = str(sample(layout))
    plain, cached = get_engine("columnar", False), get_engine("columnar", tmp_path / "cache")

    @settings(OPTIONS, max_examples=15 * MORE)
    @given(regional.analyses(), st.integers(0, oracle.open_file(file).events - EVENTS))
    def check(analysis, start):
        whole = agreement.run(plain, analysis, file, start, start + EVENTS)
        again = [agreement.run(cached, analysis, file, start, start + EVENTS) for _ in range(2)]
        for each in regional.simple(analysis):
            alone = agreement.run(plain, each.analysis, file, start, start + EVENTS)
            expected = regional.bits(alone, with_cutflow=each.variation is None)
            for found in (whole, *again):
                seen = regional.bits(each.part_of(found), with_cutflow=each.variation is None)
                assert seen == expected, (each.region, each.variation)

    check()
