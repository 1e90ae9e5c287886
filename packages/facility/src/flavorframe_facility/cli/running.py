"""Starting and stopping a facility."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flavorframe.errors import FacilityError
from flavorframe_facility.cli.place import FolderOption, place_of, saved

if TYPE_CHECKING:
    from flavorframe_facility.settings import Settings


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


def restart(folder: FolderOption = None) -> None:
    """Start hub and gateway anew; users' servers and clusters live on."""
    from flavorframe_facility.machine import operation

    settings = saved(folder)
    operation.restart(settings, typer.echo)
    typer.echo(f"The facility is at {settings.url}")


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

    settings = saved(folder)
    was_down = operation.state(settings).is_down
    stopped = operation.down(settings, keep_servers=keep_servers)
    servers = "1 server" if stopped == 1 else f"{stopped} servers"
    what = "nothing was running" if was_down else f"stopped, with {servers}"
    if keep_servers:
        what = "stopped; servers and clusters go on"
    typer.echo(f"{what}; what users have is kept in {settings.folder}")


def _command(name: str, folder: Path | None) -> str:
    """Return a command to type, with the path of this program, which may not be in PATH."""
    program = sys.argv[0] if Path(sys.argv[0]).name == "flavorframe" else "flavorframe"
    where = "" if folder is None else f" --folder {folder}"
    return f"`{program} facility {name}{where}`"


def _changed(folder: Path | None, chosen: dict[str, Any]) -> Settings:
    """Return the saved settings, changed by the options of the command."""
    from flavorframe_facility import settings
    from flavorframe_facility.machine import operation

    place = place_of(folder)
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
