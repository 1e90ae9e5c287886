"""Following jobs, with a queue that does as it is told: no waiting, no batch system."""

import re
import shutil

import pytest

import flavorframe as ff
from flavorframe._run.batch import monitor as monitor_module
from flavorframe._run.batch.collect import Parts
from flavorframe._run.batch.failure_reasons import explanation
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.monitor import PART_SECONDS, JobMonitor
from flavorframe._run.batch.parts import DAMAGED, fault, read_part, write_part
from flavorframe._run.batch.records import records
from flavorframe._run.batch.shares import divide
from flavorframe._run.batch.states import State, UnreachableError
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import FileRange
from flavorframe.engines import get_engine
from flavorframe.errors import FileError, RunError
from support.analyses import weighted


class Queue(ff.Slurm):
    """A Slurm that notes what it is asked, and says of each attempt what ``says`` has for it."""

    says = {}  # noqa: RUF012
    refuses = False

    def submit(self, folder, numbers):
        if self.refuses:
            raise RunError("sbatch refused: too many jobs")
        round_ = sum(map(len, folder.attempts.values()))
        folder.add_submission([(n, f"{round_}_{n}") for n in numbers])

    def states(self, folder, job_ids):
        if isinstance(self.says, Exception):
            raise self.says
        return {job_id: self.says[job_id] for job_id in job_ids if job_id in self.says}

    def cancel(self, job_ids):
        object.__setattr__(self, "cancelled", list(job_ids))


def set_to(site, **values):
    for name, value in values.items():
        object.__setattr__(site, name, value)


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that goes on when someone sleeps."""
    times = [0.0]
    monkeypatch.setattr(monitor_module.time, "monotonic", lambda: times[0])
    monkeypatch.setattr(monitor_module.time, "sleep", lambda s: times.__setitem__(0, times[0] + s))
    return times


@pytest.fixture
def site(tmp_path):
    return Queue(folder=tmp_path / "runs")


@pytest.fixture
def folder(site, data):
    jobs = tuple(divide([FileRange(file) for file in data.files]))
    work = Work(weighted().plan, None, "columnar", 50_000, 1, 2, {}, jobs)
    return RunFolder.make(Sent(work, data, site, RunOptions(), None))


def attempts(folder):
    return {number: len(ids) for number, ids in folder.attempts.items()}


def test_only_what_failed_is_submitted_again_until_it_is_lost(folder, site, clock):
    monitor = JobMonitor(folder, site, 3, retries=1)
    monitor.poll()
    assert folder.attempts == {0: ["0_0"], 1: ["0_1"], 2: ["0_2"]}
    folder.write_part(0, [])
    set_to(site, says={"0_1": State("running"), "0_2": State("failed", "its node failed")})
    monitor.poll()
    assert monitor.settled == {0: None}
    assert attempts(folder) == {0: 1, 1: 1, 2: 2}
    folder.write_part(1, [])
    set_to(site, says={"3_2": State("failed", "time limit")})
    monitor.poll()
    lost = monitor.settled[2]
    assert (lost.reason, lost.attempts) == (
        "it took longer than the site allows",
        2,
    )
    assert "its batch job 3_2 failed" in str(lost)
    assert attempts(folder)[2] == 2


def test_a_part_that_comes_late_is_waited_for(folder, site, clock):
    monitor = JobMonitor(folder, site, 3, retries=0)
    monitor.poll()
    set_to(site, says={"0_0": State("done"), "0_1": State("running")})  # and 0_2 has left the queue
    monitor.poll()
    assert monitor.settled == {}
    clock[0] += PART_SECONDS / 2
    folder.write_part(0, [])
    monitor.poll()
    assert monitor.settled == {0: None}
    clock[0] += PART_SECONDS
    monitor.poll()
    assert "left the queue without a result" in monitor.settled[2].reason
    assert 1 not in monitor.settled


def test_no_answer_and_no_room_are_waited_out(folder, site, clock):
    said = []
    monitor = JobMonitor(folder, site, 3, retries=1, report=said.append)
    monitor.poll()
    set_to(site, says=UnreachableError("squeue refused: Unable to contact slurm controller"))
    monitor.poll()
    assert said[-1].startswith("no answer from the batch system: squeue refused")
    set_to(site, says={f"0_{n}": State("failed") for n in range(3)}, refuses=True)
    monitor.poll()
    assert "too many jobs" in said[-2]
    set_to(site, refuses=False)
    monitor.poll()
    assert attempts(folder) == {0: 2, 1: 2, 2: 2}


def test_two_that_follow_submit_once(folder, site):
    with folder.submitting() as may_submit:
        assert may_submit
        JobMonitor(folder, site, 3, retries=1).poll()
        assert folder.attempts == {}
    JobMonitor(folder, site, 3, retries=1).poll()
    JobMonitor(folder, site, 3, retries=1).poll()
    assert attempts(folder) == {0: 1, 1: 1, 2: 1}


def test_what_is_held_is_cancelled(folder, site, clock):
    monitor = JobMonitor(folder, site, 3, retries=0)
    monitor.poll()
    set_to(site, says={"0_0": State("held", "it was held: no such file"), "0_1": State("waiting")})
    monitor.poll()
    assert site.cancelled == ["0_0"]
    assert monitor.settled[0].reason == "it was held: no such file"


@pytest.mark.parametrize("in_order", [True, False])
def test_parts_are_given_in_order_where_rows_need_it(folder, site, clock, in_order):
    monitor = JobMonitor(folder, site, 3, retries=0)
    monitor.poll()
    set_to(site, says={f"0_{n}": State("running") for n in range(3)})
    given = []
    folder.write_part(2, [])
    for number, _ in monitor.watch(in_order=in_order, until=lambda: clock[0] > 100):
        given.append(number)
    assert given == ([] if in_order else [2])
    folder.write_part(0, [])
    folder.write_part(1, [])
    again = JobMonitor(folder, site, 3, retries=0)
    assert [number for number, _ in again.watch(in_order=in_order)] == [0, 1, 2]


def test_a_damaged_part_is_none(tmp_path):
    part = tmp_path / "0.part"
    write_part(part, "job 0", [{"rows": list(range(1000))}, "second"])
    assert list(read_part(part, "job 0")) == [{"rows": list(range(1000))}, "second"]
    whole = part.read_bytes()
    for damaged in (b"", whole[:-1], whole[:200], whole[:100] + b"x" + whole[101:], whole + b"x"):
        part.write_bytes(damaged)
        assert fault(part, "job 0") == DAMAGED
        with pytest.raises(FileError, match="0.part: it is damaged"):
            read_part(part, "job 0")
    assert fault(tmp_path / "none.part", "job 0") is None


def test_a_part_of_another_job_or_run_is_refused_and_its_job_done_again(folder, site, clock, data):
    def finish():
        monitor.poll()
        clock[0] += PART_SECONDS + 1
        monitor.poll()

    other = RunFolder.make(folder.sent)
    for number in range(3):
        folder.write_part(number, [])
        other.write_part(number, [])
    exchanged = [folder.part(number) for number in (0, 1)]
    contents = [part.read_bytes() for part in exchanged]
    for part, content in zip(exchanged, reversed(contents), strict=True):
        part.write_bytes(content)
    shutil.copy(other.part(2), folder.part(2))
    monitor = JobMonitor(folder, site, 3, retries=1)
    monitor.poll()
    assert monitor.settled == {}
    finish()
    assert attempts(folder) == {0: 2, 1: 2, 2: 2}
    folder.write_part(0, [])
    finish()
    assert monitor.settled[0] is None
    assert re.search(
        r"00001.part is not taken: it is the part of job 0 of", str(monitor.settled[1])
    )
    assert re.search(
        r"00002.part is not taken: .* job 2 of run .*, not of", str(monitor.settled[2])
    )


def test_a_part_that_is_damaged_after_it_was_seen_is_a_failure(folder, site, clock, data):
    monitor = JobMonitor(folder, site, 3, retries=0)
    monitor.poll()
    work = folder.work
    for number in range(3):
        folder.write_part(number, records(work, work.jobs[number]))
    engine = get_engine("columnar")
    with Accumulator(work.plan, data, engine, RunOptions(progress=False)) as accumulator:
        parts = Parts(folder, work, accumulator)
        for number, lost in monitor.watch(in_order=True):
            folder.part(1).write_bytes(folder.part(1).read_bytes()[:-1])
            parts.take(number, lost)
        parts.end()
    outcome = accumulator.outcome(1)
    (failure,) = outcome.failures
    assert (failure.file, failure.events) == (data.files[1], None)
    assert "00001.part: it is damaged" in failure.reason
    assert outcome.partial.cutflow[0].events == 100


# What the logs of real jobs say.
MEMORY = """\
job 1 on node, Python 3.11.7
slurmstepd-node: error: StepId=3.batch exceeded memory limit (373866496 > 314572800), being killed
slurmstepd-node: error: Exceeded job memory limit
slurmstepd-node: error: *** JOB 3 ON node CANCELLED AT 2026-03-01T11:07:32 ***
"""
TIME = """\
job 1 on node, Python 3.11.7
slurmstepd-node: error: *** JOB 1 ON node CANCELLED AT 2026-03-01T11:26:36 DUE TO TIME LIMIT ***
"""
IMPORT = """\
Traceback (most recent call last):
  File "<frozen runpy>", line 189, in _run_module_as_main
