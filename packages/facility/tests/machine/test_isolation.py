"""What users of one machine can do to the facility and to each other through its processes."""

import os
import pwd
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from jupyterhub.spawner import LocalProcessSpawner

from facility_support.coroutines import run
from facility_support.kernel import Kernel
from facility_support.users import Login, User, server_of
from flavorframe_facility.machine import groups, processes
from flavorframe_facility.machine.spawner import MachineSpawner
from flavorframe_facility.settings import make
from support.servers import wait_for

pytestmark = [
    pytest.mark.xdist_group("facility"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who makes accounts"),
]

needs_groups = pytest.mark.skipif(not groups.version(), reason="control groups cannot be written")

SECRET = "ADMINISTRATORS_SECRET"

WATCHER = """
import os, select, sys
log, secret = sys.argv[1:]
me, own, seen = os.getuid(), os.getpid(), set()

def look(process):
    if os.stat(process).st_uid != me:
        return
    seen.add("process")
    if secret.encode() in open(f"{process}/environ", "rb").read():
        seen.add("environment")
    for name in os.listdir(f"{process}/fd"):
        if os.readlink(f"{process}/fd/{name}") == log:
            for mode, what in (("rb", "log read"), ("ab", "log written")):
                open(f"{process}/fd/{name}", mode).close()
                seen.add(what)

print("watching", flush=True)
while not select.select([0], [], [], 0)[0]:
    for number in os.listdir("/proc"):
        if number.isdigit() and int(number) != own:
            try:
                look(f"/proc/{number}")
            except OSError:
                pass
print(sorted(seen))
"""


@pytest.fixture(scope="module")
def mia(facility):
    return User(facility, "mia")


class Watcher:
    """A process of a user that looks into all others of the user."""

    def __init__(self, account, log):
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-c", WATCHER, str(log), SECRET], cwd="/",
            user=account.pw_uid, group=account.pw_gid, extra_groups=[],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout.readline() == "watching\n"

    def end(self):
        """Return what was seen."""
        return self._process.communicate("\n", timeout=60)[0].strip()


FILL = """
import asyncio, sys
from pathlib import Path
from flavorframe_facility import settings
from flavorframe_facility.machine import homes
from flavorframe_facility.machine.enter import Entry
folder, home, uid, gid = sys.argv[1:]
entry = Entry(home, account=(int(uid), int(gid), ()))
asyncio.run(homes.fill(settings.load(Path(folder)), Path(home), entry))
"""


def test_the_process_that_fills_a_home_has_nothing_of_the_administrator(facility, mia):
    account = pwd.getpwnam(mia.environment["USER"])
    environment = {**os.environ, SECRET: SECRET}
    log = facility.settings.logs / "test.log"
    log.touch(mode=0o644)
    with log.open("ab") as output:
        watcher = Watcher(account, log)
        fill = [facility.python, "-c", FILL, facility.settings.folder, account.pw_dir,
                str(account.pw_uid), str(account.pw_gid)]  # fmt: skip
        subprocess.run(fill, env=environment, stdout=output, stderr=output, check=True)
        assert watcher.end() == "['process']", log.read_text()
        watcher = Watcher(account, log)  # which sees what a process has that inherits all
        subprocess.run(
            ["/bin/sleep", "2"], env=environment, stdout=output, cwd="/",
            user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=True,
        )  # fmt: skip
        assert watcher.end() == "['environment', 'log read', 'process']"
    log.unlink()


def test_what_the_facility_keeps_is_for_its_owner_alone(facility, mia):
    modes = {path: path.stat().st_mode & 0o777 for path in facility.settings.private.rglob("*")}
    files = {path.name for path in modes if path.is_file()}
    assert {"jupyterhub.sqlite", "gateway.sqlite", "hub.log", "cookie-secret"} <= files
    assert not {path: oct(mode) for path, mode in modes.items() if mode & 0o077}
    log = facility.settings.logs / "server-mia.log"
    assert log.owner() == mia.environment["USER"]  # what a server writes counts as its user's


def test_programs_have_little_of_the_administrators_environment(facility):
    assert "PYTEST_CURRENT_TEST" in os.environ  # which the command had as well
    for name in ("hub", "proxy", "gateway", "gateway-proxy"):
        process = processes.running(facility.settings, name)
        assert "PYTEST_CURRENT_TEST" not in process.environ()
        assert "PATH" in process.environ()


# Accounts


def test_accounts_are_for_servers_alone(mia):
    name = mia.environment["USER"]
    assert pwd.getpwnam(name).pw_shell.endswith(("nologin", "false"))
    assert as_account(name) != "in"
    assert as_account(name, "--shell", "/bin/sh") != "in"
    subprocess.run(["usermod", "--expiredate", "", name], check=True)
    try:
        assert as_account(name, "--shell", "/bin/sh") == "in"  # as SSH and cron would get in
    finally:
        subprocess.run(["usermod", "--expiredate", "1970-01-02", name], check=True)


def as_account(name, *options):
    """Return what a command says that an account executes, after the system has admitted it."""
    done = subprocess.run(
        ["su", *options, "--command", "echo in", name], check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout.strip()


# Signals


@pytest.mark.parametrize(("spawner", "is_killed"), [(LocalProcessSpawner, True), (None, False)])
def test_a_number_that_is_anothers_by_now_gets_no_signal(tmp_path, spawner, is_killed):
    victim = subprocess.Popen(["/bin/sleep", "60"])
    try:
        chosen = MachineSpawner(facility=make(folder=tmp_path), user=SimpleNamespace(name="none"))
        chosen._created = psutil.Process(victim.pid).create_time() - 100
        chosen.term_timeout = chosen.kill_timeout = chosen.interrupt_timeout = 1
        chosen._end_processes = lambda: run_nothing()
        if spawner is not None:  # as it is in JupyterHub
            chosen._signal = lambda sig: spawner._signal(chosen, sig)
        chosen.pid = victim.pid
        run(chosen.stop(now=True))
        assert (victim.poll() is not None) == is_killed
    finally:
        victim.kill()
        victim.wait()


async def run_nothing():
    """Do what a server without processes needs at its end."""


def test_a_process_gets_a_signal_if_it_is_the_one_that_was_started():
    process = subprocess.Popen(["/bin/sleep", "60"])
    created = psutil.Process(process.pid).create_time()
    assert processes.send(process.pid, created - 1, signal.SIGKILL) is False
    assert process.poll() is None
    assert processes.send(process.pid, created, 0) is True
    assert processes.send(process.pid, created, signal.SIGKILL) is True
    assert process.wait(10) == -signal.SIGKILL
    assert processes.send(process.pid, created, signal.SIGKILL) is False


def test_a_session_is_known_while_its_leader_lives():
    leader = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 60 > /dev/null & echo $!; read _"], text=True,
        start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    child = psutil.Process(int(leader.stdout.readline()))
    process = psutil.Process(leader.pid)
    members = {(p.pid, p.create_time()) for p in (process, child)}
    assert processes.session(process) == members
    leader.communicate("\n")
    assert os.getsid(child.pid) == leader.pid  # a number that may be another process's by now
    assert processes.session(process) == set()
    child.kill()


@pytest.mark.parametrize("state", [{"pid": 2**22 + 1, "created": 1.0}, {}])
def test_what_is_left_of_a_server_that_ended_without_the_hub_is_ended(tmp_path, state):
    spawner = MachineSpawner(facility=make(folder=tmp_path), user=SimpleNamespace(name="none"))
    ended = []

    async def end():
        ended.append(True)

    spawner._end_processes = end
    spawner.load_state(state)
    assert run(spawner.poll()) == 0
    assert bool(ended) == bool(state)


# Limits

ESCAPE = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        time.sleep(600)
    os._exit(0)
os.wait()
"""


def escaped(user):
    """Return processes of a user that have left their session and their parent."""
    account = user.environment["USER"]
    kernel = Kernel(user)
    kernel.run(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ESCAPE!r}])")
    found = [
        process
        for process in psutil.process_iter(["username", "ppid"])
        if process.info["username"] == account
        and process.info["ppid"] == 1
        and process.pid != server_of(user.facility, user.name).pid
    ]
    return kernel, found


@needs_groups
def test_what_left_its_session_ends_with_the_server(facility, mia):
    _, found = escaped(mia)
    assert len(found) == 1
    assert os.getsid(found[0].pid) != os.getsid(server_of(facility, "mia").pid)
    assert Login(facility, "mia").ask("DELETE", "hub/api/users/mia/server").ok
    wait_for(lambda: server_of(facility, "mia") is None)
    wait_for(lambda: not found[0].is_running())
    account = mia.environment["USER"]
    assert not [p for p in psutil.process_iter(["username"]) if p.info["username"] == account]
    tree = groups.ROOT / "memory" / f"flavorframe-{facility.settings.accounts.rstrip('-')}"
    assert not (tree / "server-mia").exists()


@needs_groups
def test_what_left_its_session_ends_with_a_server_that_was_killed(facility):
    user = User(facility, "nia")
    kernel, found = escaped(user)
    assert len(found) == 1
    shared = Path("/dev/shm/of-nia")
    kernel.run(f"open({str(shared)!r}, 'w').write('x' * 1000)")
    assert not shared.exists()  # it is the server's own
    user.python(f"open({str(shared)!r}, 'w').write('x' * 1000)")
    assert shared.exists()  # as anything outside of servers sees it
    server_of(facility, "nia").kill()
    user.session.get(f"{facility.url}hub/home", timeout=60)  # for which the hub looks at the server
    wait_for(lambda: not found[0].is_running())
    wait_for(lambda: not shared.exists())


# Passwords


def test_forged_headers_give_no_more_attempts_and_keep_nobody_else_out(facility):
    for number in range(20):
        forged = f"198.51.100.{number}"
        headers = {"X-Real-Ip": forged, "X-Forwarded-For": forged}
        status = Login(facility, "kim", "wrong", address="127.0.0.3", headers=headers).status
        assert status == 403
    headers = {"X-Real-Ip": "198.51.100.99", "X-Forwarded-For": "198.51.100.99"}
    assert Login(facility, "kim", address="127.0.0.3", headers=headers).status == 429
    assert Login(facility, "kim", address="127.0.0.2").is_in()


def test_a_user_who_asks_the_hub_itself_is_counted_too(facility, mia):
    url = f"http://127.0.0.1:{facility.settings.hub_port}/hub/login"
    code = f"""
import requests
for number in range(21):
    session = requests.Session()
    session.headers["X-Forwarded-For"] = f"198.51.100.{{number}}"
    session.get({url!r})
    answer = session.post({url!r}, params={{"_xsrf": session.cookies["_xsrf"]}},
                          data={{"username": "kim", "password": "wrong"}})
    print(answer.status_code, end=" ")
"""
    assert mia.python(code).split() == ["403"] * 20 + ["429"]
    assert Login(facility, "mia", address="127.0.0.2").is_in()


@needs_groups
def test_a_server_that_does_not_fit_is_not_started_and_it_is_told_why(facility):
    user = User(facility, "max")
    form = {"environment": "flavorframe", "cores": "1", "memory": "2"}
    with (facility.settings.homes / "max" / "large").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1_100_000_000)
    facility.settings.changed(total_memory=1, home_quota=1).save()
    facility.command("restart")
    try:
        login = Login(facility, "ned")
        told = login.ask("POST", "hub/spawn", data=form).text
        assert "all servers and clusters together have 1 GB of memory, of which 0 GB" in told
        assert server_of(facility, "max").pid  # what runs goes on
        login = Login(facility, "max")
        assert login.ask("DELETE", "hub/api/users/max/server").ok
        wait_for(lambda: server_of(facility, "max") is None)
        assert "no more than 1 GB are allowed" in login.ask("POST", "hub/spawn", data=form).text
    finally:
        facility.settings.save()
        facility.command("restart")
    assert user.name in facility.command("logs", "--user", "max")
