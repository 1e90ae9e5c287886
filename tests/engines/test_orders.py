"""Sorted collections, places in an order, and collections put together: worked out by hand.

| event | muons: pt, charge, electron   | electrons: pt, charge |
| ----: | ----------------------------- | --------------------- |
| 0     | 3, 1, 1; 5, −1, −1; 3, −1, 0  | 4, −1; 6, 1           |
| 1     | NaN, 1, 0; 2, 1, −1           |                       |
| 2     |                               | 7, 1                  |
"""

import math
import os

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import BranchError, ExpressionError
from support import agreement, oracle

NAN = math.nan
events = ff.events()
muon, electron = events.muon, events.electron
falling = muon.sorted(muon.pt, descending=True)
by_link = muon.sorted(electron.at(muon["Muon_electronIdx"]).pt)  # missing where there is none
lepton = ff.concatenate(muon, electron)
hardest = lepton.sorted(lepton.pt, descending=True)
pair = ff.pairs(hardest)
first, second = pair.members
same_flavour = ff.concatenate(ff.pairs(muon), ff.pairs(electron))
one, other = same_flavour.members


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    def lists(counts, **fields):
        return ak.zip({name: ak.unflatten(np.array(x), counts) for name, x in fields.items()})

    content = {
        "run": np.ones(3, np.uint32),
        "luminosityBlock": np.ones(3, np.uint32),
        "event": np.arange(3),
        "Muon": lists(
            [3, 2, 0],
            pt=np.float32([3, 5, 3, NAN, 2]),
            charge=np.int8([1, -1, -1, 1, 1]),
            electronIdx=np.int16([1, -1, 0, 0, -1]),
            isGlobal=[True, False, True, True, False],
        ),
        "Electron": lists([2, 0, 1], pt=[4.0, 6, 7], charge=np.int8([-1, 1, 1]), code=[0, 1, 2]),
    }
    path = tmp_path_factory.mktemp("orders") / "three_events.root"
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(x) for name, x in content.items()})
        written["Events"].extend(content)
    return str(path)


def check(engine, file, selection, **expected):
    """Check columns, given with their values, and that the oracle says the same."""
    columns = {name: column for name, (column, _) in expected.items()}
    analysis = ff.Analysis(selection, rows=ff.snapshot(**columns))
    found = agreement.run(engine, analysis, file)
    agreement.assert_agree(analysis, found, oracle.evaluate(analysis, oracle.open_file(file)))
    (rows,) = found.tables["rows"]
    for name, (_, values) in expected.items():
        np.testing.assert_array_equal(rows[name], values)


@pytest.fixture(params=ENGINES)
def engine(request):
    return get_engine(request.param)


def test_what_an_order_says_of_the_event(engine, file):
    check(
        engine, file, ff.Selection(events),
        first=(falling.at(0).pt, [5, 2, NAN]),
        equal_ones_stay=(falling.at(1).charge, [1, 1, NAN]),
        last=(falling.at(-1).charge, [-1, 1, NAN]),
        too_far_from_the_end=(falling.at(-3).pt, [5, NAN, NAN]),
        nan_last=(muon.sorted(muon.pt).at(1).charge, [-1, 1, NAN]),
        missing_last=(by_link.at(1).pt, [3, 2, NAN]),
        of_two=(falling.first(2).pt.sum(), [8, NAN, 0]),
        of_none=(falling.first(0).count(), [0, 0, 0]),
        index=(falling.pt.argmin(), [1, 0, NAN]),
        first_of_both=(hardest.at(0).is_from(muon), [0, 1, 0]),
        pairs=(pair.count(), [10, 1, 0]),
        where_members_are=(second.index.max(), [4, 1, NAN]),
        in_order=((first.pt >= second.pt).count(), [10, 0, 0]),
        of_one_flavour=((one.charge != other.charge).count(), [3, 0, 0]),
        members_of_either=(other.pt.max(), [6, 2, NAN]),
        widened=(lepton.pt.first(), [3, NAN, 7]),
    )  # fmt: skip


def test_orders_look_at_the_file_and_reductions_at_survivors(engine, file):
    rank = muon.rank(muon.pt, descending=True)
    check(
        engine, file, ff.Selection(muon).cut("charge", muon.charge + rank != -1),
        rank=(rank, [1, 2, 1, 0]),
        lightest=(muon.sorted(muon.pt).at(-1).charge, [-1, -1, 1, 1]),
        lightest_left=(falling.pt.first(), [3, 3, 2, 2]),
        left_of_both=(lepton.count(), [4, 4, 2, 2]),
        last_of_file=(muon.at(-1).pt, [3, 3, 2, 2]),
        where_links_lead=(electron.at(muon["Muon_electronIdx"]).index, [1, 0, NAN, NAN]),
    )  # fmt: skip