ModuleNotFoundError: No module named 'flavorframe'

"""


@pytest.mark.parametrize(
    ("log", "reason", "expected"),
    [
        (MEMORY, "", "it needed more than the memory='2GB' asked for"),
        (TIME, "", "it took longer than the time='01:00:00' asked for"),
        (
            IMPORT,
            "exit code 1",
            "its Python has no flavorframe: name one that has with python=, "
            "or activate it with setup=",
        ),
        ("setup.sh: no\n\n", "exit code 1", "exit code 1; setup.sh: no"),
        ("", "its node failed", "its node failed"),
        ("", "", "it ended without a word"),
        (None, "", "it left no log: do the nodes share the file system of the run's folder?"),
    ],
)
def test_the_log_tells_why_a_job_failed(log, reason, expected):
    assert explanation(ff.Slurm(time="01:00:00"), log, reason) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"memory": "2"}, "memory='2' is not a size: write it with a unit"),
        ({"memory": "0GB"}, "is not a size"),
        ({"time": "90"}, "time='90' is not a time: write hours, minutes and seconds"),
        ({"jobs": 0}, "jobs=0: it must be a number, 1 or more"),
        ({"jobs": "20"}, "jobs='20': it must be a number"),
        ({"cores": -1}, "cores=-1"),
        ({"options": {"constraint": "el9\n#SBATCH --uid=0"}}, "must be one line"),
        ({"partition": "a\nrm -rf /"}, "must be one line"),
    ],
)
def test_what_is_asked_is_checked(asked, message):
    with pytest.raises(ff.FlavorframeError, match=message):
        ff.Slurm(**asked)
