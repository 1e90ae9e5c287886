"""Files with one row a candidate: an analysis means the same as with lists in each event."""

import shutil

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import FlavorframeError
from support import agreement, oracle
from support.reference import check_random
from support.row_files import LAYOUT, write_rows

events = ff.events()
t = events.triplet


@pytest.fixture(scope="module")
def rows(sample, tmp_path_factory):
    """Return a function that gives a file of the same candidates as the sample's, in rows."""
    folder, known = tmp_path_factory.mktemp("rows"), {}

    def path(format="ttree"):
        if format not in known:
            known[format] = write_rows(sample("nano"), folder / f"{format}.root", format=format)
        return known[format]

    return path


def analysis():
    selection = (
        ff.Selection(t)
        .weight("vertices", 1 + 0.01 * events.n_primary_vertices)
        .cut("HLT", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
        .cut("one", t.mass.count() < 20)
        .cut("mass", t.mass.between(1.62, 2.02))
        .cut("muon", t.mu1.is_global & (t.mu1.charge * t.mu2.charge < 0))
        .best(lowest=t.vertex_chi2)
    )
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1), without="mass"),
        rows=ff.snapshot(events.event, t.mass, n=t.mass.count(), best=t.pt.argmax()),
    )


@pytest.mark.slow
@pytest.mark.parametrize("format", ["ttree", "rntuple"])
@pytest.mark.parametrize("engine", ENGINES)
def test_rows_mean_what_lists_mean(rows, sample, format, engine):
    plan = analysis()
    in_rows = agreement.assert_right(get_engine(engine), plan, rows(format), layout=LAYOUT)
    in_lists = oracle.evaluate(plan, oracle.open_file(str(sample("nano"))))
    assert in_rows.cutflow[-1].candidates > 10
    # The files of rows do not have the events without a candidate, which a cut on "mass" removes.
    for one, other in zip(in_rows.cutflow[4:], in_lists.cutflow[4:], strict=True):
        assert (one.events, one.candidates) == (other.events, other.candidates)


@pytest.mark.root
def test_root_reads_several_files_of_rows_in_one_loop(rows, tmp_path):
    for name in ("a.root", "b.root"):
        shutil.copy(rows(), tmp_path / name)
    data, plan = ff.dataset(str(tmp_path / "*.root"), layout=LAYOUT), analysis()
    ours = plan.run(data, progress=False)
    theirs = plan.run(data, engine="rdataframe", threads=2, progress=False)
    counts = [[(row.events, row.candidates) for row in each.cutflow] for each in (ours, theirs)]
    assert counts[0] == counts[1]
    for column in ("event", "mass", "n"):
        assert theirs.rows.columns[column].tolist() == ours.rows.columns[column].tolist()


@pytest.mark.slow
def test_random_selections(rows):
    check_random(rows(), examples=40, more=("rows",), layout=LAYOUT)


@pytest.mark.slow
def test_partitions_threads_and_cache_do_not_matter(rows):
    plan, data = analysis(), ff.dataset(rows(), layout=LAYOUT)
    answer = oracle.evaluate(plan, oracle.open_file(str(rows())))
    for size, threads in ((1, 1), (7, 2), (64, 2), (10_000, 1)):
        for cache in (False, True, True):
            found = plan.run(
                data, partition_size=size, threads=threads, cache=cache, progress=False
            )
            agreement.assert_agree(plan, found, answer)


def test_rows_and_entries_of_one_file_share_nothing_in_the_cache(rows):
    flat = ff.Analysis(
        ff.Selection(events), mass=ff.hist(events["triplet_mass"], bins=5, range=(1, 3))
    )
    grouped = ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=5, range=(1, 3)))
    data = ff.dataset(rows())
    for _ in range(2):
        one = flat.run(ff.dataset(rows(), layout="nano"), progress=False)
        other = grouped.run(ff.dataset(rows(), layout=LAYOUT), progress=False)
        assert one.events == data_rows(data) > other.events
        assert one.mass.sum(flow=True) == other.mass.sum(flow=True) == data_rows(data)


def data_rows(data):
    return uproot.open(data.files[0])["DecayTree"].num_entries


def written(path, **columns):
    with uproot.recreate(path) as file:
        file["DecayTree"] = columns
    return ff.dataset(path, layout=ff.layout("mine", rows={"key": ["run", "event"]}))


def mass():
    candidate = events.candidate
    return ff.Analysis(ff.Selection(candidate), m=ff.hist(candidate.m, bins=3, range=(0, 3)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"run": [1, 1, 1], "event": [5, 6, 5], "m": [0.5, 1.5, 2.5]},
            r"the event run 1, event 5 has rows at 0 and at 2.* sort the file by run and event",
        ),
        (
            {"run": [1.0, np.nan], "event": [5, 6], "m": [0.5, 1.5]},
            "branch run, which tells events apart, is NaN in row 1",
        ),
        (
            {"Run": [1, 1], "event": [5, 6], "m": [0.5, 1.5]},
            "no branch 'run', which tells events apart. Did you mean 'Run'",
        ),
        (
            {"run": np.zeros((2, 3)), "event": [5, 6], "m": [0.5, 1.5]},
            "events are told apart by one number in each row",
        ),
    ],
)
def test_what_is_wrong_with_keys_is_told(tmp_path, columns, message):
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    with pytest.raises(FlavorframeError, match=message):
        mass().run(written(tmp_path / "rows.root", **arrays), progress=False)


def test_an_event_of_a_file_is_not_that_of_another(tmp_path):
    columns = {"run": np.array([1, 1]), "event": np.array([5, 5]), "m": np.array([0.5, 1.5])}
    for name in ("a.root", "b.root"):
        data = written(tmp_path / name, **columns)
    found = mass().run(ff.dataset(str(tmp_path / "*.root"), layout=data.layout), progress=False)
    assert (found.events, found.cutflow[-1].candidates) == (2, 4)


def test_an_empty_file_has_no_events(tmp_path):
    columns = {name: np.zeros(0) for name in ("run", "event", "m")}
    found = mass().run(written(tmp_path / "empty.root", **columns), progress=False)
    assert (found.events, found.m.sum()) == (0, 0)


def test_large_numbers_of_events_are_told_apart(tmp_path):
    event = np.array([2**63 + 1, 2**63 + 1, 2**63 + 2, 2**64 - 1], np.uint64)
    data = written(tmp_path / "a.root", run=np.ones(4, np.int32), event=event, m=np.arange(4.0))
    assert mass().run(data, progress=False).events == 3
