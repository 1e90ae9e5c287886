"""Nested axes, a list for each element: worked out by hand, and against the oracle.

| event | muons: pt (η)                | triplets: mass (η)      |
| ----: | ---------------------------- | ----------------------- |
| 0     | 5 (0.0), 4 (0.3), 3 (2.0)    | 1.9 (0.1), 1.7 (1.9)    |
| 1     |                              | 1.8 (0.0)               |
| 2     | 2 (−1.0)                     | 2.0 (−1.2)              |
"""

import math
import pickle
import shutil

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._cache import Caching, cache_of
from flavorframe.engines import ENGINES, get_engine
from flavorframe.engines._columnar import blocks
from flavorframe.engines._columnar.caching import keys
from flavorframe.errors import BranchError, ExpressionError, FileError
from support import agreement

NAN = math.nan
events = ff.events()
t, muon, jet = events.triplet, events.muon, events.jet
near, own = muon.per(t), t.per(t)
distance = ff.delta_r(near, t)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    def lists(counts, **fields):
        return ak.zip({name: ak.unflatten(np.array(x), counts) for name, x in fields.items()})

    path = tmp_path_factory.mktemp("nested") / "three_events.root"
    muon_eta, eta = [0.0, 0.3, 2.0, -1.0], [0.1, 1.9, 0.0, -1.2]
    content = {
        "Muon": lists([3, 0, 1], pt=[5.0, 4.0, 3.0, 2.0], eta=muon_eta, phi=np.zeros(4)),
        "triplet": lists([2, 1, 1], mass=[1.9, 1.7, 1.8, 2.0], eta=eta, phi=np.zeros(4)),
        "run": np.array([1, 1, 1]),
    }
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        written["Events"].extend(content)
    return str(path)


def check(file, engine, selection, expected):
    """Compare values of expressions, one for each selected candidate, with lists of numbers."""
    snapshot = ff.snapshot(**{f"x{i}": expression for i, expression in enumerate(expected)})
    found = ff.Analysis(selection, rows=snapshot).run(
        ff.dataset(file), engine=engine, progress=False
    )
    for (expression, wanted), seen in zip(
        expected.items(), found.rows.columns.values(), strict=True
    ):
        assert seen.tolist() == pytest.approx(wanted, nan_ok=True), expression
    return found


def test_reductions_give_one_value_for_each_outer_element(file, engine):
    expected = {
        near[distance < 0.4].pt.sum(): [9, 3, 0, 2],
        near.count(): [3, 3, 0, 1],
        (near.pt > t.mass + 2.5).any(): [1, 1, 0, 0],
        (near.pt > 4).all(): [0, 0, 1, 0],
        (near.pt > 4 * events.run).count(): [1, 1, 0, 0],
        near.pt.max(): [5, 5, NAN, 2],
        distance.argmin(): [0, 2, NAN, 0],
        near[near.index > 0].pt.first(): [4, 4, NAN, NAN],
        near.pt.sum().max() + 0 * t.mass: [12, 12, 0, 2],
    }
    check(file, engine, ff.Selection(t), expected)


def test_links_lead_into_the_list_of_each_element(file, engine):
    far = near[distance > 0.25]
    expected = {
        t.nearest(muon).pt: [5, 3, NAN, 2],
        t.nearest(muon, max=0.15).pt: [5, 3, NAN, NAN],
        t.nearest(muon).found: [1, 1, 0, 1],
        near.at(distance.argmin()).pt: [5, 3, NAN, 2],
        far.at(0).pt: [3, 5, NAN, NAN],
        far.at(ff.delta_r(far, t).argmax()).pt: [3, 5, NAN, NAN],
        near.match(pt=t.mass + 1.3).eta: [NAN, 2, NAN, NAN],
        near.at(-1).pt: [3, 3, NAN, 2],
        near.first(2).pt.sum(): [9, 9, 0, 2],
        near.sorted(distance, descending=True).at(0).pt: [3, 5, NAN, 2],
        near.sorted(distance).first(2).pt.max(): [5, 4, NAN, 2],
        near[near.rank(distance) == 1].pt.sum(): [4, 4, 0, 0],
    }
    found = check(file, engine, ff.Selection(t), expected)
    link = found.links["muon.per(triplet).match(Muon_pt = triplet_mass + 1.3)"]
    assert (link.asked, link.unmatched, link.ambiguous) == (4, 3, 0)


