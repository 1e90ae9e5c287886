"""``flavorframe report``: write the report of saved results anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe._cli.fits import fit_all
from flavorframe._cli.output import write_report
from flavorframe._cli.script import load_script, require_models


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of results, as `run` writes it.")],
    script: Annotated[
        Path | None, typer.Option(help="Analysis file, for its text, selection and fits.")
    ] = None,
) -> None:
    """Write the report of saved results anew."""
    import flavorframe as ff

    results = ff.load(folder)
    loaded = None if script is None else load_script(script)
    if loaded is not None:
        require_models(loaded, script)
    fits = {} if loaded is None else fit_all(results, loaded.models)
    text = "" if loaded is None else loaded.text
    analysis = None if loaded is None else loaded.analysis
    typer.echo(write_report(folder, results, fits, text, analysis))
