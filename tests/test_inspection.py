"""What a file holds, as a notebook shows it."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff


def test_a_notebook_shows_collections_that_unfold(small_nano):
    page = ff.inspect(small_nano)._repr_html_()
    assert f"{small_nano}: tree Events, 50 events, layout nano" in page
    assert page.count("<details>") == len(ff.inspect(small_nano).collections)
    assert "<summary>Muon: 4 branches" in page
    assert "<td><code>triplet_mass</code></td><td>double[]</td>" in page


def test_sizes_of_fields_are_those_in_the_file(tmp_path):
    path, numbers = tmp_path / "sizes.root", np.random.default_rng(1).normal(size=20_000)
    lists = ak.unflatten(numbers, np.full(10_000, 2))
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": lists, "one": np.ones(len(lists), np.int32)})
        file["Events"].extend({"x": lists, "one": np.ones(len(lists), np.int32)})
    found = ff.inspect(path)
    (x,), (one,) = found.collections["x"], found.collections["event"]
    assert 0.9 < x.bytes / path.stat().st_size < 1
    assert 0 < one.bytes < 1000
    events = ff.events()
    counting = ff.Analysis(ff.Selection(events), h=ff.hist(events["x"].sum(), bins=3, range=(0, 3)))
    for size in (None, 7000):
        timing = counting.run(ff.dataset(path), progress=False, partition_size=size).timing
        heads = 0 if size is None else 100  # of blocks that partitions share, read beforehand
        assert timing.bytes_read == pytest.approx(x.bytes, abs=2 + heads)
