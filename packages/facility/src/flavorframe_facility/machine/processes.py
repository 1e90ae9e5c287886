"""Programs that run in the background: starting, finding and stopping them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import psutil

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import enter
from flavorframe_facility.secret_files import write_private
from flavorframe_facility.settings import Settings

INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "CONDA_ROOT"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)
"""Environment variables of the administrator that programs get: none that may hold a secret."""

_END = 1 << 20  # bytes of a log that are read; a user's server can write more than there is memory

CONFIGURATION = """\
# Written by `flavorframe facility up`. Change settings.json instead.
from pathlib import Path

from flavorframe_facility import settings
from flavorframe_facility.machine import {module}

{module}.configure(get_config(), settings.load(Path({folder!r})))
"""


@dataclass(frozen=True)
class Program:
    """A program of the facility.

    Args:
        name: Name in messages and files.
        command: Command that starts it.
        health: URL that answers when the program is ready.
        environment: Environment variables, in addition to the `INHERITED` ones.

    """

    name: str
    command: tuple[str, ...]
    health: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def configuration(settings: Settings, name: str, module: str) -> str:
    """Write the configuration file of a program.

    Args:
        settings: Settings of the facility.
        name: Name of the file.
        module: Module of `flavorframe_facility.machine` whose `configure` the file calls.

    Returns:
        The path of the file.

    """
    file = settings.private / name
    file.write_text(CONFIGURATION.format(module=module, folder=str(settings.folder)))
    file.chmod(0o600)
    return str(file)


def running(settings: Settings, name: str) -> psutil.Process | None:
    """Return the process of a program; None if it does not run."""
    try:
        record = json.loads(_record_file(settings, name).read_text())
        return find(record["process"], record["created"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def find(number: int, created: float) -> psutil.Process | None:
    """Return a process by its number and time of creation, which tells it from a later one."""
    try:
        process = psutil.Process(number)
        same = process.create_time() == created
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def send(number: int, created: float, what: int) -> bool:
    """Send a signal to a process, unless another has its number by now.

    Args:
        number: Number of the process.
        created: When it was created, as `psutil` tells it.
        what: Number of the signal; 0 sends none.

    Returns:
        Whether the process exists.

    """
    try:
        handle = os.pidfd_open(number)  # stands for this process, whatever happens to its number
    except ProcessLookupError:
        return False
    try:
        if find(number, created) is None:
            return False
        signal.pidfd_send_signal(handle, what)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def session(process: psutil.Process) -> set[tuple[int, float]]:
    """Return number and time of creation of the processes of a session, its leader among them.

    Args:
        process: The leader. If it has ended, its number may be another's, and the set is empty.

    """
    leader = process.pid
    found = {
        (member.pid, member.create_time())
        for member in psutil.process_iter()
        if _session_of(member.pid) == leader
    }
    return found if process.is_running() else set()


def _session_of(number: int) -> int | None:
    try:
        return os.getsid(number)
    except ProcessLookupError:
        return None


def inherited() -> dict[str, str]:
    """Return the environment variables that programs get of those of this process."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def start(settings: Settings, program: Program, groups: tuple[str, ...] = ()) -> None:
    """Start a program in the background, with its output in its log.

    Args:
        settings: Settings of the facility.
        program: The program.
        groups: Folders of the control groups that it enters.

    """
    entry = enter.Entry(str(settings.private), groups=groups)
    with open_log(settings, program.name) as log:
        process = subprocess.Popen(
            enter.command(entry, program.command),
            env={**inherited(), **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    record = {"process": process.pid, "created": psutil.Process(process.pid).create_time()}
    write_private(_record_file(settings, program.name), json.dumps(record))


def open_log(settings: Settings, name: str) -> BinaryIO:
    """Open a log at its end; a new one is for its owner alone."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(log_file(settings, name), flags, 0o600), "ab")


def wait_until_healthy(settings: Settings, programs: Iterable[Program], seconds: float) -> None:
    """Wait until programs answer.

    Raises:
        FacilityError: A program ended or does not answer in time; the text shows its log's end.

    """
    until = time.monotonic() + seconds
    for program in programs:
        while not is_healthy(program.health):
            ended = running(settings, program.name) is None
            if ended or time.monotonic() > until:
                state = "ended" if ended else f"does not answer after {seconds:.0f} s"
                raise FacilityError(
                    f"the {program.name} {state}; the end of its log, "
                    f"{log_file(settings, program.name)}:\n{last_lines(settings, program.name)}"
                )
            time.sleep(0.1)


def stop(settings: Settings, name: str, seconds: float = 20) -> bool:
    """Stop a program; return whether it was running."""
    process = running(settings, name)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            try:
                process.wait(seconds)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(seconds)
    _record_file(settings, name).unlink(missing_ok=True)
    return process is not None


def is_healthy(url: str) -> bool:
    """Whether the health check of a program on this machine succeeds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _unverified())
    try:
        with opener.open(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _unverified() -> urllib.request.HTTPSHandler:
    """Return a handler without verification: certificates do not name loopback addresses."""
    import ssl

    return urllib.request.HTTPSHandler(context=ssl._create_unverified_context())


def log_file(settings: Settings, name: str) -> Path:
    """Return the log of a program."""
    return settings.logs / f"{name}.log"


def last_lines(settings: Settings, name: str, number: int = 20) -> str:
    """Return the end of a program's log."""
    try:
        with log_file(settings, name).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _END))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-number:])


def _record_file(settings: Settings, name: str) -> Path:
    return settings.private / f"{name}.process.json"
