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

_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def read_layout(path: str | os.PathLike[str]) -> Layout:
    """Return the layout of a TOML file.

    Raises LayoutError where it cannot be read, or something in it is wrong, with the line.
    """
    text = _text(path)
    try:
        given: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(f"{path} is not valid TOML: {error}.") from None
    lines = lines_of_keys(text)
    places = {key: f"{path}, line {line}" for key, line in lines.items()}
    return declared(given, lambda key: _place(os.fspath(path), places, key), places)


def _text(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, encoding="utf-8") as file:
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
    r"""Return the line of each key and table of a TOML text, from 1.

    >>> lines_of_keys("[event]\nrun = 'RunNumber'")
    {'event': 1, 'event.run': 2}
    """
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            table = _joined("", line.partition("]")[0])
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            lines.setdefault(_joined(table, found[1]), number)
    return lines


def _joined(table: str, key: str) -> str:
    parts = [part.strip("\"'") for part in _PART.findall(key)]
    return ".".join([table, *parts] if table else parts)