def test_lists_of_candidates_have_the_survivors_and_links_see_the_file(file, engine):
    light = ff.Selection(t).cut("light", t.mass < 1.85)
    expected = {
        own.count(): [1, 1],
        own.mass.argmax(): [1, 0],
        own.at(own.mass.argmax()).mass: [1.7, 1.8],
        own[own.mass >= t.mass].count(): [1, 1],
        own.at(0).mass: [1.9, 1.8],
        own[own.index != t.index].at(0).mass: [1.9, NAN],
        near[near.pt > 2.2 * t.mass.max()].count(): [1, 0],
        own.sorted(own.mass).mass.first(): [1.7, 1.8],
        own.sorted(own.mass).at(-1).mass: [1.9, 1.8],
        own.rank(own.mass).sum(): [0, 0],
        own[own.mass == t.mass.max()].count(): [0, 1],
        muon.per(t[t.mass > 0]).pt.sum().sum() + 0 * t.mass: [12, 0],
    }
    check(file, engine, light, expected)
    per_muon = t.per(muon)
    muons = {per_muon.mass.min(): [1.7, 1.7, 1.7, 2.0], muon.nearest(t).mass: [1.9, 1.9, 1.7, 2.0]}
    check(file, engine, ff.Selection(muon), muons)


def thorough():
    """Return an analysis with nested lists in every place."""
    isolation, pair = near[distance < 0.8].pt.sum(), ff.pairs(muon)
    others = muon.per(muon)
    alone = others[others.index != muon.index].pt.sum()
    selection = (
        ff.Selection(t)
        .cut("isolation", isolation < 30)
        .cut("mass", t.mass > 1.6)
        .cut("few", own[own.mass > t.mass].count() < 2)
        .weight("weight", 1 + 0.01 * isolation)
        .best(lowest=t.nearest(muon).pt)
    )
    return ff.Analysis(
        selection,
        isolation=ff.hist(isolation, bins=20, range=(0, 50), without="mass"),
        rows=ff.snapshot(
            near=t.nearest(muon, max=0.5).pt,
            pairs=(ff.mass(*pair.per(t).members, masses=ff.MUON_MASS) < t.mass).sum(),
            alone=muon[muon.pt > alone].count(),
            matched=near[near.pt > 2].match(pt=t.mu1.pt).eta,
            heaviest=t[own.mass.argmax() == t.index].mass.max(),
        ),
    )


def test_against_oracle(engine, sample):
    answer = agreement.assert_right(get_engine(engine), thorough(), sample("nano"), stop=300)
    assert 20 < answer.cutflow[-1].candidates < answer.cutflow[0].candidates / 2


def test_many_blocks_against_oracle(sample, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 9)
    engine = get_engine("columnar")
    answer = agreement.assert_right(engine, thorough(), sample("nano"), stop=300)
    assert 20 < answer.cutflow[-1].candidates < answer.cutflow[0].candidates / 2


def test_blocks_count_links_once(sample, monkeypatch):
    linked = near.match(pt=t.mu1.pt).eta
    analysis = ff.Analysis(ff.Selection(t), eta=ff.hist(linked, bins=[0, 1]))
    links = []
    for size in (2**17, 9):
        monkeypatch.setattr(blocks, "BLOCK", size)
        links.append(dict(analysis.run(ff.dataset(sample("nano")), progress=False).links))
    assert links[0] == links[1] != {}


