"""The command line: ``flavorframe run``, ``certify``, ``sample``, ``inspect``, ``fit``, ``report``,
``cache``, ``workers`` and ``proxy``, and commands of other packages.

Exit codes: 0 all well; 1 an error, told in a sentence on standard error; 2 wrong usage; 3 the run
is partial, because some files could not be read; 4 a fit is not valid; 5 engines differ.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flavorframe._cli import proxy as cli_proxy, workers as cli_workers
from flavorframe._cli.packages import Commands
from flavorframe.errors import (
    AnalysisError,
    DatasetError,
    FlavorframeError,
    OutputError,
    did_you_mean,
)

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.datasets import Dataset
    from flavorframe.fit import FitResult, MassModel
    from flavorframe.result.result import Results

PARTIAL, INVALID_FIT, DIFFERENCE = 3, 4, 5

app = typer.Typer(
    cls=Commands,
    epilog="Exit codes: 0 all well, 1 error, 2 wrong usage, 3 partial result, 4 invalid fit, "
    "5 engines differ.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(cli_workers.app, name="workers")
app.add_typer(cli_proxy.app, name="proxy")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


class LayoutName(str, Enum):
    """The layouts that samples come in."""

    nano = "nano"
    bph = "bph"


class CacheAction(str, Enum):
    """What can be done to the cache."""

    clear = "clear"


@dataclass(frozen=True)
class Script:
    """What an analysis file defines: the analysis, mass models by histogram, and its own text."""

    analysis: Analysis
    models: Mapping[str, MassModel]
    text: str


def main() -> None:
    """Run the command line; errors of flavorframe become one message and exit code 1."""
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


@app.command()
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
    cache: Annotated[
        bool | None, typer.Option(help="Keep what was read and computed, for the next run.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run an analysis on files, or on eras of a catalogue, and write results and a report."""
    loaded = _load_script(script)
    _check_models(loaded, script)
    datasets = _datasets(files or [], catalog, era or [], base)
    results = loaded.analysis.run(
        datasets,
        on=on,
        cache=cache,
        output=output,
        threads=threads,
        engine=engine,
        progress=False if json else None,
    )
    fits = _fit_all(results, loaded.models)
    try:
        where = _write_report(output, results, fits, loaded.text, loaded.analysis)
        report_path, problem = str(where), ""
    except OutputError as error:  # such as a full disk: what was computed is shown
        report_path, problem = "none", f"there is no report: {error}"
    if json:
        _echo_json(results, fits)
    else:
        _echo_results(results, fits)
        typer.echo(f"results in {output}, report in {report_path}")
    if problem:
        typer.echo(problem, err=True)
    _exit(results, fits)
    if problem:
        raise typer.Exit(PARTIAL)


@app.command()
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

    loaded = _load_script(script)
    names = [name.strip() for name in engines.split(",")]
    datasets = _datasets(files or [], catalog, era or [], base)
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


@app.command()
def fit(
    folder: Annotated[Path, typer.Argument(help="Folder of results, as `run` writes it.")],
    histogram: Annotated[str, typer.Option(help="Which histogram to fit.")] = "mass",
    model: Annotated[str, typer.Option(help="Mass model.")] = "dsphi",
    minos: Annotated[bool, typer.Option(help="Compute MINOS errors.")] = False,
    json: JsonOption = False,
) -> None:
    """Fit a mass histogram of saved results, era by era, and plot each fit."""
    import flavorframe as ff
    from flavorframe._files.writing import file_name
    from flavorframe.result.store import folder_of

    results = ff.load(folder)
    fits = _fit_all(results, {histogram: _model(model)}, minos=minos)
    for era, fitted in fits.items():
        fitted.plot(path=folder_of(folder, era) / f"{file_name(histogram)}_fit.png")
    if json:
        _echo_json(results, fits)
    else:
        _echo_fits(fits)
    _exit(results, fits)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of results, as `run` writes it.")],
    script: Annotated[
        Path | None, typer.Option(help="Analysis file, for its text, selection and fits.")
    ] = None,
) -> None:
    """Write the report of saved results anew."""
    import flavorframe as ff

    results = ff.load(folder)
    loaded = None if script is None else _load_script(script)
    if loaded is not None:
        _check_models(loaded, script)
    fits = {} if loaded is None else _fit_all(results, loaded.models)
    text = "" if loaded is None else loaded.text
    analysis = None if loaded is None else loaded.analysis
    typer.echo(_write_report(folder, results, fits, text, analysis))


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where the ntuples and the catalogue go.")],
    fraction: Annotated[
        float, typer.Option(help="Size as a fraction of the 2017 data's (1 is about 38 fb⁻¹).")
    ] = 0.01,
    era: Annotated[
        list[str] | None, typer.Option(help="Era; may be repeated. By default, all.")
    ] = None,
    layout: Annotated[LayoutName, typer.Option(help="Layout of the files.")] = LayoutName.nano,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 2017,
) -> None:
    """Make realistic ntuples with known truth, and their catalogue."""
    import flavorframe as ff

    eras = tuple(era or ff.samples.ERAS)
    catalogue = ff.samples.write(
        folder, eras=eras, fraction=fraction, layout=layout.value, seed=seed
    )
    typer.echo(catalogue)


