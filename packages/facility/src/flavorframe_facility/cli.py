"""``flavorframe facility``: JupyterHub with Dask clusters on this machine.

Modules are imported where they are used, so that the help takes no time.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flavorframe.errors import FacilityError

if TYPE_CHECKING:
    from flavorframe_facility.machine.operation import State
    from flavorframe_facility.settings import Settings

app = typer.Typer(
    help="JupyterHub, JupyterLab and Dask clusters on this machine.", no_args_is_help=True
)

FolderOption = Annotated[
    Path | None,
    typer.Option(
        help="What the facility keeps. By default /var/lib/flavorframe/facility for root, "
        "~/.local/share/flavorframe/facility for others."
    ),
]


class Log(str, Enum):
    """Programs that log."""

    hub = "hub"
    proxy = "proxy"
    gateway = "gateway"
    gateway_proxy = "gateway-proxy"


@app.command()
def up(
    folder: FolderOption = None,
    port: Annotated[
        int | None, typer.Option(help="By default 8000; the five after it are used as well.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Where to listen. By default on loopback alone.")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="Name in the DNS; users' servers have names below it. Or localhost."),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, as PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key.")] = None,
    oidc: Annotated[
        str | None, typer.Option(help="Issuer whose users log in, in place of a shared password.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="Client at the issuer.")] = None,
    client_secret_file: Annotated[
        Path | None, typer.Option(help="File with the client's secret.")
    ] = None,
    user_group: Annotated[str | None, typer.Option(help="Group whose members get in.")] = None,
    admin_group: Annotated[str | None, typer.Option(help="Group of administrators.")] = None,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Choose the workshop's password anew.")
    ] = False,
) -> None:
    """Install what is missing, start the facility, and print where it is.

    What is chosen is kept: a later `up` needs no options.
    """
    from flavorframe_facility.machine import operation

    login = _login(oidc, client_id, client_secret_file, user_group, admin_group)
    chosen: dict[str, Any] = {
        "port": port,
        "address": address,
        "domain": domain,
        "certificate": _absolute(certificate),
    }
    chosen |= {"key": _absolute(key), "login": login}
    settings = _changed(folder, {k: v for k, v in chosen.items() if v is not None})
    password = operation.up(settings, typer.echo, new_password=new_password)
    typer.echo(f"The facility is at {settings.url}")
    if password is not None:
        typer.echo(
            f"Log in with any name and the password {password}\n"
            "It is shown this once, for only its hash is kept; `up --new-password` makes another."
        )
    elif settings.login.kind == "workshop":
        typer.echo("Log in with any name and its password; `up --new-password` makes another.")
    if os.geteuid() != 0:
        typer.echo(
            "All servers run as you: whoever logs in can read, change and remove all your files. "
            "Root keeps users apart."
        )
    typer.echo(f"{_command('status', folder)} says what runs, {_command('down', folder)} stops it.")


@app.command()
def status(folder: FolderOption = None) -> None:
    """Say what runs, since when, and who has a server; exits with 1 where not all runs."""
    from flavorframe_facility import options
    from flavorframe_facility.machine import limits, operation

    settings = _saved(folder)
    found = operation.state(settings)
    typer.echo(f"{_summary(settings, found)}  (kept in {settings.folder})")
    for name, since in found.programs.items():
        typer.echo(f"{name:13} {'down' if since is None else f'up since {_time(since)}'}")
    for server in found.servers:
        size = ", ".join(options.texts(settings, server.options))
        since = datetime.fromisoformat(server.since.replace("Z", "+00:00"))
        typer.echo(f"server of {server.user}: {size}, since {_time(since)}")
    typer.echo(f"limits are enforced {limits.kind()}")
    if not found.is_up:
        raise typer.Exit(1)


@app.command()
def logs(
    program: Annotated[Log, typer.Argument(help="Whose log.")] = Log.hub,
    user: Annotated[str | None, typer.Option(help="Log of this user's server instead.")] = None,
    lines: Annotated[int, typer.Option(help="How many of the last lines.", min=1)] = 50,
    folder: FolderOption = None,
) -> None:
    """Show the end of a program's log, or of a user's server's."""
    from flavorframe_facility.machine import processes
    from flavorframe_facility.machine.accounts import server_log

    settings = _saved(folder)
    name = program.value if user is None else server_log(user)
    file = processes.log_file(settings, name)
    if not file.exists():
        raise FacilityError(f"there is no log {file}: it has not been started yet.")
    typer.echo(processes.last_lines(settings, name, lines))


