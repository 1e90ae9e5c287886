"""Accounts of this machine for the users of the hub, made where root starts the facility.

The name of an account is never the name of the user alone, so that nobody gets an account of the
system by logging in under its name.
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
from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine.folders import make_folder
from flavorframe_facility.settings import Settings

NO_LOGIN = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin:/bin") or "/bin/false"
_CLOSED = ("--shell", NO_LOGIN, "--expiredate", "1970-01-02")
"""Options of an account that SSH, su and cron do not admit: servers alone, which have limits."""


@dataclass(frozen=True)
class Account:
    """An account of this machine and the home that a user has in it."""

    name: str
    uid: int
    gid: int
    home: Path


def short_name(user: str) -> str:
    """Return a name for files and accounts that is different for each user.

    >>> short_name("alice"), short_name("../Alice@cern.ch")
    ('alice', 'h-7b2cef2c8195a78d')
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,19}", user) and not user.startswith("h-"):
        return user
    return f"h-{hashlib.sha256(user.encode()).hexdigest()[:16]}"


def server_log(user: str) -> str:
    """Return the name of the log of a user's server."""
    return f"server-{short_name(user)}"


def account(settings: Settings, user: str) -> Account:
    """Return the account of a user of the hub; it is made when the user first needs it."""
    home = settings.homes / short_name(user)
    if not users_have_accounts():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Account(getpass.getuser(), os.getuid(), os.getgid(), home)
    name = settings.accounts + short_name(user)
    entry = _entry(name) or _add(name, home)
    if Path(entry.pw_dir) != home:
        raise FacilityError(
            f"account {name} has its home in {entry.pw_dir} and not in {home}: it belongs to "
            "another facility. Choose other `accounts` in settings.json."
        )
    if not is_closed(entry):  # made by an earlier version
        _run("usermod", *_CLOSED, name)
    return Account(name, entry.pw_uid, entry.pw_gid, home)


def is_closed(entry: pwd.struct_passwd) -> bool:
    """Whether an account has no login shell."""
    return entry.pw_shell == NO_LOGIN


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _add(name: str, home: Path) -> pwd.struct_passwd:
    has_files = home.exists()
    make_folder(home.parent, 0o711)
    identity = ("--create-home", "--home-dir", str(home), "--user-group")
    _run("useradd", *identity, *_CLOSED, name)
    home.chmod(0o700)
    if has_files:  # the home was copied from another machine, where accounts had other numbers
        _run("chown", "--recursive", "--no-dereference", f"{name}:{name}", str(home))
    return pwd.getpwnam(name)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise FacilityError(f"{' '.join(command)} failed: {done.stderr.strip()}")
