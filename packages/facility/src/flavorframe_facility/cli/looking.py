"""What runs at a facility, and what is wrong with it."""

from __future__ import annotations

import json as as_json
from collections import Counter
from dataclasses import asdict
from enum import Enum
from typing import Annotated

import typer

from flavorframe._cli.output import JsonOption
from flavorframe.errors import FacilityError
from flavorframe_facility.cli.place import FolderOption, place_of, saved


class Log(str, Enum):
    """Programs that log."""

    hub = "hub"
    proxy = "proxy"
    gateway = "gateway"
    gateway_proxy = "gateway-proxy"


def doctor(folder: FolderOption = None, json: JsonOption = False) -> None:
    """Look for what may be wrong, before `up` or while it runs; exits with 1 where something is."""
    from flavorframe_facility.machine.doctor import examine

    found = examine(place_of(folder))
    levels = Counter(finding.level for finding in found)
    if json:
        content = {"problems": levels["problem"], "findings": [asdict(one) for one in found]}
        typer.echo(as_json.dumps(content, indent=2))
    else:
        width = max(len(finding.subject) for finding in found)
        for finding in found:
            typer.echo(f"{finding.level:8} {finding.subject:{width}}  {finding.text}")
        typer.echo(
            _count(levels["problem"], "problem") + ", " + _count(levels["warning"], "warning")
        )
    if levels["problem"]:
        raise typer.Exit(1)


def status(folder: FolderOption = None, json: JsonOption = False) -> None:
    """Say what runs, since when, and what users take; exits with 1 where not all runs."""
    from flavorframe_facility.machine import overview

    found = overview.look(saved(folder))
    typer.echo(as_json.dumps(found.to_dict(), indent=2) if json else "\n".join(found.lines()))
    if not found.state.is_up:
        raise typer.Exit(1)


def logs(
    program: Annotated[Log, typer.Argument(help="Whose log.")] = Log.hub,
    user: Annotated[str | None, typer.Option(help="Log of this user's server instead.")] = None,
    lines: Annotated[int, typer.Option(help="How many of the last lines.", min=1)] = 50,
    folder: FolderOption = None,
) -> None:
    """Show the end of a program's log, or of a user's server's."""
    from flavorframe_facility.machine import processes
    from flavorframe_facility.machine.accounts import server_log

    settings = saved(folder)
    name = program.value if user is None else server_log(user)
    file = processes.log_file(settings, name)
    if not file.exists():
        raise FacilityError(f"there is no log {file}: it has not been started yet.")
    typer.echo(processes.last_lines(settings, name, lines))


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
