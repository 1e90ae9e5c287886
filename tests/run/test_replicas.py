"""Files in several places: which is read, what is told, and what is no replica."""

import os
import shutil

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, DatasetError, FileError, ReplicasError
from flavorframe.result import Replica
from support import servers

EVENTS = 1200
t = ff.events().triplet


def analysis(mass=t.mass, **outputs):
    return ff.Analysis(
        ff.Selection(t).cut("mass", mass > 0),
        mass=ff.hist(t.mass, bins=31, range=(1.6, 2.2)),
        rows=ff.snapshot(t.mass),
        **outputs,
    )


def run(data, made=None, **options):
    return (made or analysis()).run(data, progress=False, **{"retries": 0, **options})


def assert_whole(result, files):
    """Assert that a result is that of files of this machine, to the bit."""
    wanted = run(ff.dataset([str(file) for file in files]))
    assert result.is_complete
    found, counts = ([(row.events, row.candidates) for row in r.cutflow] for r in (result, wanted))
    assert found == counts
    assert (result.mass.values() == wanted.mass.values()).all()
    np.testing.assert_array_equal(result.rows["mass"], wanted.rows["mass"])


@pytest.fixture
def twins(sample, tmp_path):
    """Return two copies of a file."""
    return [shutil.copy(sample("nano"), tmp_path / f"{name}.root") for name in ("a", "b")]


@pytest.fixture
def away(tmp_path):
    """Return a place where nothing is, and one on a server that is not there."""
    return str(tmp_path / "away.root"), f"http://localhost:{servers.free_port()}/away.root"


def after(calls, act, folder):
    """Return a function of arrays that acts when it is called so often, in whichever process."""
    counted = folder / "calls"
    counted.mkdir()

    @ff.function
    def function(x):
        if x.size:
            (counted / f"{len(os.listdir(counted))}-{os.getpid()}").touch()
            if len(os.listdir(counted)) == calls:
                act()
        return x

    return function


# Which place is read


@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_the_first_place_that_can_be_read(twins, away, engine):
    data = ff.dataset([[*away, twins[0]], twins[1]])
    assert (data.files, len(data)) == ((away[0], str(twins[1])), 2)
    result = run(data, engine=engine)
    assert_whole(result, twins)
    (noted,) = result.replicas
    assert (noted.file, noted.place) == (away[0], str(twins[0]))
    assert f"{away[0]}: there is no such file." in noted.reason
    assert "cannot be reached" in noted.reason
    assert "1 file was read at another place than the first" in repr(result)
    assert str(twins[0]) in result._repr_html_()


def test_the_others_are_not_asked(twins, web):
    result = run(ff.dataset([[twins[0], f"{web.url}/b.root"]]))
    assert (result.replicas, web.requests) == ((), [])
    assert_whole(result, twins[:1])


def test_none_of_the_places(twins, away, tmp_path):
    data = ff.dataset([[*away], twins[0]])
    result = run(data)
    (failure,) = result.failures
    assert (failure.file, failure.kind) == (away[0], "ReplicasError")
    assert failure.reason.startswith(f"none of its 2 places gives it. {away[0]}: there is no such")
    assert f"{away[1]}: the server" in failure.reason
    assert result.events == EVENTS
    with pytest.raises(ReplicasError, match=f"^{away[0]}: none of its 2 places"):
        run(data, on_error="raise")
    shutil.copy(twins[1], tmp_path / "away.root")
    assert_whole(result.resume(progress=False), [tmp_path / "away.root", twins[0]])


def test_a_place_that_may_come_back_is_tried_again(twins, away):
    (failure,) = run(ff.dataset([[*away], twins[0]]), retries=1).failures
    assert failure.attempts == 2
    (failure,) = run(ff.dataset([[away[0], f"{away[0]}2"], twins[0]]), retries=1).failures
    assert failure.attempts == 1


def test_a_branch_that_is_not_there_is_looked_for_nowhere_else(twins, web):
    made = ff.Analysis(ff.Selection(t).cut("x", t["nothing"] > 0))
    with pytest.raises(ff.FlavorframeError, match="nothing"):
        made.run(ff.dataset([[twins[0], f"{web.url}/b.root"]]), progress=False)
    assert not web.requests


