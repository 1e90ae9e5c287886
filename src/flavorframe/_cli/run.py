"""``flavorframe run``: run an analysis, and write results and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe._cli.data import datasets_of
from flavorframe._cli.fits import fit_all
from flavorframe._cli.output import (
    PARTIAL,
    JsonOption,
    echo_json,
    echo_results,
    exit_by,
    write_report,
)
from flavorframe._cli.script import load_script, require_models, with_variations
from flavorframe.errors import OutputError


def run(
    script: Annotated[Path, typer.Argument(help="Python file that defines `analysis`.")],
    files: Annotated[list[str] | None, typer.Argument(help="ntuples, or globs of them.")] = None,
    catalog: Annotated[str | None, typer.Option(help="Catalogue of datasets, in JSON.")] = None,
    era: Annotated[
        list[str] | None, typer.Option(help="Era, or pattern such as '2017*'; may be repeated.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Folder or URL before the root paths.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for results and report.")] = Path("out"),
    threads: Annotated[int | None, typer.Option(help="By default, all cores.")] = None,
    engine: Annotated[str, typer.Option(help="columnar, or rdataframe.")] = "columnar",
    on: Annotated[
        str | None, typer.Option(help="Dask scheduler's address, 'dask' or 'gateway'.")
    ] = None,
    variations: Annotated[
        list[str] | None,
        typer.Option(help="'all', 'none', or a source such as 'muon ID'; may be repeated."),
    ] = None,
    cache: Annotated[
        bool | None, typer.Option(help="Keep what was read and computed, for the next run.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run an analysis on files, or on eras of a catalogue, and write results and a report."""
    loaded = with_variations(load_script(script), variations or ["all"])
    require_models(loaded, script)
    datasets = datasets_of(files or [], catalog, era or [], base)
    results = loaded.analysis.run(
        datasets,
        on=on,
        cache=cache,
        output=output,
        threads=threads,
        engine=engine,
        progress=False if json else None,
    )
    fits = fit_all(results, loaded.models)
    try:
        where = write_report(output, results, fits, loaded.text, loaded.analysis)
        report_path, problem = str(where), ""
    except OutputError as error:  # such as a full disk: what was computed is shown
        report_path, problem = "none", f"there is no report: {error}"
    if json:
        echo_json(results, fits)
    else:
        echo_results(results, fits)
        typer.echo(f"results in {output}, report in {report_path}")
    if problem:
        typer.echo(problem, err=True)
    exit_by(results, fits)
    if problem:
        raise typer.Exit(PARTIAL)
