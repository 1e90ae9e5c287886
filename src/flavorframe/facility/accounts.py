"""Whom a user's server runs as: an account of this machine for each user, where root starts it.

A name at the login is never taken for an account's: whoever calls himself root gets an account of
his own like everybody else.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe.facility.settings import LOOPBACK, Oidc, Settings


@dataclass(frozen=True)
class Account:
    """An account of this machine and the home that a user has in it."""

    name: str
    uid: int
    gid: int
    home: Path


def are_separate() -> bool:
    """Whether each user has an account; otherwise all servers run as whoever starts the hub."""
    return os.geteuid() == 0


def require_separate(settings: Settings) -> None:
    """Raise FacilityError where users have to have accounts of their own, and do not."""
    if settings.backend != "local" or are_separate():
        return
    if isinstance(settings.login, Oidc):
        raise FacilityError(
            "login by OpenID Connect needs root here: otherwise all servers run as you, and "
            "each user could read the client's secret and the others' tokens."
        )
    if settings.address not in LOOPBACK:
        raise FacilityError(
            f"to listen at {settings.address} it needs root: otherwise all servers run as you, and "
            "whoever logs in can do with your files what you can. Without root, people come "
            "through SSH."
        )


def short_name(user: str) -> str:
    """Return a name for files and accounts, another one for each user.

    >>> short_name("alice"), short_name("../Alice@cern.ch")
    ('alice', 'h-7b2cef2c8195a78d')
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,19}", user) and not user.startswith("h-"):
        return user
    return f"h-{hashlib.sha256(user.encode()).hexdigest()[:16]}"


def account(settings: Settings, user: str) -> Account:
    """Return the account of a user of the hub, made when it is first asked for."""
    home = settings.homes / short_name(user)
    if not are_separate():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Account(getpass.getuser(), os.getuid(), os.getgid(), home)
    name = settings.accounts + short_name(user)
    entry = _entry(name) or _add(name, home)
    if Path(entry.pw_dir) != home:
        raise FacilityError(
            f"account {name} has its home in {entry.pw_dir} and not in {home}: it belongs to "
            "another facility. Choose other `accounts` in settings.json."
        )
    return Account(name, entry.pw_uid, entry.pw_gid, home)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _add(name: str, home: Path) -> pwd.struct_passwd:
    settled = home.exists()
    home.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    shell = shutil.which("bash") or "/bin/sh"
    _run("useradd", "--create-home", "--home-dir", str(home), "--shell", shell, "-U", name)
    home.chmod(0o700)
    if settled:  # the folder came from another machine, with the numbers that accounts had there
        _run("chown", "--recursive", "--no-dereference", f"{name}:{name}", str(home))
    return pwd.getpwnam(name)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise FacilityError(f"{' '.join(command)} failed: {done.stderr.strip()}")