def test_a_server_that_failed_is_not_waited_for_with_each_file(twins, web, tmp_path):
    web.mood = "breaks"
    places = [[f"{web.url}/{name}.root", str(tmp_path / f"{name}.root")] for name in ("a", "b")]
    result = run(ff.dataset(places), threads=1)
    assert [replica.place for replica in result.replicas] == [places[0][1], places[1][1]]
    assert {path for _, path, *_ in web.requests} == {"/a.root"}
    assert_whole(result, twins)


# Reading that breaks in the middle


def test_the_next_place_where_a_server_breaks_off(twins, web, tmp_path):
    through = after(2, lambda: setattr(web, "mood", 404), tmp_path)
    data = ff.dataset([[f"{web.url}/a.root", str(twins[1])]])
    result = run(data, analysis(through(t.mass)), partition_size=200, threads=1)
    assert_whole(result, twins[:1])
    (noted,) = result.replicas
    assert noted.place == str(twins[1])
    assert f"{web.url}/a.root: the server" in noted.reason


def test_a_place_that_is_damaged(twins):
    with uproot.open(twins[0]) as file:
        place = file["Events/triplet_mass"].basket_key(0).fSeekKey
    with open(twins[0], "r+b") as file:
        file.seek(place)
        file.write(bytes(40))
    result = run(ff.dataset([[twins[0], twins[1]]]))
    assert_whole(result, twins[1:])
    assert [each.place for each in result.replicas] == [str(twins[1])]


def test_a_place_that_was_removed_meanwhile(twins, tmp_path):
    through = after(2, lambda: os.remove(twins[0]), tmp_path)
    data = ff.dataset([[twins[0], twins[1]]])
    result = run(data, analysis(through(t.mass)), partition_size=200, threads=1)
    assert_whole(result, twins[1:])
    assert [(each.file, each.place) for each in result.replicas] == [tuple(map(str, twins))]
    assert "has changed since the run began" in result.replicas[0].reason


@pytest.mark.parametrize("what", ["events", "bytes"])
def test_what_is_no_replica(sample, twins, tmp_path, what):
    if what == "events":
        shutil.copy(sample("nano", 600), twins[1])
    else:
        with open(twins[1], "ab") as file:
            file.write(b"more")
    through = after(2, lambda: os.remove(twins[0]), tmp_path)
    result = run(
        ff.dataset([[twins[0], twins[1]]]), analysis(through(t.mass)), partition_size=200, threads=1
    )
    assert 0 < result.events < EVENTS
    assert sum(failure.events for failure in result.failures) == EVENTS - result.events
    said = {"events": "600 events, not 1,200", "bytes": "bytes, not"}[what]
    wanted = f"{twins[1]}: replicas of a file have the same size and events, and this one has"
    assert all(wanted in f.reason and said in f.reason for f in result.failures)


def test_what_is_gone_on_with_is_the_same_file(sample, twins, tmp_path):
    """A run that is resumed at another place compares what does not depend on the place."""

    def remove():
        for path in twins:
            os.remove(path)

    through = after(2, remove, tmp_path)
    data = ff.dataset([[twins[0], twins[1]]])
    partial = run(data, analysis(through(t.mass)), partition_size=200, threads=1)
    assert 0 < partial.events < EVENTS
    shutil.copy(sample("nano", 600), twins[1])
    failures = partial.resume(progress=False).failures
    assert failures
    assert all("has changed since the run began" in failure.reason for failure in failures)
    shutil.copy(sample("nano"), twins[1])
    whole = partial.resume(progress=False)
    assert_whole(whole, twins[1:])
    assert [(each.file, each.place) for each in whole.replicas] == [tuple(map(str, twins))]


# Elsewhere than in threads


def test_with_a_cache(twins, tmp_path):
    data = ff.dataset([[str(tmp_path / "none.root"), str(twins[0])]])
    for _ in range(2):
        assert_whole(run(data, cache=tmp_path / "cache"), twins[:1])


@pytest.mark.xdist_group("dask")
def test_on_dask(client, twins, away, tmp_path):
    through = after(3, lambda: os.remove(twins[0]), tmp_path)
    data = ff.dataset([[*away, twins[0], twins[1]]])
    result = run(data, analysis(through(t.mass)), on=client, partition_size=100, retries=2)
    assert_whole(result, twins[1:])
    assert {each.place for each in result.replicas} == set(map(str, twins))


