"""``flavorframe cache``: show what the cache of runs holds, or clear it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class CacheAction(str, Enum):
    """The actions on a cache."""

    clear = "clear"


def cache(
    action: Annotated[
        CacheAction | None, typer.Argument(help="`clear` removes everything that is kept.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="By default $FLAVORFRAME_CACHE or ~/.cache/flavorframe.")
    ] = None,
) -> None:
    """Show what the cache of runs holds, or clear it."""
    from flavorframe._cache import Store, default_folder

    store = Store(folder or default_folder())
    number, size = store.size() if action is None else store.clear()
    cleared = "" if action is None else "cleared: "
    entries = "1 entry" if number == 1 else f"{number:,} entries"
    typer.echo(f"{cleared}{entries}, {size / 1e6:,.1f} MB in {store.folder}")
