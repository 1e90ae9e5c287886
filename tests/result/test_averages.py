"""Means: what they are, by hand and on every engine, and how they add up, are saved and shown."""

import math

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.errors import AnalysisError, ExpressionError
from flavorframe.result import Mean

events = ff.events()
muon = events.muon
PT = np.array([3.0, 5.0, np.nan, 4.0, 7.0, np.inf])
ETA = np.array([-1.0, 1.0, 0.5, -0.5, 0.2, 0.1])
WEIGHT = np.array([1.0, 2.0, 1.0, 0.5, 3.0, 1.0])
COUNTS = [3, 1, 2]
profile = ff.axis(muon.eta, bins=[-2.0, 0.0, 0.15, 2.0])
analysis = ff.Analysis(
    ff.Selection(muon).cut("pt", muon.pt != 5).weight("w", muon.w),
    pt=ff.mean(muon.pt),
    all=ff.mean(muon.pt, without="pt"),
    doubled=ff.mean(muon.pt, weight=2),
    forward=ff.mean(muon.eta < 0),
    by_eta=ff.mean(muon.pt, by=profile),
)


def write(path, kept):
    lists = {name: ak.unflatten(values, COUNTS)[kept] for name, values in
             (("pt", PT), ("eta", ETA), ("w", WEIGHT))}  # fmt: skip
    size = len(COUNTS[kept])
    content = {name: np.ones(size, np.uint32) for name in ("run", "luminosityBlock")}
    content |= {"event": np.arange(size), "Muon": ak.zip(lists)}
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        written["Events"].extend(content)
    return ff.dataset(str(path))


def moments(values, weights):
    """Return mean, deviation and error as textbooks have them."""
    mean = np.average(values, weights=weights)
    effective = weights.sum() ** 2 / (weights**2).sum()
    spread = np.average((values - mean) ** 2, weights=weights) * effective / (effective - 1)
    return mean, math.sqrt(spread), math.sqrt(spread / effective)


def check(mean, chosen, values=PT):
    found = mean.value, mean.deviation, mean.error
    np.testing.assert_allclose(found, moments(values[chosen], WEIGHT[chosen]), rtol=1e-12)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("averages") / "three.root", slice(None))


@pytest.mark.parametrize("engine", ENGINES)
def test_mean_deviation_and_error(data, engine):
    result = analysis.run(data, engine=engine, progress=False)
    check(result.pt, [0, 3, 4])
    check(result.all, [0, 1, 3, 4])
    check(result.doubled, [0, 3, 4])
    assert result.doubled.sum_of_weights == 9
    assert result.forward.value == 1.5 / 5.5
    np.testing.assert_array_equal(result.by_eta.values(), [(3 + 2) / 1.5, np.nan, 7])
    np.testing.assert_array_equal(result.by_eta.counts(), np.array([1.5**2 / 1.25, 0, 1]))


def test_parts_add_up_to_the_whole_and_are_saved(data, tmp_path):
    first, rest = write(tmp_path / "a.root", slice(0, 1)), write(tmp_path / "b.root", slice(1, 3))
    both = analysis.run(first, progress=False) + analysis.run(rest, progress=False)
    check(both.pt, [0, 3, 4])
    np.testing.assert_allclose(both.by_eta.values(), [(3 + 2) / 1.5, np.nan, 7])
    both.save(tmp_path / "out")
    (loaded,) = ff.load(tmp_path / "out").values()
    assert loaded.pt == both.pt
    # Bins of one entry and of none too: later results are added to what was loaded.
    found, expected = (each.by_eta.view(flow=True).tolist() for each in (loaded, both))
    np.testing.assert_array_equal(found, expected)
    page = ff.report.write(tmp_path / "report.html", both).read_text("utf-8")
    assert f"{both.pt.value:.6g} ± {both.pt.error:.2g}" in page


def test_split_work_gives_the_same_bits(data):
    whole, split = (analysis.run(data, partition_size=n, progress=False) for n in (10, 1))
    assert whole.pt == split.pt


def test_regions_have_means_by_category_and_variation(data):
    pt = ff.vary("scale", muon.pt, up=muon.pt * 2)
    by = ff.categories(low=muon.pt < 4, high=muon.pt >= 4)
    region = ff.Region(ff.Selection(muon), by=by, pt=ff.mean(pt), eta=ff.mean(muon.eta))
    found = ff.Analysis(one=region).run(data, progress=False).one
    np.testing.assert_allclose(found.pt.values(), [[3, 16 / 3], [6, 32 / 3]])
    assert list(found.pt.axes[0]) == ["nominal", "scale up"]
    assert list(found.eta.axes[-1]) == ["low", "high"]


def test_means_in_variations_are_saved_and_reported(data, tmp_path):
    pt = ff.vary("scale", muon.pt, up=muon.pt * 2)
    by = ff.categories(low=muon.pt < 4, high=muon.pt >= 4)
    kept = ff.Selection(muon)
    both = ff.Analysis(
        one=ff.Region(kept, pt=ff.mean(pt)), two=ff.Region(kept, by=by, pt=ff.mean(pt))
    )
    result = both.run(data, progress=False)
    shifted = result.varied("scale up").one.pt
    assert isinstance(shifted, Mean)
    assert (shifted.value, shifted.sum_of_weights) == (9.5, 4)
    result.save(tmp_path / "out")
    assert ff.load(tmp_path / "out")["dataset"].nominal.one.pt == result.nominal.one.pt
    page = ff.report.write(tmp_path / "report.html", result).read_text("utf-8")
    assert "two.pt.high" in page


def test_what_nothing_is_the_mean_of():
    none = Mean(math.nan, 0.0, 0.0, 0.0)
    one = Mean(2.0, 1.0, 1.0, 0.0)
    assert none + one == one + none == one
    assert math.isnan((none + none).error)
    assert math.isnan(one.deviation)


def test_what_is_refused():
    with pytest.raises(ExpressionError, match="takes an expression, not the constant 1"):
        ff.mean(1)
    near = events.track.per(muon)
    for x, weight in ((near.pt, 1), (muon.pt, near.pt)):
        with pytest.raises(ExpressionError, match="A mean takes one value per event or element"):
            ff.mean(x, weight=weight)
    with pytest.raises(AnalysisError, match=r"by=3 of a mean is no axis|no axis: make it by"):
        ff.mean(muon.pt, by=[3])
    with pytest.raises(ExpressionError, match="two collections do not combine"):
        ff.mean(muon.pt, weight=events.track.pt)
