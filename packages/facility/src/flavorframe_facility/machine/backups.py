"""Copies of a facility's state: settings, databases of hub and gateway, secrets.

Homes are not in them. Databases are copied by SQLite, so that the facility may run meanwhile.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from flavorframe._files.writing import replacing, write_private
from flavorframe.errors import FacilityError
from flavorframe_facility import settings as kept
from flavorframe_facility.machine import operation, processes, sessions, usage, versions
from flavorframe_facility.machine.folders import make_folder
from flavorframe_facility.machine.versions import Version
from flavorframe_facility.settings import Oidc, Settings

PRIVATE = "private/"
DATABASES = (sessions.DATABASE, "gateway.sqlite")
NOT_KEPT = r"lock|stop-clusters|.*\.process\.json|.*_config\.py|.*\.sqlite.*"
"""Files in ``private`` that say what runs, that `up` writes anew, or that are copied by SQLite."""

NAMES = re.compile(rf"{versions.FILE}|{kept.FILE}|{PRIVATE}[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""Names of what is in a backup."""

_MOST = 1 << 32  # bytes of a database or secret: what is larger is no backup of ours


@dataclass(frozen=True)
class Backup:
    """What is in a backup.

    Args:
        file: The file.
        made: When it was made.
        version: What wrote the state.
        settings: The settings, for the folder in which it is to be restored.
        content: The files by name.

    """

    file: Path
    made: datetime
    version: Version
    settings: Settings
    content: Mapping[str, bytes]


def outside(settings: Settings) -> list[Path]:
    """Return files that settings name, which are the administrator's and in no backup."""
    login = settings.login
    secret = login.client_secret_file if isinstance(login, Oidc) else None
    return [file for file in (settings.certificate, settings.key, secret) if file is not None]


def write(settings: Settings, file: Path) -> None:
    """Write a backup, which its owner alone can read, in place of what lies there.

    Args:
        settings: Settings of the facility.
        file: The file, a compressed tar archive.

    Raises:
        FacilityError: Something cannot be read or written.

    """
    with (
        operation.locked(settings),
        replacing(file, error=FacilityError, mode=0o600) as hidden,
        tarfile.open(hidden, "w:gz") as archive,
    ):
        for name, content in _state(settings):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o600, time.time()
            archive.addfile(member, io.BytesIO(content))


def _state(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of what a backup holds."""
    version = versions.noted(settings.folder)
    yield versions.FILE, json.dumps(asdict(version)).encode()
    yield kept.FILE, settings.file.read_bytes()
    for file in sorted(settings.private.iterdir()):
        if file.is_file() and not re.fullmatch(NOT_KEPT, file.name):
            yield PRIVATE + file.name, file.read_bytes()
    for name in DATABASES:
        if (settings.private / name).exists():
            yield PRIVATE + name, _copy_of(settings.private / name)


def _copy_of(database: Path) -> bytes:
    """Return a database as it is between two transactions."""
    with tempfile.NamedTemporaryFile(dir=database.parent, suffix=".sqlite") as file:
        try:
            with (
                contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
                contextlib.closing(sqlite3.connect(file.name)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise FacilityError(f"{database} cannot be copied: {error}.") from error
        return Path(file.name).read_bytes()


def read(file: Path, folder: Path) -> Backup:
    """Return what is in a backup.

    Args:
        file: The backup.
        folder: The folder of the facility in which it is to be restored.

    Raises:
        FacilityError: It is no backup, it is damaged, or it is of a newer version.

    """
    try:
        with tarfile.open(file) as archive:
            made = 0.0
            content = {}
            for member in archive:
                content[member.name] = _content(archive, member)
                made = max(made, member.mtime)
        version = versions.parse(content[versions.FILE].decode())
        text = content[kept.FILE].decode()
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError) as error:
        raise FacilityError(f"{file} is no backup of a facility, or damaged: {error}.") from None
    versions.require_known(version, f"the state in {file}")
    settings = kept.parse(text, folder, file)
    return Backup(file, datetime.fromtimestamp(made).astimezone(), version, settings, content)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member) if member.isreg() else None
    if opened is None or not NAMES.fullmatch(member.name) or member.size > _MOST:
        raise ValueError(f"{member.name!r} does not belong in one")
    return opened.read()


def replaced(backup: Backup) -> list[Path]:
    """Return what is there that a backup would replace."""
    settings = backup.settings
    return [path for path in (settings.file, settings.private) if path.exists()]


def aside(settings: Settings) -> Path:
    """Return where the last restoring put what was there."""
    return settings.folder / "private.replaced"


def restore(backup: Backup) -> None:
    """Put the state of a backup in place. All logins and tokens of users end.

    What was there is kept beside it (`aside`), until the next restoring.

    Raises:
        FacilityError: The facility, or a server or cluster of it, runs, or something cannot be
            written.

    """
    settings = backup.settings
    operation.make_folders(settings)
    with operation.locked(settings):
        _require_stopped(settings)
        new = settings.folder / "private.new"
        shutil.rmtree(new, ignore_errors=True)
        make_folder(new, 0o700)
        for name, content in backup.content.items():
            if name.startswith(PRIVATE):
                write_private(new / name.removeprefix(PRIVATE), content, error=FacilityError)
        sessions.revoke(new)
        _exchange(settings, new)
        settings.save()
        versions.note(settings.folder, backup.version)
    operation.make_folders(settings)


def _require_stopped(settings: Settings) -> None:
    try:
        there = kept.load(settings.folder) or settings
    except FacilityError:  # damaged settings are a reason to restore others
        there = settings
    if any(processes.running(there, name) for name in operation.ports(there)):
        raise FacilityError(
            f"the facility in {settings.folder} runs: stop it with `flavorframe facility down`."
        )
    if usage.anything_runs(there):
        raise FacilityError(
            f"servers or clusters of the facility in {settings.folder} still run, and it would "
            "know nothing of them: run `flavorframe facility up`, then `down`."
        )


def _exchange(settings: Settings, new: Path) -> None:
    old = aside(settings)
    shutil.rmtree(old, ignore_errors=True)
    if settings.file.exists():
        shutil.copy(settings.file, settings.private / kept.FILE)
    os.rename(settings.private, old)
    os.rename(new, settings.private)
