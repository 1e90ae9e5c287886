"""``flavorframe certify``: certify that engines agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flavorframe._cli.data import datasets_of
from flavorframe._cli.output import DIFFERENCE, PARTIAL, JsonOption
from flavorframe._cli.script import load_script


def certify(
    script: Annotated[Path, typer.Argument(help="Python file that defines `analysis`.")],
    files: Annotated[list[str] | None, typer.Argument(help="ntuples, or globs of them.")] = None,
    catalog: Annotated[str | None, typer.Option(help="Catalogue of datasets, in JSON.")] = None,
    era: Annotated[list[str] | None, typer.Option(help="Era; may be repeated.")] = None,
    base: Annotated[str | None, typer.Option(help="Folder or URL before the root paths.")] = None,
    engines: Annotated[str, typer.Option(help="Names with commas.")] = "columnar,rdataframe",
    output: Annotated[
        Path | None, typer.Option(help="Folder for the certificates, as pages and JSON.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run an analysis with several engines and certify that they agree, cut by cut."""
    from flavorframe._files.writing import file_name, make_folder
    from flavorframe.certificate import certify as compare
    from flavorframe.result.store import dump

    loaded = load_script(script)
    names = [name.strip() for name in engines.split(",")]
    datasets = datasets_of(files or [], catalog, era or [], base)
    found = {e: compare(loaded.analysis, data, engines=names) for e, data in datasets.items()}
    for name, certificate in found.items():
        if output is not None:
            make_folder(output)
            certificate.save(output / f"{file_name(name)}_certificate.html")
            certificate.save(output / f"{file_name(name)}_certificate.json")
        if not json:
            typer.echo(f"{certificate!r}\n")
    if json:
        typer.echo(dump({name: certificate.to_dict() for name, certificate in found.items()}))
    if not all(certificate.agrees for certificate in found.values()):
        raise typer.Exit(DIFFERENCE)
    if any(certificate.unread for certificate in found.values()):
        raise typer.Exit(PARTIAL)
