"""Catalogues: datasets listed in a JSON file, checked before anything is read."""

from __future__ import annotations

import difflib
import functools
import json
import os
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flavorframe._files.locations import is_url, normalized, refuse_repeats
from flavorframe.datasets import Catalog, Dataset, Kind, PathLike
from flavorframe.datasets._dataset import KINDS, TOTALS
from flavorframe.datasets._files import as_entries, below, files_by_tree
from flavorframe.datasets._replicas import Places, replicas_of
from flavorframe.errors import DatasetError, FileError, LayoutError, did_you_mean
from flavorframe.layouts import Layout, find_layout

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_ONLY_SIMULATION = ("xsec", "cross_section", *TOTALS)
# Below this likeness (0 to 1) an unknown key is taken for a note of the user's own.
_MISSPELLING = 0.7


def catalog(source: PathLike | Mapping[str, Any], *, base: PathLike | None = None) -> Catalog:
    """Return the datasets that a catalogue lists: a JSON file, or a mapping of the same form.

    An entry is ``"2017B": {"type": "data", "files": "Tree_1.root Tree_2.root", "rootpath":
    "skim/0000/", "treename": "Tree3Mu/ntuple", "era": "2017B", "lumi": 4.8}``. Only ``type``
    ("data", "mc" or "simulation") and ``files`` (one string of names, or a list) are required;
    ``lumi`` is in fb⁻¹; ``layout`` is the name of a layout, or a TOML file. Simulation may add
    ``xsec`` [pb], ``generated_events``, and ``sumw``: the sum of generator weights, or the branch
    or histogram in which each file has it (by default ``"Runs/genEventSumw"``). Other keys are kept
    in ``meta``. Files lie in ``base``/``rootpath``; absolute paths and URLs are used as they are,
    and globs are expanded. A list in the list of files is one file, in several places.

    Args:
        source: The JSON file, or a mapping of eras.
        base: Local folder or URL before the root paths; by default the catalogue's folder.

    Returns:
        The datasets by name.

    Raises:
        FileError: The catalogue cannot be read.
        DatasetError: The catalogue is wrong; the message says where.
        LayoutError: So is a layout that it names.

    Example:
        >>> eras = {"2017B": {"type": "data", "files": "Tree_1.root", "rootpath": "/skim/0000"}}
        >>> catalog(eras, base="root://eos.cern.ch//eos/user/")["2017B"].files
        ('root://eos.cern.ch//eos/user/skim/0000/Tree_1.root',)
    """
    if isinstance(source, Mapping):
        return _catalog(source, "catalogue", os.fspath(base or os.curdir))
    path = os.fspath(source)
    return _catalog(_load(path), path, os.fspath(base or os.path.dirname(path)))


def _load(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, object_pairs_hook=functools.partial(_object, path))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DatasetError(f"{path} is not valid JSON at {place}: {error.msg}.") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not a text file in UTF-8, so it is no catalogue.") from None
    except OSError as error:
        raise FileError(f"cannot read the catalogue {path}: {error.strerror}.") from None


