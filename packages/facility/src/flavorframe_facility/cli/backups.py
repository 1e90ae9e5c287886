"""Backing a facility up, and restoring it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe_facility.cli.place import FolderOption, place_of, saved

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a .tar.gz.")]


def backup(file: BackupFile, folder: FolderOption = None) -> None:
    """Copy settings, databases and secrets into FILE; the facility may run. Homes are not in it."""
    from flavorframe_facility.machine import backups

    settings = saved(folder)
    backups.write(settings, file)
    typer.echo(
        f"{file} holds the settings, databases and secrets of {settings.folder}: keep it safe"
    )
    others = [settings.homes, *backups.outside(settings)]
    typer.echo(f"not in it: {', '.join(map(str, others))}")


def restore(
    file: BackupFile,
    folder: FolderOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put the state in FILE in place of what is there; the facility must be down."""
    from flavorframe_facility.machine import backups

    found = backups.read(file, place_of(folder))
    settings = found.settings
    typer.echo(f"{file} was made on {found.made:%Y-%m-%d %H:%M} of the facility at {settings.url}")
    there = backups.replaced(found)
    if there:
        typer.echo(f"it replaces {' and '.join(map(str, there))}")
    typer.echo("all logins and tokens end, and passwords are those of that time; homes stay")
    if there and not yes:
        typer.confirm("Restore it?", abort=True)
    backups.restore(found)
    if there:
        typer.echo(f"what was there is in {backups.aside(settings)}")
    missing = [path for path in backups.outside(settings) if not path.exists()]
    if missing:
        typer.echo(f"not in a backup, and missing here: {', '.join(map(str, missing))}")
    typer.echo("restored; `flavorframe facility up` starts it")