@app.command()
def restart(folder: FolderOption = None) -> None:
    """Start hub and gateway anew; users' servers and clusters live on."""
    from flavorframe_facility.machine import operation

    settings = _saved(folder)
    operation.restart(settings)
    typer.echo(f"The facility is at {settings.url}")


@app.command()
def down(
    folder: FolderOption = None,
    keep_servers: Annotated[
        bool,
        typer.Option(
            "--keep-servers", help="Leave users' servers and clusters running for the next `up`."
        ),
    ] = False,
) -> None:
    """Stop the facility, with users' servers and clusters. Homes and settings stay."""
    from flavorframe_facility.machine import operation

    settings = _saved(folder)
    was_down = operation.state(settings).is_down
    stopped = operation.down(settings, keep_servers=keep_servers)
    servers = "1 server" if stopped == 1 else f"{stopped} servers"
    what = "nothing was running" if was_down else f"stopped, with {servers}"
    if keep_servers:
        what = "stopped; servers and clusters go on"
    typer.echo(f"{what}; what users have is kept in {settings.folder}")


def _summary(settings: Settings, found: State) -> str:
    if found.is_up:
        return settings.url
    return "not running" if found.is_down else "not all of it runs"


def _command(name: str, folder: Path | None) -> str:
    """Return a command to type, with the path of this program, which may not be in PATH."""
    program = sys.argv[0] if Path(sys.argv[0]).name == "flavorframe" else "flavorframe"
    where = "" if folder is None else f" --folder {folder}"
    return f"`{program} facility {name}{where}`"


def _changed(folder: Path | None, chosen: dict[str, Any]) -> Settings:
    """Return the saved settings, changed by the options of the command."""
    from flavorframe_facility import settings
    from flavorframe_facility.machine import operation

    place = (folder or settings.default_folder()).absolute()
    kept = settings.load(place)
    if kept is None:
        return settings.make(folder=place, **chosen)
    new = kept.changed(**chosen)
    if new != kept and not operation.state(kept).is_down:
        raise FacilityError(
            f"the facility in {place} is already running with other settings: stop it with "
            "`flavorframe facility down`, then start it anew."
        )
    return new


def _saved(folder: Path | None) -> Settings:
    """Return the saved settings of a facility, which must exist."""
    from flavorframe_facility import settings

    place = (folder or settings.default_folder()).absolute()
    kept = settings.load(place)
    if kept is None:
        raise FacilityError(
            f"there is no facility in {place}: `flavorframe facility up` starts one, "
            "and --folder says where it is kept."
        )
    return kept


def _login(
    issuer: str | None,
    client_id: str | None,
    secret: Path | None,
    user_group: str | None,
    admin_group: str | None,
) -> dict[str, Any] | None:
    needed = {"--client-id": client_id, "--client-secret-file": secret, "--user-group": user_group}
    if issuer is None:
        given = [name for name, value in needed.items() if value is not None]
        if given:
            raise FacilityError(f"{' and '.join(given)} needs --oidc with the issuer.")
        return None
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise FacilityError(f"--oidc needs {' and '.join(missing)} as well.")
    return {
        "kind": "oidc",
        "issuer": issuer,
        "client_id": client_id,
        "client_secret_file": _absolute(secret),
        "user_group": user_group,
        "admin_group": admin_group,
    }


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