def test_certificates_and_saved_results(twins, away, tmp_path):
    data = ff.dataset([[away[0], str(twins[0])]], name="A")
    assert ff.certify(analysis(), data, engines=["columnar", "columnar"]).agrees
    result = run(data, output=tmp_path / "out")
    loaded = ff.load(tmp_path / "out")["A"]
    assert loaded.replicas == result.replicas == (
        Replica(away[0], str(twins[0]), f"{away[0]}: there is no such file."),
    )  # fmt: skip
    assert loaded.dataset == data
    others = ff.dataset([[f"{away[0]}2", str(twins[1])]], name="B")
    both = result + run(others, output=tmp_path / "out")
    assert [each.file for each in both.replicas] == [away[0], f"{away[0]}2"]


# How they are given


def test_in_catalogues(twins, away, tmp_path):
    files = [["b.root", f"{away[1]}"], "a.root:Events"]
    entry = {"A": {"type": "data", "files": files, "lumi": 2.0}}
    catalogue = ff.catalog(entry, base=tmp_path)
    with pytest.raises(DatasetError, match="a dataset has one tree"):
        catalogue["A"]
    files[0] = [f"{name}:Events" for name in files[0]]
    data = ff.catalog(entry, base=tmp_path)["A"]
    assert (data.files, data.tree) == ((str(twins[1]), str(twins[0])), "Events")
    assert data.replicas == ((str(twins[1]), away[1]),)
    assert data.places == (str(twins[1]), away[1], str(twins[0]))
    assert repr(data) == "Dataset 'A': data, 2 files (1 with replicas), 2 fb⁻¹, tree 'Events'"
    assert data.head(1).replicas == data.replicas
    by_tree = ff.dataset({(str(twins[1]), away[1]): "Events"})
    assert (by_tree.replicas, by_tree.tree) == (data.replicas, "Events")
    assert (data.head(1) + ff.dataset(str(twins[0]), tree="Events")).replicas == data.replicas


def test_no_replica_counts_double(twins, tmp_path):
    os.symlink(twins[0], tmp_path / "link.root")
    a, b = map(str, twins)
    for other in (a, f"{tmp_path}/./a.root", str(tmp_path / "link.root"), f"file://{a}"):
        for files in ([[a, other]], [[b, a], other], [[b, a], ["https://h/a.root", other]]):
            with pytest.raises(DatasetError, match=r"a\.root.*double"):
                ff.dataset(files)
    with pytest.raises(DatasetError, match="root://h//a.root is listed 2 times"):
        ff.dataset([["root://h//a.root", "xroot://H:1094/a.root"]])
    with pytest.raises(DatasetError, match="root://h//a.root is listed 2 times"):
        ff.dataset([[a, "root://h//a.root"]]) + ff.dataset([["/elsewhere", "root://h/a.root"]])


def test_a_place_with_brackets_in_its_name(twins, tmp_path):
    odd = shutil.copy(twins[0], tmp_path / "a[1].root")
    assert ff.dataset([[twins[1], odd]]).replicas == ((str(twins[1]), str(odd)),)


def test_several_files_are_no_place_of_one(twins, tmp_path):
    for place in (str(tmp_path), f"{tmp_path}/*.root", "root://h//x/*.root", "https://h/x/"):
        with pytest.raises(DatasetError, match=r"stands for several files.*beside .*a\.root"):
            ff.dataset([[twins[0], place]])


def test_a_replica_is_not_written_over(twins, away):
    made = ff.Analysis(ff.Selection(t), rows=ff.snapshot(t.mass, path=twins[1]))
    with pytest.raises(AnalysisError, match=rf"over {twins[1]}, from which it is made"):
        run(ff.dataset([[away[0], twins[1]]]), made)


def test_replicas_of_what_is_none_of_the_files():
    with pytest.raises(DatasetError, match="/x.root has replicas, and is none of the files"):
        ff.Dataset("d", None, ("/a.root",), replicas=(("/x.root", "/y.root"),))
    assert FileError in ReplicasError.__mro__
