"""Events of very long lists: links by value, and pairs that no memory holds."""

import time
from unittest import mock

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given, strategies as st

import flavorframe as ff
from flavorframe._rootio import compiled
from flavorframe.engines import ENGINES, get_engine
from flavorframe.engines._columnar import segments
from flavorframe.errors import FileError
from support import agreement

NAN = np.nan
events = ff.events()
either_way = pytest.mark.parametrize("native", [compiled.native, None], ids=["compiled", "numpy"])

KINDS = ("ff", "dd", "fd", "ll", "il", "ld", "hh", "Ll")
"""Types of keys and of values."""


def plain(keys, values, starts, counts):
    """Compare each element with one target after the other."""
    found, number = [], []
    for i, (start, count) in enumerate(zip(starts, counts, strict=True)):
        hits = [
            j for j in range(count)
            if all(k[start + j] == v[i] for k, v in zip(keys, values, strict=True))
        ]  # fmt: skip
        found.append(hits[0] if hits else -1)
        number.append(len(hits))
    return found, number


@either_way
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=5),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
)
def test_long_lists_match_as_short_ones_do(native, seed, sizes, kinds):
    rng = np.random.default_rng(seed)
    choices = np.array([0.0, -0.0, 1.0, 2.0, NAN])

    def drawn(kind, size):
        whole = rng.integers(0, 3, size)
        return (choices[rng.integers(0, 5, size)] if kind in "fd" else whole).astype(kind)

    sizes = np.array(sizes)
    event = np.sort(rng.integers(0, len(sizes), 30))
    keys = [drawn(kind[0], sizes.sum()) for kind in kinds]
    values = [drawn(kind[1], len(event)) for kind in kinds]
    starts, counts = (np.cumsum(sizes) - sizes)[event], sizes[event]
    with mock.patch.object(compiled, "native", native), mock.patch.object(segments, "LONG", 1):
        found, number = segments.first_match(keys, values, starts, counts)
    assert (found.tolist(), number.tolist()) == plain(keys, values, starts, counts)


@either_way
def test_large_integers_are_compared_to_their_last_digit(native):
    keys, values = np.arange(200) + 2**53, np.arange(200, dtype=np.uint64) + 2**53
    starts, counts = np.zeros(200, int), np.full(200, 200)
    with mock.patch.object(compiled, "native", native):
        found, number = segments.first_match([keys], [values], starts, counts)
    assert found.tolist() == list(range(200))
    assert set(number) == {1}


@either_way
@pytest.mark.parametrize("same", [True, False])
def test_a_very_long_list_takes_no_time(native, same):
    size = 100_000
    keys = np.ones(size) if same else np.random.default_rng(1).normal(size=size)
    values = keys[::-1].copy()
    with mock.patch.object(compiled, "native", native):
        began = time.process_time()
        found, number = segments.first_match(
            [keys], [values], np.zeros(size, int), np.full(size, size)
        )
    assert time.process_time() - began < 5
    np.testing.assert_array_equal(found, 0 if same else np.arange(size)[::-1])
    np.testing.assert_array_equal(number, size if same else 1)


@pytest.fixture(scope="module")
def long_event(tmp_path_factory):
    """Return a file of three events, the second with 40 000 muons, whose pt come often or never."""
    rng = np.random.default_rng(7)
    sizes = np.array([3, 40_000, 2], np.int32)
    choices = np.append(rng.integers(0, 30_000, 20_000).astype(np.float32), [NAN, -0.0, 0.0])
    pt, other = (choices[rng.integers(0, len(choices), sizes.sum())] for _ in range(2))
    charge, twin = (rng.integers(0, 2, sizes.sum()).astype(np.int32) for _ in range(2))
    path = tmp_path_factory.mktemp("long") / "long.root"
    fields = {"pt": pt, "charge": charge, "other": other, "twin": twin}
    muons = ak.zip({name: ak.unflatten(values, sizes) for name, values in fields.items()})
    with uproot.recreate(path) as file:
        file.mktree("Events", {"Muon": ak.type(muons)})
        file["Events"].extend({"Muon": muons})
    starts = np.cumsum(sizes) - sizes
    return str(path), (pt, charge, other, twin, starts, sizes)


@pytest.mark.parametrize("engine", ENGINES)
def test_links_in_a_long_event(long_event, engine):
    path, (pt, charge, other, twin, starts, sizes) = long_event
    muon = events.muon
    link = muon.match(pt=muon["Muon_other"], charge=muon["Muon_twin"])
    analysis = ff.Analysis(
        ff.Selection(muon).cut("found", link.found), rows=ff.snapshot(pt=link.pt, at=muon.index)
    )
    began = time.perf_counter()
    found = agreement.run(get_engine(engine), analysis, path)
    assert time.perf_counter() - began < 60
    expected, unmatched, ambiguous = [], 0, 0
    for start, size in zip(starts, sizes, strict=True):
        known = {}
        for j in range(start, start + size):
            known.setdefault((float(pt[j]), charge[j]), []).append(pt[j])
        for i in range(start, start + size):
            hits = known.get((float(other[i]), twin[i]), []) if other[i] == other[i] else []
            unmatched, ambiguous = unmatched + (not hits), ambiguous + (len(hits) > 1)
            expected += [(hits[0], i - start)] if hits else []
    (rows,) = found.tables["rows"]
    np.testing.assert_array_equal(rows["pt"], [value for value, _ in expected])
    np.testing.assert_array_equal(rows["at"], [place for _, place in expected])
    assert list(found.links.values()) == [(sizes.sum(), unmatched, ambiguous)]


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_that_no_memory_holds_are_refused(long_event, engine):
    path, _ = long_event
    first, second = ff.pairs(events.muon).members
    analysis = ff.Analysis(
        ff.Selection(events).cut("same", (first.pt == second.pt).any()),
        n=ff.hist(events.muon.count(), bins=[0, 1]),
    )
    with pytest.raises(FileError, match=r"pairs\(muon\) are 799,?980,?0\d\d.*in memory") as told:
        agreement.run(get_engine(engine), analysis, path)
    if engine == "columnar":
        assert "799,980,000 of them in event 1" in str(told.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_of_few_are_made_after_a_cut_on_events(long_event, engine):
    path, _ = long_event
    muon = events.muon
    few = (
        ff.Selection(events).cut("few", muon.count() < 100).cut("pairs", ff.pairs(muon).count() > 0)
    )
    found = agreement.run(
        get_engine(engine), ff.Analysis(few, n=ff.snapshot(n=ff.pairs(muon).count())), path
    )
    assert found.tables["n"][0]["n"].tolist() == [3, 1]
