"""Text files that list files: a file on a line, or its places with spaces between."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from flavorframe._cataloguing.making import Era, of_files
from flavorframe.errors import DatasetError

STANDARD_INPUT = "-"


def of_list(path: str, tree: str | None) -> Era:
    """Return an era of the files that a text file lists; ``-`` is the standard input.

    Empty lines, and what follows ``#`` at the start of a word, are left out. Relative paths lie in
    the current folder; ``tree`` is in all of the files. Raises DatasetError for a list that is
    empty or cannot be read.
    """
    entries = list(_entries(_text(path)))
    if not entries:
        raise DatasetError(f"{path} lists no file.")
    return of_files(entries, path, tree)


def _entries(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        words = line.split()
        comment = next((i for i, word in enumerate(words) if word.startswith("#")), len(words))
        if words[:comment]:
            yield words[:comment]


def _text(path: str) -> str:
    if path == STANDARD_INPUT:
        return sys.stdin.read()
    try:
        return Path(path).expanduser().read_text("utf-8")
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not a text file in UTF-8, so it is no list.") from None
    except OSError as error:
        raise DatasetError(f"the list {path} cannot be read: {error.strerror}.") from None
