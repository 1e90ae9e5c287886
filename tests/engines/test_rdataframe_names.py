"""The engine over RDataFrame: names of branches that its own names must not meet, and odd ones."""

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines._rdataframe.codegen.names import PREFIX, unused_prefix
from flavorframe.errors import BranchError

pytestmark = pytest.mark.root

events = ff.events()

OWN_NAMES = (
    "step", "start", "outputs", "states", "slots", "state", "after", "entries", "amount", "alive",
    "step_0", "rows_0", "without_0", "ff_file", "flavorframe", "State", "fingerprint", "AsString",
    "run_step", "state_of", f"{PREFIX}run_step", f"{PREFIX}0", f"{PREFIX}_file",
)  # fmt: skip


def written(path, names):
    """Write a tree in which each branch has the numbers from its position on."""
    content = {name: np.arange(4.0) + i for i, name in enumerate(names)}
    with uproot.recreate(path) as file:
        file.mktree("Events", dict.fromkeys(content, "float64"))
        file["Events"].extend(content)
    return str(path)


def analysis(*names):
    """Return one with cuts, histograms, one of them without a cut, and a snapshot."""
    selection = ff.Selection(events)
    for name in names:
        selection = selection.cut(f"cut on {name}", events[name] > 0)
    first = events[names[0]]
    return ff.Analysis(
        selection,
        plain=ff.hist(first, bins=4, range=(0, 40)),
        left_out=ff.hist(first, bins=4, range=(0, 40), without=f"cut on {names[0]}"),
        rows=ff.snapshot(**{f"column_{i}": events[name] for i, name in enumerate(names)}),
    )


def results(made, file, **options):
    found = made.run(ff.dataset(file), progress=False, **options)
    rows = {name: values.tolist() for name, values in found.rows.columns.items()}
    cutflow = [(row.name, row.events) for row in found.cutflow]
    return cutflow, found.plain.values().tolist(), found.left_out.values().tolist(), rows


def test_branches_may_have_any_name_that_the_engine_uses_itself(tmp_path):
    file = written(tmp_path / "own.root", OWN_NAMES)
    made = analysis(*OWN_NAMES)
    assert results(made, file, engine="rdataframe") == results(made, file)


def test_branches_with_names_of_the_engine_that_are_not_read(tmp_path):
    files = [
        written(tmp_path / "own.root", ("x", *OWN_NAMES)),
        written(tmp_path / "plain.root", ("x", "y")),
    ]
    made = analysis("x")
    assert results(made, files, engine="rdataframe") == results(made, files)


def test_names_of_the_engine_on_a_cluster(tmp_path):
    from distributed import Client, LocalCluster

    file, made = written(tmp_path / "own.root", OWN_NAMES), analysis("step", "state", "entries")
    expected = results(made, file)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        assert results(made, file, engine="rdataframe", on=client) == expected


def test_the_prefix_is_longer_than_that_of_any_branch():
    assert unused_prefix(["x", "flavorframe"]) == PREFIX
    assert unused_prefix(["x", "flavorframe_", "a.flavorframe__b"]) == f"{PREFIX}__"


@pytest.mark.parametrize("name", ["a b", "x-y", "x,y", "1x", "(x)"])
def test_odd_names_are_read(tmp_path, name):
    file = written(tmp_path / "odd.root", ["y", name])
    made = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=events[name]))
    found = made.run(ff.dataset(file), engine="rdataframe", progress=False)
    assert found.rows["x"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["µ_pt", "x[0]", "x+1", "日本", "x$", "x|y", "x%", "x\\y"])
def test_names_that_rdataframe_cannot_read_are_refused(tmp_path, name):
    file = written(tmp_path / "odd.root", ["y", name])
    made = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=events[name]))
    assert made.run(ff.dataset(file), progress=False).rows["x"].tolist() == [1, 2, 3, 4]
    with pytest.raises(BranchError, match=r"has no name in ROOT's RDataFrame"):
        made.run(ff.dataset(file), engine="rdataframe", progress=False)


@pytest.mark.parametrize(
    ("returned", "dtype"),
    [("long long", "int64"), ("unsigned long long", "uint64"), ("bool", "bool"),
     ("int", "int64"), ("float", "float64")],
)  # fmt: skip
def test_snapshots_keep_what_a_function_in_cpp_returns(tmp_path, returned, dtype):
    files = [written(tmp_path / f"{i}.root", "x") for i in range(2)]
    number = 2**62 + 1 if "long" in returned else 1
    exact = ff.cpp(f"{returned} exact(double x) {{ return {number}ull; }}")(events["x"])
    made = ff.Analysis(ff.Selection(events), rows=ff.snapshot(y=exact, x=events["x"]))
    found = made.run(ff.dataset(files), engine="rdataframe", progress=False, partition_size=3)
    assert found.rows["y"].dtype == dtype
    assert found.rows["y"].tolist() == [number] * 8
    assert found.rows["x"].tolist() == [0, 1, 2, 3] * 2


def test_a_partition_without_rows_does_not_round_those_of_others(tmp_path):
    file = written(tmp_path / "x.root", "x")
    exact = ff.cpp("long long exact(double x) { return (1ll << 62) + 1; }")(events["x"])
    made = ff.Analysis(ff.Selection(events).cut("late", events["x"] > 2), rows=ff.snapshot(y=exact))
    found = made.run(ff.dataset(file), engine="rdataframe", progress=False, partition_size=1)
    assert found.rows["y"].dtype == "int64"
    assert found.rows["y"].tolist() == [2**62 + 1]
