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

import psutil

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import Settings

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
        environment: Environment variables, in addition to those of this process.

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


def start(settings: Settings, program: Program) -> None:
    """Start a program in the background, with its output in its log."""
    environment = {**os.environ, **program.environment}
    with log_file(settings, program.name).open("ab") as log:
        process = subprocess.Popen(
            program.command,
            env=environment,
            cwd=settings.private,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_accept_interrupts,  # noqa: PLW1509 - the command has one thread
        )
    record = {"process": process.pid, "created": psutil.Process(process.pid).create_time()}
    _record_file(settings, program.name).write_text(json.dumps(record))


def _accept_interrupts() -> None:
    """Accept SIGINT, by which the hub ends services; a shell ignores it for background commands."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
        text = log_file(settings, name).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-number:])


def _record_file(settings: Settings, name: str) -> Path:
    return settings.private / f"{name}.process.json"
