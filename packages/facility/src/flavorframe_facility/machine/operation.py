"""Starting and stopping a facility on one machine, and its state."""

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
from flavorframe_facility.hub import client
from flavorframe_facility.isolation import require_accounts
from flavorframe_facility.login import password
from flavorframe_facility.machine import homes, installation, limits, processes, sessions, versions
from flavorframe_facility.machine.certificate import require_names
from flavorframe_facility.machine.folders import close_to_others, make_folder, require_own
from flavorframe_facility.machine.installation import Report
from flavorframe_facility.machine.programs import programs
from flavorframe_facility.secret_files import PASSWORD, read_secret, write_private
from flavorframe_facility.settings import Oidc, Settings, Workshop

STARTUP_TIMEOUT = 120.0
"""Seconds until programs must be ready; a busy machine takes long to import them."""

SECRETS = ("proxy-token", "service-token", "gateway-proxy-token", "gateway-key")
"""Names of files with the tokens and keys that programs share."""


@dataclass(frozen=True)
class State:
    """State of a facility: since when each program runs (None if not), and users' servers."""

    programs: dict[str, datetime | None]
    servers: list[client.Server]

    @property
    def is_up(self) -> bool:
        """Whether all programs run."""
        return all(self.programs.values())

    @property
    def is_down(self) -> bool:
        """Whether no program runs."""
        return not any(self.programs.values())


def up(settings: Settings, report: Report, *, new_password: bool = False) -> str | None:
    """Start the programs that do not run.

    Args:
        settings: Settings of the facility; they are saved.
        report: Gets a line about each step that takes long.
        new_password: Choose a new password for the workshop. Everybody is logged out, all tokens
            of users are revoked, and their servers and clusters are stopped.

    Returns:
        The workshop's password if it is new.

    Raises:
        FacilityError: Something is missing, a port is in use, or a program does not start.

    """
    make_folders(settings)
    with locked(settings):
        versions.require_known(versions.noted(settings.folder), f"the state in {settings.folder}")
        _require_possible(settings)
        installation.install(settings, report)
        _require_provider(settings)
        with _restored_on_failure(settings.file, settings.private / PASSWORD):
            settings.save()
            workshop_password = _make_secrets(settings, new_password)
            if new_password:
                processes.stop(settings, "hub")
                sessions.revoke(settings.private)
            if processes.running(settings, "hub") is None:
                versions.upgrade(settings, report)
            homes.prepare(settings, report)
            _start(settings)
            if new_password:
                _end_servers_and_clusters(settings)
    return workshop_password


def restart(settings: Settings, report: Report) -> None:
    """Restart hub and gateway; the proxies, servers and clusters go on.

    Args:
        settings: Settings of the facility.
        report: Gets a line about each step that takes long.

    """
    with locked(settings):
        versions.require_known(versions.noted(settings.folder), f"the state in {settings.folder}")
        for name in ("gateway", "hub"):
            processes.stop(settings, name)
        _require_free_ports(settings)
        versions.upgrade(settings, report)
        _start(settings)


def down(settings: Settings, *, keep_servers: bool = False) -> int:
    """Stop all programs.

    Args:
        settings: Settings of the facility.
        keep_servers: Leave users' servers and clusters running.

    Returns:
        The number of servers that were stopped.

    """
    with locked(settings):
        stopped = 0
        if not keep_servers and processes.running(settings, "hub"):
            settings.stop_clusters.touch()
            stopped = _stop_servers(settings)
        for name in reversed(ports(settings)):
            processes.stop(settings, name)
            limits.end_program(settings, name)
        limits.remove(settings)
    return stopped


def state(settings: Settings) -> State:
    """Return the state of a facility."""
    found = {name: processes.running(settings, name) for name in ports(settings)}
    since = {
        name: None
        if process is None
        else datetime.fromtimestamp(process.create_time()).astimezone()
        for name, process in found.items()
    }
    return State(since, _servers(settings) if found["hub"] else [])


def _servers(settings: Settings) -> list[client.Server]:
    return client.servers(settings, client.token_of_command_line(settings))


def _stop_servers(settings: Settings) -> int:
    return client.stop_servers(settings, client.token_of_command_line(settings))


def make_folders(settings: Settings) -> None:
    """Make the facility's folders: users can reach their homes, and nothing in `private`."""
    require_own(settings.folder)
    try:
        for folder in (settings.folder, settings.homes):
            make_folder(folder, 0o711)
        for folder in (settings.private, settings.logs):
            make_folder(folder, 0o700)
        close_to_others(settings.private)
    except OSError as error:
        raise FacilityError(
            f"{settings.folder} cannot be written: {error.strerror}. Choose another --folder."
        ) from error


def _start(settings: Settings) -> None:
    wanted = [p for p in programs(settings) if processes.running(settings, p.name) is None]
    try:
        for program in wanted:
            group = limits.program_group(settings, program.name)
            processes.start(settings, program, group)
        processes.wait_until_healthy(settings, wanted, STARTUP_TIMEOUT)
    except FacilityError:
        for program in reversed(wanted):
            processes.stop(settings, program.name)
        raise


def _end_servers_and_clusters(settings: Settings) -> None:
    _stop_servers(settings)
    settings.stop_clusters.touch()
    processes.stop(settings, "gateway")
    _start(settings)


def _require_possible(settings: Settings) -> None:
    """Raise FacilityError for settings that cannot work, before anything is installed or saved."""
    require_accounts(settings)
    for what, file in (("certificate", settings.certificate), ("key", settings.key)):
        if file is not None and not os.access(file, os.R_OK):
            raise FacilityError(f"the {what} {file} is not there, or cannot be read.")
    if settings.key is not None:
        read_secret(settings.key, "key of the certificate")
    if isinstance(settings.login, Oidc):
        read_secret(settings.login.client_secret_file, "client secret of the OpenID provider")
    _require_free_ports(settings)
    if settings.certificate is not None and settings.domain is not None:
        require_names(settings.certificate, settings.domain)


def _require_provider(settings: Settings) -> None:
    if isinstance(settings.login, Oidc):
        from flavorframe_facility.login.provider import discover  # takes long to import

        discover(settings.login.issuer, settings.private / "provider.json")


def _require_free_ports(settings: Settings) -> None:
    for name, numbers in ports(settings).items():
        if processes.running(settings, name) is None:
            for port in numbers:
                installation.require_free_port(settings, port, f"the {name}")


@contextlib.contextmanager
def _restored_on_failure(*files: Path) -> Iterator[None]:
    """Restore files if the block fails: a new password in them was not shown to anybody."""
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


def ports(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Return the ports of each program, in the order in which they start."""
    return {
        "proxy": (settings.port, settings.proxy_port),
        "hub": (settings.hub_port, settings.administration_port),
        "gateway-proxy": (settings.gateway_proxy_port,),
        "gateway": (settings.gateway_port,),
    }


def _make_secrets(settings: Settings, new_password: bool) -> str | None:
    for name in SECRETS:
        if not (settings.private / name).exists():
            write_private(settings.private / name, secrets.token_hex(32))
    if not isinstance(settings.login, Workshop):
        return None
    if password.exists(settings) and not new_password:
        return None
    return password.choose(settings)


@contextlib.contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Hold the facility's lock, so that only one command at a time changes it.

    Raises:
        FacilityError: Another command holds it.

    """
    with open(os.open(settings.private / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FacilityError(
                "another command is changing or copying this facility: wait for it to end."
            ) from None
        yield
