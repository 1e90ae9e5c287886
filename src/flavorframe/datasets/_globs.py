"""Globs and folders, of this machine and of servers: the files that they stand for."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from urllib.parse import quote, unquote

from flavorframe._files.locations import is_url
from flavorframe._files.remote.listing import Names, listed
from flavorframe.errors import DatasetError, FileError

AT_ONCE = 16
"""How many folders a server is asked for at once."""
_SHOWN = 5
_FOLDERS, _FILES = True, False
_ALL_BELOW = "**"


def is_glob(location: str) -> bool:
    """Return whether a path or URL is a glob; in URLs, ``?`` and ``[`` have other meanings."""
    if is_url(location):
        return "*" in location.partition("?")[0]
    return any(character in location for character in "*?[")


def is_folder(location: str) -> bool:
    """Return whether a path is a folder, or a URL says that it is one, with a slash at its end."""
    if is_url(location):
        return location.partition("?")[0].endswith("/")
    return os.path.isdir(location)


def files_at(location: str, where: str) -> list[str]:
    """Return the files that a path or URL stands for, sorted; raises DatasetError for none.

    Raises FileError where a server does not list a folder.
    """
    if is_url(location):
        return _files_on_server(location, where)
    if os.path.isdir(location):
        location = os.path.join(glob.escape(location), "*.root")
    elif not is_glob(location) or os.path.exists(location):
        return [location]
    matches = sorted(glob.glob(location, recursive=True))
    if not matches:
        raise _nothing(location, _nearest_here(location), where)
    return matches


def _files_on_server(url: str, where: str) -> list[str]:
    if not is_glob(url) and not is_folder(url):
        return [url]
    pattern = _Pattern.of(url, where)
    matches = pattern.files()
    if not matches:
        raise _nothing(url, pattern.nearest(), where)
    return matches


def _nothing(location: str, nearest: tuple[str, Sequence[str]] | None, where: str) -> DatasetError:
    text = f"{where}: no file matches {location}."
    if nearest is None:
        return DatasetError(f"{text} The folders above it cannot be listed.")
    folder, names = nearest
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    held = f"with {', '.join(names[:_SHOWN])}{more}" if names else "and it is empty"
    return DatasetError(f"{text} The nearest folder that exists is {folder}, {held}.")


def _nearest_here(pattern: str) -> tuple[str, Sequence[str]] | None:
    """Return the nearest folder of this machine that exists, and the names in it."""
    folder = os.path.dirname(pattern)
    while folder != os.path.dirname(folder):
        found = next((each for each in sorted(glob.glob(folder)) if os.path.isdir(each)), None)
        if found is not None:
            return found, sorted(os.listdir(found)) if os.access(found, os.R_OK) else ()
        folder = os.path.dirname(folder)
    return None


@dataclass
class _Pattern:
    """A glob on a server: a folder without wildcards, and the names below it, with them."""

    scheme: str
    base: str
    names: tuple[str, ...]
    options: str
    _known: dict[str, Names | None] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str, where: str) -> _Pattern:
        """Return the pattern of a URL; one that ends with a slash is that of its ROOT files."""
        location, question, options = url.partition("?")
        scheme, _, rest = location.partition("://")
        server, *names = rest.split("/")
        if "*" in server:
            raise DatasetError(f"{where}: {url} has a wildcard in the name of the server.")
        if not names[-1]:
            names[-1] = "*.root"
        plain = list(takewhile(lambda name: "*" not in name, names))
        base = "/".join((f"{scheme}://{server}", *plain))
        return cls(scheme, base, tuple(names[len(plain) :]), f"{question}{options}")

    def files(self) -> list[str]:
        """Return the files that match, sorted."""
        *folders, last = self.names
        if last == _ALL_BELOW:
            folders, last = [*folders, _ALL_BELOW], "*"
        found = self._matching(self._below(folders), last, _FILES)
        return [f"{file}{self.options}" for file in sorted(set(found))]

    def nearest(self) -> tuple[str, Sequence[str]] | None:
        """Return the nearest folder that exists, and the names in it; None where none does."""
        for count in range(len(self.names) - 1, -1, -1):
            for folder in self._below(self.names[:count]):
                ((_, names),) = self._list([folder])
                if names is not None:
                    return folder, sorted(names)
        return self._nearest_above()

    def _nearest_above(self) -> tuple[str, Sequence[str]] | None:
        server, folder = "/".join(self.base.split("/")[:3]), self.base
        while folder != server:
            folder = folder.rpartition("/")[0].rstrip("/")
            try:
                names = listed(f"{folder}{self.options}")
            except FileError:  # of a folder that is not shown nothing can be told
                return None
            if names is not None:
                return folder, sorted(names)
        return None

    def _below(self, names: Iterable[str]) -> list[str]:
        """Return the folders that match; of a name without wildcards it is not asked."""
        folders = [self.base]
        for name in names:
            if name == _ALL_BELOW:
                folders += list(self._all_below(folders))
            elif "*" in name:
                folders = list(self._matching(folders, name, _FOLDERS))
            else:
                folders = [f"{folder}/{name}" for folder in folders]
        return list(dict.fromkeys(folders))

    def _all_below(self, folders: Sequence[str]) -> Iterator[str]:
        while folders:
            folders = list(self._matching(folders, "*", _FOLDERS))
            yield from folders

    def _matching(self, folders: Sequence[str], name: str, kind: bool) -> Iterator[str]:
        for folder, names in self._list(folders):
            for each, is_a_folder in (names or {}).items():
                if is_a_folder == kind and _matches(each, self._plain(name)):
                    yield f"{folder}/{self._written(each)}"

    def _list(self, folders: Sequence[str]) -> list[tuple[str, Names | None]]:
        unknown = [folder for folder in folders if folder not in self._known]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda folder: listed(f"{folder}{self.options}"), unknown)
            self._known.update(zip(unknown, found, strict=True))
        return [(folder, self._known[folder]) for folder in folders]

    def _plain(self, name: str) -> str:
        return unquote(name) if self.scheme.startswith("http") else name

    def _written(self, name: str) -> str:
        return quote(name) if self.scheme.startswith("http") else name


def _matches(name: str, pattern: str) -> bool:
    """Return whether a name matches; as for files here, ``*`` stands for no hidden name."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
