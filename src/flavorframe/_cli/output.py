"""What commands print and write, and their exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.fit import FitResult
    from flavorframe.result import Results

PARTIAL, INVALID_FIT, DIFFERENCE = 3, 4, 5

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def write_report(
    folder: Path,
    results: Results,
    fits: Mapping[str, FitResult],
    text: str,
    analysis: Analysis | None,
) -> Path:
    """Write the report of results and fits into a folder and return its path."""
    import flavorframe as ff

    return ff.report.write(folder / "report.html", results, fits=fits, text=text, analysis=analysis)


def echo_results(results: Results, fits: Mapping[str, FitResult]) -> None:
    """Print results and fits as text."""
    for result in results.values():
        typer.echo(repr(result))
        typer.echo("")
    echo_fits(fits)


def echo_fits(fits: Mapping[str, FitResult]) -> None:
    """Print fits as text."""
    for era, fitted in fits.items():
        typer.echo(f"{era}: {fitted!r}\n")


def echo_json(results: Results, fits: Mapping[str, FitResult]) -> None:
    """Print results and fits as JSON."""
    from flavorframe.result._json import dump, to_dict

    content: dict[str, Any] = {era: to_dict(result) for era, result in results.items()}
    for era, fitted in fits.items():
        content[era]["fit"] = fitted.to_dict()
    typer.echo(dump(content))


def exit_by(results: Results, fits: Mapping[str, FitResult]) -> None:
    """Exit with the code for a fit that is not valid or a partial result, if there is one."""
    if not all(fitted.valid for fitted in fits.values()):
        raise typer.Exit(INVALID_FIT)
    if not all(result.is_complete for result in results.values()):
        raise typer.Exit(PARTIAL)
