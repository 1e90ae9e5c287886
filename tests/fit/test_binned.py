"""Histograms: what is taken from them, and what is refused in one clear sentence."""

import boost_histogram as bh
import hist
import numpy as np
import pytest
from numpy.testing import assert_allclose

from flavorframe.errors import FitError
from flavorframe.fit import Exponential, Gaussian, MassModel, Parameter, dsphi
from flavorframe.fit.binned import BinnedData, binned_data

RANGE = (1.65, 2.01)


def histogram(storage="Int64", bins=62, low=1.65, high=2.01):
    return getattr(hist.Hist.new.Reg(bins, low, high, label="mass [GeV]"), storage)()


def filled_with(value, storage="Double"):
    result = histogram(storage)
    result[5] = value
    return result


def scaled():
    result = histogram("Double")
    result.fill([1.7, 1.8], weight=2.0)
    return result


REFUSED = {
    "a number": (62, "a fit needs a hist.Hist or a TH1 of ROOT or uproot, not int"),
    "empty": (histogram(), "no candidates between 1.65 and 2.01 GeV"),
    "empty, weighted": (histogram("Weight"), "no candidates between 1.65 and 2.01 GeV"),
    "NaN": (filled_with(np.nan), "NaN or infinity in the bin at 1.682 GeV"),
    "infinity": (filled_with(np.inf), "NaN or infinity in the bin at 1.682 GeV"),
    "NaN, weighted": (filled_with((1.0, np.nan), "Weight"), "NaN or infinity in the bin at 1.682"),
    "negative": (filled_with(-1.0), "negative in the bin at 1.682 GeV"),
    "weights without squares": (scaled(), r"use a storage that does, hist.storage.Weight\(\)"),
    "means": (histogram("Mean"), "not of means of a quantity"),
    "range not covered": (
        histogram(low=1.7),
        "axis goes from 1.7 to 2.01, its edge nearest to 1.65",
    ),
    "range within a bin": (histogram(bins=60, low=1.6, high=2.05), "nearest to 1.65 is at 1.6525"),
    "categories": (hist.Hist.new.StrCat(["a"]).Int64(), "an axis of mass bins"),
    "two axes": (
        hist.Hist.new.Reg(62, *RANGE, name="mass").Reg(3, 0, 1, name="pt").Int64(),
        r"one axis, this one has 2 \('mass', 'pt'\)",
    ),
    "categories of it": (
        hist.Hist.new.StrCat(["barrel", "endcap"], name="category").Reg(62, *RANGE).Int64(),
        r"an axis 'category' of barrel, endcap too: fit one, h\[{'category': 'barrel'}\], or all "
        r"at once, as spectra of an ff.fit.JointModel$",
    ),
    "variations of it": (
        hist.Hist.new.StrCat(["nominal", "scale up"], name="variation")
        .StrCat(["barrel", "endcap"], name="category")
        .Reg(62, *RANGE)
        .Int64(),
        r"h\[{'variation': 'nominal', 'category': 'barrel'}\]; a result or region without this "
        r"axis is result.nominal, or result.varied\('scale up'\)$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_clear_sentence(name):
    given, message = REFUSED[name]
    with pytest.raises(FitError, match=message) as raised:
        dsphi().fit(given)
    assert "\n" not in str(raised.value)


def test_bins_outside_the_range_are_left_out():
    wide = histogram(bins=66, low=1.65 - 2 * 0.36 / 62, high=2.01 + 2 * 0.36 / 62)
    wide[...] = np.arange(66)
    data = binned_data(wide, RANGE)
    assert_allclose(data.edges, np.linspace(*RANGE, 63))
    assert_allclose(data.values, np.arange(2, 64))


def test_flow_is_left_out():
    counts = histogram()
    counts.fill([0.0, 1.8, 3.0])
    assert binned_data(counts, RANGE).values.sum() == 1


def test_axis_label_is_kept_and_has_a_default():
    assert binned_data(filled_with(1.0), RANGE).axis_label == "mass [GeV]"
    unnamed = hist.Hist.new.Reg(62, *RANGE).Int64().fill([1.8])
    assert binned_data(unnamed, RANGE).axis_label == "mass"
    assert binned_data(unnamed, RANGE, "MeV").axis_label == "mass [MeV]"


def test_an_axis_in_another_unit_than_the_model_is_refused():
    with pytest.raises(FitError, match=r"in GeV, as its axis 'mass \[GeV\]' says.* in MeV: give"):
        binned_data(filled_with(1.0), RANGE, "MeV")


def test_a_model_tells_its_unit_in_words():
    mean = Parameter("mean", 1869.0, limits=(1800, 1900), unit="MeV")
    width = Parameter("sigma", 10.0, limits=(1, 50), unit="MeV")
    slope = Parameter("slope", 0.0, limits=(-1, 1), unit="1/MeV")
    model = MassModel((Exponential("background", slope), Gaussian("D", mean, width)), (1800, 1950))
    assert model.unit == "MeV"
    assert "MassModel on 1800–1950 MeV" in repr(model)
    assert MassModel((Exponential("b", slope),), (1800, 1950)).unit == ""


def test_histograms_of_boost_histogram_are_welcome():
    plain = bh.Histogram(bh.axis.Regular(62, *RANGE)).fill([1.8])
    assert binned_data(plain, RANGE).values.sum() == 1


def test_counts_have_unit_scale_and_weights_their_own():
    edges = np.arange(4.0)
    counts = BinnedData(edges, np.array([4.0, 0.0, 1.0]))
    assert counts.scale.tolist() == [1, 1, 1]
    weighted = BinnedData(edges, np.array([4.0, 0.0, 1.0]), np.array([8.0, 0.0, 0.25]))
    assert weighted.scale.tolist() == [0.5, 2.25, 4.0]
    assert weighted.for_cost.tolist() == [[4.0, 8.0], [0.0, 0.0], [1.0, 0.25]]
