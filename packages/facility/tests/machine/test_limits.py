"""Limits bite, and everything of a server ends with it: what processes can have is measured."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import enter, groups, limits, strays
from flavorframe_facility.machine.accounts import Account
from flavorframe_facility.machine.enter import Entry
from flavorframe_facility.machine.groups import Facility, Limits
from flavorframe_facility.settings import GB, make
from support.servers import wait_for

TAKE = "print(len(bytearray(400_000_000)))"
BURN = """
import multiprocessing, resource, time
def burn(_):
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        pass
    return time.process_time()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sum(pool.map(burn, range(2))))
"""
FORK = """
import os, time
made = 0
try:
    while made < 80:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
        made += 1
except OSError as error:
    print(error.strerror)
print(made)
"""
ESCAPE = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({flag!r}, "w").write(str(os.getpid()))
        time.sleep(300)
    os._exit(0)
os.wait()
"""
SHARE = """
import os
with open("/dev/shm/flavorframe-test", "wb") as file:
    try:
        for _ in range(200):
            file.write(bytes(1_000_000))
            file.flush()
    except OSError as error:
        print(error.strerror)
    print(os.fstat(file.fileno()).st_size)
"""
SHARED = Path("/dev/shm/flavorframe-test")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_groups = pytest.mark.skipif(not groups.version(), reason="control groups cannot be written")


