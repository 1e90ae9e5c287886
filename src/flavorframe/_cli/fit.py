"""``flavorframe fit``: fit a mass histogram of saved results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe._cli.fits import fit_all, mass_model
from flavorframe._cli.output import JsonOption, echo_fits, echo_json, exit_by


def fit(
    folder: Annotated[Path, typer.Argument(help="Folder of results, as `run` writes it.")],
    histogram: Annotated[
        str, typer.Option(help="Which histogram to fit; signal.mass is that of a region.")
    ] = "mass",
    model: Annotated[str, typer.Option(help="Mass model.")] = "dsphi",
    minos: Annotated[bool, typer.Option(help="Compute MINOS errors.")] = False,
    json: JsonOption = False,
) -> None:
    """Fit a mass histogram of saved results, era by era, and plot each fit."""
    import flavorframe as ff
    from flavorframe._files.writing import file_name
    from flavorframe.result._saving import folder_of

    results = ff.load(folder)
    fits = fit_all(results, {histogram: mass_model(model)}, minos=minos)
    for era, fitted in next(iter(fits.values())).items():
        fitted.plot(path=folder_of(folder, era) / f"{file_name(histogram)}_fit.png")
    if json:
        echo_json(results, fits)
    else:
        echo_fits(fits)
    exit_by(results, fits)
