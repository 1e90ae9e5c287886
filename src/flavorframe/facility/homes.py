"""What is in a new home: the tutorial's notebooks and a generated sample.

A file that is there is the user's, and stays as it is. Who removes one gets it anew with the next
start of the server. All is written as the user, so that nobody has it written elsewhere by a link.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from flavorframe.errors import FacilityError
from flavorframe.facility.accounts import Account, are_separate
from flavorframe.facility.installation import Tell
from flavorframe.facility.settings import Settings

NOTEBOOKS = Path(__file__).parent / "notebooks"
SAMPLE, FRACTION = "sample", 0.05
"""The sample's folder, and its size as a fraction of the published data."""


def tutorial(settings: Settings) -> Path:
    """Return the folder that new homes get a copy of."""
    return settings.folder / "tutorial"


def prepare(settings: Settings, tell: Tell) -> None:
    """Put notebooks and a sample into the folder that homes are filled from."""
    from flavorframe import samples

    folder = tutorial(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, folder)
    if not (folder / SAMPLE).exists():
        tell("making a sample of about 0.4 GB for the tutorial")
        samples.write(folder / SAMPLE, eras=samples.ERAS, fraction=FRACTION)


async def furnish(settings: Settings, account: Account) -> None:
    """Copy what the user's home does not have yet, as the user."""
    command = [sys.executable, "-m", __name__, str(tutorial(settings)), str(account.home)]
    identity: dict[str, Any] = {}
    if are_separate():
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, cwd="/", **identity
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise FacilityError(f"{account.home} cannot be filled: {' '.join(reason)}")


def copy_missing(source: Path, home: Path) -> None:
    """Copy the notebooks that a home does not have, and link to the sample, which all can read."""
    folder = home / source.name
    folder.mkdir(exist_ok=True)
    for notebook in source.glob("*.ipynb"):
        if not os.path.lexists(folder / notebook.name):
            shutil.copyfile(notebook, folder / notebook.name)
    if not os.path.lexists(folder / SAMPLE):
        (folder / SAMPLE).symlink_to(source / SAMPLE)


if __name__ == "__main__":
    copy_missing(Path(sys.argv[1]), Path(sys.argv[2]))
