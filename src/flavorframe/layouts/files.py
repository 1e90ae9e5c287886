"""Layouts in TOML files; errors name the line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from flavorframe.errors import LayoutError
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.declaring import declared

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TOKEN = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*'
    | \#[^\n]* | [\w-]+ | \n | \S""",
    re.DOTALL | re.VERBOSE,
)


def read_layout(path: str | os.PathLike[str]) -> Layout:
    """Return the layout of a TOML file.

    Raises LayoutError where it cannot be read, or something in it is wrong, with the line.
    """
    text = _text(path)
    try:
        # With a line's end, so that errors have a line and not the "end of document".
        given: Mapping[str, Any] = tomllib.loads(f"{text}\n")
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(f"{path} is not valid TOML: {error}.") from None
    lines = lines_of_keys(text)
    places = {key: f"{path}, line {line}" for key, line in lines.items()}
    return declared(given, lambda key: _place(os.fspath(path), places, key), places)


def _text(path: str | os.PathLike[str]) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise LayoutError(f"{path} is not a text file in UTF-8, so it is no layout.") from None
    except OSError as error:
        raise LayoutError(f"cannot read the layout {path}: {error.strerror}.") from None


def _place(path: str, places: Mapping[str, str], key: str) -> str:
    """Return the file with the line of a key, or of the innermost table around it."""
    while key and key not in places:
        key = key.rpartition(".")[0]
    return places.get(key, path)


def lines_of_keys(text: str) -> dict[str, int]:
    r"""Return the line of each key and table of a text that is valid TOML, from 1.

    >>> lines_of_keys("[event]\nrun = 'RunNumber'")
    {'event': 1, 'event.run': 2}
    """
    keys, line = _Keys(), 1
    for token in _TOKEN.findall(text):
        if not token.startswith("#"):
            keys.take(token, line)
        line += token.count("\n")
    return keys.lines


class _Keys:
    """The keys met so far, token after token."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self._table: tuple[str, ...] = ()
        self._path: tuple[str, ...] = ()
        self._key: list[str] = []
        self._in_key = True
        self._inside: list[tuple[str, ...] | None] = []  # inline tables, and lists as None

    def take(self, token: str, line: int) -> None:
        if token == "\n":
            if not self._inside:
                self._begin_key()
        elif self._in_key:
            self._take_of_key(token, line)
        else:
            self._take_of_value(token)

    def _begin_key(self) -> None:
        self._key, self._in_key = [], True

    def _take_of_key(self, token: str, line: int) -> None:
        if token == "]":
            self._table = self._note((), line)
        elif token == "=":
            table = (self._inside[-1] or ()) if self._inside else self._table
            self._path = self._note(table, line)
        elif token == "}":
            self._inside.pop()
            self._in_key = False
        elif token not in ".[":
            self._key.append(token.strip("\"'"))

    def _note(self, table: tuple[str, ...], line: int) -> tuple[str, ...]:
        """Note the line of a key, and of the tables around it that have none of their own."""
        path = (*table, *self._key)
        for end in range(1, len(path) + 1):
            self.lines.setdefault(".".join(path[:end]), line)
        self._in_key = False
        return path

    def _take_of_value(self, token: str) -> None:
        if token in "{[":
            self._inside.append(self._path if token == "{" else None)
            if token == "{":
                self._begin_key()
        elif token in "]}" and self._inside:
            self._inside.pop()
        elif token == "," and self._inside and self._inside[-1] is not None:
            self._begin_key()
