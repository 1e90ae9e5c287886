"""Friends: what lies beside a dataset in other files, entry by entry or joined by a key."""

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import DatasetError, FlavorframeError

events = ff.events(friends=["scores"])
collections = ff.events()
KEY = ("run", "luminosity_block", "event")
RNG = np.random.default_rng(7)


def write(path, tree="Events", **columns):
    with uproot.recreate(path) as file:
        file[tree] = {name: np.asarray(column) for name, column in columns.items()}
    return path


@pytest.fixture
def main(tmp_path):
    """Return two files of 300 and 200 events."""
    number = np.arange(500)
    columns = {
        "run": 1 + number // 400,
        "luminosityBlock": number // 50,
        "event": (number * 7919 % 1009).astype(np.uint64),
        "x": RNG.normal(size=500),
    }
    for name, some in (("a", slice(0, 300)), ("b", slice(300, 500))):
        write(tmp_path / f"{name}.root", **{key: value[some] for key, value in columns.items()})
    return columns, [tmp_path / "a.root", tmp_path / "b.root"]


def scored(columns, order, path, **more):
    """Write a friend with a score for some of the events, in an order of its own."""
    chosen = {name: column[order] for name, column in columns.items() if name != "x"}
    return write(path, "scores", **chosen, bdt=np.arange(500)[order] / 500, **more)


def analysis(cut=True):
    selection = ff.Selection(collections)
    if cut:
        selection = selection.cut("BDT", events.scores.bdt > 0.25)
    return ff.Analysis(selection, rows=ff.snapshot(x=events["x"], bdt=events.scores.bdt))


def test_a_friend_is_joined_by_its_key(main, tmp_path):
    columns, files = main
    order = RNG.permutation(500)[:350]
    friend = ff.friend(scored(columns, order, tmp_path / "scores.root"), on=KEY)
    data = ff.dataset(files, friends={"scores": friend})
    expected = {i / 500: columns["x"][i] for i in order if i / 500 > 0.25}
    for options in ({}, {"partition_size": 7}, {"threads": 2, "cache": True}, {"cache": True}):
        found = analysis().run(data, progress=False, **options)
        rows = found.rows.columns
        assert dict(zip(rows["bdt"].tolist(), rows["x"].tolist(), strict=True)) == expected
        assert found.links["scores"].asked == 500
        assert found.links["scores"].unmatched == 150
    whole = ff.Analysis(one=ff.Region(analysis().selection)).run(data, progress=False)
    assert whole.one.links == found.links
    kept = analysis(cut=False).run(data, progress=False).rows.columns["bdt"]
    assert np.isnan(kept).sum() == 150


@pytest.mark.root
def test_root_reads_friends(main, tmp_path):
    columns, files = main
    for name, some in (("a", slice(0, 300)), ("b", slice(300, 500))):
        write(tmp_path / f"friend_{name}.root", "t", w=columns["x"][some] * 2)
    path = scored(columns, RNG.permutation(500)[:350], tmp_path / "scores.root")
    friends = {
        "scores": ff.friend(path, on=KEY),
        "beside": ff.friend(str(tmp_path / "friend_*.root")),
    }
    data = ff.dataset(files, friends=friends)
    selection = ff.Selection(collections).cut("BDT", ~(events.scores.bdt < 0.25))
    rows = ff.snapshot(x=events["x"], bdt=events.scores.bdt, w=events["beside.w"])
    plan = ff.Analysis(selection, rows=rows)
    results = [
        plan.run(data, engine=engine, threads=2, progress=False)
        for engine in ("columnar", "rdataframe")
    ]
    assert results[0].links == results[1].links
    assert results[1].links["scores"].unmatched == 150
    ours, theirs = (result.rows.columns for result in results)
    assert len(ours["x"]) > 200
    for name in ("x", "bdt", "w"):
        assert np.array_equal(ours[name], theirs[name], equal_nan=True)


def test_keys_of_other_types_are_the_same(main, tmp_path):
    columns, files = main
    wide = columns | {
        "run": columns["run"].astype(np.float64),
        "event": columns["event"].view("i8"),
    }
    path = scored(wide, np.arange(500), tmp_path / "scores.root")
    data = ff.dataset(files, friends={"scores": ff.friend(path, on=KEY)})
    assert analysis().run(data, progress=False).links["scores"].unmatched == 0


