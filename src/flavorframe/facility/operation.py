"""Starting, looking at and stopping a facility on one machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe.facility import homes, hub_client, installation, processes, workshop
from flavorframe.facility.accounts import require_separate
from flavorframe.facility.installation import Tell
from flavorframe.facility.login_secrets import PASSWORD, read_secret, write_private
from flavorframe.facility.settings import Oidc, Settings, Workshop

PATIENCE = 120.0
"""Seconds that programs have to become ready: a busy machine takes long to import them."""
SECRETS = ("proxy-token", "service-token", "gateway-proxy-token", "gateway-key")
"""What the programs know each other by, made once."""


@dataclass(frozen=True)
class State:
    """What runs of a facility."""

    programs: dict[str, datetime | None]
    servers: list[hub_client.Server]

    @property
    def is_up(self) -> bool:
        """Whether all programs run."""
        return all(self.programs.values())

    @property
    def is_down(self) -> bool:
        """Whether none does."""
        return not any(self.programs.values())


def up(settings: Settings, tell: Tell, *, new_password: bool = False) -> str | None:
    """Start what does not run; return the workshop's password where it was made just now.

    With ``new_password`` one is made anew; a hub that runs is started anew to know it.

    Raises:
        FacilityError: Something is missing, in use or does not start.

    """
    make_folders(settings)
    with _alone(settings):
        _require_possible(settings)
        installation.install(settings, tell)
        _require_provider(settings)
        with _put_back_on_failure(settings.file, settings.private / PASSWORD):
            settings.save()
            password = _make_secrets(settings, new_password)
            if new_password:
                processes.stop(settings, "hub")
            homes.prepare(settings, tell)
            _start(settings)
    return password


def restart(settings: Settings) -> None:
    """Start hub and gateway anew; the proxies, and so servers and clusters, live on."""
    with _alone(settings):
        for name in ("gateway", "hub"):
            processes.stop(settings, name)
        _require_free_ports(settings)
        _start(settings)


def down(settings: Settings, *, keep_servers: bool = False) -> int:
    """Stop servers and programs, or programs alone; return how many servers were stopped."""
    with _alone(settings):
        stopped = 0
        if not keep_servers and processes.running(settings, "hub"):
            settings.stop_clusters.touch()
            stopped = hub_client.stop_servers(settings)
        for name in reversed(_ports(settings)):
            processes.stop(settings, name)
    return stopped


def state(settings: Settings) -> State:
    """Return what runs, and since when."""
    found = {name: processes.running(settings, name) for name in _ports(settings)}
    since = {
        name: None
        if process is None
        else datetime.fromtimestamp(process.create_time()).astimezone()
        for name, process in found.items()
    }
    return State(since, hub_client.servers(settings) if found["hub"] else [])


def make_folders(settings: Settings) -> None:
    """Make the facility's folders: all may pass through it to their homes, none into `private`."""
    try:
        settings.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        settings.homes.mkdir(mode=0o711, exist_ok=True)
        settings.private.mkdir(mode=0o700, exist_ok=True)
        settings.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FacilityError(
            f"{settings.folder} cannot be written: {error.strerror}. Choose another --folder."
        ) from error


def _start(settings: Settings) -> None:
    from flavorframe.facility.programs import programs

    wanted = [p for p in programs(settings) if processes.running(settings, p.name) is None]
    try:
        for program in wanted:
            processes.start(settings, program)
        processes.wait_until_healthy(settings, wanted, PATIENCE)
    except FacilityError:
        for program in reversed(wanted):
            processes.stop(settings, program.name)
        raise


def _require_possible(settings: Settings) -> None:
    """Raise FacilityError for what cannot work, before anything is installed or kept."""
    require_separate(settings)
    for what, file in (("certificate", settings.certificate), ("key", settings.key)):
        if file is not None and not os.access(file, os.R_OK):
            raise FacilityError(f"the {what} {file} is not there, or cannot be read.")
    if isinstance(settings.login, Oidc):
        read_secret(settings.login.client_secret_file, "client secret of the OpenID provider")
    _require_free_ports(settings)


def _require_provider(settings: Settings) -> None:
    if isinstance(settings.login, Oidc):
        from flavorframe.facility.login_provider import discover

        discover(settings.login.issuer, settings.private / "provider.json")


def _require_free_ports(settings: Settings) -> None:
    for name, ports in _ports(settings).items():
        if processes.running(settings, name) is None:
            for port in ports:
                installation.require_free_port(settings, port, f"the {name}")


@contextlib.contextmanager
def _put_back_on_failure(*files: Path) -> Iterator[None]:
    """Put files back as they were where the block fails: nobody has seen what is new in them."""
    before = {file: file.read_bytes() if file.exists() else None for file in files}
    try:
        yield
    except BaseException:
        for file, content in before.items():
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(content)
        raise


def _ports(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Return the ports of each program, in the order in which they start."""
    return {
        "proxy": (settings.port, settings.proxy_port),
        "hub": (settings.hub_port,),
        "gateway-proxy": (settings.gateway_proxy_port,),
        "gateway": (settings.gateway_port,),
    }


def _make_secrets(settings: Settings, new_password: bool) -> str | None:
    for name in SECRETS:
        if not (settings.private / name).exists():
            write_private(settings.private / name, secrets.token_hex(32))
    if not isinstance(settings.login, Workshop):
        return None
    if workshop.has_password(settings) and not new_password:
        return None
    return workshop.new_password(settings)


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the facility's lock, so that two commands do not start or stop it at once."""
    with open(os.open(settings.private / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FacilityError(
                "another command is starting or stopping this facility: wait for it to end."
            ) from None
        yield
