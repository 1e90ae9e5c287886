"""Checks of users' accounts on this machine."""

from __future__ import annotations

import pwd
from collections.abc import Iterator
from pathlib import Path

from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine import accounts, installation
from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, tried, warning
from flavorframe_facility.settings import Settings

SUBJECT = "accounts"


def check(settings: Settings) -> Iterator[Finding]:
    """Check that accounts can be made, and that those that exist are the facility's alone."""
    if not users_have_accounts():
        yield warning(
            SUBJECT,
            "without root all servers run as you, and whoever logs in can do with your files what "
            "you can: start the facility as root to keep users apart",
        )
        return
    yield tried("python for users", _python_for_users)
    found = [entry for entry in pwd.getpwall() if entry.pw_name.startswith(settings.accounts)]
    foreign = [entry.pw_name for entry in found if Path(entry.pw_dir).parent != settings.homes]
    opened = [entry.pw_name for entry in found if not accounts.is_closed(entry)]
    if foreign:
        yield problem(
            SUBJECT,
            f"{', '.join(foreign)} have homes elsewhere than in {settings.homes}, and their users "
            "get no server: remove these accounts, or choose other `accounts` in "
            f"{settings.file}",
        )
    if opened:
        yield warning(
            SUBJECT,
            f"{', '.join(opened)} have a login shell, and processes that come in by it have no "
            f"limits: run usermod --shell {accounts.NO_LOGIN} for each",
        )
    if not foreign and not opened:
        yield ok(SUBJECT, f"{len(found)} whose names begin with {settings.accounts}")


def _python_for_users() -> str:
    installation.require_accounts()
    return "users can run the facility's Python, and accounts can be made"
