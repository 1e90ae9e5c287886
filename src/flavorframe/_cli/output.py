"""What commands print and write, and their exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flavorframe._cli.fits import Fits, by_region

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.result import Results

PARTIAL, INVALID_FIT, DIFFERENCE = 3, 4, 5

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def write_report(
    folder: Path,
    results: Results,
    fits: Fits,
    text: str,
    analysis: Analysis | None,
) -> Path:
    """Write the report of results and fits into a folder and return its path."""
    import flavorframe as ff

    return ff.report.write(
        folder / "report.html", results, fits=by_region(fits), text=text, analysis=analysis
    )


def echo_results(results: Results, fits: Fits) -> None:
    """Print results and fits as text."""
    for result in results.values():
        typer.echo(repr(result))
        typer.echo("")
    echo_fits(fits)


def echo_fits(fits: Fits) -> None:
    """Print fits as text."""
    for region, eras in fits.items():
        for era, fitted in eras.items():
            typer.echo(f"{f'{region}, ' if region else ''}{era}: {fitted!r}\n")


def echo_json(results: Results, fits: Fits) -> None:
    """Print results and fits as JSON; of regions, each era has its fits by region."""
    from flavorframe.result._json import dump, to_dict

    content: dict[str, Any] = {era: to_dict(result) for era, result in results.items()}
    for region, eras in fits.items():
        for era, fitted in eras.items():
            if region:
                content[era].setdefault("fits", {})[region] = fitted.to_dict()
            else:
                content[era]["fit"] = fitted.to_dict()
    typer.echo(dump(content))


def exit_by(results: Results, fits: Fits) -> None:
    """Exit with the code for a fit that is not valid or a partial result, if there is one."""
    if not all(fitted.valid for eras in fits.values() for fitted in eras.values()):
        raise typer.Exit(INVALID_FIT)
    if not all(result.is_complete for result in results.values()):
        raise typer.Exit(PARTIAL)
