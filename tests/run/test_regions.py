"""Regions, categories and variations have the same bits wherever they run, and after interrupts."""

import shutil
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._cache import cache_of
from flavorframe.engines._columnar.caching import keys
from flavorframe.errors import AnalysisError
from flavorframe.report.views import views
from support.analyses import bits, regional

t = ff.events().triplet
pytestmark = pytest.mark.xdist_group("dask")


@pytest.fixture(scope="module")
def data(files):
    return ff.dataset(files[:2], luminosity=2.0)


@pytest.fixture(scope="module")
def expected(data):
    result = regional().run(data, threads=1, progress=False)
    assert len(result.signal.mass.axes[0]) == 4
    assert 0 < result.signal.rows["mass"].size < result.muons.rows["pt"].size
    return bits(result)


@pytest.mark.parametrize("size", [113, 50_000])
def test_threads_and_partitions_do_not_matter(data, expected, size):
    assert bits(regional().run(data, threads=2, partition_size=size, progress=False)) == expected


def test_a_cache_does_not_matter(data, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "STABLE_SECONDS", 0.0)
    for _ in range(2):
        found = regional().run(data, cache=tmp_path, partition_size=500, progress=False)
        assert bits(found) == expected
        cache_of.cache_clear()


def test_dask_does_not_matter(client, data, expected):
    assert bits(regional().run(data, on=client, partition_size=500, progress=False)) == expected


def test_a_detached_run_does_not_matter(data, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    run = regional().submit(data, name="regions", partition_size=500)
    assert bits(run.result(timeout=180)) == expected
    run.forget()


def test_saved_results_have_their_regions(data, expected, tmp_path):
    regional().run(data, progress=False).save(tmp_path)
    (loaded,) = ff.load(tmp_path).values()
    assert bits(loaded) == expected
    assert loaded.signal.cutflow.categories == ("low", "high")
    assert loaded.signal.variations("mass").sources == ["w", "scale"]


def test_a_partial_run_goes_on_with_the_files_of_both_regions(data, expected, tmp_path):
    names = [Path(shutil.copy(file, tmp_path / f"data{i}")) for i, file in enumerate(data.files)]
    hidden = names[0].rename(tmp_path / "hidden")
    partial = regional(tmp_path).run(ff.dataset(names), partition_size=300, progress=False)
    assert 0 < partial.events < 3000
    assert not partial.signal.is_complete
    hidden.rename(names[0])
    assert bits(partial.resume(progress=False)) == expected
    assert {path.name for path in tmp_path.glob("*.root")} == {"signal.root", "muons.root"}


def test_regions_do_not_write_over_each_other(data, tmp_path):
    rows = ff.snapshot(t.mass, path=tmp_path / "rows.root")
    region = ff.Region(ff.Selection(t), rows=rows)
    with pytest.raises(AnalysisError, match=r"'one\.rows' .* and .* 'two\.rows' .* the same file"):
        ff.Analysis(one=region, two=region).run(data, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_means_have_categories_and_variations_too(data, tmp_path):
    mass = ff.vary("scale", t.mass, up=2 * t.mass)
    by = ff.categories(low=t.mass < 1.8, high=t.mass >= 1.8)
    plain = ff.Analysis(ff.Selection(t).cut("low", t.mass < 1.8), m=ff.mean(t.mass))
    region = ff.Region(ff.Selection(t), by=by, m=ff.mean(mass))
    simple = ff.Analysis(ff.Selection(t), m=ff.mean(mass)).run(data, progress=False)
    result = ff.Analysis(one=region).run(data, output=tmp_path, progress=False)
    low = plain.run(data, progress=False).m
    assert views("one.m", result.one.m)["one.m.low"].histogram == low
    assert simple.varied("scale up").m.value == pytest.approx(2 * simple.nominal.m.value)
    assert f"{low.value:.6g} ±" in ff.report.write(tmp_path / "r.html", result).read_text()
