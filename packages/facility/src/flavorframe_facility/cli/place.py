"""Which facility a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flavorframe.errors import FacilityError

if TYPE_CHECKING:
    from flavorframe_facility.settings import Settings

FolderOption = Annotated[
    Path | None,
    typer.Option(
        readable=False,  # it is closed to others, and a message of ours says so
        help="What the facility keeps. By default /var/lib/flavorframe/facility for root, "
        "~/.local/share/flavorframe/facility for others.",
    ),
]


def place_of(folder: Path | None) -> Path:
    """Return the folder of a facility."""
    from flavorframe_facility import settings

    return (folder or settings.default_folder()).absolute()


def saved(folder: Path | None) -> Settings:
    """Return the saved settings of a facility, which must exist and be of who asks."""
    from flavorframe_facility import settings
    from flavorframe_facility.machine.folders import closed_by

    place = place_of(folder)
    kept = settings.load(place)
    if kept is None:
        raise FacilityError(
            f"there is no facility in {place}: `flavorframe facility up` starts one, "
            "and --folder says where it is kept."
        )
    owner = closed_by(kept.private)
    if owner is not None:
        raise FacilityError(f"the facility in {place} is {owner}'s: run this as {owner}.")
    return kept
