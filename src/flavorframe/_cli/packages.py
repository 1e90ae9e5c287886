"""Commands that other packages add to the command line, as entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias

import typer
from typer.core import TyperGroup

from flavorframe.errors import FacilityError

GROUP = "flavorframe.commands"
"""Entry points of this group are Typer apps; their names are the commands."""

# Classes of Click, which different versions of Typer have in different modules.
Context: TypeAlias = Any
Command: TypeAlias = Any


class Commands(TyperGroup):
    """Commands of flavorframe, then those of other packages.

    Other packages are looked up for the help, and for commands that flavorframe does not have.
    """

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of all commands."""
        own = super().list_commands(ctx)
        return [*own, *sorted(point.name for point in entry_points(group=GROUP))]

    def get_command(self, ctx: Context, cmd_name: str) -> Command:
        """Return a command; None if there is none of that name."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for point in entry_points(group=GROUP, name=cmd_name):
            return _load(point)
        if cmd_name == "facility":
            raise FacilityError(
                "the facility is a package of its own: run pip install flavorframe-facility."
            )
        return None


def _load(point: EntryPoint) -> TyperGroup:
    group = typer.main.get_group(point.load())
    group.name = point.name
    return group