def test_candidates_may_be_sorted(engine, file):
    selection = ff.Selection(falling).cut("charge", falling.charge < 1).best(lowest=falling.index)
    check(engine, file, selection, pt=(falling.pt, [5]), index=(falling.index, [0]))
    selection = ff.Selection(falling).cut("index", falling.index > 0)
    check(engine, file, selection, pt=(falling.pt, [3, 3, NAN]), left=(falling.count(), [2, 2, 1]))


def test_candidates_may_be_put_together(engine, file):
    check(
        engine, file, ff.Selection(lepton).cut("pt", lepton.pt > 3.5),
        pt=(lepton.pt, [5, 4, 6, 7]),
        index=(lepton.index, [1, 3, 4, 0]),
        source=(lepton.source, [0, 1, 1, 1]),
        hardest_left=(hardest.pt.first(), [6, 6, 6, 7]),
        muons=(lepton[lepton.is_from(muon)].count(), [1, 1, 1, 0]),
        muons_in_file=(muon.count(), [3, 3, 3, 0]),
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_types_that_are_equal_are_kept(file, engine):
    selection = ff.Selection(lepton)
    analysis = ff.Analysis(selection, rows=ff.snapshot(lepton.pt, lepton.charge))
    (rows,) = agreement.run(get_engine(engine), analysis, file).tables["rows"]
    assert [column.dtype for column in rows.values()] == [np.float64, np.int8]


def test_fields_that_one_of_them_lacks(file):
    data, selection = ff.dataset(file), ff.Selection(lepton)
    with pytest.raises(BranchError) as told:
        ff.Analysis(selection.cut("code", lepton.code > 0)).run(data, progress=False)
    text = str(told.value)
    assert "Cut 'code': muon.code is not in tree Events" in text
    assert "has the fields that its collections have in common: charge, pt." in text
    rows = ff.snapshot(code=lepton.code.default(9))
    found = ff.Analysis(selection, rows=rows).run(data, progress=False).rows["code"]
    np.testing.assert_array_equal(found, [9, 9, 9, 0, 1, 9, 9, 2])


def test_orders_of_something_else_are_refused(file):
    with pytest.raises(ExpressionError, match=r"muon\.sorted\(electron\.pt\): an order takes"):
        muon.sorted(electron.pt)
    with pytest.raises(ExpressionError, match="an order takes an expression with one value per m"):
        muon.rank(muon.pt.max())
    of_the_event = muon.sorted(events["event"]).at(0).pt
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=of_the_event))
    with pytest.raises(ExpressionError, match="one value per event, and the collection is muon"):
        analysis.run(ff.dataset(file), progress=False)


def test_what_a_cache_keeps_of_orders(file, tmp_path):
    os.utime(file, (1e9, 1e9))
    rank = muon.rank(muon.pt, descending=True)
    for refused, expected in ((-1, [1, 2, 1, 0]), (1, [1, 0, 1]), (-1, [1, 2, 1, 0])):
        selection = ff.Selection(muon).cut("sum", muon.charge + rank != refused)
        analysis = ff.Analysis(selection.cut("rank", rank >= 0), rows=ff.snapshot(rank=rank))
        found = analysis.run(ff.dataset(file), cache=tmp_path / "cache", progress=False).rows
        np.testing.assert_array_equal(found["rank"], expected)


@pytest.mark.parametrize("name", ENGINES)
def test_an_order_follows_variations(file, name):
    def hardest_charge(pt):
        order = muon.sorted(pt, descending=True)
        selection = ff.Selection(order).cut("first", order.index == 0)
        return ff.Analysis(selection, charge=ff.hist(order.charge, bins=[-1, 0, 2]))

    varied = hardest_charge(ff.vary("scale", muon.pt, up=muon.charge * muon.pt))
    found = varied.run(ff.dataset(file), engine=name, progress=False)
    for label, pt in (("nominal", muon.pt), ("scale up", muon.charge * muon.pt)):
        alone = hardest_charge(pt).run(ff.dataset(file), progress=False)
        np.testing.assert_array_equal(found.varied(label).charge.values(), alone.charge.values())
    assert found.nominal.charge.values().tolist() == [1, 1]
    assert found.varied("scale up").charge.values().tolist() == [0, 2]
