"""Which version wrote the state of a facility, and bringing that of an older one up to date."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import flavorframe
from flavorframe._files.writing import replacing
from flavorframe.errors import FacilityError
from flavorframe_facility import start
from flavorframe_facility.machine.installation import Report
from flavorframe_facility.machine.sessions import DATABASE
from flavorframe_facility.settings import Settings

FILE = "version.json"
"""File in the folder of a facility."""

STATE = 1
"""Number of the form of the state; it grows when older versions could not use the state."""


@dataclass(frozen=True)
class Version:
    """What wrote the state of a facility.

    Args:
        state: Number of the form of the state; 0 if it was not noted.
        flavorframe: Version of flavorframe.
        jupyterhub: Version of JupyterHub, whose database it is.

    """

    state: int = 0
    flavorframe: str = ""
    jupyterhub: str = ""


def here() -> Version:
    """Return what this installation writes."""
    return Version(STATE, flavorframe.__version__, _jupyterhub())


def _jupyterhub() -> str:
    try:
        return metadata.version("jupyterhub")
    except metadata.PackageNotFoundError:
        raise FacilityError(
            f"JupyterHub is missing: run {sys.executable} -m pip install flavorframe-facility."
        ) from None


def noted(folder: Path) -> Version:
    """Return what wrote the state in a folder.

    Raises:
        FacilityError: The note is damaged.

    """
    try:
        return parse((folder / FILE).read_text())
    except FileNotFoundError:
        return Version()
    except ValueError as error:
        raise FacilityError(
            f"{folder / FILE} is damaged ({error}): remove it if no newer version has been here."
        ) from None


def parse(text: str) -> Version:
    """Return the version in a text; a ValueError says what is wrong."""
    content = json.loads(text)
    if not isinstance(content, dict) or type(content.get("state")) is not int:
        raise ValueError("it holds no number of the state")
    return Version(content["state"], *(str(content.get(name, "")) for name in _PACKAGES))


_PACKAGES = ("flavorframe", "jupyterhub")


def require_known(version: Version, what: str) -> None:
    """Raise FacilityError for state of a newer version.

    Args:
        version: What wrote it.
        what: What it is, for the message.

    """
    if version.state > STATE:
        raise FacilityError(
            f"{what} was written by flavorframe {version.flavorframe}, in a form (number "
            f"{version.state}) that {flavorframe.__version__} does not know: install "
            f"flavorframe-facility {version.flavorframe} or newer."
        )


def upgrade(settings: Settings, report: Report) -> None:
    """Bring the hub's database up to date, and note the version. The hub does not run.

    Args:
        settings: Settings of the facility.
        report: Gets a line if there is something to do.

    Raises:
        FacilityError: The state is of a newer version, or the database cannot be upgraded.

    """
    before, now = noted(settings.folder), here()
    require_known(before, f"the state in {settings.folder}")
    if before == now:
        return
    database = settings.private / DATABASE
    if database.exists() and before.jupyterhub != now.jupyterhub:
        report(f"upgrading the hub's database to that of JupyterHub {now.jupyterhub}")
        _upgrade_database(database, before)
    note(settings.folder, now)


def note(folder: Path, version: Version) -> None:
    """Note what wrote the state in a folder."""
    with replacing(folder / FILE, error=FacilityError) as file:
        file.write_text(json.dumps(asdict(version)) + "\n")


def _upgrade_database(database: Path, before: Version) -> None:
    command = start.command("jupyterhub", "upgrade-db", f"--db=sqlite:///{database}")
    # It calls a program that is beside this Python, and would read a configuration in its folder.
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "PATH": path},
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        last = "\n".join([line for line in said if line.startswith("FAILED")] or said[-5:])
        raise FacilityError(
            f"the hub's database {database}, last used by JupyterHub "
            f"{before.jupyterhub or 'of a version that was not noted'}, cannot be upgraded to that "
            f"of {_jupyterhub()}. Was it used by a newer one? It says:\n{last}"
        )