def test_cached_runs_give_the_same(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "STABLE_SECONDS", 0.0)
    file = shutil.copy(sample("nano"), tmp_path / "file.root")
    isolation = near[distance < 0.8].pt.sum()

    def run(limit, cache):
        selection = ff.Selection(t).cut("mass", t.mass > limit).cut("isolation", isolation < 20)
        rows = ff.snapshot(isolation, n=own.count(), near=t.nearest(muon).pt)
        found = ff.Analysis(selection, rows=rows).run(ff.dataset(file), cache=cache, progress=False)
        if cache:
            cache_of(Caching(str(cache))).flush()
        return repr(found.cutflow), {k: v.tobytes() for k, v in found.rows.columns.items()}

    for limit in (1.7, 1.9, 1.5):
        assert run(limit, tmp_path / "cache") == run(limit, cache=None)


# Lists in lists of the file

daughter = t.nested("daughter")


@pytest.fixture(scope="module")
def file_of_lists(tmp_path_factory):
    return write_lists(tmp_path_factory.mktemp("lists") / "lists.root")


def write_lists(path, one_more_in_event=None):
    """Write triplets with lists; ask for a list of charges that is longer than that of pt."""
    rng = np.random.default_rng(5)
    triplets = rng.integers(0, 4, 60)
    daughters = rng.integers(0, 5, triplets.sum())
    charges = daughters.copy()
    if one_more_in_event is not None:
        charges[triplets[:one_more_in_event].sum()] += 1

    def in_lists(sizes, values):
        return ak.unflatten(ak.unflatten(values, sizes), triplets)

    with uproot.recreate(path) as written:
        written.mkrntuple("Events", {
            "triplet_mass": ak.unflatten(rng.uniform(1.6, 2, triplets.sum()), triplets),
            "triplet_daughter_pt": in_lists(daughters, rng.uniform(0, 9, daughters.sum())),
            "triplet_daughter_charge": in_lists(charges, rng.integers(-1, 2, charges.sum())),
        })  # fmt: skip
    return str(path)


def of_lists():
    """Return an analysis of lists in lists, with cuts on their candidates."""
    hard = daughter[daughter.pt > 3 * t.mass]
    selection = ff.Selection(t).cut("mass", t.mass > 1.7).cut("hard", hard.count() < 3)
    return ff.Analysis(
        selection.best(highest=daughter.pt.sum()),
        hard=ff.hist(hard.pt.max(), bins=9, range=(0, 9), without="mass"),
        rows=ff.snapshot(
            charge=hard.charge.sum(), second=daughter.at(1).pt, place=daughter.pt.argmax(),
            leading=hard.at(hard.pt.argmax()).charge, named=daughter["triplet_daughter_pt"].min(),
            of_event=daughter.count().sum(), index=hard.index.max(),
        ),
    )  # fmt: skip


def test_lists_in_lists_against_oracle(engine, file_of_lists):
    answer = agreement.assert_right(get_engine(engine), of_lists(), file_of_lists)
    assert answer.cutflow[0].candidates > 50 > answer.cutflow[-1].candidates > 20


def test_lists_in_lists_come_from_the_cache(file_of_lists, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "STABLE_SECONDS", 0.0)
    file = shutil.copy(file_of_lists, tmp_path / "file.root")
    found = []
    for _ in range(2):
        caching = {"cache": tmp_path / "cache", "progress": False}
        found.append(of_lists().run(ff.dataset(file), **caching))
        cache_of(Caching(str(tmp_path / "cache"))).flush()
        cache_of.cache_clear()
    assert repr(found[0].rows) == repr(found[1].rows)
    assert found[0].timing.bytes_read > 0 == found[1].timing.bytes_read


def test_lists_of_other_lengths_are_refused(engine, tmp_path):
    file = write_lists(tmp_path / "wrong.root", one_more_in_event=7)
    with pytest.raises(FileError, match=r"triplet_daughter_(pt|charge) has \d elements"):
        of_lists().run(ff.dataset(file), engine=engine, progress=False)


