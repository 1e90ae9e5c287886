"""``flavorframe catalog``: make catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flavorframe._cataloguing.making import Era

app = typer.Typer(no_args_is_help=True, help="Make catalogues of datasets.")

Texts = list[str] | None


@app.callback()
def _catalog() -> None:
    """Keep ``make`` a command of its own, also as long as it is the only one."""


@app.command()
def make(
    path: Annotated[Path, typer.Argument(help="JSON file to write.")],
    era: Annotated[
        Texts,
        typer.Option(metavar="NAME=FILES", help="Files of an era: a path, URL, glob or folder."),
    ] = None,
    listed: Annotated[
        Texts,
        typer.Option(
            "--list", metavar="NAME=FILE", help="Text file, a file on a line with its replicas."
        ),
    ] = None,
    das: Annotated[
        Texts, typer.Option(metavar="[NAME=]DATASET", help="Dataset of CMS, by dasgoclient.")
    ] = None,
    rucio: Annotated[
        Texts,
        typer.Option(metavar="[NAME=]SCOPE:NAME", help="Dataset of Rucio, with its replicas."),
    ] = None,
    luminosity: Annotated[
        Texts, typer.Option(metavar="NAME=NUMBER", help="Integrated luminosity [1/fb].")
    ] = None,
    cross_section: Annotated[
        Texts, typer.Option(metavar="NAME=NUMBER", help="Cross section of a simulation [pb].")
    ] = None,
    simulation: Annotated[
        Texts, typer.Option(metavar="NAME", help="Era that is simulation.")
    ] = None,
    tree: Annotated[str | None, typer.Option(help="Tree in all files.")] = None,
    server: Annotated[
        Texts, typer.Option(help="With --das: URL before names of files; several are replicas.")
    ] = None,
    rse: Annotated[
        str | None, typer.Option(help="With --rucio: expression of the storages to take.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file.")] = False,
) -> None:
    """Write a catalogue of files that are found now; all options with NAME may be repeated."""
    from flavorframe._cataloguing import making

    _refuse_alone({"--server": bool(server), "--rse": bool(rse)}, bool(das), bool(rucio))
    found = [*_of_files(era or [], listed or [], tree)]
    found += _of_das(das or [], server or [], tree)
    found += _of_rucio(rucio or [], rse, tree)
    eras = making.with_simulation(making.joined(found), simulation or [])
    numbers = {"lumi": ("--luminosity", luminosity), "xsec": ("--cross-section", cross_section)}
    for key, (option, texts) in numbers.items():
        values = dict(making.number(text, option) for text in texts or [])
        eras = making.with_known(eras, key, values, option)
    typer.echo(repr(making.written(path, eras, replaces=replace)))


def _refuse_alone(given: dict[str, bool], das: bool, rucio: bool) -> None:
    from flavorframe.errors import DatasetError

    for (option, is_given), (service, asked) in zip(
        given.items(), {"--das": das, "--rucio": rucio}.items(), strict=True
    ):
        if is_given and not asked:
            raise DatasetError(f"{option} is about {service}: give {service}, or leave it out.")


def _of_files(eras: list[str], lists: list[str], tree: str | None) -> Iterator[tuple[str, Era]]:
    from flavorframe._cataloguing import lists as lists_of_files, making

    for text in eras:
        name, files = making.named(text, "--era")
        yield name, making.of_files(files, f"--era {name}", tree)
    for text in lists:
        name, path = making.named(text, "--list")
        yield name, lists_of_files.of_list(path, tree)


def _of_das(datasets: list[str], servers: list[str], tree: str | None) -> Iterator[tuple[str, Era]]:
    from flavorframe._cataloguing import cms, das, making

    for text in datasets:
        name, dataset = making.perhaps_named(text)
        yield name or cms.era_of(dataset), das.of_das(dataset, servers or das.SERVERS, tree)


def _of_rucio(datasets: list[str], rse: str | None, tree: str | None) -> Iterator[tuple[str, Era]]:
    from flavorframe._cataloguing import cms, making, rucio

    for text in datasets:
        name, did = making.perhaps_named(text)
        yield name or cms.era_of(did.partition(":")[2]), rucio.of_rucio(did, rse, tree)
