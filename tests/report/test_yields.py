"""The numbers that a report derives."""

from dataclasses import replace

import pytest

from flavorframe.report.inputs import TOTAL, gather
from flavorframe.report.yields import Measured, mean_of, yields_of, yields_per_luminosity

from .conftest import result_of


def test_the_mean_is_weighted_by_the_errors():
    mean, chi2, ndf = mean_of([Measured(10.0, 1.0), Measured(16.0, 2.0)])
    assert mean == pytest.approx((11.2, 0.8**0.5))
    assert (chi2, ndf) == (pytest.approx(7.2), 1)


def test_yields_per_luminosity_are_of_what_was_read(eras, fits):
    found = yields_per_luminosity(gather(eras, fits), "Ds")
    assert list(found) == ["2017B", "2017C", "2017D"]
    assert found["2017C"].error == fits["2017C"].yields["Ds"].error / 2
    for measured in found.values():
        assert measured.value == pytest.approx(1000, rel=0.02)


def test_invalid_fits_have_no_yields(eras, fits, invalid_fit):
    inputs = gather(eras, {**fits, "2017C": invalid_fit})
    assert yields_of(inputs, "2017C") == {}
    assert list(yields_per_luminosity(inputs, "Ds")) == ["2017B", "2017D"]
    assert yields_of(inputs, TOTAL) == {}


def test_the_total_is_fitted_or_else_the_sum_of_the_fits(eras, fits):
    added = yields_of(gather(eras, fits), TOTAL)["Ds"]
    assert added.value == pytest.approx(sum(fit.yields["Ds"].value for fit in fits.values()))
    fitted = yields_of(gather(eras, {**fits, TOTAL: fits["2017B"]}), TOTAL)["Ds"]
    assert fitted == fits["2017B"].yields["Ds"]


def test_snapshots_and_plans_that_differ_by_era_do_not_hinder_the_sum(eras):
    other = replace(eras["2017C"].provenance, plan="other")
    total = gather({**eras, "2017C": replace(eras["2017C"], provenance=other)}, None).total
    assert total.events == 1_200_000
    assert total.luminosity == pytest.approx(3.5)
    assert list(total.outputs) == ["mass", "plane"]


def test_eras_that_share_a_file_are_not_added():
    inputs = gather({"a": result_of("2017B"), "b": result_of("2017B")}, None)
    assert inputs.total is None
    assert "2017B_1.root" in inputs.no_total