def test_lists_of_candidates_in_rows(engine, tmp_path):
    lists = ak.Array([[5280.0, 5281.0], [5300.0], [], [5279.0, 5278.0, 5277.0]])
    with uproot.recreate(tmp_path / "rows.root") as written:
        types = {"eventNumber": "int64", "B_M": "float64", "B_DTF_M": "var * float64"}
        written.mktree("DecayTree", types)
        masses = np.array([5279.0, 5301.0, 5284.0, 5280.0])
        columns = {"eventNumber": np.array([1, 1, 2, 3]), "B_M": masses, "B_DTF_M": lists}
        written["DecayTree"].extend(columns)
    layout = ff.layout("mine", rows={"key": ["eventNumber"], "candidates": "b"})
    b = ff.events().b
    refitted = b.nested("dtf").m
    analysis = ff.Analysis(
        ff.Selection(b).cut("mass", b.m < 5300),
        rows=ff.snapshot(n=refitted.count(), m=refitted.max()),
    )
    data = ff.dataset(tmp_path / "rows.root", layout=layout)
    found = analysis.run(data, engine=engine, progress=False).rows
    assert found["n"].tolist() == [2, 0, 3]
    assert found["m"].tolist() == pytest.approx([5281, NAN, 5279], nan_ok=True)


def test_plans_are_pickled_and_told_apart():
    plans = [ff.Analysis(ff.Selection(t), n=ff.snapshot(n=x.count())).plan for x in (near, own)]
    assert plans[0].digest != plans[1].digest
    assert pickle.loads(pickle.dumps(plans[0])) == plans[0]


# Errors


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: muon.per(events), "takes a collection such as events.muon"),
        (lambda: t.nearest(t.mu1), r"triplet.nearest\(triplet.mu1\) takes a collection"),
        (lambda: jet.per(near), "a list for each triplet, and this takes a list for each event"),
        (lambda: ff.pairs(near), r"ff.pairs\(triplet, muon\), which has the same elements"),
        (lambda: ff.concatenate(muon, near), r"themselves together, and take .per\(triplet\) of"),
        (lambda: ff.Selection(near), r"ff.Selection: muon.per\(triplet\) is a list for each"),
        (lambda: near.pt + jet.per(t).pt, r"Reduce what is nested to one value per triplet"),
        (lambda: near.pt + muon.pt, r"one per muon: two collections do not combine"),
        (lambda: near.at(muon.index), "two collections do not combine"),
        (lambda: near[t.mass > 1], r"a condition with one value per muon.per\(triplet\)"),
        (
            lambda: ff.Selection(t).cut("near", near.pt > 1),
            "reduce it with any",
        ),
        (
            lambda: ff.hist(near.pt, bins=[0, 1]),
            r"has a list of them for each triplet.*reduce it to one per triplet with any\(\)",
        ),
        (lambda: ff.hist(t.mass, bins=[0, 1], weight=near.pt), "weight= of a histogram takes one"),
        (lambda: t[t.mass > 1].nested("daughter"), "only a collection of the file has lists"),
        (lambda: ff.snapshot(own.mass), "Column 'mass' takes one value per event or element"),
    ],
)
def test_errors_say_what_to_do(make, told):
    with pytest.raises(ExpressionError, match=told):
        make()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: t.nested("daughter").mass, "triplet.daughter.mass is not in tree Events"),
        (lambda: t.nested("mass")["triplet_mass"], "takes lists in lists of numbers"),
        (lambda: t.daughter_pt, r"events.triplet.nested\('list'\)\['triplet_daughter_pt'\]"),
        (lambda: t.nested("sister"), "no branch of lists in lists for triplet.sister"),
    ],
)
def test_errors_name_what_the_file_lacks(file_of_lists, make, told):
    analysis = ff.Analysis(ff.Selection(t), rows=ff.snapshot(n=make().count()))
    with pytest.raises(BranchError, match=told):
        analysis.run(ff.dataset(file_of_lists), progress=False)


def test_formulas():
    assert repr(near[near.pt > 5].pt.max()) == (
        "<max(muon.per(triplet)[muon.per(triplet).pt > 5].pt), one value per triplet>"
    )
    assert near.count().formula == "count(muon.per(triplet))"
