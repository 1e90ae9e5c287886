"""Running on this machine: bad files, partitions, snapshots, and memory."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, BranchError, FileError, RunError

events = ff.events()
t, muon = events.triplet, events.muon
analysis = ff.Analysis(
    ff.Selection(t).cut("HLT", events.hlt.fired("HLT_Double")).cut("mass", t.mass > 1.7),
    mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
    rows=ff.snapshot(t.mass, events.event),
)


def run(files, analysis=analysis, **options):
    return analysis.run(ff.dataset(files, luminosity=3.0), progress=False, **options)


@pytest.fixture
def other_tree(tmp_path):
    """Return the path of a ROOT file with a tree that the analysis does not fit."""
    path = tmp_path / "other.root"
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": "float64"})
        file["Events"].extend({"x": np.zeros(3)})
    return path


def cut_short(path, target, share=0.6):
    content = path.read_bytes()
    target.write_bytes(content[: int(len(content) * share)])
    return target


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_partitions_and_threads_do_not_matter(small_nano, size, threads):
    whole, parts = run(small_nano), run(small_nano, partition_size=size, threads=threads)
    assert whole.cutflow == parts.cutflow
    assert whole.mass == parts.mass
    for name in whole.rows:
        np.testing.assert_array_equal(whole.rows[name], parts.rows[name])


def test_bad_files_are_reported_and_the_others_kept(small_nano, other_tree, tmp_path):
    text = tmp_path / "text.root"
    text.write_text("not a ROOT file at all")
    short = cut_short(small_nano, tmp_path / "short.root")
    result = run([small_nano, tmp_path / "none.root", text, other_tree, short])
    assert result.cutflow == run(small_nano).cutflow
    reasons = {failure.file.rpartition("/")[2]: failure.reason for failure in result.failures}
    assert reasons["none.root"] == "there is no such file."
    assert "it begins with b'not ', not b'root'" in reasons["text.root"]
    assert "is not in tree Events" in reasons["other.root"] or "trigger" in reasons["other.root"]
    assert set(reasons) == {"none.root", "text.root", "other.root", "short.root"}
    assert not result.is_complete
    assert result.luminosity == pytest.approx(3.0 / 5)
    assert "PARTIAL" in repr(result)
    assert "4 of 5 files could not be read" in repr(result)


def test_damaged_baskets_name_file_and_branch(small_nano, tmp_path):
    damaged = tmp_path / "damaged.root"
    shutil.copy(small_nano, damaged)
    with uproot.open(small_nano) as file:
        basket = file["Events/triplet_mass"].basket_chunk_cursor(0)[0].start
    content = bytearray(damaged.read_bytes())
    content[basket + 70 : basket + 100] = b"\xff" * 30
    damaged.write_bytes(content)
    result = run([small_nano, damaged])
    assert len(result.failures) == 1
    failure = result.failures[0]
    assert "branch triplet_mass of tree Events cannot be read" in failure.reason
    assert (failure.start, failure.stop) == (0, 50)


def test_no_readable_file_raises(tmp_path, other_tree):
    with pytest.raises(FileError, match="there is no such file"):
        run(tmp_path / "none.root")
    with pytest.raises(RunError, match="None of the 2 files .* The first: .*none.root"):
        run([tmp_path / "none.root", tmp_path / "none2.root"])
    with pytest.raises(BranchError, match="Cut 'HLT'"):
        run(other_tree)


def test_wrong_tree_names_those_there_are(small_nano):
    with pytest.raises(FileError, match=r"no tree 'Event'.*holds Events.*Did you mean 'Events'"):
        analysis.run(ff.dataset(small_nano, tree="Event"), progress=False)


def test_lists_of_different_lengths_are_no_collection(small_nano):
    wrong = ff.Selection(t).cut("mass", t.mass > t["Muon_pt"])
    with pytest.raises(FileError, match="in event 0 branch .* they are not lists of the same"):
        run(small_nano, ff.Analysis(wrong))


def test_no_candidate_left_is_said(small_nano):
    nothing = ff.Selection(t).cut("none", t.mass > 100).cut("later", t.mu1.is_global)
    result = run(small_nano, ff.Analysis(nothing, rows=ff.snapshot(t.mass)))
    assert result.cutflow["later"].candidates == 0
    assert len(result.rows) == 0
    assert "no candidate is left after 'none'" in repr(result)


def test_empty_and_eventless_files(small_nano, tmp_path):
    path = tmp_path / "empty.root"
    types = {"HLT_Double": "bool", "triplet_mass": "var * float64", "event": "uint64"}
    with uproot.recreate(path) as file:
        file.mktree("Events", types)
    result = run(path)
    assert result.events == 0
    assert "the files hold no events" in repr(result)
    assert run([small_nano, path]).cutflow == run(small_nano).cutflow
    (tmp_path / "zero.root").write_bytes(b"")
    with pytest.raises(FileError, match="not a readable ROOT file"):
        run(tmp_path / "zero.root")


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_snapshots_are_written_while_the_run_goes_on(small_nano, tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    with_file = analysis.with_outputs(rows=ff.snapshot(t.mass, events.event, path=path))
    result = run(small_nano, with_file, partition_size=7)
    memory = run(small_nano).rows
    assert result.rows.rows == len(memory)
    if suffix == "root":
        stored = uproot.open(path)["candidates"].arrays(library="np")
    else:
        import pyarrow.parquet

        stored = pyarrow.parquet.read_table(path).to_pydict()
    np.testing.assert_array_equal(stored["mass"], memory["mass"])
    manifest = json.loads((tmp_path / f"{path.name}.manifest.json").read_text())
    assert {p.name for p in tmp_path.iterdir()} == {path.name, f"{path.name}.manifest.json"}
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (manifest["rows"], manifest["events"], manifest["complete"]) == (len(memory), 50, True)
    assert manifest["inputs"] == [{"file": str(small_nano), "events": 50, "missing": []}]


def test_output_folder_holds_everything(small_nano, tmp_path):
    result = run(small_nano, output=tmp_path)
    assert {p.name for p in (tmp_path / "dataset").iterdir()} == {
        "result.json", "histograms.root", "rows.root", "rows.root.manifest.json",
    }  # fmt: skip
    again = ff.load(tmp_path)["dataset"]
    assert again.mass == result.mass
    assert again.cutflow == result.cutflow
    assert again.dataset == result.dataset
    assert (again.timing, again.links) == (result.timing, result.links)
    with uproot.open(tmp_path / "dataset" / "histograms.root") as file:
        np.testing.assert_array_equal(file["mass"].values(), result.mass.values())
    json.loads((tmp_path / "dataset" / "result.json").read_text())


def test_a_folder_that_cannot_be_written(small_nano):
    with pytest.raises(RunError, match="cannot write dataset in folder /proc/nowhere"):
        run(small_nano, output="/proc/nowhere")


def test_a_folder_without_results(tmp_path):
    with pytest.raises(FileError, match="holds no results"):
        ff.load(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "result.json").write_text("{}")
    with pytest.raises(FileError, match="not a result of flavorframe"):
        ff.load(tmp_path)


def test_results_of_eras_add_up(small_nano, tmp_path):
    copy = tmp_path / "copy.root"
    shutil.copy(small_nano, copy)
    eras = {"B": ff.dataset(small_nano, luminosity=1.0), "C": ff.dataset(copy, luminosity=2.0)}
    results = analysis.run(eras, progress=False)
    total = results.total
    assert total.luminosity == 3.0
    assert total.events == 100
    assert total.mass == results["B"].mass + results["C"].mass
    assert total.mass.variances() is not None
    assert len(total.rows) == 2 * len(results["B"].rows)
    with pytest.raises(AnalysisError, match="There are B, C"):
        results["D"]
    other = ff.Analysis(ff.Selection(t)).run(eras["B"], progress=False)
    with pytest.raises(AnalysisError, match="two different analyses"):
        _ = total + other


def test_a_changed_file_is_read_anew(small_nano, tmp_path):
    path = tmp_path / "changing.root"
    shutil.copy(small_nano, path)
    before = run(path)
    with uproot.recreate(path) as file, uproot.open(small_nano) as old:
        arrays = old["Events"].arrays(entry_stop=20)
        branches = ("HLT_Double", "event")
        types = {name: arrays[name].layout.dtype for name in branches}
        file.mktree("Events", {**types, "triplet_mass": "var * float64"})
        file["Events"].extend({name: arrays[name] for name in (*branches, "triplet_mass")})
    after = run(path)
    assert (before.events, after.events) == (50, 20)


def test_options_are_checked(small_nano):
    with pytest.raises(AnalysisError, match="threads=-1"):
        run(small_nano, threads=-1)
    with pytest.raises(AnalysisError, match="Did you mean 'columnar'"):
        run(small_nano, engine="colum")


def test_unknown_outputs_name_the_nearest(small_nano):
    with pytest.raises(AttributeError, match="Did you mean 'mass'"):
        _ = run(small_nano).mas
    with pytest.raises(AnalysisError, match="Did you mean 'mass'"):
        _ = run(small_nano)["mas"]


def test_only_needed_branches_are_read(small_nano):
    result = run(small_nano)
    with uproot.open(small_nano) as file:
        tree = file["Events"]
        needed = ("HLT_Double", "triplet_mass", "event")
        expected = sum(tree[name].compressed_bytes for name in needed)
    assert result.timing.bytes_read == expected