@app.command()
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


@app.command()
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


def _load_script(path: Path) -> Script:
    from flavorframe.analysis import Analysis

    if not path.is_file():
        raise AnalysisError(f"there is no analysis file {path}.")
    module = _import(path)
    analysis = getattr(module, "analysis", None)
    if not isinstance(analysis, Analysis):
        raise AnalysisError(f"{path} defines no `analysis = ff.Analysis(...)`.")
    return Script(analysis, getattr(module, "models", {}), module.__doc__ or "")


def _check_models(script: Script, path: Path | None) -> None:
    """Raise AnalysisError, before anything is read, for models that could not all be fitted."""
    where, models = f"{path}: models", script.models
    if not isinstance(models, Mapping):
        raise AnalysisError(f"{where} should be {{'mass': ff.fit.dsphi()}}, not {models!r}.")
    if len(models) > 1:
        raise AnalysisError(
            f"{where} has {', '.join(map(repr, models))}, and the report shows one fit of each "
            "era: leave one of them, and fit the others in Python."
        )
    from flavorframe.outputs import Histogram

    outputs = dict(script.analysis.outputs)
    for name in models:
        if not isinstance(outputs.get(name), Histogram):
            raise AnalysisError(
                f"{where} names {name!r}, which is no histogram of the analysis."
                f"{did_you_mean(str(name), outputs)}"
            )


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AnalysisError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # as `python analysis.py` would find its neighbours
    try:
        spec.loader.exec_module(module)
    except FlavorframeError:
        raise
    except Exception as error:  # whatever the user's own code raises: say where
        raise AnalysisError(
            f"{path}{_line(error, path)}: {type(error).__name__}: {error}"
        ) from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """Return the last line of the file that the error passed through."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}" if lines else ""


def _datasets(
    files: list[str], catalog: str | None, eras: list[str], base: str | None
) -> Mapping[str, Dataset]:
    import flavorframe as ff

    if bool(files) == bool(catalog):
        raise DatasetError("give either files or --catalog, to say what to run on.")
    for option, value in {"--era": eras, "--base": base}.items():
        if catalog is None and value:
            raise DatasetError(f"{option} is about a catalogue: give --catalog, or leave it out.")
    if catalog is None:
        return {"files": ff.dataset(files, name="files")}
    return ff.catalog(catalog, base=base).select(*eras)


def _model(name: str) -> MassModel:
    import flavorframe as ff

    models = {"dsphi": ff.fit.dsphi}
    if name not in models:
        raise AnalysisError(f"there is no mass model {name!r}.{did_you_mean(name, models)}")
    return models[name]()


def _fit_all(
    results: Results, models: Mapping[str, MassModel], *, minos: bool = False
) -> dict[str, FitResult]:
    """Fit the histogram that has a model, in each era."""
    if not models:
        return {}
    histogram, model = next(iter(models.items()))
    return {
        era: model.fit(result[histogram], minos=minos, luminosity=result.luminosity)
        for era, result in results.items()
    }


def _write_report(
    folder: Path,
    results: Results,
    fits: Mapping[str, FitResult],
    text: str,
    analysis: Analysis | None,
) -> Path:
    import flavorframe as ff

    return ff.report.write(folder / "report.html", results, fits=fits, text=text, analysis=analysis)


def _echo_results(results: Results, fits: Mapping[str, FitResult]) -> None:
    for result in results.values():
        typer.echo(repr(result))
        typer.echo("")
    _echo_fits(fits)


def _echo_fits(fits: Mapping[str, FitResult]) -> None:
    for era, fitted in fits.items():
        typer.echo(f"{era}: {fitted!r}\n")


def _echo_json(results: Results, fits: Mapping[str, FitResult]) -> None:
    from flavorframe.result.store import dump, to_dict

    content: dict[str, Any] = {era: to_dict(result) for era, result in results.items()}
    for era, fitted in fits.items():
        content[era]["fit"] = fitted.to_dict()
    typer.echo(dump(content))


def _exit(results: Results, fits: Mapping[str, FitResult]) -> None:
    if not all(fitted.valid for fitted in fits.values()):
        raise typer.Exit(INVALID_FIT)
    if not all(result.is_complete for result in results.values()):
        raise typer.Exit(PARTIAL)
