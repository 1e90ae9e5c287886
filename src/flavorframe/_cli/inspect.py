"""``flavorframe inspect``: show what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe._cli.output import JsonOption


def inspect(
    file: Annotated[str, typer.Argument(help="ROOT file, by path or URL.")],
    tree: Annotated[str | None, typer.Option(help="Which tree, where there are several.")] = None,
    layout: Annotated[
        str | None, typer.Option(help="What branches are called: a TOML file, or a known layout.")
    ] = None,
    write_layout: Annotated[
        Path | None, typer.Option(help="Draft a layout for the file, into a new TOML file.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a file holds: tree, layout, collections and branches."""
    import flavorframe as ff
    from flavorframe.result._json import dump

    found = ff.inspect(file, tree, layout=layout)
    if write_layout is not None:
        written = found.write_layout(write_layout)
        typer.echo(f"wrote {written}: edit it, and use it as ff.dataset(..., layout='{written}')")
        return
    typer.echo(dump(found.to_dict()) if json else repr(found))