def _object(path: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON lets a key come twice and the last one win: an era would vanish unnoticed.
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise DatasetError(
            f"{path} gives {repeated[0]!r} twice in one object; rename or remove one."
        )
    return dict(pairs)


def _catalog(entries: Any, source: str, base: str) -> Catalog:
    if not isinstance(entries, Mapping) or not entries:
        raise DatasetError(f"{source} should be an object of eras, such as {{'2017B': {{…}}}}.")
    _require_text(entries, source)
    return Catalog(
        {key: _entry(key, value, source, base) for key, value in entries.items()}, source
    )


def _entry(name: str, entry: Any, source: str, base: str) -> Dataset:
    where = f"{source}, era {name!r}"
    if not isinstance(entry, Mapping):
        raise DatasetError(f"{where}: should be an object with 'type' and 'files', not {entry!r}.")
    _require_text(entry, where)
    known = _validated(entry, where)
    kind = KINDS[known.pop("type")]
    _refuse_simulation_keys(kind, entry, where)
    entries = _located(known.pop("files"), base, known.pop("rootpath"), where)
    return Dataset(
        name=name,
        era=known.pop("era", name),
        files=tuple(places[0] for places in entries),
        replicas=replicas_of(entries),
        tree=known.pop("treename", None),
        luminosity=known.pop("lumi", None),
        kind=kind,
        meta=known,
        layout=_layout(known, base, where),
    )


def _layout(known: dict[str, Any], base: str, where: str) -> Layout | None:
    asked = known.pop("layout", None)
    if asked is None:
        return None
    try:
        return find_layout(below(base, asked) if asked.endswith(".toml") else asked)
    except LayoutError as error:
        raise LayoutError(f"{where}, key 'layout': {error}") from None


def _located(names: list[str | list[str]], base: str, rootpath: str, where: str) -> list[Places]:
    """Return the full paths of files, each with its places."""
    entries = as_entries(names, f"{where}, key 'files'")
    try:
        folder = _folder(base, rootpath)
        files = [tuple(below(folder, place) for place in places) for places in entries]
    except DatasetError as error:
        raise DatasetError(f"{where}: {error}") from None
    refuse_repeats([place for places in files for place in places], f"{where}, key 'files'")
    return files


def _folder(base: str, rootpath: str) -> str:
    """Return the folder of the files; rootpaths begin with a slash also where base is meant.

    So on this machine an absolute one is itself where there is that folder.
    """
    inside, itself = below(base, rootpath.lstrip("/")), normalized(rootpath)
    if is_url(inside) or not os.path.isabs(itself) or not os.path.isdir(itself):
        return inside
    if os.path.isdir(inside) and not os.path.samefile(inside, itself):
        raise DatasetError(
            f"'rootpath' {rootpath} can be two folders, itself and {inside}: leave its first slash "
            f"out if the latter is meant, or write file://{itself}."
        )
    return itself


def _validated(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    from pydantic import ValidationError

    _refuse_misspellings(entry, where)
    files = entry.get("files")
    if isinstance(files, str):
        entry = {**entry, "files": files.split()}
    if isinstance(files, Mapping):
        key = "tree" if "tree" in entry else "treename"
        names, tree = files_by_tree(files, entry.get(key), where)
        entry = {**entry, "files": names, key: tree}
    try:
        return _schema().model_validate(entry).model_dump(exclude_none=True)
    except ValidationError as error:
        raise DatasetError(_explained(error, where)) from None


@functools.cache
def _schema() -> type[BaseModel]:
    # Inside a function because a dataset made by hand should not wait for pydantic's import.
    from pydantic import AliasChoices, BaseModel, ConfigDict, Field, NonNegativeFloat

    class Entry(BaseModel):
        model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

        type: Literal["data", "mc", "simulation"]
        files: list[str | list[str]] = Field(min_length=1)
        rootpath: str = ""
        treename: str | None = Field(None, validation_alias=AliasChoices("treename", "tree"))
        era: str | None = None
        skim: str | None = None
        lumi: NonNegativeFloat | None = Field(
            None, validation_alias=AliasChoices("lumi", "luminosity")
        )
        cross_section: NonNegativeFloat | None = Field(
            None, validation_alias=AliasChoices("xsec", "cross_section")
        )
        layout: str | None = None
        sumw: float | str | None = None  # or where each file has it
        generated_events: int | None = Field(None, ge=0)

    return Entry


@functools.cache
def _synonyms() -> tuple[tuple[str, ...], ...]:
    """Return the accepted spellings of each key of an entry."""
    fields = _schema().model_fields.items()
    aliases = {name: getattr(info.validation_alias, "choices", [name]) for name, info in fields}
    return tuple(tuple(map(str, names)) for names in aliases.values())


def _refuse_misspellings(entry: Mapping[str, Any], where: str) -> None:
    given = [[key for key in spellings if key in entry] for spellings in _synonyms()]
    for keys in given:
        if len(keys) > 1:
            raise DatasetError(f"{where}: {keys[0]!r} and {keys[1]!r} mean the same; give one.")
    # A key beside the one that it resembles ("sumw2" beside "sumw") is no misspelling of it.
    absent = zip(given, _synonyms(), strict=True)
    missing = [key for keys, spellings in absent if not keys for key in spellings]
    unknown = [key for key in entry if not any(key in spellings for spellings in _synonyms())]
    for key in unknown:
        if difflib.get_close_matches(key.lower(), missing, cutoff=_MISSPELLING):
            raise DatasetError(f"{where}: unknown key {key!r}.{did_you_mean(key, missing)}")


def _refuse_simulation_keys(kind: Kind, entry: Mapping[str, Any], where: str) -> None:
    extra = [key for key in _ONLY_SIMULATION if entry.get(key) is not None]
    if kind == "data" and extra:
        raise DatasetError(f"{where}: {extra[0]!r} belongs to simulation, but 'type' is 'data'.")


def _explained(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False)[0]
    key = first["loc"][0]
    if first["type"] == "missing":
        return f"{where} has no {key!r}, which is required."
    if first["type"] == "too_short":
        return f"{where}, key {key!r}: lists no file."
    value = first["input"]
    near = did_you_mean(str(value), KINDS) if first["type"] == "literal_error" else ""
    wish = first["msg"].removeprefix("Input ")
    return f"{where}, key {key!r}: {wish}, not {reprlib.repr(value)}.{near}"


def _require_text(keys: Iterable[Any], where: str) -> None:
    for key in keys:
        if not isinstance(key, str):
            raise DatasetError(f"{where}: names and keys should be text, not {key!r}.")
