"""What can befall jobs of a real Slurm, and what users are told of it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import RunError
from support.analyses import assert_same_bits, t, weighted, without_rows
from support.jobs import once, run_folder, submissions
from support.servers import wait_for


def test_only_what_was_killed_is_submitted_again(slurm, data, tmp_path):
    killed = once(tmp_path / "killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
    site = slurm()
    result = weighted(killed(t.mass)).run(data, on=site, progress=False)
    assert_same_bits(result, weighted(killed(t.mass)).run(data, progress=False))
    first, again = submissions(site)
    assert first == [0, 1, 2]
    assert len(again) == 1
    parts = sorted(path.name for path in (run_folder(site) / "parts").iterdir())
    assert parts == ["00000.part", "00001.part", "00002.part"]


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
    wait_for(told.exists)
    slurm_server.command("scancel", told.read_text())
    (failure,) = result().failures
    assert "it was cancelled" in failure.reason
    assert failure.worker == told.read_text()


def test_a_node_that_dies_costs_nothing(slurm, slurm_server, data, sleeper):
    (cut, told), site = sleeper, slurm(options={"no-requeue": ""})
    analysis = weighted(cut(t.mass))
    result = in_thread(lambda: analysis.run(data, on=site, progress=False))
    wait_for(told.exists)
    slurm_server.kill_node()
    wait_for(lambda: slurm_server.command("squeue", "-h", "-t", "NODE_FAIL"))
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


def test_what_one_era_has_wrong_cancels_the_others(slurm, slurm_server, files, tmp_path):
    @ff.function
    def forever(x):
        time.sleep(1000)

    eras = {"B": tmp_path / "none.root", "C": files[0], "D": files[1]}
    eras = {name: ff.dataset(file, name=name) for name, file in eras.items()}
    with pytest.raises(ff.FlavorframeError, match="there is no such file"):
        weighted(forever(t.mass)).run(eras, on=slurm(), progress=False)
    wait_for(lambda: not slurm_server.command("squeue", "--noheader"))


def test_a_python_that_is_not_there_is_told(slurm, data):
    site = slurm(python="/nowhere/python", jobs=1)
    with pytest.raises(RunError, match=r"None of the 3 files .*/nowhere/python: No such file"):
        weighted().run(data, on=site, retries=1, progress=False)
    assert submissions(site) == [[0], [0]]


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


def test_interrupted_eras_are_gathered_one_by_one(slurm, files, tmp_path, capsys):
    def interrupt(result):
        raise KeyboardInterrupt

    eras = {"B": ff.dataset(files[:2], name="B"), "C": ff.dataset(files[2:], name="C")}
    site, analysis = slurm(), without_rows(waiting(tmp_path)(t.mass))
    results = analysis.run(eras, on=site, on_update=interrupt, progress=False)
    (tmp_path / "go").touch()
    assert [results[era].events for era in eras] == [50, 0]
    said = re.findall(r"ff\.Slurm\.gather\('(.*?)'\)", capsys.readouterr().err)
    again = [ff.Slurm.gather(folder, progress=False) for folder in said]
    assert [result.dataset.name for result in again] == ["B", "C"]
    local = analysis.run(ff.dataset(files), progress=False)
    assert (again[0] + again[1]).cutflow == local.cutflow


def test_a_run_that_is_stopped_cancels_its_jobs(slurm, slurm_server, data, tmp_path):
    analysis, seen = without_rows(waiting(tmp_path)(t.mass)), []

    def enough():
        return bool(seen)

    part = analysis.run(data, on=slurm(), on_update=seen.append, should_stop=enough, progress=False)
    assert part.stopped == "stopped"
    assert part.events in (50, 100)
    wait_for(lambda: not slurm_server.command("squeue", "--noheader"))
    (tmp_path / "go").touch()
    local = analysis.run(data, progress=False)
    assert part.resume(progress=False).cutflow == local.cutflow


def test_what_sbatch_refuses_is_told(slurm, data):
    site = slurm(options={"partition": "nowhere"})
    with pytest.raises(RunError, match="sbatch refused: invalid partition specified: nowhere"):
        weighted().run(data, on=site, progress=False)
    assert not list(Path(site.folder).iterdir())
