"""Finding the files that a user names: paths, globs, folders, lists and filesets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from flavorframe._files.locations import file_key, is_url, named_tree, normalized, refuse_repeats
from flavorframe.datasets._globs import files_at, is_folder, is_glob
from flavorframe.datasets._replicas import Places, replicas_of
from flavorframe.errors import DatasetError

PathLike = str | os.PathLike[str]

# Keys of an entry of a fileset; those after the third describe branches, and choose nothing.
_FILESET = ("files", "treename", "metadata", "form", "format", "compressed_form", "did")


# Notations


def of_fileset(files: Any, where: str) -> tuple[Any, str | None, Mapping[str, Any]]:
    """Return files, tree and metadata of an entry of a fileset, or the files of any other entry.

    Raises ``DatasetError`` for a key that could mean something else.
    """
    if not isinstance(files, Mapping) or isinstance(files.get("files"), str | None):
        return files, None, {}
    unknown = [key for key in files if key not in _FILESET]
    if unknown:
        raise DatasetError(
            f"{where}: unknown key {unknown[0]!r} in an entry of a fileset: it has "
            f"{', '.join(_FILESET)}."
        )
    meta = files.get("metadata") or {}
    if not isinstance(meta, Mapping):
        raise DatasetError(f"{where}: the metadata should be a dictionary, not {meta!r}.")
    return files["files"], files.get("treename"), dict(meta)


def files_by_tree(
    files: Mapping[Any, Any], tree: str | None, where: str
) -> tuple[list[Any], str | None]:
    """Return the files of ``{file: tree}`` and their tree, which is also ``tree`` if that is given.

    Raises ``DatasetError`` where it is not the same for all of them.
    """
    named = [(file, _tree_of(value, f"{where}, file {file}")) for file, value in files.items()]
    return [file for file, _ in named], one_tree(named, tree, where)


def _tree_of(value: Any, where: str) -> str | None:
    if isinstance(value, Mapping) and "files" in value:
        raise DatasetError(f"{where}: this is a fileset of several datasets; give one of them.")
    if isinstance(value, Mapping):
        if value.get("steps") is not None:
            raise DatasetError(
                f"{where}: ranges of events ('steps') are not taken; give the file and its tree, "
                "as {file: tree}."
            )
        value = value.get("object_path")
    if value is not None and not isinstance(value, str):
        raise DatasetError(f"{where}: the tree should be named by text, not {value!r}.")
    return value


def one_tree(named: Iterable[tuple[str, str | None]], tree: str | None, where: str) -> str | None:
    """Return the tree of all files; raises DatasetError where they differ."""
    first = {asked: file for file, asked in reversed(list(named))}
    trees = set(first) - {None} | ({tree} if tree is not None else set())
    if len(trees) > 1 or (trees and tree is None and None in first):
        told = [f"{asked or 'none'} for {file}" for asked, file in first.items()]
        told += [] if tree is None else [f"{tree} for all"]
        raise DatasetError(
            f"{where}: a dataset has one tree, and these are named: {', '.join(sorted(told))}. "
            "Make a dataset for each tree, or name it once, with tree=."
        )
    return next(iter(trees), None)


def as_entries(files: Any, where: str) -> list[Places]:
    """Return the places of each file; raises DatasetError for what is no path, or an empty one."""
    single = isinstance(files, str | os.PathLike)
    if not single and not isinstance(files, Iterable):
        raise DatasetError(f"{where}: files are paths, URLs, or a list of them, not {files!r}.")
    entries = [files] if single else list(files)
    return [
        _places(entry, where, f"file {number} of {len(entries)}")
        for number, entry in enumerate(entries, 1)
    ]


def _places(entry: Any, where: str, which: str) -> Places:
    places = entry if isinstance(entry, list | tuple) else [entry]
    if not places:
        raise DatasetError(f"{where}, {which}: the list of its places is empty.")
    for place in places:
        if not isinstance(place, str | os.PathLike) or isinstance(os.fspath(place), bytes):
            raise DatasetError(f"{where}: a file is named by text or a path, not {place!r}.")
        refuse_empty(os.fspath(place), f"{where}, {which}")
    return tuple(map(os.fspath, places))


def refuse_empty(path: str, where: str) -> None:
    """Raise DatasetError for a name without a letter: it would mean a whole folder."""
    if not path.strip():
        raise DatasetError(
            f"{where}: the name is empty. Where names are read from a text, str.split() leaves "
            "empty lines out; the current folder is '.'."
        )
    if "\0" in path:
        raise DatasetError(f"{where}: {path!r} holds a zero byte, which no name can.")


# Paths


def one_file(file: PathLike | Mapping[PathLike, str], tree: str | None) -> tuple[str, str | None]:
    """Return a file with its normalised spelling, and the tree that may be named with it.

    Raises DatasetError for more than one file or place.
    """
    given: Any = file
    if isinstance(file, Mapping):
        given, tree = files_by_tree(file, tree, "the file")
    entries = as_entries(given, "the file")
    if len(entries) != 1 or len(entries[0]) != 1:
        raise DatasetError(f"this takes one file, at one place, not {file!r}.")
    ((path,),) = entries
    found, named = named_tree(normalized(path))
    return found, one_tree([(found, named)], tree or None, path)


def below(folder: str, path: str) -> str:
    """Return the full path of ``path`` in ``folder``; URLs and absolute paths stay as they are."""
    path = normalized(path)
    if is_url(path):
        return path
    folder = normalized(folder)
    if is_url(folder) and not os.path.isabs(path):
        return normalized(f"{folder}{'' if folder.endswith('/') or not path else '/'}{path}")
    # Absolute, because workers may run in another folder.
    return _absolute(os.path.join(os.path.expanduser(folder), os.path.expanduser(path)))


def _absolute(path: str) -> str:
    """Return an absolute path. ``..`` is left to the system, which knows where links lead."""
    folders, dots, rest = path.rpartition(f"{os.sep}..{os.sep}")
    return os.path.abspath(os.path.join(os.path.realpath(folders + dots), rest) if dots else path)


def expanded(
    entries: Iterable[Places], tree: str | None, where: str
) -> tuple[Places, tuple[Places, ...], str | None]:
    """Return the files that entries stand for, their replicas, and the tree that they name."""
    named = [[named_tree(place) for place in places] for places in entries]
    files = [
        found for places in named for found in _matching(tuple(place for place, _ in places), where)
    ]
    every = [place for places in files for place in places]
    if every:
        refuse_repeats(every, where, file_key)
    trees = [asked for places in named for asked in places]
    return tuple(each[0] for each in files), replicas_of(files), one_tree(trees, tree, where)


def _matching(places: Places, where: str) -> list[Places]:
    """Return the files of an entry, each with its places."""
    if len(places) == 1:
        return [(file,) for file in files_at(places[0], where)]
    for place in places:
        if is_folder(place) or (is_glob(place) and not os.path.exists(place)):
            raise DatasetError(
                f"{where}: {place} stands for several files, and is listed as a place of one, "
                f"beside {next(other for other in places if other != place)}: list each file with "
                "its places."
            )
    return [places]