def test_several_entries_are_a_collection(main, tmp_path):
    columns, files = main
    order = np.repeat(np.arange(500), np.arange(500) % 3)
    path = scored(columns, order, tmp_path / "scores.root", z=np.arange(len(order)))
    with pytest.raises(FlavorframeError, match=r"several rows for run 1.* say many=True"):
        analysis().run(
            ff.dataset(files, friends={"scores": ff.friend(path, on=KEY)}), progress=False
        )
    data = ff.dataset(files, friends={"scores": ff.friend(path, on=KEY, many=True)})
    with pytest.raises(FlavorframeError, match=r"may have several entries .*scores.bdt.max()"):
        analysis().run(data, progress=False)
    scores = collections.scores
    counted = ff.Analysis(
        ff.Selection(scores).cut("second", scores.z == scores.z.max()),
        rows=ff.snapshot(z=scores.z, x=events["x"]),
    )
    found = counted.run(data, progress=False)
    last = {columns["x"][event]: row for row, event in enumerate(order)}
    rows = found.rows.columns
    assert dict(zip(rows["x"].tolist(), rows["z"].tolist(), strict=True)) == last
    assert found.cutflow[0].candidates == len(order)


def test_a_friend_goes_with_a_file_entry_by_entry(main, tmp_path):
    columns, files = main
    for name, some in (("a", slice(0, 300)), ("b", slice(300, 500))):
        write(tmp_path / f"friend_{name}.root", "t", bdt=columns["x"][some] * 2)
    friend = ff.friend(str(tmp_path / "friend_*.root"))
    data = ff.dataset(files, friends={"scores": friend})
    found = analysis().run(data, progress=False, partition_size=7)
    rows = found.rows.columns
    assert rows["bdt"].tolist() == [2 * x for x in columns["x"] if 2 * x > 0.25]
    assert rows["bdt"].tolist() == (2 * rows["x"]).tolist()
    assert len(analysis().run(data.head(1), progress=False).rows.columns["x"]) < len(rows["x"])


def test_friends_that_do_not_fit_are_refused(main, tmp_path):
    columns, files = main
    short = write(tmp_path / "short.root", "t", bdt=np.zeros(3))
    with pytest.raises(DatasetError, match="it has 1 files and the dataset 2"):
        ff.dataset(files, friends={"scores": ff.friend(short)})
    data = ff.dataset(files[:1], friends={"scores": ff.friend(short)})
    with pytest.raises(FlavorframeError, match=r"'scores' has 3 entries, and .*a\.root has 300"):
        analysis().run(data, progress=False)
    path = scored(columns, np.arange(500), tmp_path / "scores.root")
    for on, message in (
        (("run", "evnt"), r"no 'evnt' in tree .*Did you mean 'event'"),
        (("run", "x"), r"scores\.root: .*no 'x' in tree scores"),
    ):
        data = ff.dataset(files, friends={"scores": ff.friend(path, on=on)})
        with pytest.raises(FlavorframeError, match=message):
            analysis().run(data, progress=False)
    with pytest.raises(DatasetError, match="matches nothing|no file"):
        ff.friend(str(tmp_path / "none_*.root"), on=KEY)


def test_a_friend_that_changed_is_not_read_from_the_cache(main, tmp_path):
    columns, files = main
    for value in (0.0, 1.0):
        path = write(
            tmp_path / "scores.root",
            "scores",
            **{k: v for k, v in columns.items() if k != "x"},
            bdt=np.full(500, value),
        )
        data = ff.dataset(files, friends={"scores": ff.friend(path, on=KEY)})
        assert analysis().run(data, progress=False).events == 500
        assert len(analysis().run(data, progress=False).rows.columns["x"]) == 500 * value


def test_a_result_keeps_its_friends(main, tmp_path):
    columns, files = main
    path = scored(columns, np.arange(500), tmp_path / "scores.root")
    data = ff.dataset(files, friends={"scores": ff.friend(path, on=KEY)})
    found = analysis().run(data, progress=False)
    found.save(tmp_path / "result")
    (loaded,) = ff.load(tmp_path / "result").values()
    assert loaded.dataset == found.dataset


def test_friends_of_rows(tmp_path):
    event = np.array([4, 4, 7, 9, 9, 9])
    rows = write(tmp_path / "rows.root", "t", event=event, m=np.arange(6.0))
    beside = write(tmp_path / "beside.root", "t", w=10 * np.arange(6.0))
    scores = write(tmp_path / "scores.root", "t", event=np.array([9, 4]), bdt=np.array([0.9, 0.4]))
    layout = ff.layout("rows", rows={"key": ["event"], "candidates": "b"})
    data = ff.dataset(
        rows,
        layout=layout,
        friends={"beside": ff.friend(beside), "scores": ff.friend(scores, on="event")},
    )
    b = collections.b
    selection = ff.Selection(b).cut("BDT", events.scores.bdt > 0.3).best(highest=b["beside.w"])
    found = ff.Analysis(selection, rows=ff.snapshot(b.m, w=b["beside.w"])).run(data, progress=False)
    assert found.rows.columns["m"].tolist() == [1, 5]
    assert found.rows.columns["w"].tolist() == [10, 50]
