"""Runs on a real Slurm: same bits, and whatever can befall a job."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from analyses import assert_same_bits, t, weighted, without_rows

import flavorframe as ff
from flavorframe.errors import RunError
from flavorframe.run.batch import executor

TOKEN = "a-token-that-nobody-is-to-see"


def run_folder(site):
    (folder,) = Path(site.folder).iterdir()
    return folder


def submissions(site):
    content = json.loads((run_folder(site) / "submissions.json").read_text())
    return [[number for number, _ in submission["jobs"]] for submission in content]


def once(marker, act):
    """Return a function of arrays that acts in the first process that comes to it."""
    marker = str(marker)

    @ff.function
    def function(x):
        import os

        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return np.ones(len(x), bool)
        act()
        return np.ones(len(x), bool)

    return function


@pytest.mark.parametrize(("jobs", "size"), [(2, 50_000), (5, 11)])
def test_the_same_bits_as_here(slurm, data, jobs, size):
    site, analysis = slurm(jobs=jobs), weighted()
    result = analysis.run(data, on=site, partition_size=size, progress=False)
    assert_same_bits(result, analysis.run(data, partition_size=50, progress=False))
    assert result.is_complete
    assert result.events == 150
    assert submissions(site) == [list(range(jobs))]


def test_the_example_has_the_same_bits_as_here(slurm, sample):
    path = Path(__file__).parents[3] / "examples" / "dsphi.py"
    spec = importlib.util.spec_from_file_location("dsphi", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    selection = example.selection.weight("w", 1 / (1 + t.mu1.pt / 3))
    outputs = dict(example.analysis.outputs)
    analysis = ff.Analysis(selection, mass=outputs["mass"], rows=outputs["candidates"])
    data = ff.dataset(sample("nano"))
    result = analysis.run(data, on=slurm(jobs=2), partition_size=100, progress=False)
    assert result.cutflow["w"].candidates > 0
    assert_same_bits(result, analysis.run(data, progress=False))


def test_a_snapshot_goes_to_one_file(slurm, data, tmp_path):
    import uproot

    analysis = weighted().with_outputs(rows=ff.snapshot(t.mass, path=tmp_path / "rows.root"))
    result = analysis.run(data, on=slurm(), partition_size=20, progress=False)
    stored = uproot.open(tmp_path / "rows.root")["candidates"].arrays(library="np")
    local = weighted().run(data, progress=False).rows
    np.testing.assert_array_equal(stored["mass"], local["mass"])
    assert len(result.rows) == len(local)


def test_only_what_was_killed_is_submitted_again(slurm, data, tmp_path):
    killed = once(tmp_path / "killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
    site = slurm()
    result = weighted(killed(t.mass)).run(data, on=site, progress=False)
    assert_same_bits(result, weighted(killed(t.mass)).run(data, progress=False))
    first, again = submissions(site)
    assert first == [0, 1, 2]
    assert len(again) == 1


def test_too_little_memory_is_told_and_the_rest_kept(slurm, data, tmp_path):
    def take_memory():
        kept = []
        for _ in range(300):
            kept.append(np.ones(2_000_000))
            time.sleep(0.02)

    greedy = once(tmp_path / "greedy", take_memory)
    site, analysis = slurm(), weighted(greedy(t.mass))
    result = analysis.run(data, on=site, retries=0, progress=False)
    (failure,) = result.failures
    assert "needed more than the memory='500MB'" in failure.reason
    assert failure.worker in failure.reason
    log = failure.reason.partition("log: ")[2].rstrip(")")
    assert "exceeded" in Path(log).read_text()
    assert (failure.attempts, result.events, result.luminosity) == (1, 100, pytest.approx(2.0))
    whole = result.resume(on=site, progress=False)
    assert_same_bits(whole, analysis.run(data, progress=False))


@pytest.fixture
def sleeper(tmp_path):
    """Return a cut whose first job sleeps, and the file that this job writes its id to."""
    told = tmp_path / "told"
    new = str(tmp_path / "new")

    def sleep():
        name = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
        Path(new).write_text(name)
        os.replace(new, told)
        time.sleep(120)

    return once(tmp_path / "started", sleep), told


def in_thread(run):
    """Start a run in a thread, and return what waits for its result."""
    done = []
    thread = threading.Thread(target=lambda: done.append(run()))
    thread.start()

    def result():
        thread.join(120)
        return done[0]

    return result


def test_a_cancelled_job_is_told(slurm, slurm_server, data, sleeper):
    (cut, told), site = sleeper, slurm()
    result = in_thread(lambda: weighted(cut(t.mass)).run(data, on=site, retries=0, progress=False))
    until(told.exists)
    slurm_server.command("scancel", told.read_text())
    (failure,) = result().failures
    assert "it was cancelled" in failure.reason
    assert failure.worker == told.read_text()


def test_a_node_that_dies_costs_nothing(slurm, slurm_server, data, sleeper):
    (cut, told), site = sleeper, slurm(options={"no-requeue": ""})
    analysis = weighted(cut(t.mass))
    result = in_thread(lambda: analysis.run(data, on=site, progress=False))
    until(told.exists)
    slurm_server.kill_node()
    until(lambda: slurm_server.command("squeue", "-h", "-t", "NODE_FAIL"))
    slurm_server.start_node()
    assert_same_bits(result(), analysis.run(data, progress=False))
    assert len(submissions(site)) > 1


def test_an_error_of_the_analysis_ends_the_run(slurm, slurm_server, data):
    @ff.function
    def broken(x):
        raise ValueError("no such period")

    analysis = weighted(broken(t.mass) > 0)
    with pytest.raises(Exception) as here:  # noqa: PT011
        analysis.run(data, progress=False)
    with pytest.raises(type(here.value), match="no such period"):
        analysis.run(data, on=slurm(jobs=12), progress=False)
    assert slurm_server.command("squeue", "--noheader", "--states=PENDING") == ""


def test_bad_files_are_failures_as_they_are_here(slurm, files, tmp_path):
    text = tmp_path / "text.root"
    text.write_text("not a ROOT file at all")
    data = ff.dataset([files[0], text, tmp_path / "none.root", files[1]])
    result = weighted().run(data, on=slurm(jobs=2), progress=False)
    local = weighted().run(data, progress=False)
    assert_same_bits(result, local)
    assert [(f.file, f.reason) for f in result.failures] == [
        (f.file, f.reason) for f in local.failures
    ]
    with pytest.raises(ff.FlavorframeError, match=r"text.root: not a readable ROOT file"):
        weighted().run(data, on=slurm(jobs=2), on_error="raise", progress=False)
    with pytest.raises(RunError, match="None of the 2 files .* The first: .*text.root"):
        weighted().run(ff.dataset([text, tmp_path / "none.root"]), on=slurm(), progress=False)


def test_a_python_that_is_not_there_is_told(slurm, data):
    site = slurm(python="/nowhere/python", jobs=1)
    with pytest.raises(RunError, match=r"None of the 3 files .*/nowhere/python: No such file"):
        weighted().run(data, on=site, retries=1, progress=False)
    assert submissions(site) == [[0], [0]]


def test_eras_wait_in_the_queue_together(slurm, files, tmp_path, monkeypatch):
    eras = {name: ff.dataset(files[i], name=name) for i, name in enumerate("BCD")}
    site, seen = slurm(), []

    def collect(*arguments, collect=executor.collect):
        seen.append(len(list(Path(site.folder).glob("*/submissions.json"))))
        collect(*arguments)

    monkeypatch.setattr(executor, "collect", collect)
    results = weighted().run(eras, on=site, output=tmp_path / "out", progress=False)
    assert seen == [3, 3, 3]
    total = weighted().run(ff.dataset(files), progress=False)
    assert results.total.cutflow == total.cutflow
    again = [ff.Slurm.gather(folder, progress=False) for folder in Path(site.folder).iterdir()]
    assert (again[0] + again[1] + again[2]).cutflow == total.cutflow


def test_what_one_era_has_wrong_cancels_the_others(slurm, slurm_server, files, tmp_path):
    @ff.function
    def forever(x):
        time.sleep(1000)

    eras = {"B": tmp_path / "none.root", "C": files[0], "D": files[1]}
    eras = {name: ff.dataset(file, name=name) for name, file in eras.items()}
    with pytest.raises(ff.FlavorframeError, match="there is no such file"):
        weighted(forever(t.mass)).run(eras, on=slurm(), progress=False)
    until(lambda: not slurm_server.command("squeue", "--noheader"))


def test_setup_lines_come_first(slurm, data):
    @ff.function
    def told(x):
        import os

        return np.full(len(x), os.environ["PERIOD"] == "it's 2017")

    site = slurm(jobs=1, setup=["export PERIOD=wrong", 'export PERIOD="it\'s 2017"'])
    result = weighted(told(t.mass)).run(data, on=site, progress=False)
    assert result.cutflow["cut 0"].candidates == result.cutflow["mass"].candidates > 0


def waiting(tmp_path):
    """Return a cut that the first job to come to it waits at, until a file "go" is there."""
    go = str(tmp_path / "go")

    def wait():
        while not os.path.exists(go):
            time.sleep(0.1)

    return once(tmp_path / "came", wait)


def test_an_interrupted_run_is_gathered_by_another_process(slurm, data, tmp_path, capsys):
    def interrupt(result):
        raise KeyboardInterrupt

    site, analysis = slurm(), without_rows(waiting(tmp_path)(t.mass))
    part = analysis.run(data, on=site, on_update=interrupt, progress=False)
    assert part.stopped.startswith("interrupted; ff.Slurm.gather('/")
    assert "the jobs go on" in capsys.readouterr().err
    assert part.events in (50, 100)
    (tmp_path / "go").touch()
    code = (
        "import sys, flavorframe as ff; "
        "ff.Slurm.gather(sys.argv[1], progress=False).save(sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(run_folder(site)), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    whole = ff.load(tmp_path / "out")["dataset"]
    local = analysis.run(data, progress=False)
    assert whole.cutflow == local.cutflow
    assert whole.mass.view(flow=True).tobytes() == local.mass.view(flow=True).tobytes()
    assert submissions(site) == [[0, 1, 2]]


def test_a_run_that_is_stopped_cancels_its_jobs(slurm, slurm_server, data, tmp_path):
    analysis, seen = without_rows(waiting(tmp_path)(t.mass)), []

    def enough():
        return bool(seen)

    part = analysis.run(data, on=slurm(), on_update=seen.append, should_stop=enough, progress=False)
    assert part.stopped == "stopped"
    assert part.events in (50, 100)
    until(lambda: not slurm_server.command("squeue", "--noheader"))
    (tmp_path / "go").touch()
    local = analysis.run(data, progress=False)
    assert part.resume(progress=False).cutflow == local.cutflow


@pytest.mark.usefixtures("no_credentials")
def test_credentials_come_along(slurm, secured, authority, files, monkeypatch, tmp_path):
    proxy = authority.proxy(tmp_path / "proxy")
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    monkeypatch.setenv("BEARER_TOKEN", TOKEN)
    data = ff.dataset([secured.put(file) for file in files[:2]])
    site, seen = slurm(), str(tmp_path / "seen")

    @ff.function
    def look(x):
        import json
        import os
        from pathlib import Path

        names = ("X509_USER_PROXY", "BEARER_TOKEN", "BEARER_TOKEN_FILE")
        known = {name: os.environ.get(name) for name in names}
        modes = {name: oct(os.stat(path).st_mode & 0o777) for name, path in known.items() if path}
        Path(seen).write_text(json.dumps([known, modes]))
        return np.ones(len(x), bool)

    result = weighted(look(t.mass)).run(data, on=site, progress=False)
    assert result.is_complete
    known, modes = json.loads(Path(seen).read_text())
    folder = str(run_folder(site))
    assert known == {
        "X509_USER_PROXY": f"{folder}/x509up",
        "BEARER_TOKEN": None,
        "BEARER_TOKEN_FILE": f"{folder}/bearer_token",
    }
    assert set(modes.values()) == {"0o600"}
    left = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert not {"x509up", "bearer_token"} & {path.name for path in left}
    assert not [path for path in left if TOKEN.encode() in path.read_bytes()]


def test_thousands_of_jobs_are_several_arrays(slurm, slurm_server, data):
    queued = []

    def stop():
        queued.append(slurm_server.command("squeue", "-h", "-r").count("\n") + 1)
        return True

    site = slurm(jobs=1100, options={"begin": "now+1hour"})
    result = weighted().run(data, on=site, should_stop=stop, progress=False)
    assert queued == [1100]
    assert [len(numbers) for numbers in submissions(site)] == [1000, 100]
    assert (result.stopped, result.events, result.luminosity) == ("stopped", 0, 0.0)
    until(lambda: not slurm_server.command("squeue", "--noheader"))


def test_what_sbatch_refuses_is_told(slurm, data):
    site = slurm(options={"partition": "nowhere"})
    with pytest.raises(RunError, match="sbatch refused: invalid partition specified: nowhere"):
        weighted().run(data, on=site, progress=False)
    assert not list(Path(site.folder).iterdir())


def until(condition, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