def run(entry, code):
    """Run Python as a process that enters its limits first."""
    return subprocess.run(
        enter.command(entry, [sys.executable, "-I", "-S", "-c", code]),
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.fixture
def facility():
    """Return the control groups of a facility that nobody else has; they are removed."""
    facility = Facility(f"t{secrets.token_hex(4)}", 8 * GB)
    yield facility
    for parent in groups._parents(facility):
        for group in parent.iterdir() if parent.exists() else ():
            if group.is_dir():
                groups.end(facility, group.name)
    groups.remove(facility)
    assert not any(parent.exists() for parent in groups._parents(facility))


@pytest.fixture
def here(tmp_path):
    """Return a function that makes an entry with a control group, without another account."""
    tmp_path.chmod(0o711)

    def entry(facility, *, cores=1, memory=GB, processes=50, name="server-a"):
        folders = groups.create(facility, name, Limits(cores, memory, processes))
        return Entry(str(tmp_path), groups=folders)

    return entry


@needs_groups
def test_memory(facility, here):
    assert run(here(facility, memory=600_000_000), TAKE).stdout == "400000000\n"
    done = run(here(facility, memory=300_000_000), TAKE)
    assert done.returncode != 0
    assert done.stdout == ""


@needs_groups
def test_cores(facility, here):
    used = float(run(here(facility, cores=0.5), BURN).stdout)
    assert used < 1.2  # of 3 seconds, with two cores


@needs_groups
def test_processes(facility, here):
    assert run(here(facility, processes=200), FORK).stdout.endswith("80\n")
    done = run(here(facility, processes=50, name="server-b"), FORK)
    assert "temporarily unavailable" in done.stdout
    assert int(done.stdout.split()[-1]) < 50


@needs_groups
def test_a_process_that_left_its_session_ends_with_the_group(facility, here, tmp_path):
    escaped = escape(here(facility), tmp_path)
    assert os.getsid(escaped.pid) not in (escaped.pid, os.getsid(0))  # of one that has ended
    assert groups.members(facility, "server-a") == {escaped.pid}
    groups.end(facility, "server-a")
    wait_for(lambda: not escaped.is_running())
    assert not any(folder.exists() for folder in groups._folders(facility, "server-a"))


def escape(entry, folder):
    """Return a process that left the session of its parent, which has ended."""
    flag = folder / "number"
    flag.unlink(missing_ok=True)
    code = ESCAPE.format(flag=str(flag))
    leaving = enter.command(entry, [sys.executable, "-I", "-S", "-c", code])
    subprocess.run(leaving, check=True, stdout=subprocess.DEVNULL, timeout=60)
    wait_for(lambda: flag.exists() and flag.read_text())
    return psutil.Process(int(flag.read_text()))


@needs_groups
def test_a_group_is_ended_that_starts_processes_without_end(facility, here, tmp_path):
    code = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    entry = here(facility, processes=60)
    bomb = subprocess.Popen(enter.command(entry, [sys.executable, "-I", "-S", "-c", code]))
    try:
        wait_for(lambda: len(groups.members(facility, "server-a")) > 40)
        groups.end(facility, "server-a")
        assert groups.members(facility, "server-a") == set()
    finally:
        bomb.kill()
        bomb.wait()


@needs_groups
def test_all_servers_together_take_no_more_than_there_is(facility, here, monkeypatch):
    sleeper = subprocess.Popen(
        enter.command(here(facility, memory=5 * GB), [sys.executable, "-c", "input()"]),
        stdin=subprocess.PIPE,
    )
    try:
        wait_for(lambda: groups.members(facility, "server-a"))
        here(facility, memory=5 * GB)  # the same once more takes no more
        with pytest.raises(FacilityError, match="together have 8 GB of memory, of which 3 GB"):
            here(facility, memory=4 * GB, name="server-b")
        here(facility, memory=3 * GB, name="dask-c-scheduler")
        monkeypatch.setattr(
            groups, "_STARTING", 0
        )  # a group into which nothing came counts no more
        here(facility, memory=3 * GB, name="dask-c-w1")
        assert groups.taken(facility, of_workers=False) == pytest.approx(5 * GB, abs=5000)
    finally:
        sleeper.communicate()


@needs_root
@needs_groups
def test_shared_memory_is_the_servers_own_and_within_its_limit(facility, here):
    SHARED.unlink(missing_ok=True)
    with_machines = here(facility)
    assert run(with_machines, SHARE).stdout == "200000000\n"
    assert SHARED.exists()
    SHARED.unlink()
    own = Entry(with_machines.folder, groups=with_machines.groups, shared_memory=50_000_000)
    assert "No space left" in run(own, SHARE).stdout
    assert not SHARED.exists()


@needs_root
def test_a_process_of_a_user_cannot_get_the_rights_of_another(open_folder):
    helper = open_folder / "who"
    shutil.copy("/usr/bin/id", helper)
    helper.chmod(0o4755)
    code = f"import os; os.execv({str(helper)!r}, ['id', '-u'])"
    outside = {"user": 65534, "group": 65534, "extra_groups": []}
    told = subprocess.run(
        ["/bin/sh", "-c", f"{helper} -u"], check=True, text=True, capture_output=True, **outside
    ).stdout
    if told != "0\n":
        pytest.skip("programs cannot change the account here (nosuid)")
    done = run_system(Entry("/", account=(65534, 65534, ())), code)
    assert done.stdout == "65534\n"


@pytest.fixture
def open_folder():
    """Return a folder that all accounts can enter, which is removed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run_system(entry, code):
    """Run the system's Python, which accounts can execute."""
    return subprocess.run(
        enter.command(entry, ["/usr/bin/python3", "-I", "-c", code]),
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@needs_root
def test_strays_of_an_account_are_ended_and_their_shared_memory_removed(tmp_path):
    tmp_path.chmod(0o777)
    number = 61_234  # an account that nobody has
    entry = Entry("/", account=(number, number, ()))
    sleep = [*enter.command(entry, ["/bin/sleep", "300"])]
    spared, stray = (subprocess.Popen(sleep, start_new_session=True) for _ in range(2))
    SHARED.write_text("")
    os.chown(SHARED, number, number)
    wait_for(lambda: all(psutil.Process(p.pid).uids().real == number for p in (spared, stray)))
    strays.end(number, {spared.pid})
    assert stray.wait(10) == -signal.SIGKILL
    assert spared.poll() is None
    assert SHARED.exists()  # of somebody who still has processes
    strays.end(number, set())
    assert spared.wait(10) == -signal.SIGKILL
    assert not SHARED.exists()


def test_without_control_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(groups, "version", lambda: 0)
    monkeypatch.setattr(limits, "users_have_accounts", lambda: False)
    owner = Account("any", os.getuid(), os.getgid(), tmp_path)
    entry = limits.entry(make(folder=tmp_path), owner, "any", 1, 300_000_000)
    assert run(entry, "import os; print(len(os.sched_getaffinity(0)))").stdout == "1\n"
    assert "MemoryError" in run(entry, TAKE).stderr
    assert "each process" in limits.kind()


# Version 2 of control groups, on a folder that looks like its tree


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a folder like the tree of version 2, whose kernel does nothing."""
    root = tmp_path / "cgroup"
    root.mkdir()
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    (root / "cgroup.subtree_control").write_text("")
    monkeypatch.setattr(groups, "ROOT", root)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    facility = Facility("ff", 8 * GB)
    for name in ("", "server-a"):
        folder = root / "flavorframe-ff" / name
        folder.mkdir(exist_ok=True)
        for file in ("memory.max", "memory.swap.max", "cpu.max", "pids.max", "cgroup.procs",
                     "cgroup.kill", "cgroup.subtree_control"):  # fmt: skip
            (folder / file).write_text("")
    return root / "flavorframe-ff", facility


def test_version_2_is_told_all_limits(tree):
    parent, facility = tree
    assert groups.version() == 2
    folders = groups.create(facility, "server-a", Limits(1.5, 2 * GB, 300))
    assert folders == (str(parent / "server-a"),)
    read = {file.name: file.read_text() for file in (parent / "server-a").iterdir()}
    assert read["memory.max"] == "2000000000"
    assert read["memory.swap.max"] == "0"
    assert read["cpu.max"] == "150000 100000"
    assert read["pids.max"] == "300"
    assert (parent / "memory.max").read_text() == "8000000000"
    assert "+pids" in (parent / "cgroup.subtree_control").read_text()
    (parent / "server-a" / "cgroup.procs").write_text("1\n")
    with pytest.raises(FacilityError, match="6 GB are left"):
        groups.create(facility, "server-b", Limits(1, 7 * GB, 300))


def test_version_2_kills_a_group_as_a_whole(tree):
    parent, facility = tree
    procs = parent / "server-a" / "cgroup.procs"
    procs.write_text("999999\n")
    groups.end(facility, "server-a", seconds=0.1)
    assert (parent / "server-a" / "cgroup.kill").read_text() == "1"
    assert (parent / "server-a" / "pids.max").read_text() == "0"


UNIFIED = Path("/sys/fs/cgroup/unified")


@pytest.mark.skipif(
    os.geteuid() != 0 or not (UNIFIED / "cgroup.procs").exists(),
    reason="the tree of version 2 is not mounted beside version 1",
)
def test_a_group_of_version_2_ends(facility, monkeypatch, tmp_path):
    monkeypatch.setattr(groups, "ROOT", UNIFIED)
    folder = groups._folders(facility, "server-a")[0]
    folder.mkdir(parents=True)
    escaped = escape(Entry(str(tmp_path), groups=(str(folder),)), tmp_path)
    assert groups.members(facility, "server-a") == {escaped.pid}
    time.sleep(0.1)
    groups.end(facility, "server-a")
    wait_for(lambda: not escaped.is_running())
    assert not folder.exists()


@needs_groups
def test_a_program_of_the_facility_that_grows_is_killed_by_itself(tmp_path, monkeypatch):
    settings = make(folder=tmp_path, accounts=f"t{secrets.token_hex(3)}-")
    here = SimpleNamespace(total=1_200_000_000)
    monkeypatch.setattr(limits.psutil, "virtual_memory", lambda: here)
    group = limits.program_group(settings, "gateway")
    try:
        assert run(Entry("/", groups=group), TAKE).returncode == -signal.SIGKILL
        assert run(Entry("/"), TAKE).stdout == "400000000\n"
    finally:
        limits.end_program(settings, "gateway")
    assert not any(Path(folder).exists() for folder in group)
    for folder in group:
        Path(folder).parent.rmdir()
