"""What names become on disk, and what no run may write over."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given, strategies as st

import flavorframe as ff
from flavorframe._files.writing import file_name, replacing
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.core.options import RunOptions
from flavorframe.errors import AnalysisError, RunError

X = ff.events()["x"]
ROWS = ff.Analysis(ff.Selection(ff.events()), rows=ff.snapshot(X))
NAMES = [
    "2017/B", "2017_B", "2017%2FB", "2017\\B", "..", ".", "", "../../evil", "/abs", "~root", "a b",
    ".hidden", "τ→3μ", "line\nbreak", "a:b", "x" * 300, "y" * 300, "$(touch evil)", "\udc80",
]  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def file(here):
    """Return a file with three events."""
    with uproot.recreate("a.root") as made:
        made.mktree("Events", {"x": "float64"})
        made["Events"].extend({"x": np.arange(3.0)})
    return here / "a.root"


def another(file, name="b.root"):
    path = file.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.read_bytes())
    return path


def snapshots(**paths):
    outputs = {name: ff.snapshot(X, path=path) for name, path in paths.items()}
    return ff.Analysis(ff.Selection(ff.events()), **outputs)


# Names


def test_no_two_names_share_a_file():
    made = [file_name(name) for name in NAMES]
    assert len(set(made)) == len(NAMES)
    assert file_name("2017B-pre_VFP+x, (v2)") == "2017B-pre_VFP+x, (v2)"


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_file_name_is_one_and_its_own(a, b):
    made = file_name(a)
    assert made not in ("", ".", "..")
    assert not set(made) & set("/\0\n\r\\:*?[]$`'\"~#")
    assert not made.startswith(".")
    assert len(os.fsencode(f".{made}_certificate.html.12345678.part")) < 255
    assert (made == file_name(b)) == (a == b)


@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_results_and_snapshots_of_any_name_lie_together(here, file, engine):
    names = NAMES[:-1]  # JSON holds no half of a character
    catalogue = {name: ff.dataset(file, name="any") for name in names}
    ROWS.run(catalogue, output="deep/out", engine=engine, progress=False)
    assert sorted(p.name for p in here.iterdir()) == ["a.root", "deep"]
    assert [p.name for p in (here / "deep").iterdir()] == ["out"]
    assert all(len(list(p.iterdir())) == 4 for p in (here / "deep" / "out").iterdir())
    loaded = ff.load("deep/out")
    assert set(loaded) == set(names)
    for result in loaded.values():
        assert result.rows.rows == 3
        assert uproot.open(result.rows.paths[0])["candidates"].num_entries == 3


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_dataset_of_any_name_is_saved_and_loaded(here, file, name):
    result = ROWS.run(ff.dataset(file, name=name), progress=False)
    result.save("out")
    assert list(ff.load("out")) == [name]
    assert sorted(p.name for p in here.iterdir()) == ["a.root", "out"]


def test_datasets_of_one_name_have_folders_by_their_keys(here, file):
    catalogue = {"A": ff.dataset(file), "B": ff.dataset(another(file))}
    ROWS.run(catalogue, output="out", progress=False)
    assert list(ff.load("out")) == ["A", "B"]


def test_a_folder_that_was_renamed_or_is_of_old_goes_by_its_own_name(here, file):
    ROWS.run({"A": ff.dataset(file)}, output="out", progress=False)
    os.rename("out/A", "out/tight")
    assert list(ff.load("out")) == ["tight"]
    text = json.loads(Path("out/tight/result.json").read_text())
    del text["name"], text["files"], text["sha256"]  # as the first version was
    text["version"], text["dataset"]["name"] = 1, "2017/B"
    os.rename("out/tight", "out/2017_B")
    Path("out/2017_B/result.json").write_text(json.dumps(text))
    assert list(ff.load("out")) == ["2017_B"]


def test_outputs_of_any_name_stay_in_the_folder(here, file):
    outputs = {name: ff.snapshot(X) for name in ("../../x", "a/b", "a_b")}
    analysis = ff.Analysis(ff.Selection(ff.events()), **outputs)
    for folder in ("run", "saved"):
        data = ff.dataset(file, name="A")
        output = {"output": folder} if folder == "run" else {}
        analysis.run(data, progress=False, **output).save(folder)
        assert all(snapshot.rows == 3 for snapshot in ff.load(folder)["A"].outputs.values())
    assert sorted(p.name for p in here.iterdir()) == ["a.root", "run", "saved"]


def test_a_batch_run_has_a_folder_of_one_line(here, file):
    def sent(name, folder=None):
        work = Work(ROWS.plan, None, "columnar", 10, 1, 0, {}, ())
        site = ff.Slurm(folder=folder)
        return Sent(work, ff.dataset(file, name=name), site, RunOptions(), None)

    for name in ("../../evil", "a\n#SBATCH --wrap=evil", "."):
        folder = RunFolder.make(sent(name))
        assert folder.path.parent == here / "flavorframe-runs"
        script = ff.Slurm().script(folder)
        assert not any(line.startswith("#SBATCH --wrap") for line in script.splitlines())
    with pytest.raises(AnalysisError, match="folder=.* must be one line"):
        RunFolder.make(sent("A", Path("a\nb")))


# What would be written over


def test_datasets_do_not_write_one_file(here, file):
    catalogue = {"A": ff.dataset(file), "B": ff.dataset(another(file))}
    analysis = snapshots(rows="rows.root")
    for act in (analysis.run, analysis.submit):
        with pytest.raises(AnalysisError, match=r"'rows' of 'A' and .*'rows' of 'B'.*output="):
            act(catalogue)
    assert not Path("rows.root").exists()
    assert analysis.run({"A": catalogue["A"]}, progress=False)["A"].rows.rows == 3


@pytest.mark.parametrize("other", ["x.root", "./x.root", "folder/x.root", "link/x.root"])
def test_two_snapshots_do_not_write_one_file(here, file, other):
    os.symlink(".", "link")
    (here / "folder").symlink_to(here)
    with pytest.raises(AnalysisError, match="snapshot 'a' of .* and snapshot 'b' of .* one over"):
        snapshots(a="x.root", b=other).run(ff.dataset(file), progress=False)
    assert not Path("x.root").exists()


def test_nor_do_the_files_of_a_divided_one(here, file):
    analysis = ff.Analysis(
        ff.Selection(ff.events()),
        a=ff.snapshot(X, path="rows.root", files=4),
        b=ff.snapshot(X, path="rows_3of4.root"),
    )
    with pytest.raises(AnalysisError, match=r"written to the same file, .*/rows_3of4\.root"):
        analysis.run(ff.dataset(file), progress=False)


@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
@pytest.mark.parametrize("path", ["a.root", "link.root", "hard.root", "folder/a.root", "~/a.root"])
def test_no_input_is_written_over(here, file, engine, path, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    os.symlink("a.root", "link.root")
    os.link("a.root", "hard.root")
    os.symlink(".", "folder")
    data = {"A": ff.dataset(another(file)), "B": ff.dataset(file)}
    for act in (snapshots(rows=path).run, snapshots(rows=path).submit):
        with pytest.raises(AnalysisError, match=r"over .*a\.root, from which it is made"):
            act(data, engine=engine)
    assert uproot.open(file)["Events"].num_entries == 3


def test_no_input_is_written_over_by_a_folder_of_results(here, file):
    for name in ("rows.root", "histograms.root"):
        source = another(file, f"out/A/{name}")
        data = ff.dataset(source, name="A")
        with pytest.raises(AnalysisError, match=f"over .*{name}, from which"):
            ROWS.run(data, output="out", progress=False)
        with pytest.raises(AnalysisError, match=f"over .*{name}, from which"):
            ROWS.run(data, progress=False).save("out")
        assert uproot.open(source)["Events"].num_entries == 3
    divided = ff.Analysis(ff.Selection(ff.events()), rows=ff.snapshot(X, files=4))
    source = another(file, "out/A/rows_2of4.root")
    with pytest.raises(AnalysisError, match=r"over .*rows_2of4\.root, from which"):
        divided.run(ff.dataset(source, name="A"), output="out", progress=False)


def test_a_snapshot_is_not_written_over_the_histograms(here, file):
    analysis = ff.Analysis(ff.Selection(ff.events()), histograms=ff.snapshot(X))
    with pytest.raises(AnalysisError, match="the result of .* and snapshot 'histograms'|one over"):
        analysis.run(ff.dataset(file), output="out", progress=False)
    result = analysis.run(ff.dataset(file), progress=False)
    with pytest.raises(AnalysisError, match="one over the other"):
        result.save("out")
    own = snapshots(rows="out/A/result.json")
    with pytest.raises(AnalysisError, match="one over the other"):
        own.run(ff.dataset(file, name="A"), output="out", progress=False)


def test_a_snapshot_goes_to_a_file(here, file):
    os.mkfifo("pipe")
    for path, kind in {"pipe": "a pipe", "/dev/null": "a device", ".": "a folder"}.items():
        with pytest.raises(AnalysisError, match=f"would be written to .*{kind}"):
            snapshots(rows=path).run(ff.dataset(file), progress=False)
    for url in ("root://h//x.root", "file:///x.root", "https://h/x.root"):
        with pytest.raises(AnalysisError, match="are written to paths, not to URLs"):
            ff.snapshot(X, path=url)


def test_nothing_else_takes_the_place_of_a_device(here, file):
    os.mkfifo("pipe")
    rows = ROWS.run(ff.dataset(file), progress=False).rows
    with pytest.raises(RunError, match="cannot write pipe: it is a device, a pipe"):
        rows.to_root("pipe")
    with pytest.raises(RunError, match="it is a device, a pipe"), replacing(Path("pipe")):
        pass
    with replacing(Path("a.root")) as hidden:
        hidden.write_bytes(b"")


def test_what_is_no_dataset_is_refused_by_submit_too(here):
    for act in (ROWS.run, ROWS.submit):
        with pytest.raises(AnalysisError, match="takes a dataset"):
            act("a.root")
