"""``flavorframe inspect``: show what a file holds."""

from __future__ import annotations

from typing import Annotated

import typer

from flavorframe._cli.output import JsonOption


def inspect(
    file: Annotated[str, typer.Argument(help="ROOT file, by path or URL.")],
    tree: Annotated[str | None, typer.Option(help="Which tree, where there are several.")] = None,
    json: JsonOption = False,
) -> None:
    """Show what a file holds: tree, layout, collections and branches."""
    import flavorframe as ff
    from flavorframe.result.store import dump

    found = ff.inspect(file, tree)
    typer.echo(dump(found.to_dict()) if json else repr(found))
