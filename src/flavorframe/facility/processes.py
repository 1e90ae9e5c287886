"""Programs that go on when the command has ended: starting, finding again and stopping them."""

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
from flavorframe.facility.settings import Settings

CONFIGURATION = """\
# Written by `flavorframe facility up`. What can be chosen is in settings.json.
from pathlib import Path

from flavorframe.facility import {module}, settings

{module}.configure(get_config(), settings.load(Path({folder!r})))
"""


@dataclass(frozen=True)
class Program:
    """A program of the facility.

    Args:
        name: What it is called in messages and files.
        command: How it is started.
        health: URL that answers once it is ready.
        environment: Variables that it needs, beside those of this process.

    """

    name: str
    command: tuple[str, ...]
    health: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def configuration(settings: Settings, name: str, module: str) -> str:
    """Write the file by which a module of this package configures a program; return its path."""
    file = settings.private / name
    file.write_text(CONFIGURATION.format(module=module, folder=str(settings.folder)))
    return str(file)


def running(settings: Settings, name: str) -> psutil.Process | None:
    """Return a program's process, if it runs; a number that another process has by now is none."""
    try:
        note = json.loads(_note(settings, name).read_text())
        return living(note["process"], note["created"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def living(number: int, created: float) -> psutil.Process | None:
    """Return the process of that number; None where it ended, or the number is another's by now."""
    try:
        process = psutil.Process(number)
        same = process.create_time() == created
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def start(settings: Settings, program: Program) -> None:
    """Start a program in the background; what it prints goes to its log."""
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
            preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the command has one thread
        )
    note = {"process": process.pid, "created": psutil.Process(process.pid).create_time()}
    _note(settings, program.name).write_text(json.dumps(note))


def _heed_interrupts() -> None:
    """Undo what a shell does to a command in the background: the hub ends services by SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until_healthy(settings: Settings, programs: Iterable[Program], seconds: float) -> None:
    """Wait until programs answer.

    Raises:
        FacilityError: One ended, or does not answer; the text shows the end of its log.

    """
    until = time.monotonic() + seconds
    for program in programs:
        while not answers(program.health):
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
    _note(settings, name).unlink(missing_ok=True)
    return process is not None


def answers(url: str) -> bool:
    """Whether a URL on this machine answers with success."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _unchecked())
    try:
        with opener.open(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _unchecked() -> urllib.request.HTTPSHandler:
    """Return a handler for this machine's own address, for which no certificate is made out."""
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


def _note(settings: Settings, name: str) -> Path:
    return settings.private / f"{name}.process.json"
