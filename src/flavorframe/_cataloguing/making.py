"""A new catalogue: its eras with their files, and the JSON file that it is written to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flavorframe._files.locations import file_key, refuse_repeats
from flavorframe._files.writing import replacing
from flavorframe.catalogue import catalog
from flavorframe.datasets import Catalog, Places, dataset
from flavorframe.datasets._files import one_tree
from flavorframe.errors import DatasetError, did_you_mean

# Letters that stand in names of files before the first "=", and not in names of eras.
_OF_FILES = frozenset("/:\\*")


@dataclass(frozen=True)
class Era:
    """An era of a new catalogue.

    Attributes:
        files: The places of each file.
        tree: The tree in them, where it is named.
        events: How many events a service says that all files have; None where it does not.
        is_simulation: Whether it is simulation.
        origin: What it was asked of, by the name of the service.
        known: What the user says of it, by keys of a catalogue.
    """

    files: tuple[Places, ...]
    tree: str | None = None
    events: int | None = None
    is_simulation: bool = False
    origin: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Era) -> Era:
        both = self.events is not None and other.events is not None
        events = (self.events or 0) + (other.events or 0) if both else None
        origin = {
            name: " ".join(filter(None, (self.origin.get(name), other.origin.get(name))))
            for name in (*self.origin, *other.origin)
        }
        simulation = self.is_simulation or other.is_simulation
        tree = one_tree([(e.files[0][0], e.tree) for e in (self, other)], None, "one era")
        return Era(self.files + other.files, tree, events, simulation, origin)

    def entry(self) -> dict[str, Any]:
        """Return the entry of the catalogue."""
        files = [places[0] if len(places) == 1 else list(places) for places in self.files]
        entry: dict[str, Any] = {"type": "mc" if self.is_simulation else "data", "files": files}
        entry |= {} if self.tree is None else {"treename": self.tree}
        entry.update(self.known)
        if self.is_simulation and self.events is not None:
            entry["generated_events"] = self.events
        return {**entry, **self.origin}


def named(text: str, option: str) -> tuple[str, str]:
    """Return name and value of ``NAME=VALUE``; raises DatasetError for anything else.

    >>> named("C=root://eos.cern.ch//eos/C/*.root", "--era")
    ('C', 'root://eos.cern.ch//eos/C/*.root')
    """
    name, value = perhaps_named(text)
    if not name or not value:
        raise DatasetError(f"{option} {text}: give the era's name first, as {option} NAME={text}.")
    return name, value


def perhaps_named(text: str) -> tuple[str, str]:
    """Return name and value of ``NAME=VALUE``, where the name may be missing.

    >>> perhaps_named("cms:/Charmonium/Run2017C-v1/NANOAOD")
    ('', 'cms:/Charmonium/Run2017C-v1/NANOAOD')
    """
    name, equals, value = text.partition("=")
    if not equals or _OF_FILES & set(name):
        return "", text
    return name.strip(), value.strip()


def number(text: str, option: str) -> tuple[str, float]:
    """Return name and number of ``NAME=NUMBER``; raises DatasetError for anything else."""
    name, value = named(text, option)
    try:
        return name, float(value)
    except ValueError:
        raise DatasetError(f"{option} {text}: {value!r} is not a number.") from None


def of_files(files: str | Sequence[Sequence[str]], what: str, tree: str | None) -> Era:
    """Return an era of the files that paths, URLs, globs or folders stand for now.

    ``what`` names them in messages, and ``tree`` is in all of them.
    """
    found = dataset(files, name=what, tree=tree)
    several = {places[0]: places for places in found.replicas}
    return Era(tuple(several.get(file, (file,)) for file in found.files), found.tree)


def joined(eras: Sequence[tuple[str, Era]]) -> dict[str, Era]:
    """Return eras by name; the files of those that have one name are put together."""
    found: dict[str, Era] = {}
    for name, era in eras:
        found[name] = found[name] + era if name in found else era
    return found


def with_known(
    eras: Mapping[str, Era], key: str, values: Mapping[str, Any], option: str
) -> dict[str, Era]:
    """Return eras with what the user says of them; raises DatasetError for an unknown name."""
    _require_known(eras, values, option)
    return {
        name: replace(era, known={**era.known, key: values[name]}) if name in values else era
        for name, era in eras.items()
    }


def with_simulation(eras: Mapping[str, Era], names: Sequence[str]) -> dict[str, Era]:
    """Return eras of which those named are simulation; raises DatasetError for an unknown name."""
    _require_known(eras, names, "--simulation")
    return {
        name: replace(era, is_simulation=era.is_simulation or name in names)
        for name, era in eras.items()
    }


def _require_known(
    eras: Mapping[str, Era], names: Mapping[str, Any] | Sequence[str], option: str
) -> None:
    for name in names:
        if name not in eras:
            near = did_you_mean(name, eras) or f" There are {', '.join(map(repr, eras))}."
            raise DatasetError(f"{option}: there is no era {name!r}.{near}")


def written(path: Path, eras: Mapping[str, Era], *, replaces: bool) -> Catalog:
    """Write a catalogue and return it as it is read.

    Raises DatasetError for a file that is there and not to be replaced, for files that would count
    double, and for what no catalogue can say; then nothing is written.
    """
    if not eras:
        raise DatasetError("a catalogue has files: give --era, --list, --das or --rucio.")
    if path.exists() and not replaces:
        raise DatasetError(
            f"{path} is there already: give --replace to have a new one in its place."
        )
    every = [place for era in eras.values() for places in era.files for place in places]
    refuse_repeats(every, str(path), file_key)
    content = {name: era.entry() for name, era in eras.items()}
    catalog(content, base=path.parent)
    with replacing(path) as hidden:
        hidden.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return catalog(path)
