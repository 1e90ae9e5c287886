"""The tutorial in users' homes: notebooks and a generated sample.

Files that exist are never changed; a notebook that the user removed comes back when the server
starts again. Files are written by a process of the user, which cannot be misled by a link in the
home to write where the user may not.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from flavorframe.errors import FacilityError
from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine.accounts import Account
from flavorframe_facility.machine.installation import Report
from flavorframe_facility.settings import Settings

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SAMPLE, FRACTION = "sample", 0.05
"""The sample's folder, and its size as a fraction of the published data."""


def tutorial(settings: Settings) -> Path:
    """Return the folder of the tutorial that homes are filled from."""
    return settings.folder / "tutorial"


def prepare(settings: Settings, report: Report) -> None:
    """Write notebooks and sample into the folder that homes are filled from."""
    from flavorframe import samples

    folder = tutorial(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, folder)
    if not (folder / SAMPLE).exists():
        report("making a sample of about 0.4 GB for the tutorial")
        samples.write(folder / SAMPLE, eras=samples.ERAS, fraction=FRACTION)


async def fill(settings: Settings, account: Account) -> None:
    """Copy the tutorial into a user's home, in a process of the user.

    Raises:
        FacilityError: The home cannot be written.

    """
    command = [sys.executable, "-m", __name__, str(tutorial(settings)), str(account.home)]
    identity: dict[str, Any] = {}
    if users_have_accounts():
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, cwd="/", **identity
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise FacilityError(f"{account.home} cannot be filled: {' '.join(reason)}")


def copy_missing(source: Path, home: Path) -> None:
    """Copy the notebooks that a home does not have, and link to the shared sample."""
    folder = home / source.name
    folder.mkdir(exist_ok=True)
    for notebook in source.glob("*.ipynb"):
        if not os.path.lexists(folder / notebook.name):
            shutil.copyfile(notebook, folder / notebook.name)
    if not os.path.lexists(folder / SAMPLE):
        (folder / SAMPLE).symlink_to(source / SAMPLE)


if __name__ == "__main__":
    copy_missing(Path(sys.argv[1]), Path(sys.argv[2]))
