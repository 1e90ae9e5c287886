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

from flavorframe.errors import FacilityError
from flavorframe_facility.machine.enter import Entry, command
from flavorframe_facility.machine.folders import make_folder
from flavorframe_facility.machine.installation import Report
from flavorframe_facility.settings import Settings

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SAMPLE, FRACTION = "sample", 0.05
"""The sample's folder, and its size as a fraction of the published data."""

INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
"""Environment variables that the copying needs."""

PATIENCE = 120
"""Seconds that the copying may take, on a busy machine."""

_LONGEST = 1 << 16  # bytes of errors that are read


def tutorial(settings: Settings) -> Path:
    """Return the folder of the tutorial that homes are filled from."""
    return settings.folder / "tutorial"


def prepare(settings: Settings, report: Report) -> None:
    """Write notebooks and sample into the folder that homes are filled from."""
    from flavorframe import samples

    folder = tutorial(settings)
    make_folder(folder, 0o755)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, folder)
    if not (folder / SAMPLE).exists():
        report("making a sample of about 0.4 GB for the tutorial")
        samples.write(folder / SAMPLE, eras=samples.ERAS, fraction=FRACTION)


async def fill(settings: Settings, home: Path, start: Entry) -> None:
    """Copy the tutorial into a user's home, in a process of the user.

    The user can take control of that process: it has nothing of the hub, neither environment nor
    open files, and it is within the limits of the user's server.

    Args:
        settings: Settings of the facility.
        home: The home.
        start: How a process gets the account of the user, and its limits.

    Raises:
        FacilityError: The home cannot be written.

    """
    copying = [sys.executable, "-m", __name__, str(tutorial(settings)), str(home)]
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command(start, copying),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment | {"HOME": str(home)},
        cwd="/",
        start_new_session=True,
    )
    try:
        said = await asyncio.wait_for(_end_of(process), PATIENCE)
    except asyncio.TimeoutError:
        process.kill()
        said = f"it takes longer than {PATIENCE} s"
    if await process.wait() != 0:
        raise FacilityError(f"{home} cannot be filled: {said}")


async def _end_of(process: asyncio.subprocess.Process) -> str:
    """Return the last line of a process's errors, of which no more is read than it may say."""
    if process.stderr is None:
        return ""
    said = b""
    while len(said) < _LONGEST and (part := await process.stderr.read(_LONGEST)):
        said += part
    if len(said) >= _LONGEST:
        process.kill()
    return " ".join(said.decode(errors="replace").strip().splitlines()[-1:])


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
