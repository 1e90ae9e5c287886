"""The command line: ``flavorframe run``, ``certify``, ``sample``, ``inspect``, ``fit``, ``report``,
``cache``, ``workers``, ``proxy`` and ``catalog``, and commands of other packages.

Exit codes: 0 all well; 1 an error, told in a sentence on standard error; 2 wrong usage; 3 the run
is partial, because some files could not be read; 4 a fit is not valid; 5 engines differ.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flavorframe._cli import (
    cache,
    catalog as cli_catalog,
    certify,
    fit,
    inspect,
    proxy as cli_proxy,
    report,
    run,
    sample,
    workers as cli_workers,
)
from flavorframe._cli.packages import Commands
from flavorframe._rootio import own_process
from flavorframe.errors import FlavorframeError

app = typer.Typer(
    cls=Commands,
    epilog="Exit codes: 0 all well, 1 error, 2 wrong usage, 3 partial result, 4 invalid fit, "
    "5 engines differ.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(cli_workers.app, name="workers")
app.add_typer(cli_proxy.app, name="proxy")
app.add_typer(cli_catalog.app, name="catalog")

for command in (
    run.run, certify.certify, fit.fit, report.report, sample.sample, inspect.inspect, cache.cache
):  # fmt: skip
    app.command()(command)


def main() -> None:
    """Run the command line; errors of flavorframe become one message and exit code 1."""
    own_process.tune_process()
    try:
        app()
    except FlavorframeError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        from flavorframe import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print it.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Quasi-interactive flavour-physics analysis."""
