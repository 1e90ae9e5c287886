"""``flavorframe workers``: list and remove the folders that runs keep on workers' machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from flavorframe.errors import AnalysisError

if TYPE_CHECKING:
    from flavorframe._run.delivery.work_folder import Entry

app = typer.Typer(
    help="Folders that runs keep on worker machines, for credentials and files.",
    no_args_is_help=True,
)

OnOption = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler: look on its workers' machines as well."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


@app.command("ls")
def list_folders(on: OnOption = None, as_json: JsonOption = False) -> None:
    """List the folders of your runs, on this machine or on a cluster's."""
    _echo(_folders(on, remove=False), as_json, "No run keeps anything")


@app.command("clean")
def clean_folders(on: OnOption = None, as_json: JsonOption = False) -> None:
    """Remove folders that killed processes left behind; those in use stay."""
    _echo(_folders(on, remove=True), as_json, "Nothing was left behind")


def _folders(on: str | None, *, remove: bool) -> list[Entry]:
    from flavorframe._run.delivery import work_folder

    here = work_folder.clean() if remove else work_folder.entries()
    if on is None:
        return here
    _require_address(on)
    from flavorframe._run.dask.cluster import client_for
    from flavorframe._run.dask.worker_delivery import work_folders_of

    with client_for(on, None) as client:
        found = work_folders_of(client, remove=remove)
    return list({(entry.host, entry.path): entry for entry in [*here, *found]}.values())


def _require_address(on: str) -> None:
    from flavorframe._run.targets import SCHEMES

    if not on.startswith(SCHEMES) or urlsplit(on).port is None:
        raise AnalysisError(
            f"--on {on} is no address of a Dask scheduler: it looks like tcp://host:8786."
        )


def _echo(found: Sequence[Entry], as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in found], indent=2))
        return
    for entry in found:
        since = datetime.fromtimestamp(entry.since, timezone.utc).astimezone()
        state = "in use" if entry.in_use else "left behind"
        typer.echo(
            f"{entry.host}  {entry.path}  {entry.bytes / 1e6:.1f} MB  "
            f"process {entry.process} since {since:%Y-%m-%d %H:%M}  {state}"
        )
    if not found:
        typer.echo(f"{nothing}.")
